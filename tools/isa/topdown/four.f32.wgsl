// Four groups of f32 logits: 16 loads of a lane.
// Other form: four.bf16.wgsl. Needs: noise.wgsl; draw.wgsl has the uniform.

@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;

fn logit_at(first: u32, category: u32) -> u32 {
    return logits[first + (category >> 2u)][category & 3u];
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

fn max3(a: vec4<i32>, b: vec4<i32>, c: vec4<i32>) -> vec4<i32> {
    return max(max(a, b), c);
}

fn umax3(a: vec4<u32>, b: vec4<u32>, c: vec4<u32>) -> vec4<u32> {
    return max(max(a, b), c);
}

fn umin3(a: vec4<u32>, b: vec4<u32>, c: vec4<u32>) -> vec4<u32> {
    return min(min(a, b), c);
}

fn cut(x: vec4<u32>, category: u32) -> vec4<u32> {
    return select(vec4<u32>(NEG_INFINITY), x, vec4<bool>(category < run.categories));
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
    var most = bitcast<vec4<i32>>(x0);
    most = max3(most, bitcast<vec4<i32>>(x1), bitcast<vec4<i32>>(x2));
    most = max3(most, bitcast<vec4<i32>>(x3), bitcast<vec4<i32>>(x4));
    most = max3(most, bitcast<vec4<i32>>(x5), bitcast<vec4<i32>>(x6));
    most = max3(most, bitcast<vec4<i32>>(x7), bitcast<vec4<i32>>(x8));
    most = max3(most, bitcast<vec4<i32>>(x9), bitcast<vec4<i32>>(x10));
    most = max3(most, bitcast<vec4<i32>>(x11), bitcast<vec4<i32>>(x12));
    most = max3(most, bitcast<vec4<i32>>(x13), bitcast<vec4<i32>>(x14));
    most = max(most, bitcast<vec4<i32>>(x15));
    var far = umax3(x0, x1, x2);
    far = umax3(far, x3, x4);
    far = umax3(far, x5, x6);
    far = umax3(far, x7, x8);
    far = umax3(far, x9, x10);
    far = umax3(far, x11, x12);
    far = umax3(far, x13, x14);
    far = max(far, x15);
    (*seen).positive = max((*seen).positive, max(max(most.x, most.y), max(most.z, most.w)));
    (*seen).negative = max((*seen).negative, max(max(far.x, far.y), max(far.z, far.w)));
    var tops = bitcast<vec4<u32>>(most);
    // of negative numbers alone, the one of the least code is the largest
    if min(min(most.x, most.y), min(most.z, most.w)) < 0 {
        var near = umin3(x0, x1, x2);
        near = umin3(near, x3, x4);
        near = umin3(near, x5, x6);
        near = umin3(near, x7, x8);
        near = umin3(near, x9, x10);
        near = umin3(near, x11, x12);
        near = umin3(near, x13, x14);
        near = min(near, x15);
        tops = select(tops, near, most < vec4<i32>(0));
    }
    return Four(tops, top_block(stream, OF_GROUPS + quarter));
}
