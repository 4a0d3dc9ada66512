//! Options, results, sequences and generators, saved by serde.
//!
//! A type is saved as another of this module, which has its fields. Whatever is read is checked before it becomes a
//! value: ranges, shapes, the order of keys, and that NaNs stand where there is no draw and nowhere else.

mod adjustment;
mod decoding;
mod float;
mod options;
mod restriction;
mod results;
mod shards;

pub use options::OwnedOptions;
