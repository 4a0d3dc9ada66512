// The words of a short row, which are all looked at.
// Form for long rows: words.groups.wgsl. Needs: ladder, list.

const HAS_HALVES: bool = false;

fn sums_among(values: RowValues, row: CutRow, index: u32, ladder: Ladder) -> Sums {
    var sums = no_sums();
    let octets = (run.categories - 1u) / 8u + 1u;
    for (var octet = select(octets, index, ladder.what == ONES); octet < octets; octet += WORKGROUP) {
        let eight = octet_in_row(values, octet);
        for (var i = 0u; i < 8u; i++) {
            sums = with_one(sums, ladder, ordered_value(logit_of(eight, i)));
        }
    }
    for (var octet = select(octets, index, ladder.what == WEIGHTS); octet < octets; octet += WORKGROUP) {
        let eight = octet_in_row(values, octet);
        for (var i = 0u; i < 8u; i++) {
            sums = with_weight(sums, row, ladder, ordered_value(logit_of(eight, i)));
        }
    }
    return sums;
}

// The largest word of an invocation's share of a row.
fn top_of(row: RowValues, index: u32) -> u32 {
    var top = 0u;
    let octets = (run.categories - 1u) / 8u + 1u;
    for (var octet = index; octet < octets; octet += WORKGROUP) {
        let values = octet_in_row(row, octet);
        let words = max(ordered_values(values.low), ordered_values(values.high));
        top = max(top, max(max(words.x, words.y), max(words.z, words.w)));
    }
    return top;
}
