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

/// A piece of WGSL.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// The name of its file up to the first dot, and that of its Rust twin.
    pub stem: &'static str,
    /// Its text.
    pub source: &'static str,
}

macro_rules! piece {
    ($stem:literal) => {
        piece!($stem, $stem)
    };
    ($stem:literal, $file:literal) => {
        Piece { stem: $stem, source: include_str!(concat!("../shaders/", $file, ".wgsl")) }
    };
}

/// Products from 16-bit products, which every device has.
const WIDE: Piece = piece!("wide");
/// Products in 64 bits, which takes [`wgpu::Features::SHADER_INT64`].
const WIDE_U64: Piece = piece!("wide", "wide.u64");
/// The contract, each piece after those that it needs.
const NOISE: [Piece; 5] =
    [piece!("pair"), piece!("philox"), piece!("bits"), piece!("gumbel"), piece!("order")];
/// The engine.
const ENGINE: [Piece; 2] = [piece!("filter"), piece!("race")];

/// The pieces of the contract, each after those that it needs, with 64-bit products or without.
pub fn noise_pieces(int64: bool) -> impl Iterator<Item = Piece> {
    std::iter::once(if int64 { WIDE_U64 } else { WIDE }).chain(NOISE)
}

/// The text of [`noise_pieces`].
pub fn noise_source(int64: bool) -> String {
    text(noise_pieces(int64))
}

/// Which form of the engine's shader a device gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Multiply in 64 bits, which takes [`wgpu::Features::SHADER_INT64`].
    pub int64: bool,
    /// The invocations of a workgroup, a power of two.
    pub workgroup_size: u32,
}

impl Variant {
    /// The pieces of the engine's shader.
    pub fn pieces(self) -> impl Iterator<Item = Piece> {
        noise_pieces(self.int64).chain(ENGINE)
    }

    /// The engine's shader, whose entry point is `race`.
    pub fn source(self) -> String {
        format!("const WORKGROUP: u32 = {}u;\n\n", self.workgroup_size) + &text(self.pieces())
    }
}

fn text(pieces: impl Iterator<Item = Piece>) -> String {
    pieces.map(|piece| piece.source).collect::<Vec<_>>().join("\n")
}
