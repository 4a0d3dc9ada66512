// Sums of the words of a short row, which are all looked at.
// Form for long rows: above.groups.wgsl. Needs: float_sums, values.

// What a row is divided into, of which invocations take some each.
fn units_of_row() -> u32 {
    return (run.categories - 1u) / 8u + 1u;
}

// An invocation's part of the sum of the words above one, relative to the largest value of the row. `octets` are those of the
// row, or 0 if nothing is to be added up.
fn sum_above(values: RowValues, index: u32, octets: u32, above: u32, most: u32, scale: u32) -> f32 {
    var sum = 0.0;
    let range = range_from(above + 1u);
    for (var octet = index; octet < octets; octet += WORKGROUP) {
        sum += total_of_four(relative_in_octet(octet_in_row(values, octet), range, most, scale));
    }
    return sum;
}

// An invocation's part of a sum that is no less, and that takes little time to find.
fn most_above(values: RowValues, index: u32, octets: u32, above: u32, most: u32, scale: u32) -> f32 {
    return sum_above(values, index, octets, above, most, scale);
}

// An invocation's part of the sum of all words.
fn sum_of_row(values: RowValues, index: u32, most: u32, scale: u32) -> f32 {
    return sum_above(values, index, units_of_row(), 0u, most, scale);
}
