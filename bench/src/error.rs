//! The reasons why something could not be measured.

use gumbel::wgpu;

/// An error. Each variant is one sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text that does not name a shape.
    #[error("\"{text}\" is no shape such as 256x128256: {what}")]
    Shape {
        /// The text.
        text: String,
        /// What is wrong with it.
        what: String,
    },
    /// A text that does not give the sizes of teams.
    #[error("\"{text}\" says nothing of teams: {what}")]
    Teams {
        /// The text.
        text: String,
        /// What is wrong with it.
        what: String,
    },
    /// No adapter to measure on. The text says why, and what to do.
    #[error("{0}")]
    NoAdapter(String),
    /// A shape that does not fit into the memory of this device or machine.
    #[error("left out: {0}")]
    LeftOut(String),
    /// Wrong results, whose time is worth nothing.
    #[error("wrong: {0}")]
    Wrong(String),
    /// An error of the library.
    #[error(transparent)]
    Gumbel(#[from] gumbel::Error),
    /// An error of the device.
    #[error("the device failed: {0}")]
    Device(String),
}

impl From<wgpu::Error> for Error {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => {
                Self::LeftOut("the device has no memory for it".to_owned())
            }
            error => Self::Device(error.to_string()),
        }
    }
}
