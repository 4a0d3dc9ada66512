// Eight values: bits of f32, or counts.
// Needs: nothing.

struct Octet {
    low: vec4<u32>,
    high: vec4<u32>,
}

// The values from `first` to `first + length` as bits, modulo 2^32.
struct Range {
    first: u32,
    length: u32,
}

fn logit_of(octet: Octet, i: u32) -> u32 {
    let four = select(octet.low, octet.high, i >= 4u);
    let pair = select(four.xy, four.zw, (i & 2u) != 0u);
    return select(pair.x, pair.y, (i & 1u) != 0u);
}

// The largest magnitude among the logits, as bits.
fn farthest(octet: Octet) -> u32 {
    let far = max(octet.low & vec4<u32>(0x7fffffffu), octet.high & vec4<u32>(0x7fffffffu));
    return max(max(far.x, far.y), max(far.z, far.w));
}

// The largest of logits as integers with a sign, and as integers without: a NaN without a sign is above +inf in
// the first, and a NaN with a sign is above -inf in the second.
struct Extremes {
    positive: i32,
    negative: u32,
}

// `greatest` needs the first maximum too, so a compiler computes it once for both.
fn with_octet(before: Extremes, octet: Octet) -> Extremes {
    let more = max(bitcast<vec4<i32>>(octet.low), bitcast<vec4<i32>>(octet.high));
    let positive = max(max(more.x, more.y), max(more.z, more.w));
    let less = max(octet.low, octet.high);
    let negative = max(max(less.x, less.y), max(less.z, less.w));
    return Extremes(max(before.positive, positive), max(before.negative, negative));
}

// Whether one of two octets of logits has a NaN with its sign set, which no maximum of floats shows.
fn has_negative_nan(a: Octet, b: Octet) -> bool {
    let most = max(max(a.low, a.high), max(b.low, b.high));
    return max(max(most.x, most.y), max(most.z, most.w)) > 0xff800000u;
}

fn has_nan(extremes: Extremes) -> bool {
    return extremes.positive > 0x7f800000 || extremes.negative > 0xff800000u;
}

// The greatest of an octet of logits, as bits; a NaN or +inf if there is one, unless its sign is set.
fn greatest(octet: Octet) -> u32 {
    // as integers, positive floats are in their order, and negative ones in the opposite
    let more = max(bitcast<vec4<i32>>(octet.low), bitcast<vec4<i32>>(octet.high));
    let positive = max(max(more.x, more.y), max(more.z, more.w));
    let less = min(octet.low, octet.high);
    let negative = min(min(less.x, less.y), min(less.z, less.w));
    return select(bitcast<u32>(positive), negative, positive < 0);
}
