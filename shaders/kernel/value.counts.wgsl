// The meaning of a category's value by itself, if the value is a count.
// Other forms: value.wgsl, which says what the functions are for, value.weights.wgsl.
// Needs: weights, exp, cdf.

const NEVER: u32 = 0u;

fn ordered_value(count: u32) -> u32 {
    return count;
}

fn value_in_order(word: u32) -> u32 {
    return word;
}

const LEAST_WORD: u32 = 1u;
// No count is invalid.
const INVALID: u32 = 0u;

fn fixed_value(count: u32, scale: u32) -> vec2<u32> {
    return fixed_count(count, scale);
}

fn range_from(word: u32) -> Range {
    return Range(word, 0xffffffffu - word);
}

fn is_drawable(word: u32) -> bool {
    return word != 0u;
}

// At temperature 1 counts are added up as they are.
fn integer_weight(count: u32, most: u32, scale: u32, log2_categories: u32) -> vec2<u32> {
    if count == 0u {
        return vec2<u32>(0u, 0u);
    }
    if scale == UNSCALED {
        return weight_of_count(count);
    }
    return weight(sub64(fixed_count(most, scale), fixed_count(count, scale)), log2_categories);
}
