// The largest logit of each of eight groups of 16 categories, which lie 16 apart.
// Other forms: tops.weights.wgsl, tops.counts.wgsl. Needs: octet, values.

// Of each group the largest logit so far, in two forms: as integers with a sign, positive floats are in their order,
// and as integers without, negative ones are in the opposite order. `far` is the largest as integers without a sign.
struct Tops {
    more_low: vec4<i32>,
    more_high: vec4<i32>,
    less_low: vec4<u32>,
    less_high: vec4<u32>,
    far: vec4<u32>,
}

fn no_tops() -> Tops {
    let none = vec4<u32>(NEG_INFINITY);
    return Tops(bitcast<vec4<i32>>(none), bitcast<vec4<i32>>(none), none, none, vec4<u32>(0u));
}

// Takes in one member of each group.
fn with_member(before: Tops, octet: Octet) -> Tops {
    return Tops(
        max(before.more_low, bitcast<vec4<i32>>(octet.low)),
        max(before.more_high, bitcast<vec4<i32>>(octet.high)),
        min(before.less_low, octet.low),
        min(before.less_high, octet.high),
        max(before.far, max(octet.low, octet.high)),
    );
}

fn values_of(tops: Tops) -> Octet {
    return Octet(
        select(bitcast<vec4<u32>>(tops.more_low), tops.less_low, tops.more_low < vec4<i32>(0)),
        select(bitcast<vec4<u32>>(tops.more_high), tops.less_high, tops.more_high < vec4<i32>(0)),
    );
}

// True if one of the logits is NaN or +inf.
fn has_invalid(tops: Tops) -> bool {
    let more = max(tops.more_low, tops.more_high);
    let far = max(tops.far.xy, tops.far.zw);
    return max(max(more.x, more.y), max(more.z, more.w)) >= 0x7f800000 || max(far.x, far.y) > NEG_INFINITY;
}
