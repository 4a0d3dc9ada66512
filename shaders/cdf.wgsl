// Integer weights from weights, and the number below their sum that decides a draw.
// Twin: src/noise/cdf.rs. Needs: wide, pair.

// The scale of temperature 1, as bits.
const UNSCALED: u32 = 0x3f800000u;

// The integer weight of a weight in f32 that is positive and finite, or 0.
fn weight_of_f32(float: u32, largest: u32, log2_categories: u32) -> vec2<u32> {
    let one = parts_of_f32(float);
    let most = parts_of_f32(largest);
    // the first power of two above the largest becomes 2^(62 - log2)
    let above = most.power + 32 - i32(countLeadingZeros(most.mantissa));
    let shift = one.power - above + 62 - i32(log2_categories);
    let mantissa = vec2<u32>(one.mantissa, 0u);
    if shift >= 0 {
        return shl64(mantissa, u32(shift));
    }
    if shift <= -32 {
        return vec2<u32>(0u, 0u);
    }
    let twice = shr64(shl64(mantissa, 1u), u32(-shift));
    return shr64(add64(twice, vec2<u32>(1u, 0u)), 1u);
}

// A float's magnitude is mantissa*2^power.
struct PartsOfFloat {
    mantissa: u32,
    power: i32,
}

fn parts_of_f32(bits: u32) -> PartsOfFloat {
    let exponent = (bits >> 23u) & 0xffu;
    let fraction = bits & 0x7fffffu;
    if exponent == 0u {
        return PartsOfFloat(fraction, -149);
    }
    return PartsOfFloat(fraction | 0x800000u, i32(exponent) - 150);
}

fn weight_of_count(count: u32) -> vec2<u32> {
    return vec2<u32>(count, 0u);
}

// floor(number*total / 2^64)
fn point(number: vec2<u32>, total: vec2<u32>) -> vec2<u32> {
    let low = mul_high(number.x, total.x);
    let one = add64(mul_wide(number.y, total.x), vec2<u32>(low, 0u));
    let other = add64(mul_wide(number.x, total.y), vec2<u32>(one.x, 0u));
    let high = add64(mul_wide(number.y, total.y), vec2<u32>(one.y, 0u));
    return add64(high, vec2<u32>(other.y, 0u));
}
