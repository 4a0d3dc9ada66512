// The counter layout: which 64 bits of noise belong to (seed, row, draw, category).
// Twin: src/noise/bits.rs. Needs: philox.

// One row's noise for one draw; 64-bit numbers are (low, high).
struct Stream {
    key: vec2<u32>,
    row: vec2<u32>,
    draw: u32,
}

// 16 bits for each of the categories 8·octet ..= 8·octet + 7, the lower category in the lower half.
fn coarse_block(stream: Stream, octet: u32) -> vec4<u32> {
    return philox4x32_10(vec4<u32>(octet, stream.row, stream.draw << 1u), stream.key);
}

fn coarse(block: vec4<u32>, category: u32) -> u32 {
    let lane = category & 7u;
    let pair = select(block.xy, block.zw, lane >= 4u);
    let word = select(pair.x, pair.y, (lane & 2u) != 0u);
    return (word >> (16u * (lane & 1u))) & 0xffffu;
}

// V = coarse·2^48 + 48 fine bits, as (low, high).
fn noise(stream: Stream, category: u32, coarse_bits: u32) -> vec2<u32> {
    let fine = philox4x32_10(
        vec4<u32>(category, stream.row, (stream.draw << 1u) | 1u),
        stream.key,
    );
    return vec2<u32>(fine.x, (coarse_bits << 16u) | (fine.y & 0xffffu));
}

// The Philox block with the uniform numbers of draws 2n and 2n + 1, where n = stream.draw / 2.
fn uniform_block(stream: Stream) -> vec4<u32> {
    return philox4x32_10(vec4<u32>(0xffffffffu, stream.row, stream.draw | 1u), stream.key);
}

// The uniform number of a draw in its block.
fn uniform_bits(block: vec4<u32>, draw: u32) -> vec2<u32> {
    return select(block.xy, block.zw, (draw & 1u) == 1u);
}
