//! The WGSL pieces, for shaders of your own.
//!
//! Everything that the [contract](crate::noise) defines is there as a function of the same name:
//! a shader that starts with [`noise_source`] can call `philox4x32_10`, `noise` or `gumbel` and
//! gets the words that the CPU gets.
//!
//! ```
//! use gumbel::shaders;
//! let source = shaders::noise_source(false)
//!     + "@group(0) @binding(0) var<storage, read_write> out: array<i32>;
//!        @compute @workgroup_size(64)
//!        fn main(@builtin(global_invocation_id) id: vec3<u32>) {
//!            let stream = Stream(vec2<u32>(7u, 0u), vec2<u32>(id.x, 0u), 0u);
//!            out[id.x] = gumbel(noise(stream, 0u, coarse(coarse_block(stream, 0u), 0u)));
//!        }";
//! assert!(source.contains("fn gumbel("));
//! ```

use crate::options::ValueFormat;

use pieces::{NOISE, WIDE, WIDE_U64};

#[cfg(any(target_family = "wasm", test))]
mod bare;
mod pieces;

/// A piece of WGSL.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// The name of the piece's file up to the first dot. A Rust twin, if there is one, has a file
    /// of the same stem.
    pub stem: &'static str,
    /// The WGSL text; on WebAssembly without comments.
    pub source: &'static str,
}

/// Returns the pieces of the contract, each after the pieces that it needs. With `int64`, products
/// are computed from 64-bit integers.
pub fn noise_pieces(int64: bool) -> impl Iterator<Item = Piece> {
    std::iter::once(if int64 { WIDE_U64 } else { WIDE }).chain(NOISE)
}

/// Returns the WGSL text of all pieces of the contract, which [`noise_pieces`] lists.
pub fn noise_source(int64: bool) -> String {
    text(noise_pieces(int64))
}

/// A kernel of the GPU engine.
///
/// Not part of the API: any version may change this type, which the tests and tools of the project use.
#[doc(hidden)]
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Draws from each row as its logits stream by.
    Stream,
    /// Loads logits once and draws from them several times.
    SeveralDraws,
    /// Finds the largest logit.
    Greedy,
    /// Joins the outcomes of the parts that a row was cut into.
    Merge,
    /// Finds the categories that may be among the first k of a race.
    TopK,
    /// Draws as `Stream` does, and sums each row of the logits that it loads.
    Score,
    /// Sums rows.
    Sums,
    /// Computes the weights of all categories of races whose winners are known, for soft samples.
    SoftWeights,
    /// For gradients of soft samples, adds up the sums of each race's strips.
    Total,
    /// Computes the gradients of logits from the cotangents of soft samples.
    Vjp,
    /// For an inverse CDF, finds the largest value of each row.
    Top,
    /// For an inverse CDF, adds up the weights of each block of categories.
    Build,
    /// For an inverse CDF, adds up the sums of the blocks of each row.
    Offsets,
    /// Draws by inverse CDF.
    Pick,
    /// For truncations of long rows, finds the largest value of each group and of each half-span.
    Maxima,
    /// Does what `Maxima` does, and adds each half-span up.
    MaximaAndSums,
    /// For truncations, finds the least value that each row keeps.
    Cut,
    /// For truncations that depend on the sum of a row, finds the rows whose draws are cut, or may be, after their races.
    Check,
    /// Computes the log-probabilities of draws, and the logarithms of the sums of rows, from the sums of their parts.
    LogProbs,
    /// Copies rows, as `f32`, to where they are adjusted.
    Copy,
    /// Adds biases to copies of rows and subtracts penalties.
    Adjust,
}

impl Kernel {
    /// True for the kernels of soft samples.
    pub fn is_soft(self) -> bool {
        matches!(self, Self::SoftWeights | Self::Total | Self::Vjp)
    }

    /// The forms of the kernels that find where rows are cut: each with whether rows are long
    /// ([`Variant::groups`]). Kernels that know nothing but groups have one form.
    pub const OF_CUTS: [(Self, bool); 6] = [
        (Self::Maxima, false),
        (Self::MaximaAndSums, false),
        (Self::Cut, false),
        (Self::Cut, true),
        (Self::Check, false),
        (Self::Check, true),
    ];

    /// True for the kernels that find where rows are cut.
    pub fn is_of_cuts(self) -> bool {
        Self::OF_CUTS.iter().any(|&(kernel, _)| kernel == self)
    }

    /// True for the kernels that adjust rows.
    pub fn is_of_adjustment(self) -> bool {
        matches!(self, Self::Copy | Self::Adjust)
    }

    /// True for the kernels of an inverse CDF.
    pub fn is_of_tables(self) -> bool {
        matches!(self, Self::Top | Self::Build | Self::Offsets | Self::Pick)
    }
}

/// How the invocations that draw from one row share their findings.
///
/// Not part of the API: any version may change this type, which the tests and tools of the project use.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Not at all: each invocation draws from a row of its own.
    Alone,
    /// Through workgroup memory.
    Workgroup,
    /// By subgroup operations and then through workgroup memory, which takes
    /// [`wgpu::Features::SUBGROUP`]. The whole workgroup draws from one row.
    Subgroups,
}

/// Which values a kernel hides.
///
/// Not part of the API: any version may change this type, which the tests and tools of the project use.
#[doc(hidden)]
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restriction {
    /// None.
    None,
    /// Those that a mask does not allow.
    Masked,
    /// Those below the row's cut. In long rows the kernel takes the largest value of each group from where
    /// [`Kernel::Maxima`] has stored it. The kernels that find cuts have this form where there is no mask, and hide nothing
    /// then.
    Cut,
    /// Those that a mask does not allow, and those below the row's cut.
    MaskedAndCut,
}

/// A form of the engine's shader. All forms draw the same categories.
///
/// Not part of the API: any version may change this type, which the tests and tools of the project use.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// The kernel.
    pub kernel: Kernel,
    /// How invocations share their findings.
    pub reduction: Reduction,
    /// Whether rows are long, so that their noise comes from the top down
    /// ([`noise::groups`](crate::noise::groups)).
    pub groups: bool,
    /// The type of the values.
    pub format: ValueFormat,
    /// Whether 16 bytes are loaded at once, for rows that start at multiples of 16 bytes.
    pub vec4: bool,
    /// Whether row ids, seeds, temperatures, draw numbers and row indices can each come from a
    /// buffer.
    pub each: bool,
    /// Whether the number of the first draw is immediate data, which takes
    /// [`wgpu::Features::IMMEDIATES`].
    pub immediates: bool,
    /// Which values are hidden, since they must not be drawn.
    pub restriction: Restriction,
    /// Whether products are computed from 64-bit integers, which takes
    /// [`wgpu::Features::SHADER_INT64`].
    pub int64: bool,
    /// Whether the device emulates a GPU on the CPU. For such a device, 64-bit integers stay whole from one
    /// round of Philox to the next (`shaders/kernel/blocks.u64.wgsl`), and kernels do little that serves
    /// subgroups whose invocations advance together (`EMULATED` in the shaders).
    pub emulated: bool,
    /// The number of invocations of a workgroup, a power of two.
    pub workgroup_size: u32,
}

impl Variant {
    /// The name of the shader's entry point.
    pub fn entry_point(self) -> &'static str {
        match self.kernel {
            Kernel::Stream | Kernel::Score => "race",
            Kernel::SeveralDraws => "races",
            Kernel::Greedy => "greedy",
            Kernel::Merge => "merge",
            Kernel::TopK => "top_k",
            Kernel::Sums => "sums",
            Kernel::SoftWeights => "soft_weights",
            Kernel::Total => "total",
            Kernel::Vjp => "vjp",
            Kernel::Top => "top",
            Kernel::Build => "build",
            Kernel::Offsets => "add_up",
            Kernel::Pick => "pick",
            Kernel::Maxima | Kernel::MaximaAndSums => "maxima",
            Kernel::Cut => "cut_rows",
            Kernel::Check => "check",
            Kernel::LogProbs => "write_log_probs",
            Kernel::Copy => "copy_rows",
            Kernel::Adjust => "adjust",
        }
    }

    /// Returns the WGSL text of the shader.
    pub fn source(self) -> String {
        let Self { workgroup_size, emulated, .. } = self;
        let constants = format!(
            "const WORKGROUP: u32 = {workgroup_size}u;\nconst EMULATED: bool = {emulated};\n\n"
        );
        constants + &text(self.pieces())
    }
}

fn text(pieces: impl Iterator<Item = Piece>) -> String {
    pieces.map(|piece| piece.source).collect::<Vec<_>>().join("\n")
}
