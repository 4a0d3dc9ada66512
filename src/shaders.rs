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

use crate::options::ValueFormat::{self, Bf16, Counts, F16, F32, F64, Weights, WeightsF64};

#[cfg(any(target_family = "wasm", test))]
mod bare;

/// A piece of WGSL.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// The name of the piece's file up to the first dot. A Rust twin, if there is one, has a file
    /// of the same stem.
    pub stem: &'static str,
    /// The WGSL text; on WebAssembly without comments.
    pub source: &'static str,
}

#[cfg(not(target_family = "wasm"))]
macro_rules! source {
    ($path:expr) => {
        include_str!($path)
    };
}

#[cfg(target_family = "wasm")]
macro_rules! source {
    ($path:expr) => {{
        const TEXT: &str = include_str!($path);
        const BARE: [u8; bare::length(TEXT)] = bare::bytes(TEXT);
        const SOURCE: &str = match std::str::from_utf8(&BARE) {
            Ok(source) => source,
            Err(_) => TEXT,
        };
        SOURCE
    }};
}

macro_rules! piece {
    ($stem:literal) => {
        piece!($stem, $stem)
    };
    ($stem:literal, $file:literal) => {
        Piece { stem: $stem, source: source!(concat!("../shaders/", $file, ".wgsl")) }
    };
}

macro_rules! kernel {
    ($stem:literal) => {
        kernel!($stem, $stem)
    };
    ($stem:literal, $file:literal) => {
        Piece { stem: $stem, source: source!(concat!("../shaders/kernel/", $file, ".wgsl")) }
    };
}

/// 64-bit products from 16-bit products, for every device.
const WIDE: Piece = piece!("wide");
/// 64-bit products from 64-bit integers, which take [`wgpu::Features::SHADER_INT64`].
const WIDE_U64: Piece = piece!("wide", "wide.u64");
/// The pieces of the contract but for the products, each after the pieces that it needs.
const NOISE: [Piece; 10] = [
    piece!("pair"),
    piece!("philox"),
    piece!("bits"),
    piece!("groups"),
    piece!("gumbel"),
    piece!("order"),
    piece!("weights"),
    piece!("exp"),
    piece!("cdf"),
    piece!("cuts"),
];

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
    /// For truncations, finds the least value that each row keeps.
    Cut,
    /// For truncations, finds the rows of which that value is known so roughly that their draws are in doubt.
    Check,
}

impl Kernel {
    /// True for the kernels of soft samples.
    pub fn is_soft(self) -> bool {
        matches!(self, Self::SoftWeights | Self::Total | Self::Vjp)
    }

    /// True for the kernels that find where rows are cut.
    pub fn is_of_cuts(self) -> bool {
        matches!(self, Self::Maxima | Self::Cut | Self::Check)
    }

    /// True for the kernels of an inverse CDF.
    pub fn is_of_tables(self) -> bool {
        matches!(self, Self::Top | Self::Build | Self::Offsets | Self::Pick)
    }
}

/// How the invocations that draw from one row share their findings.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restriction {
    /// None.
    None,
    /// Those that a mask does not allow, if there is one.
    Masked,
    /// Those that a mask does not allow, if there is one, and those below the row's cut. In long rows the kernel takes the
    /// largest value of each group from where [`Kernel::Maxima`] has stored it.
    Cut,
}

/// A form of the engine's shader. All forms draw the same categories.
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
    /// Returns the pieces of this form, each after the pieces that it needs.
    pub fn pieces(self) -> impl Iterator<Item = Piece> {
        let own = if self.kernel.is_of_tables() { self.of_tables() } else { self.of_races() };
        noise_pieces(self.int64).chain(own)
    }

    fn of_races(self) -> Vec<Piece> {
        let mut pieces = vec![piece!("filter"), kernel!("bound"), kernel!("run")];
        pieces.extend(self.kernel());
        pieces
    }

    fn of_tables(self) -> Vec<Piece> {
        let mut pieces = vec![self.value(), kernel!("workgroups"), kernel!("table")];
        pieces.extend(self.values());
        pieces.push(match self.kernel {
            Kernel::Top => kernel!("top"),
            Kernel::Build => kernel!("build"),
            Kernel::Offsets => kernel!("offsets"),
            _ => kernel!("pick"),
        });
        pieces
    }

    fn kernel(self) -> Vec<Piece> {
        if self.kernel.is_soft() {
            return self.soft();
        }
        if self.kernel.is_of_cuts() {
            return self.cuts();
        }
        let reduction = match self.reduction {
            Reduction::Alone => kernel!("reduction", "reduction.alone"),
            Reduction::Workgroup => kernel!("reduction"),
            Reduction::Subgroups => kernel!("reduction", "reduction.subgroups"),
        };
        let step =
            if self.immediates { kernel!("step", "step.immediates") } else { kernel!("step") };
        let mut pieces = vec![kernel!("outcome"), reduction];
        if self.kernel == Kernel::Merge {
            pieces.push(kernel!("merge"));
            return pieces;
        }
        pieces.push(self.value());
        pieces.extend(self.values());
        pieces.extend([step, self.rows()]);
        pieces.extend(self.measure());
        match self.kernel {
            Kernel::Stream | Kernel::Score => {
                pieces.extend(self.race());
                pieces.extend(match self.kernel {
                    Kernel::Score => self.running_sums(),
                    _ => vec![kernel!("running_sums", "running_sums.none")],
                });
                pieces.extend(match (self.groups, self.kernel) {
                    (false, _) => vec![kernel!("stream")],
                    (true, Kernel::Score) => {
                        vec![kernel!("half_sums"), kernel!("stream", "stream.groups")]
                    }
                    (true, _) => vec![
                        kernel!("half_sums", "half_sums.none"),
                        kernel!("stream", "stream.groups"),
                    ],
                });
            }
            Kernel::SeveralDraws => {
                pieces.extend(self.race());
                pieces.push(match self.groups {
                    true => kernel!("several_draws", "several_draws.groups"),
                    false => kernel!("several_draws"),
                });
            }
            Kernel::TopK => {
                pieces.extend(self.race());
                pieces.push(kernel!("record"));
                pieces.push(match self.groups {
                    true => kernel!("top_k", "top_k.groups"),
                    false => kernel!("top_k"),
                });
            }
            Kernel::Sums => {
                pieces.extend(self.running_sums());
                pieces.push(kernel!("sums"));
            }
            _ => pieces.push(kernel!("greedy")),
        }
        pieces
    }

    /// The pieces that find where rows are cut.
    fn cuts(self) -> Vec<Piece> {
        let mut pieces = vec![kernel!("workgroups"), self.value()];
        pieces.extend(self.values());
        pieces.extend([kernel!("step"), self.rows()]);
        pieces.extend(self.measure());
        match self.kernel {
            Kernel::Maxima => {
                let maxima = kernel!("maxima");
                pieces.extend([self.tops(), kernel!("half_span"), kernel!("half_tops"), maxima]);
                return pieces;
            }
            Kernel::Check => {
                pieces.push(kernel!("check"));
                return pieces;
            }
            _ => {}
        }
        pieces.push(kernel!("truncation"));
        pieces.push(match self.each {
            true => kernel!("truncations", "truncations.each"),
            false => kernel!("truncations"),
        });
        pieces.extend(self.logarithm());
        pieces.push(kernel!("ladder"));
        pieces.push(match self.groups {
            true => kernel!("candidates", "candidates.groups"),
            false => kernel!("candidates"),
        });
        pieces.push(kernel!("cut"));
        pieces
    }

    fn rows(self) -> Piece {
        if self.each { kernel!("rows", "rows.each") } else { kernel!("rows") }
    }

    fn soft(self) -> Vec<Piece> {
        let mut pieces = vec![kernel!("soften")];
        match self.kernel {
            Kernel::Total => pieces.push(kernel!("total")),
            Kernel::Vjp => pieces.push(kernel!("vjp")),
            _ => {
                pieces.extend([kernel!("outcome"), self.value()]);
                pieces.extend(self.values());
                pieces.extend([kernel!("step"), kernel!("rows")]);
                pieces.extend(self.measure());
                pieces.extend(self.blocks());
                pieces.push(kernel!("kept"));
                pieces.extend(match self.groups {
                    true => {
                        let of_groups = kernel!("soft_weights", "soft_weights.groups");
                        vec![kernel!("half_span"), kernel!("group_words"), of_groups]
                    }
                    false => vec![kernel!("soft_weights")],
                });
            }
        }
        pieces
    }

    /// The piece that interprets a value by itself: its order, and its weight in an inverse CDF.
    fn value(self) -> Piece {
        match self.format {
            F32 | F16 | Bf16 | F64 => kernel!("value"),
            Weights | WeightsF64 => kernel!("value", "value.weights"),
            Counts => kernel!("value", "value.counts"),
        }
    }

    /// The pieces that interpret a value in a race.
    fn measure(self) -> Vec<Piece> {
        match self.format {
            F32 | F16 | Bf16 | F64 => vec![kernel!("measure")],
            Weights | WeightsF64 => {
                vec![kernel!("log2"), kernel!("measure", "measure.weights")]
            }
            Counts => vec![kernel!("log2"), kernel!("measure", "measure.counts")],
        }
    }

    /// The pieces that race octets, or groups.
    fn race(self) -> Vec<Piece> {
        let mut pieces = self.blocks().to_vec();
        pieces.push(kernel!("scores"));
        if !self.groups {
            pieces.push(kernel!("race"));
            return pieces;
        }
        pieces.push(kernel!("half_span"));
        match self.restriction {
            Restriction::Cut => pieces.push(kernel!("half_tops", "half_tops.stored")),
            _ => pieces.extend([self.tops(), kernel!("half_tops")]),
        }
        pieces.extend([kernel!("group_words"), kernel!("group_scores"), kernel!("members")]);
        if self.kernel != Kernel::TopK {
            pieces.push(kernel!("settle"));
        }
        pieces
    }

    /// The piece that takes the largest values of groups.
    fn tops(self) -> Piece {
        match self.format {
            F32 | F16 | Bf16 | F64 => kernel!("tops"),
            Weights | WeightsF64 => kernel!("tops", "tops.weights"),
            Counts => kernel!("tops", "tops.counts"),
        }
    }

    /// The pieces that compute the noise of two octets, or of two categories.
    fn blocks(self) -> [Piece; 2] {
        let blocks = match self.int64 && self.emulated {
            true => kernel!("blocks", "blocks.u64"),
            false => kernel!("blocks"),
        };
        [kernel!("begin"), blocks]
    }

    fn running_sums(self) -> Vec<Piece> {
        let mut pieces = self.logarithm();
        pieces.push(kernel!("running_sums"));
        pieces
    }

    /// The pieces that take exponentials, or powers, in floats.
    fn logarithm(self) -> Vec<Piece> {
        let positive = kernel!("positive");
        match self.format {
            F32 | F16 | Bf16 | F64 => vec![kernel!("logarithm")],
            Weights | WeightsF64 => vec![positive, kernel!("logarithm", "logarithm.weights")],
            Counts => vec![positive, kernel!("logarithm", "logarithm.counts")],
        }
    }

    /// The pieces that load values and hand them to kernels. Kernels get values in no other way.
    fn values(self) -> Vec<Piece> {
        let widen = match self.format {
            F32 | Weights | Counts | F64 | WeightsF64 => None,
            F16 => Some(kernel!("widen", "widen.f16")),
            Bf16 => Some(kernel!("widen", "widen.bf16")),
        };
        let load = match (widen, self.vec4) {
            (None, false) => kernel!("load"),
            (None, true) => kernel!("load", "load.vec4"),
            (Some(_), false) => kernel!("load", "load.halves"),
            (Some(_), true) => kernel!("load", "load.halves.vec4"),
        };
        let mut pieces = vec![kernel!("octet")];
        pieces.extend(widen);
        let restriction = match self.restriction {
            Restriction::None => kernel!("restriction", "restriction.none"),
            _ => kernel!("restriction"),
        };
        pieces.extend([load, restriction, kernel!("values")]);
        pieces
    }

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
            Kernel::Maxima => "maxima",
            Kernel::Cut => "cut_rows",
            Kernel::Check => "check",
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
