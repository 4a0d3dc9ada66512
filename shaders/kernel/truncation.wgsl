// How rows are truncated. Host side: src/gpu/bound/cuts.rs. Needs: rows.

struct Truncation {
    // The number of categories that are kept, or more than there are.
    top_k: u32,
    // Bits of f32: top-p, no cut from 1 on, and min-p and epsilon, no cuts if they are 0.
    top_p: u32,
    min_p: u32,
    epsilon: u32,
    // The reciprocal of the temperature at which rows are cut, as bits, or 0 for that of the draw.
    scale: u32,
    // What top-p is a share of.
    share: u32,
    // The cuts that rows have of their own; see truncations.each.wgsl.
    flags: u32,
}

// What top-p is a share of: what top-k keeps, all, or what the other cuts keep.
const SHARE_OF_TOP_K: u32 = 0u;
const SHARE_OF_ALL: u32 = 1u;
const SHARE_OF_REST: u32 = 2u;

@group(2) @binding(0) var<uniform> truncation: Truncation;

// The reciprocal of the temperature at which a row is cut, as bits.
fn scale_of_cut(t: Truncation, position: u32) -> u32 {
    return select(t.scale, temperature_of(position).scale, t.scale == 0u);
}
