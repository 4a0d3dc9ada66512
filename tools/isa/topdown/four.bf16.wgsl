// Four groups of bf16 logits, two to a word: 16 loads of a lane, of 8 bytes each.
// Other form: four.f32.wgsl. Needs: noise.wgsl; draw.wgsl has the uniform.

@group(0) @binding(1) var<storage, read> logits: array<vec2<u32>>;

fn logit_at(first: u32, category: u32) -> u32 {
    let word = logits[first + (category >> 2u)][(category >> 1u) & 1u];
    return select(word << 16u, word & 0xffff0000u, (category & 1u) != 0u);
}

// Four groups.
struct Four {
    // The largest logits, and the words.
    tops: vec4<u32>,
    words: vec4<u32>,
}

// The largest codes seen, as signed and as unsigned integers: what is not a number is beyond an infinity.
struct Seen {
    positive: i32,
    negative: u32,
}

fn max3(a: vec2<i32>, b: vec2<i32>, c: vec2<i32>) -> vec2<i32> {
    return max(max(a, b), c);
}

fn umax3(a: vec2<u32>, b: vec2<u32>, c: vec2<u32>) -> vec2<u32> {
    return max(max(a, b), c);
}

fn umin3(a: vec2<u32>, b: vec2<u32>, c: vec2<u32>) -> vec2<u32> {
    return min(min(a, b), c);
}

fn cut(x: vec2<u32>, category: u32) -> vec2<u32> {
    return select(vec2<u32>(0xff80ff80u), x, vec2<bool>(category < run.categories));
}

fn four_at(stream: Stream, first: u32, quarter: u32, seen: ptr<function, Seen>) -> Four {
    let base = first + ((quarter >> 2u) << 6u) + (quarter & 3u);
    var x0 = logits[base];
    var x1 = logits[base + 4u];
    var x2 = logits[base + 8u];
    var x3 = logits[base + 12u];
    var x4 = logits[base + 16u];
    var x5 = logits[base + 20u];
    var x6 = logits[base + 24u];
    var x7 = logits[base + 28u];
    var x8 = logits[base + 32u];
    var x9 = logits[base + 36u];
    var x10 = logits[base + 40u];
    var x11 = logits[base + 44u];
    var x12 = logits[base + 48u];
    var x13 = logits[base + 52u];
    var x14 = logits[base + 56u];
    var x15 = logits[base + 60u];
    let category = ((quarter >> 2u) << 8u) | ((quarter & 3u) << 2u);
    // the last span
    if category + 240u >= run.categories {
        x0 = cut(x0, category);
        x1 = cut(x1, category + 16u);
        x2 = cut(x2, category + 32u);
        x3 = cut(x3, category + 48u);
        x4 = cut(x4, category + 64u);
        x5 = cut(x5, category + 80u);
        x6 = cut(x6, category + 96u);
        x7 = cut(x7, category + 112u);
        x8 = cut(x8, category + 128u);
        x9 = cut(x9, category + 144u);
        x10 = cut(x10, category + 160u);
        x11 = cut(x11, category + 176u);
        x12 = cut(x12, category + 192u);
        x13 = cut(x13, category + 208u);
        x14 = cut(x14, category + 224u);
        x15 = cut(x15, category + 240u);
    }
    // the upper halves with whatever is below them, and the lower ones
    let y0 = x0 << vec2<u32>(16u);
    let y1 = x1 << vec2<u32>(16u);
    let y2 = x2 << vec2<u32>(16u);
    let y3 = x3 << vec2<u32>(16u);
    let y4 = x4 << vec2<u32>(16u);
    let y5 = x5 << vec2<u32>(16u);
    let y6 = x6 << vec2<u32>(16u);
    let y7 = x7 << vec2<u32>(16u);
    let y8 = x8 << vec2<u32>(16u);
    let y9 = x9 << vec2<u32>(16u);
    let y10 = x10 << vec2<u32>(16u);
    let y11 = x11 << vec2<u32>(16u);
    let y12 = x12 << vec2<u32>(16u);
    let y13 = x13 << vec2<u32>(16u);
    let y14 = x14 << vec2<u32>(16u);
    let y15 = x15 << vec2<u32>(16u);
    var most_high = max3(bitcast<vec2<i32>>(x0), bitcast<vec2<i32>>(x1), bitcast<vec2<i32>>(x2));
    most_high = max3(most_high, bitcast<vec2<i32>>(x3), bitcast<vec2<i32>>(x4));
    most_high = max3(most_high, bitcast<vec2<i32>>(x5), bitcast<vec2<i32>>(x6));
    most_high = max3(most_high, bitcast<vec2<i32>>(x7), bitcast<vec2<i32>>(x8));
    most_high = max3(most_high, bitcast<vec2<i32>>(x9), bitcast<vec2<i32>>(x10));
    most_high = max3(most_high, bitcast<vec2<i32>>(x11), bitcast<vec2<i32>>(x12));
    most_high = max3(most_high, bitcast<vec2<i32>>(x13), bitcast<vec2<i32>>(x14));
    most_high = max(most_high, bitcast<vec2<i32>>(x15));
    var most_low = max3(bitcast<vec2<i32>>(y0), bitcast<vec2<i32>>(y1), bitcast<vec2<i32>>(y2));
    most_low = max3(most_low, bitcast<vec2<i32>>(y3), bitcast<vec2<i32>>(y4));
    most_low = max3(most_low, bitcast<vec2<i32>>(y5), bitcast<vec2<i32>>(y6));
    most_low = max3(most_low, bitcast<vec2<i32>>(y7), bitcast<vec2<i32>>(y8));
    most_low = max3(most_low, bitcast<vec2<i32>>(y9), bitcast<vec2<i32>>(y10));
    most_low = max3(most_low, bitcast<vec2<i32>>(y11), bitcast<vec2<i32>>(y12));
    most_low = max3(most_low, bitcast<vec2<i32>>(y13), bitcast<vec2<i32>>(y14));
    most_low = max(most_low, bitcast<vec2<i32>>(y15));
    var far_high = umax3(x0, x1, x2);
    far_high = umax3(far_high, x3, x4);
    far_high = umax3(far_high, x5, x6);
    far_high = umax3(far_high, x7, x8);
    far_high = umax3(far_high, x9, x10);
    far_high = umax3(far_high, x11, x12);
    far_high = umax3(far_high, x13, x14);
    far_high = max(far_high, x15);
    var far_low = umax3(y0, y1, y2);
    far_low = umax3(far_low, y3, y4);
    far_low = umax3(far_low, y5, y6);
    far_low = umax3(far_low, y7, y8);
    far_low = umax3(far_low, y9, y10);
    far_low = umax3(far_low, y11, y12);
    far_low = umax3(far_low, y13, y14);
    far_low = max(far_low, y15);
    let most = vec4<i32>(
        most_low.x,
        most_high.x & -65536,
        most_low.y,
        most_high.y & -65536,
    );
    let far = max(far_high & vec2<u32>(0xffff0000u), far_low);
    (*seen).positive = max((*seen).positive, max(max(most.x, most.y), max(most.z, most.w)));
    (*seen).negative = max((*seen).negative, max(far.x, far.y));
    var tops = bitcast<vec4<u32>>(most);
    // of negative numbers alone, the one of the least code is the largest
    if min(min(most.x, most.y), min(most.z, most.w)) < 0 {
        var near_high = umin3(x0, x1, x2);
        near_high = umin3(near_high, x3, x4);
        near_high = umin3(near_high, x5, x6);
        near_high = umin3(near_high, x7, x8);
        near_high = umin3(near_high, x9, x10);
        near_high = umin3(near_high, x11, x12);
        near_high = umin3(near_high, x13, x14);
        near_high = min(near_high, x15);
        var near_low = umin3(y0, y1, y2);
        near_low = umin3(near_low, y3, y4);
        near_low = umin3(near_low, y5, y6);
        near_low = umin3(near_low, y7, y8);
        near_low = umin3(near_low, y9, y10);
        near_low = umin3(near_low, y11, y12);
        near_low = umin3(near_low, y13, y14);
        near_low = min(near_low, y15);
        let near = vec4<u32>(
            near_low.x,
            near_high.x & 0xffff0000u,
            near_low.y,
            near_high.y & 0xffff0000u,
        );
        tops = select(tops, near, most < vec4<i32>(0));
    }
    return Four(tops, top_block(stream, OF_GROUPS + quarter));
}
