// Logits as fixed-point numbers in units of 2^-24, keys, and which of two candidates wins.
// Twin: src/noise/order.rs. Needs: wide, pair.
//
// Logits are read as bit patterns; no float operation touches them.

const NEG_INFINITY: u32 = 0xff800000u;
const NO_CATEGORY: u32 = 0xffffffffu;

fn is_invalid(bits: u32) -> bool {
    return (bits & 0x7fffffffu) > 0x7f800000u || bits == 0x7f800000u;
}

// The product of a finite logit and the scale, rounded to the nearest multiple of 2^-24, ties to even. From
// 2^31 on the result counts 26-bit mantissas, 2^30 units apart: it keeps the order of logits, and never
// saturates.
fn fixed(logit: u32, scale: u32) -> vec2<u32> {
    let exponent = (logit >> 23u) & 0xffu;
    let fraction = logit & 0x7fffffu;
    let normal = exponent != 0u;
    let mantissa = select(fraction, fraction | 0x800000u, normal);
    let power = select(-149, i32(exponent) - 150, normal);
    return scaled64(vec2<u32>(mantissa, 0u), power, (logit >> 31u) == 1u, scale);
}

// The product of ±unscaled·2^power and the scale, rounded as in `fixed`; `unscaled` is below 2^40.
fn scaled64(unscaled: vec2<u32>, power: i32, negative: bool, scale: u32) -> vec2<u32> {
    let mantissa = (scale & 0x7fffffu) | 0x800000u;
    let product = add64(mul_wide(unscaled.x, mantissa), vec2<u32>(0u, unscaled.y * mantissa));
    let shift = power + i32(scale >> 23u) - 150 + 24;

    let length = 64 - i32(leading_zeros64(product));
    let leading = length - 1 + shift - 24;
    var magnitude = vec2<u32>(0u, 0u);
    if all(product == vec2<u32>(0u, 0u)) {
        // a zero, of either sign
    } else if leading >= 31 {
        let mantissa26 = shr64(product, u32(length - 26));
        let codes = add64(shl64(vec2<u32>(u32(leading - 31), 0u), 25u), mantissa26);
        magnitude = shl64(codes, 30u);
    } else if shift >= 0 {
        magnitude = shl64(product, u32(shift));
    } else if shift > -64 {
        let down = u32(-shift);
        let quotient = shr64(product, down);
        let rest = shl64(product, 64u - down);
        let above = rest.y > 0x80000000u || (rest.y == 0x80000000u && rest.x != 0u);
        let tie = rest.y == 0x80000000u && rest.x == 0u;
        let up = above || (tie && (quotient.x & 1u) == 1u);
        magnitude = add64(quotient, vec2<u32>(u32(up), 0u));
    }
    return select(magnitude, neg64(magnitude), negative);
}

fn key(logit: u32, scale: u32, gumbel_units: i32) -> vec2<u32> {
    return add64(fixed(logit, scale), extend64(gumbel_units));
}

// The key at temperature 0: an integer in the order of the f32 values, -0 and +0 being equal.
fn greedy_key(logit: u32) -> vec2<u32> {
    let magnitude = vec2<u32>(0u, logit & 0x7fffffffu);
    return select(magnitude, neg64(magnitude), (logit >> 31u) == 1u);
}

// The winner so far: the category with the largest key, and the lowest such category.
struct Best {
    key: vec2<u32>,
    category: u32,
}

fn best_none() -> Best {
    return Best(vec2<u32>(0u, 0x80000000u), NO_CATEGORY);
}

fn beats(a: Best, b: Best) -> bool {
    if a.key.y != b.key.y {
        return bitcast<i32>(a.key.y) > bitcast<i32>(b.key.y);
    }
    if a.key.x != b.key.x {
        return a.key.x > b.key.x;
    }
    return a.category < b.category;
}
