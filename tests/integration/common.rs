//! What several tests measure by.

pub(crate) mod forms;
pub(crate) mod oracle;
pub(crate) mod statistics;
pub(crate) mod values;
