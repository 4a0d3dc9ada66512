// Counts as mantissas, whose first bits are at the same place, and powers of two, for sums.
// Other forms: logarithm.wgsl, logarithm.weights.wgsl. Needs: measure, octet, positive.

const NOTHING: u32 = 1u;
// The power of a mantissa that is the value itself.
const ONE: i32 = 0;

fn can_be_drawn(counts: vec4<u32>) -> vec4<bool> {
    return counts != vec4<u32>(0u);
}

fn invalid_among(values: Octet) -> u32 {
    return 0u;
}

fn positive(counts: vec4<u32>) -> Positive {
    let zeros = countLeadingZeros(max(counts, vec4<u32>(1u)));
    return Positive(counts << zeros, -vec4<i32>(zeros));
}
