// What a category's value says by itself, if it is a logit.
// Other forms: value.weights.wgsl, value.counts.wgsl. Needs: order, exp.

// What a category of probability 0 has.
const NEVER: u32 = NEG_INFINITY;

// Values in the order of words, so that 0 is below all of them; the largest word for NaN and +inf.
fn ordered_value(bits: u32) -> u32 {
    let sign = bits >> 31u;
    let word = select(bits | 0x80000000u, 0x80000000u - (bits & 0x7fffffffu), sign == 1u);
    return select(word, 0xffffffffu, is_invalid(bits));
}

// Its inverse, but for NaN and +inf.
fn value_in_order(word: u32) -> u32 {
    let positive = word >= 0x80000000u;
    return select((0x80000000u - word) | 0x80000000u, word & 0x7fffffffu, positive);
}

// Whether the largest of a row, as a word, says that the row has a draw.
fn is_drawable(word: u32) -> bool {
    return word != 0xffffffffu && word > ordered_value(NEG_INFINITY);
}

// What a category adds to the sums of an inverse CDF, if `most` is the largest value of its row.
fn integer_weight(bits: u32, most: u32, scale: u32, log2_categories: u32) -> vec2<u32> {
    if bits == NEG_INFINITY {
        return vec2<u32>(0u, 0u);
    }
    return weight(sub64(fixed(most, scale), fixed(bits, scale)), log2_categories);
}
