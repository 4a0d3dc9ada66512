//! The activities on a device, as errors name them.

use std::borrow::Cow;
use std::fmt;

use crate::error::Error;

/// An activity on a device, and the bytes that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gpu) enum Activity {
    /// Compiling a shader, whose name and variant are given.
    Compiling { shader: Cow<'static, str> },
    /// Making a buffer, or several.
    Allocating { what: &'static str, bytes: u64 },
    /// Making part of a buffer visible to the program.
    Mapping { what: &'static str, bytes: u64 },
    /// Uploading and dispatching.
    Drawing,
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compiling { shader } => write!(f, "compiling {shader}"),
            Self::Allocating { what, bytes } => write!(f, "allocating {bytes} bytes for {what}"),
            Self::Mapping { what, bytes } => write!(f, "mapping {bytes} bytes of {what}"),
            Self::Drawing => f.write_str("drawing"),
        }
    }
}

impl Activity {
    /// The number of bytes that are asked for, if there is such a number.
    pub(super) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Allocating { bytes, .. } | Self::Mapping { bytes, .. } => Some(*bytes),
            Self::Compiling { .. } | Self::Drawing => None,
        }
    }
}

/// Returns the error for a fault of a device that is not lost.
pub(super) fn failure(adapter: &str, activity: &Activity, error: wgpu::Error) -> Error {
    let adapter = adapter.to_owned();
    match (error, activity) {
        (wgpu::Error::OutOfMemory { .. }, _) => Error::OutOfMemory {
            adapter,
            while_doing: activity.to_string(),
            bytes: activity.bytes(),
        },
        (error, Activity::Compiling { shader }) => Error::ShaderRefused {
            adapter,
            shader: shader.clone().into_owned(),
            message: error.to_string(),
        },
        (error, Activity::Mapping { bytes, .. }) => Error::MapFailed {
            adapter,
            while_doing: activity.to_string(),
            bytes: *bytes,
            message: error.to_string(),
        },
        (error, Activity::Allocating { .. } | Activity::Drawing) => {
            Error::Gpu { while_doing: activity.to_string(), message: error.to_string() }
        }
    }
}
