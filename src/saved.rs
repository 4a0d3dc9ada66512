//! Options, results, sequences and generators, saved by serde.
//!
//! A type is saved as another of this module, which has its fields. Whatever is read is checked before it becomes a
//! value: no file gives a value that no call could have given.

mod float;
mod options;
mod results;

pub use options::OwnedOptions;
