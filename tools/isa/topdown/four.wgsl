// Four groups of logits: 16 loads of a lane, each of one member of the four.
// Needs: noise.wgsl, and a form of four.f32.wgsl or four.bf16.wgsl; draw.wgsl has the uniform.

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

fn max3(a: Signed, b: Signed, c: Signed) -> Signed {
    return max(max(a, b), c);
}

fn umax3(a: Loaded, b: Loaded, c: Loaded) -> Loaded {
    return max(max(a, b), c);
}

fn umin3(a: Loaded, b: Loaded, c: Loaded) -> Loaded {
    return min(min(a, b), c);
}

// Of each component the largest signed code.
fn most_of(x: array<Loaded, 16>) -> Signed {
    var most = max3(bitcast<Signed>(x[0]), bitcast<Signed>(x[1]), bitcast<Signed>(x[2]));
    most = max3(most, bitcast<Signed>(x[3]), bitcast<Signed>(x[4]));
    most = max3(most, bitcast<Signed>(x[5]), bitcast<Signed>(x[6]));
    most = max3(most, bitcast<Signed>(x[7]), bitcast<Signed>(x[8]));
    most = max3(most, bitcast<Signed>(x[9]), bitcast<Signed>(x[10]));
    most = max3(most, bitcast<Signed>(x[11]), bitcast<Signed>(x[12]));
    most = max3(most, bitcast<Signed>(x[13]), bitcast<Signed>(x[14]));
    return max(most, bitcast<Signed>(x[15]));
}

// Of each component the largest unsigned code.
fn farthest_of(x: array<Loaded, 16>) -> Loaded {
    var far = umax3(x[0], x[1], x[2]);
    far = umax3(far, x[3], x[4]);
    far = umax3(far, x[5], x[6]);
    far = umax3(far, x[7], x[8]);
    far = umax3(far, x[9], x[10]);
    far = umax3(far, x[11], x[12]);
    far = umax3(far, x[13], x[14]);
    return max(far, x[15]);
}

// Of each component the least unsigned code.
fn nearest_of(x: array<Loaded, 16>) -> Loaded {
    var near = umin3(x[0], x[1], x[2]);
    near = umin3(near, x[3], x[4]);
    near = umin3(near, x[5], x[6]);
    near = umin3(near, x[7], x[8]);
    near = umin3(near, x[9], x[10]);
    near = umin3(near, x[11], x[12]);
    near = umin3(near, x[13], x[14]);
    return min(near, x[15]);
}

fn cut(x: Loaded, category: u32) -> Loaded {
    return select(NEVER, x, category < run.categories);
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
    let x = array<Loaded, 16>(x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15);
    return Four(tops_of(x, seen), top_block(stream, OF_GROUPS + quarter));
}
