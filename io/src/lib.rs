//! Rows of logits or weights from the files that people have.
//!
//! [`open`] tells the format of a file or a pipe by its first bytes, and gives its rows a block at a time: the memory
//! of a block is what the caller asks for, however large the file is. Each [`Block`] knows the number of its first row,
//! so that draws from it are those of the whole file.
//!
//! | format | what is read |
//! |---|---|
//! | .npy | one or two dimensions, C or Fortran order, either byte order |
//! | .npz | an array, stored or deflated |
//! | safetensors | a tensor |
//! | Arrow IPC, Feather 2 | a column of lists of equal lengths, or columns of numbers (feature `arrow`) |
//! | Parquet | the same, a part of a row group at a time (feature `parquet`) |
//! | text | a row a line, with commas, semicolons, tabs or blanks between the numbers |
//!
//! Floats of 16, 32 and 64 bits, `bf16` among them, are given as they are; of weights, integers and booleans become
//! counts. What a file decides never ends the process: malformed files are errors that say where, and memory whose size
//! a file chooses grows with what has been read, or is asked for in a way that can fail.
//!
//! **How a file is read.** A *section* is a part of a regular file, which all threads read at once. The bytes of a pipe that are
//! needed out of order are kept in a temporary file first. `dense.rs` has arrays (.npy, .npz, safetensors), `text/` lines and
//! `arrow/` tables (Parquet among them). Each gives *blocks* of rows. In the command `gumbel`, `input.rs` has a thread that reads
//! the next block while one is drawn from, and `sink.rs` one that writes the draws of the block before. Its `output/` has files
//! that have no name until they are complete.
//!
//! The crate is what the command `gumbel` reads files with, and its errors name ways out in that command's words.

mod column;
mod columns;
mod dense;
mod dtype;
mod error;
mod format;
mod npy;
mod npz;
mod open;
mod safetensors;
mod source;
mod stored;
mod text;
mod values;
mod write;

#[cfg(feature = "arrow")]
mod arrow;
#[cfg(feature = "parquet")]
mod parquet;

pub use column::Column;
pub use dtype::Dtype;
pub use error::Error;
pub use format::Format;
pub use open::{Header, Request, open, open_stream};
pub use values::{Block, Kind, Values};
pub use write::{Cells, TableFormat, TableWriter};

/// The rows of a file, in their order.
pub trait Rows: Send {
    /// The number of categories in each row.
    fn categories(&self) -> usize;

    /// The number of rows, where a header tells it.
    fn rows(&self) -> Option<u64>;

    /// Whether the values of a row lie far apart in the file, so that few rows take nearly as long as many.
    fn reads_far_apart(&self) -> bool {
        false
    }

    /// The names of the columns that are kept.
    fn kept(&self) -> &[String] {
        &[]
    }

    /// Reads the next rows, at most `most` of them, in place of what the block has. Returns whether there was one: at
    /// the end of a file the block is empty.
    ///
    /// # Errors
    /// What is wrong with the file, or with the way to it.
    fn read(&mut self, most: usize, block: &mut Block) -> Result<bool, Error>;

    /// Skips as many rows, or all that there are, without a look at their values where the format allows that. Returns
    /// how many.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    fn skip(&mut self, rows: u64) -> Result<u64, Error> {
        let (mut block, mut skipped) = (Block::default(), 0);
        while skipped < rows {
            let most = usize::try_from(rows - skipped).unwrap_or(usize::MAX).min(1 << 10);
            if !self.read(most, &mut block)? {
                break;
            }
            skipped += block.rows as u64;
        }
        Ok(skipped)
    }
}
