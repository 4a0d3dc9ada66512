// The weight of a category as an integer: e to its scaled logit, by integer arithmetic alone.
// Twin: src/noise/exp.rs, which derives it. Needs: wide, pair.

// log2(e) in units of 2^-63, (low, high).
const LOG2_E_LOW: u32 = 0x5c17f0bcu;
const LOG2_E_HIGH: u32 = 0xb8aa3b29u;

fn log2_floor(n: u32) -> u32 {
    return 31u - countLeadingZeros(n);
}

// 2^-f of a 0.32 fraction, in units of 2^-32.
fn exp2_neg(f: u32) -> vec2<u32> {
    // Horner's rule, written out for the same reason as the rounds of Philox.
    var sum = 0xbda5a379u;
    sum = 0x9c1ffe34u - (mul_high(sum, f) >> 4u);
    sum = 0xae51609au - (mul_high(sum, f) >> 3u);
    sum = 0x9d906a32u - (mul_high(sum, f) >> 3u);
    sum = 0xe358126eu - (mul_high(sum, f) >> 2u);
    sum = 0xf5fdef2cu - (mul_high(sum, f) >> 2u);
    sum = 0xb17217f8u - (mul_high(sum, f) >> 2u);
    return sub64(vec2<u32>(0u, 1u), vec2<u32>(mul_high(sum, f), 0u));
}

// The weight of a category whose scaled logit is `difference` below the largest, in a row of 2^log2_categories
// categories or more.
fn weight(difference: vec2<u32>, log2_categories: u32) -> vec2<u32> {
    if difference.y != 0u || difference.x >= 0x40000000u {
        return vec2<u32>(0u, 0u);
    }
    // d*log2(e) in units of 2^-55
    let low = vec2<u32>(mul_high(difference.x, LOG2_E_LOW), 0u);
    let y = add64(mul_wide(difference.x, LOG2_E_HIGH), low);
    let shift = (y.y >> 23u) + log2_categories;
    if shift > 63u {
        return vec2<u32>(0u, 0u);
    }
    let twice = shr64(shl64(exp2_neg((y.y << 9u) | (y.x >> 23u)), 31u), shift);
    return shr64(add64(twice, vec2<u32>(1u, 0u)), 1u);
}
