//! What gumbel's kernels cost on the instruction sets of GPUs, found without a GPU.
//!
//! RADV, Mesa's Vulkan driver for AMD chips, compiles with no device present. Each kernel therefore takes
//! the way that it takes under wgpu: naga compiles the WGSL to SPIR-V ([`spirv`]), and RADV compiles that to
//! machine code and prints it ([`radv`]). [`listing`] parses the listing. An interpreter ([`machine`],
//! [`scalar`], [`vector`], [`lanes`], [`memory`]) then runs the waves of a dispatch ([`workload`]),
//! instruction by instruction, on rows of normal logits. Their draws must equal the CPU engine's. The
//! interpreter counts how often each instruction is issued, and [`account`] adds the counts up.
//!
//! The tool knows nothing of a kernel's source, so that a kernel may be rewritten without a change here. A
//! kernel that uses another instruction needs a line in a table.
//!
//! It measures no time. A unit is an issue slot of the vector pipe at its full rate ([`cost`]). Memory,
//! caches, clocks, and the overlap of pipes are left out.

pub mod account;
pub mod budget;
pub mod cost;
pub mod lanes;
pub mod listing;
pub mod machine;
pub mod memory;
pub mod radv;
pub mod report;
pub mod scalar;
pub mod spirv;
pub mod vector;
pub mod workload;

// the library's modules where the files that are included below look for them
use gumbel::{noise, shaders};

/// How the GPU engine shares races: the library's own module, which stands on nothing but its table of
/// shaders, so that wgpu is not compiled for it. (rustfmt would look for its tests.)
#[rustfmt::skip]
#[allow(dead_code, reason = "the library uses more of it")]
#[allow(unreachable_pub, reason = "the library shows some of it")]
#[path = "../../../src/gpu/layout.rs"]
mod layout;

pub use layout::Teams;

/// Why something could not be told.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
