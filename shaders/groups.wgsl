// Noise from the top down, for long rows: first the earliest alarm of each group of 16 categories, and from it the
// alarms of the group's members.
// Twin: src/noise/groups.rs, which defines it. Needs: wide, pair, philox, bits.
//
// Category c = 256·span + 16·j + l is member j of group g = 16·span + l.

const GROUP_BLOCKS: u32 = 0x40000000u;
const FURTHER_BLOCKS: u32 = 0x60000000u;
const MEMBER_BLOCKS: u32 = 0x7ffffff0u;
const EXCESS_SEEN: u32 = 0xffffffe0u;

fn group_of(category: u32) -> u32 {
    return ((category >> 8u) << 4u) | (category & 15u);
}

fn member_of(category: u32) -> u32 {
    return (category >> 4u) & 15u;
}

fn category_of(group: u32, member: u32) -> u32 {
    return ((group >> 4u) << 8u) | (member << 4u) | (group & 15u);
}

// The words of the four groups 4·quad ..= 4·quad + 3.
fn group_block(stream: Stream, quad: u32) -> vec4<u32> {
    return philox4x32_10(vec4<u32>(GROUP_BLOCKS + quad, stream.row, stream.draw << 1u), stream.key);
}

// The further bits of u of these groups.
fn further_block(stream: Stream, quad: u32) -> vec4<u32> {
    return philox4x32_10(vec4<u32>(FURTHER_BLOCKS + quad, stream.row, stream.draw << 1u), stream.key);
}

fn word_in(block: vec4<u32>, group: u32) -> u32 {
    let pair = select(block.xy, block.zw, (group & 2u) != 0u);
    return select(pair.x, pair.y, (group & 1u) != 0u);
}

fn leading_bits(word: u32) -> u32 {
    return word >> 4u;
}

fn first_member(word: u32) -> u32 {
    return word & 15u;
}

fn member_counter(category: u32) -> u32 {
    return MEMBER_BLOCKS + (((category >> 5u) << 4u) | (category & 15u));
}

// Q, the own noise of a member, (low, high).
fn own_noise(stream: Stream, category: u32) -> vec2<u32> {
    let block = philox4x32_10(
        vec4<u32>(member_counter(category), stream.row, (stream.draw << 1u) | 1u),
        stream.key,
    );
    return select(block.xy, block.zw, (category & 16u) != 0u);
}

// 16(1 - (1 - u)^(1/16))/u - 1 as a 0.32 fraction, of x = 2u, a 0.32 fraction. Horner's steps are written out:
// iterations of loops are limited on some devices.
fn excess(fraction: u32) -> u32 {
    let x = fraction & EXCESS_SEEN;
    let w = ~x;
    var sum = 0x005422dcu;
    sum = 0x0206562fu - mul_high(sum, w);
    sum = 0x05da1d46u - mul_high(sum, w);
    sum = 0x0afa553cu - mul_high(sum, w);
    sum = 0x0ff7b03eu - mul_high(sum, w);
    sum = 0x14abf0c6u - mul_high(sum, w);
    sum = 0x1a5a25d5u - mul_high(sum, w);
    sum = 0x232d54e3u - mul_high(sum, w);
    sum = 0x33aa3837u - mul_high(sum, w);
    sum = 0x5b505d52u - mul_high(sum, w);
    return mul_high(x, sum);
}

// P = 1 - (1 - u)^(1/16) as a 0.64 fraction, of u = (low, high) below 2^60, a 0.60 fraction.
fn first_alarm(u: vec2<u32>) -> vec2<u32> {
    if u.y < 0x8000000u {
        let r = excess((u.y << 5u) | (u.x >> 27u));
        return add64(add64(u, mul_wide(u.y, r)), vec2<u32>(mul_high(u.x, r), 0u));
    }
    let n = sub64(vec2<u32>(0u, 0x20000000u), vec2<u32>((u.x << 1u) | 1u, (u.y << 1u) | (u.x >> 31u)));
    let zeros = leading_zeros64(n);
    let z = zeros - 3u;
    let m = ~shl64(n, zeros);
    let x = (m.y << 1u) | (m.x >> 31u);
    var root = ~((x >> 5u) + (mul_high(x, excess(x)) >> 5u));
    root = select(root, mul_high(root, 0xf5257d15u), (z & 1u) != 0u);
    root = select(root, mul_high(root, 0xeac0c6e8u), (z & 2u) != 0u);
    root = select(root, mul_high(root, 0xd744fccbu), (z & 4u) != 0u);
    root = select(root, mul_high(root, 0xb504f334u), (z & 8u) != 0u);
    return vec2<u32>(0u, ~(root >> (z >> 4u)));
}

// P + Q - ceil(P·Q): V of a member that does not ring first.
fn later_alarm(p: vec2<u32>, q: vec2<u32>) -> vec2<u32> {
    let low = mul_wide(p.x, q.x);
    let a = mul_wide(p.y, q.x);
    let b = mul_wide(p.x, q.y);
    let middle = add64(add64(vec2<u32>(low.y, 0u), vec2<u32>(a.x, 0u)), vec2<u32>(b.x, 0u));
    let sums = add64(vec2<u32>(a.y, 0u), add64(vec2<u32>(b.y, 0u), vec2<u32>(middle.y, 0u)));
    let high = add64(mul_wide(p.y, q.y), sums);
    let up = vec2<u32>(u32((low.x | middle.x) != 0u), 0u);
    return sub64(sub64(add64(p, q), high), up);
}

// V of a category whose group has this word and these further bits.
fn noise_in_group(stream: Stream, category: u32, word: u32, further: u32) -> vec2<u32> {
    let p = first_alarm(vec2<u32>(further, leading_bits(word)));
    if first_member(word) == member_of(category) {
        return p;
    }
    return later_alarm(p, own_noise(stream, category));
}
