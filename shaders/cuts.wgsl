// What a truncation compares: shares of integer sums, by integer arithmetic alone.
// Twin: src/noise/cuts.rs, which derives it. Needs: wide, pair, cdf, weights.

// The least integer that is at least share*total. The share is a float from 0 to 1, as bits.
fn share_of(share: u32, total: vec2<u32>) -> vec2<u32> {
    let parts = parts_of_f32(share);
    // mantissa*total, in three words
    let low = mul_wide(parts.mantissa, total.x);
    let high = add64(mul_wide(parts.mantissa, total.y), vec2<u32>(low.y, 0u));
    // times 2^-down, where down is 23 at least
    let down = u32(-parts.power);
    if down >= 96u {
        return vec2<u32>(u32((low.x | high.x | high.y) != 0u), 0u);
    }
    var words = vec3<u32>(low.x, high);
    var lost = 0u;
    if down >= 64u {
        lost = words.x | words.y;
        words = vec3<u32>(words.z, 0u, 0u);
    } else if down >= 32u {
        lost = words.x;
        words = vec3<u32>(words.yz, 0u);
    }
    let shift = down & 31u;
    let carried = select(vec2<u32>(0u), words.yz << vec2<u32>((32u - shift) & 31u), shift != 0u);
    lost |= words.x & ((1u << shift) - 1u);
    let quotient = (words.xy >> vec2<u32>(shift)) | carried;
    return add64(quotient, vec2<u32>(u32(lost != 0u), 0u));
}

// The largest distance from the largest K with which a category has this share of the largest probability. The share is
// a float above 0, and 1 at most, as bits.
fn distance_of(share: u32) -> vec2<u32> {
    let k = fixed_weight(share, UNSCALED);
    return select(vec2<u32>(0u, 0u), neg64(k), bitcast<i32>(k.y) < 0);
}
