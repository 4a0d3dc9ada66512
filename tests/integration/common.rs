//! The means of comparison that several tests share.

pub(crate) mod forms;
pub(crate) mod oracle;
pub(crate) mod per_row;
pub(crate) mod settings;
pub(crate) mod shards;
pub(crate) mod statistics;
pub(crate) mod values;
