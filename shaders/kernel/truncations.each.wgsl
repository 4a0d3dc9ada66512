// The truncations of rows, where each may have cuts of its own.
// Plain form: truncations.wgsl. Needs: truncation.

// The flags of the cuts that come from a buffer.
const EACH_TOP_K: u32 = 1u;
const EACH_TOP_P: u32 = 2u;
const EACH_MIN_P: u32 = 4u;
const EACH_EPSILON: u32 = 8u;

// For each row a number, or bits of f32.
@group(2) @binding(1) var<storage, read> each_top_k: array<u32>;
@group(2) @binding(2) var<storage, read> each_top_p: array<u32>;
@group(2) @binding(3) var<storage, read> each_min_p: array<u32>;
@group(2) @binding(4) var<storage, read> each_epsilon: array<u32>;

fn truncation_of(position: u32) -> Truncation {
    var own = truncation;
    if (own.flags & EACH_TOP_K) != 0u {
        own.top_k = each_top_k[position];
    }
    if (own.flags & EACH_TOP_P) != 0u {
        own.top_p = each_top_p[position];
    }
    if (own.flags & EACH_MIN_P) != 0u {
        own.min_p = each_min_p[position];
    }
    if (own.flags & EACH_EPSILON) != 0u {
        own.epsilon = each_epsilon[position];
    }
    return own;
}

// Whether all cuts are in range: k from 1 on, p above 0, min-p and epsilon from 0 to 1.
fn is_valid_truncation(t: Truncation) -> bool {
    return t.top_k != 0u && t.top_p != 0u && t.top_p <= 0x7f800000u
        && is_share(t.min_p) && is_share(t.epsilon);
}

fn is_share(bits: u32) -> bool {
    return bits <= 0x3f800000u || bits == 0x80000000u;
}
