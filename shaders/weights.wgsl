// Positive weights as fixed-point logarithms, which take the place of logits in keys.
// Twin: src/noise/weights.rs, which derives it. Needs: wide, pair, gumbel, order.

fn is_invalid_weight(bits: u32) -> bool {
    return bits >= 0x7f800000u && bits != 0x80000000u;
}

fn is_zero_weight(bits: u32) -> bool {
    return (bits & 0x7fffffffu) == 0u;
}

fn fixed_ln(power: i32, fraction: u32, scale: u32) -> vec2<u32> {
    let powers = mul_wide(u32(abs(power)), LN2);
    let rest = vec2<u32>(ln1p(fraction), 0u);
    let magnitude = select(add64(powers, rest), sub64(powers, rest), power < 0);
    return scaled64(magnitude, -32, power < 0, scale);
}

fn fixed_weight(bits: u32, scale: u32) -> vec2<u32> {
    let exponent = (bits >> 23u) & 0xffu;
    let fraction = bits & 0x7fffffu;
    let zeros = countLeadingZeros(fraction);
    let normal = exponent != 0u;
    let power = select(-118 - i32(zeros), i32(exponent) - 127, normal);
    return fixed_ln(power, select((fraction << (zeros & 31u)) << 1u, fraction << 9u, normal), scale);
}

fn fixed_count(count: u32, scale: u32) -> vec2<u32> {
    let zeros = countLeadingZeros(count);
    return fixed_ln(31 - i32(zeros), (count << (zeros & 31u)) << 1u, scale);
}

fn greedy_weight(bits: u32) -> vec2<u32> {
    return vec2<u32>(0u, bits & 0x7fffffffu);
}

fn greedy_count(count: u32) -> vec2<u32> {
    return vec2<u32>(count << 31u, count >> 1u);
}
