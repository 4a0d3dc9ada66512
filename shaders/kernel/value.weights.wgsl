// The meaning of a category's value by itself, if the value is a weight of f32.
// Other forms: value.wgsl, which says what the functions are for, value.counts.wgsl.
// Needs: weights, exp, cdf.

const NEVER: u32 = 0u;

fn ordered_value(bits: u32) -> u32 {
    let word = select(bits, 0u, is_zero_weight(bits));
    return select(word, 0xffffffffu, is_invalid_weight(bits));
}

fn value_in_order(word: u32) -> u32 {
    return word;
}

const LEAST_WORD: u32 = 1u;
const INVALID: u32 = 0x7f800000u;

fn fixed_value(bits: u32, scale: u32) -> vec2<u32> {
    return fixed_weight(bits, scale);
}

fn range_from(word: u32) -> Range {
    return Range(word, 0xffffffffu - word);
}

fn is_drawable(word: u32) -> bool {
    return word != 0xffffffffu && word != 0u;
}

// At temperature 1 weights are added up as they are, times a power of two.
fn integer_weight(bits: u32, most: u32, scale: u32, log2_categories: u32) -> vec2<u32> {
    if is_zero_weight(bits) {
        return vec2<u32>(0u, 0u);
    }
    if scale == UNSCALED {
        return weight_of_f32(bits, most, log2_categories);
    }
    return weight(sub64(fixed_weight(most, scale), fixed_weight(bits, scale)), log2_categories);
}
