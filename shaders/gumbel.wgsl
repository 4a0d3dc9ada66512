// 64 bits of noise as a standard Gumbel variable in units of 2^-24, by integer arithmetic alone.
// Twin: src/noise/gumbel.rs, which derives it. Needs: wide, pair.

const LN2: u32 = 2977044472u;
// The bits of a 0.32 argument that the polynomials see.
const SEEN: u32 = 0xffffffe0u;

// ln(1 + f) of a 0.32 fraction.
fn ln1p(fraction: u32) -> u32 {
    let f = fraction & SEEN;
    // Horner's rule, written out for the same reason as the rounds of Philox.
    var sum = 0x00740acau;
    sum = 0x03006e94u - mul_high(sum, f);
    sum = 0x094c13f3u - mul_high(sum, f);
    sum = 0x1271c54bu - mul_high(sum, f);
    sum = 0x1b956aefu - mul_high(sum, f);
    sum = 0x233b877au - mul_high(sum, f);
    sum = 0x2a672204u - mul_high(sum, f);
    sum = 0x332b379du - mul_high(sum, f);
    sum = 0x3fff818eu - mul_high(sum, f);
    sum = 0x5555523bu - mul_high(sum, f);
    sum = 0x7ffffffdu - mul_high(sum, f);
    return f - mul_high(f, mul_high(f, sum));
}

// ln(-ln(1 - p) / p) for x = 2p, a 0.32 fraction.
fn tail(fraction: u32) -> u32 {
    let x = fraction & SEEN;
    let w = ~x;
    var sum = 0x001d21ccu;
    sum = 0x00b4ae24u - mul_high(sum, w);
    sum = 0x0210060du - mul_high(sum, w);
    sum = 0x03f13b09u - mul_high(sum, w);
    sum = 0x05ea57a4u - mul_high(sum, w);
    sum = 0x080b3389u - mul_high(sum, w);
    sum = 0x0b0b383bu - mul_high(sum, w);
    sum = 0x108973d7u - mul_high(sum, w);
    sum = 0x1db6265cu - mul_high(sum, w);
    sum = 0x539e4d85u - mul_high(sum, w);
    return mul_high(x, sum);
}

// -ln(n / 2^65) for n > 0, in units of 2^-32.
fn neg_ln(n: vec2<u32>) -> vec2<u32> {
    let zeros = leading_zeros64(n);
    // n = 2^(63 - zeros)·(1 + f)
    let m = shl64(n, zeros);
    let f = (m.y << 1u) | (m.x >> 31u);
    return sub64(mul_wide(zeros + 2u, LN2), vec2<u32>(ln1p(f), 0u));
}

fn gumbel(v: vec2<u32>) -> i32 {
    let low_half = v.y < 0x80000000u;
    let u = select(~v, v, low_half);
    let n = vec2<u32>((u.x << 1u) | 1u, (u.y << 1u) | (u.x >> 31u));
    let l = neg_ln(n);
    var g: vec2<u32>;
    if low_half {
        g = sub64(l, vec2<u32>(tail((v.y << 1u) | (v.x >> 31u)), 0u));
    } else {
        g = sub64(neg_ln(l), mul_wide(33u, LN2));
    }
    let rounded = add64(g, vec2<u32>(128u, 0u));
    return bitcast<i32>((rounded.y << 24u) | (rounded.x >> 8u));
}
