// The words at which the rule of a cut begins to hold. K, in fixed point, never falls as a word grows, and neither do
// integer weights. So a condition on these becomes one on words, by bisection, without a look at the row.
// Needs: value, logarithm.

// A row that is to be cut.
struct CutRow {
    // The reciprocal of the temperature at which the row is cut, as bits.
    scale: u32,
    // The largest value that can be drawn, and its word.
    most: u32,
    top: u32,
    log2_categories: u32,
}

fn cut_row(scale: u32, top: u32) -> CutRow {
    return CutRow(scale, value_in_order(top), top, log2_floor(run.categories));
}

fn less_or_equal64(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y < b.y || (a.y == b.y && a.x <= b.x);
}

fn k_of_word(scale: u32, word: u32) -> vec2<u32> {
    return fixed_value(value_in_order(word), scale);
}

fn weight_of_word(row: CutRow, word: u32) -> vec2<u32> {
    return integer_weight(value_in_order(word), row.most, row.scale, row.log2_categories);
}

// Whether a is at least b, as signed numbers.
fn reaches(a: vec2<u32>, b: vec2<u32>) -> bool {
    let sign = vec2<u32>(0u, 0x80000000u);
    return less_or_equal64(b ^ sign, a ^ sign);
}

// The first word of a range that has this K or a larger one, as the last word has.
fn first_with_k(scale: u32, low: u32, last: u32, k: vec2<u32>) -> u32 {
    var first = low;
    var met = last;
    while first < met {
        let middle = first + (met - first) / 2u;
        if reaches(k_of_word(scale, middle), k) {
            met = middle;
        } else {
            first = middle + 1u;
        }
    }
    return met;
}

// The first word that has this integer weight or a larger one, or the K of the row's largest word.
fn first_with_weight(row: CutRow, weight: vec2<u32>) -> u32 {
    let k = k_of_word(row.scale, row.top);
    var first = LEAST_WORD;
    var met = row.top;
    while first < met {
        let middle = first + (met - first) / 2u;
        if reaches(k_of_word(row.scale, middle), k) || less_or_equal64(weight, weight_of_word(row, middle)) {
            met = middle;
        } else {
            first = middle + 1u;
        }
    }
    return met;
}
