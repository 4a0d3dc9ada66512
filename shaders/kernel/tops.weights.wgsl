// The largest weight of each of eight groups of 16 categories, which lie 16 apart.
// Other forms: tops.wgsl, which says what the functions are for, tops.counts.wgsl. Needs: octet, values.

// Weights are in the order of their bits; those that are not valid are above all others.
struct Tops {
    low: vec4<u32>,
    high: vec4<u32>,
}

fn no_tops() -> Tops {
    return Tops(vec4<u32>(0u), vec4<u32>(0u));
}

// -0 as 0.
fn without_negative_zeros(bits: vec4<u32>) -> vec4<u32> {
    return select(bits, vec4<u32>(0u), bits == vec4<u32>(0x80000000u));
}

fn with_member(before: Tops, octet: Octet) -> Tops {
    return Tops(
        max(before.low, without_negative_zeros(octet.low)),
        max(before.high, without_negative_zeros(octet.high)),
    );
}

fn values_of(tops: Tops) -> Octet {
    return Octet(tops.low, tops.high);
}

fn has_invalid(tops: Tops) -> bool {
    let most = max(tops.low, tops.high);
    return max(max(most.x, most.y), max(most.z, most.w)) >= 0x7f800000u;
}
