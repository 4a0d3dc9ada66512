//! Why something could not be measured.

use gumbel::wgpu;

/// One sentence a variant.
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
    /// A text that does not say how large teams are.
    #[error("\"{text}\" says nothing of teams: {what}")]
    Teams {
        /// The text.
        text: String,
        /// What is wrong with it.
        what: String,
    },
    /// No adapter to measure on: why, and what to do.
    #[error("{0}")]
    NoAdapter(String),
    /// A shape that this device or this machine has no room for.
    #[error("left out: {0}")]
    LeftOut(String),
    /// Something else than what is right, which is not worth a time.
    #[error("wrong: {0}")]
    Wrong(String),
    /// The library's refusal.
    #[error(transparent)]
    Gumbel(#[from] gumbel::Error),
    /// The device's.
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
