// The meaning of a category's value by itself, if the value is a logit.
// Other forms: value.weights.wgsl, value.counts.wgsl. Needs: order, exp, octet.

// The value of a category of probability 0.
const NEVER: u32 = NEG_INFINITY;

// A value as a word. Words are in the order of values, and 0 is below all of them. NaN and +inf have the
// largest word.
fn ordered_value(bits: u32) -> u32 {
    let sign = bits >> 31u;
    let word = select(bits | 0x80000000u, 0x80000000u - (bits & 0x7fffffffu), sign == 1u);
    return select(word, 0xffffffffu, is_invalid(bits));
}

// The value of a word: the inverse of `ordered_value`, but for NaN and +inf.
fn value_in_order(word: u32) -> u32 {
    let positive = word >= 0x80000000u;
    return select((0x80000000u - word) | 0x80000000u, word & 0x7fffffffu, positive);
}

// The least word of a value that can be drawn.
const LEAST_WORD: u32 = 0x800001u;
// A value that leaves its row without a draw.
const INVALID: u32 = 0x7f800000u;

// The value in fixed point, times a scale: what is compared where a row is cut.
fn fixed_value(bits: u32, scale: u32) -> vec2<u32> {
    return fixed(bits, scale);
}

// The bits of the values whose word is this one or a larger one; the word is that of a value that can be drawn.
fn range_from(word: u32) -> Range {
    let bits = value_in_order(word);
    if bits >= 0x80000000u {
        return Range(0u, bits);
    }
    // 0 has two signs
    return Range(bits, select(0x7fffffffu - bits, 0x80000000u, bits == 0u));
}

// True if a row has a draw when its largest value is this word.
fn is_drawable(word: u32) -> bool {
    return word != 0xffffffffu && word > ordered_value(NEG_INFINITY);
}

// The weight that a category adds to the sums of an inverse CDF, if `most` is the largest value of its row.
fn integer_weight(bits: u32, most: u32, scale: u32, log2_categories: u32) -> vec2<u32> {
    if bits == NEG_INFINITY {
        return vec2<u32>(0u, 0u);
    }
    return weight(sub64(fixed(most, scale), fixed(bits, scale)), log2_categories);
}
