//! The command, run as users run it, in one binary: each binary links wgpu anew.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod adapters;
mod bench;
mod check;
mod common;
mod explain;
mod files;
mod manners;
#[cfg(target_os = "linux")]
mod memory;
mod method;
mod operations;
mod outputs;
mod readme;
mod refusals;
mod restrict;
mod sample;
mod soften;
