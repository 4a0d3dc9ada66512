//! Which pieces of WGSL the forms of the shader consist of.

use crate::options::ValueFormat::{Bf16, Counts, F16, F32, F64, Weights, WeightsF64};

#[cfg(target_family = "wasm")]
use super::bare;
use super::{Kernel, Piece, Reduction, Restriction, Variant, noise_pieces};

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
        Piece { stem: $stem, source: source!(concat!("../../shaders/", $file, ".wgsl")) }
    };
}

macro_rules! kernel {
    ($stem:literal) => {
        kernel!($stem, $stem)
    };
    ($stem:literal, $file:literal) => {
        Piece { stem: $stem, source: source!(concat!("../../shaders/kernel/", $file, ".wgsl")) }
    };
}

/// 64-bit products from 16-bit products, for every device.
pub(super) const WIDE: Piece = piece!("wide");
/// 64-bit products from 64-bit integers, which take [`wgpu::Features::SHADER_INT64`].
pub(super) const WIDE_U64: Piece = piece!("wide", "wide.u64");
/// The pieces of the contract but for the products, each after the pieces that it needs.
pub(super) const NOISE: [Piece; 10] = [
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

impl Variant {
    /// Returns the pieces of this form, each after the pieces that it needs.
    pub fn pieces(self) -> impl Iterator<Item = Piece> {
        let own = match self.kernel {
            Kernel::Adjust => vec![kernel!("workgroups"), kernel!("double"), kernel!("adjust")],
            kernel if kernel.is_of_tables() => self.of_tables(),
            _ => self.of_races(),
        };
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
        if self.kernel == Kernel::LogProbs {
            let mut pieces = self.one_by_one();
            pieces.extend(self.logarithm());
            pieces.extend([kernel!("sum"), kernel!("log_probs")]);
            return pieces;
        }
        if self.kernel == Kernel::Copy {
            let mut pieces = self.one_by_one();
            pieces.push(kernel!("copy"));
            return pieces;
        }
        let reduction = match self.reduction {
            Reduction::Alone => kernel!("reduction", "reduction.alone"),
            Reduction::Workgroup => kernel!("reduction"),
            Reduction::Subgroups => kernel!("reduction", "reduction.subgroups"),
        };
        let step =
            if self.immediates { kernel!("step", "step.immediates") } else { kernel!("step") };
        let mut pieces = vec![kernel!("outcome"), reduction, kernel!("team")];
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
                    (true, _) => vec![self.without_sums(), kernel!("stream", "stream.groups")],
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

    /// The pieces of kernels whose invocations take no part in a race: rows and their values.
    fn one_by_one(self) -> Vec<Piece> {
        let mut pieces = vec![kernel!("workgroups"), self.value()];
        pieces.extend(self.values());
        pieces.extend([kernel!("step"), self.rows()]);
        pieces.extend(self.measure());
        pieces
    }

    /// The pieces that find where rows are cut.
    fn cuts(self) -> Vec<Piece> {
        let mut pieces = self.one_by_one();
        match self.kernel {
            Kernel::Maxima | Kernel::MaximaAndSums => {
                pieces.extend([self.tops(), kernel!("half_span"), kernel!("half_tops")]);
                if self.kernel == Kernel::MaximaAndSums {
                    pieces.extend(self.truncations());
                    pieces.extend(self.logarithm());
                    pieces.extend([kernel!("float_sums"), kernel!("take_in")]);
                } else {
                    pieces.push(kernel!("take_in", "take_in.none"));
                }
                pieces.push(kernel!("maxima"));
            }
            Kernel::Check => {
                pieces.extend(self.shares());
                pieces.push(kernel!("check"));
            }
            _ => {
                pieces.extend(self.truncations());
                pieces.extend(self.shares());
                pieces.push(kernel!("ladder"));
                pieces.extend(match self.groups {
                    true => [kernel!("list"), kernel!("words", "words.groups")],
                    false => [kernel!("list", "list.none"), kernel!("words")],
                });
                pieces.push(kernel!("cut"));
            }
        }
        pieces
    }

    /// The pieces that have how rows are truncated.
    fn truncations(self) -> [Piece; 2] {
        let truncations = match self.each {
            true => kernel!("truncations", "truncations.each"),
            false => kernel!("truncations"),
        };
        [kernel!("truncation"), truncations]
    }

    /// The pieces that find the words where a cut begins, and that add words up in floats.
    fn shares(self) -> Vec<Piece> {
        let mut pieces = self.logarithm();
        pieces.extend([kernel!("bisect"), kernel!("float_sums")]);
        match self.groups {
            true => pieces.extend([
                kernel!("half_span"),
                kernel!("members_of_group"),
                kernel!("above", "above.groups"),
            ]),
            false => pieces.push(kernel!("above")),
        }
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
            Restriction::Cut | Restriction::MaskedAndCut => {
                pieces.push(kernel!("half_tops", "half_tops.stored"))
            }
            _ => pieces.extend([self.tops(), kernel!("half_tops")]),
        }
        pieces.extend([kernel!("group_words"), kernel!("group_scores"), kernel!("members")]);
        if self.kernel != Kernel::TopK {
            pieces.push(kernel!("settle"));
        }
        pieces
    }

    /// The piece that loads groups for a race that sums nothing.
    fn without_sums(self) -> Piece {
        match self.emulated && self.restriction == Restriction::Masked {
            true => kernel!("half_sums", "half_sums.masked"),
            false => kernel!("half_sums", "half_sums.none"),
        }
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
        pieces.extend([kernel!("sum"), kernel!("running_sums")]);
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
        pieces.push(load);
        match self.restriction {
            Restriction::None => pieces.push(kernel!("restriction", "restriction.none")),
            Restriction::Cut => {
                pieces.extend([kernel!("restriction"), kernel!("masks", "masks.none")])
            }
            Restriction::Masked | Restriction::MaskedAndCut => {
                pieces.extend([kernel!("restriction"), kernel!("masks")])
            }
        }
        pieces.push(kernel!("values"));
        pieces
    }
}
