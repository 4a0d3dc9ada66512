// Numbers of f64, for devices that have none: integer arithmetic that rounds as IEEE 754 does.
// Host side: f64, of which tests/gpu/doubles.rs compares every function. Needs: wide.
//
// Operands begin as f32 or u32, and a few steps lead from there neither to infinity nor to subnormal numbers of f64. So
// neither is thought of here.

// The number (high · 2^32 + low) · 2^exponent with 53 significant bits. Bit 31 of `high` is set, unless the number is 0.
struct Double {
    // The bit of the sign alone, where a f32 has it.
    sign: u32,
    exponent: i32,
    high: u32,
    low: u32,
}

// A word times 2^exponent.
fn double_of_word(sign: u32, exponent: i32, word: u32) -> Double {
    if word == 0u {
        return Double(sign, 0, 0u, 0u);
    }
    let zeros = countLeadingZeros(word);
    return Double(sign, exponent - 32 - i32(zeros), word << zeros, 0u);
}

// A finite f32, from its bits.
fn double_of(bits: u32) -> Double {
    let exponent = (bits >> 23u) & 0xffu;
    let fraction = bits & 0x7fffffu;
    let mantissa = select(fraction, fraction | 0x800000u, exponent != 0u);
    return double_of_word(bits & 0x80000000u, i32(max(exponent, 1u)) - 150, mantissa);
}

fn is_zero(x: Double) -> bool {
    return x.high == 0u;
}

fn is_positive(x: Double) -> bool {
    return x.sign == 0u && !is_zero(x);
}

fn negated(x: Double) -> Double {
    return Double(x.sign ^ 0x80000000u, x.exponent, x.high, x.low);
}

// The nearest number with 53 bits, the even one of two. `more` says whether something of less than the last bit has been
// left out, which is so only if bits below the 53 are not all 0 or the number is exact but for that.
fn rounded_double(sign: u32, exponent: i32, high: u32, low: u32, more: bool) -> Double {
    let rest = low & 0x7ffu;
    let is_odd = (low & 0x800u) != 0u;
    var x = Double(sign, exponent, high, low - rest);
    if rest > 0x400u || (rest == 0x400u && (more || is_odd)) {
        x.low += 0x800u;
        x.high += u32(x.low == 0u);
        if x.high == 0u {
            x.high = 0x80000000u;
            x.exponent += 1;
        }
    }
    return x;
}

// Two words shifted to the right; the last bit is set if any bit that is lost was.
fn shifted_right(high: u32, low: u32, by: u32) -> vec2<u32> {
    if by == 0u {
        return vec2<u32>(high, low);
    }
    if by < 32u {
        let lost = low << (32u - by);
        return vec2<u32>(high >> by, (high << (32u - by)) | (low >> by) | u32(lost != 0u));
    }
    if by == 32u {
        return vec2<u32>(0u, high | u32(low != 0u));
    }
    if by < 64u {
        let lost = (high << (64u - by)) | low;
        return vec2<u32>(0u, (high >> (by - 32u)) | u32(lost != 0u));
    }
    return vec2<u32>(0u, u32((high | low) != 0u));
}

fn sum_of_doubles(a: Double, b: Double) -> Double {
    if is_zero(a) && is_zero(b) {
        return Double(a.sign & b.sign, 0, 0u, 0u);
    }
    if is_zero(b) {
        return a;
    }
    if is_zero(a) {
        return b;
    }
    var x = a;
    var y = b;
    let same = a.exponent == b.exponent;
    if a.exponent < b.exponent || (same && (a.high < b.high || (a.high == b.high && a.low < b.low))) {
        x = b;
        y = a;
    }
    // a bit of room for the carry
    let large = shifted_right(x.high, x.low, 1u);
    let small = shifted_right(y.high, y.low, u32(min(x.exponent - y.exponent, 64)) + 1u);
    var exponent = x.exponent + 1;
    var high: u32;
    var low: u32;
    if x.sign == y.sign {
        low = large.y + small.y;
        high = large.x + small.x + u32(low < small.y);
    } else {
        low = large.y - small.y;
        high = large.x - small.x - u32(large.y < small.y);
    }
    if (high | low) == 0u {
        return Double(0u, 0, 0u, 0u);
    }
    if high == 0u {
        high = low;
        low = 0u;
        exponent -= 32;
    }
    let zeros = countLeadingZeros(high);
    if zeros > 0u {
        high = (high << zeros) | (low >> (32u - zeros));
        low = low << zeros;
        exponent -= i32(zeros);
    }
    return rounded_double(x.sign, exponent, high, low, false);
}

// The product of a number and one that came from a f32 or a u32.
fn product_of_doubles(a: Double, word: Double) -> Double {
    let sign = a.sign ^ word.sign;
    if is_zero(a) || is_zero(word) {
        return Double(sign, 0, 0u, 0u);
    }
    let lower = mul_wide(a.low, word.high);
    let upper = mul_wide(a.high, word.high);
    var rest = lower.x;
    var low = upper.x + lower.y;
    var high = upper.y + u32(low < lower.y);
    var exponent = a.exponent + word.exponent + 64;
    if (high & 0x80000000u) == 0u {
        high = (high << 1u) | (low >> 31u);
        low = (low << 1u) | (rest >> 31u);
        rest = rest << 1u;
        exponent -= 1;
    }
    return rounded_double(sign, exponent, high, low, rest != 0u);
}

// (rest · 2^32 + word) / divisor and what is left over, for a rest below the divisor.
fn divided_long(rest: u32, word: u32, divisor: u32) -> vec2<u32> {
    var left = rest;
    var quotient = 0u;
    for (var i = 0u; i < 32u; i++) {
        let carry = left >> 31u;
        left = (left << 1u) | ((word >> (31u - i)) & 1u);
        quotient = quotient << 1u;
        if carry != 0u || left >= divisor {
            left -= divisor;
            quotient |= 1u;
        }
    }
    return vec2<u32>(quotient, left);
}

// A number divided by one that came from a f32 or a u32 and is not 0.
fn quotient_of_doubles(a: Double, word: Double) -> Double {
    let sign = a.sign ^ word.sign;
    if is_zero(a) {
        return Double(sign, 0, 0u, 0u);
    }
    let divisor = word.high;
    let is_more = a.high >= divisor;
    let first = divided_long(a.high - select(0u, divisor, is_more), a.low, divisor);
    let second = divided_long(first.y, 0u, divisor);
    let exponent = a.exponent - word.exponent - 64;
    if is_more {
        let high = 0x80000000u | (first.x >> 1u);
        let low = (first.x << 31u) | (second.x >> 1u);
        return rounded_double(sign, exponent + 1, high, low, second.y != 0u || (second.x & 1u) != 0u);
    }
    return rounded_double(sign, exponent, first.x, second.x, second.y != 0u);
}

// The nearest f32, as bits; the largest one in place of infinity.
fn single_of(x: Double) -> u32 {
    let biased = x.exponent + 63 + 127;
    if is_zero(x) || biased < -24 {
        return x.sign;
    }
    if biased >= 255 {
        return x.sign | 0x7f7fffffu;
    }
    // subnormal numbers have fewer bits
    let drop = select(8u, u32(9 - biased), biased < 1);
    let kept = select(0u, x.high >> (drop & 31u), drop < 32u);
    let half = select(x.high << ((32u - drop) & 31u), x.high, drop == 32u);
    let is_up = drop <= 32u
        && (half > 0x80000000u || (half == 0x80000000u && (x.low != 0u || (kept & 1u) != 0u)));
    let exponent = u32(max(biased - 1, 0)) << 23u;
    return x.sign | min(exponent + kept + u32(is_up), 0x7f7fffffu);
}
