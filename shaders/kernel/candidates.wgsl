// The words of a short row, which are all looked at.
// Form for long rows: candidates.groups.wgsl. Needs: ladder.

const HAS_HALVES: bool = false;

fn sums_among(values: RowValues, row: CutRow, index: u32, ladder: Ladder, from_halves: bool) -> Sums {
    var sums = no_sums();
    let octets = (run.categories - 1u) / 8u + 1u;
    for (var octet = index; octet < octets; octet += WORKGROUP) {
        let eight = octet_in_row(values, octet);
        for (var i = 0u; i < 8u; i++) {
            add_word(&sums, row, ladder, ordered_value(logit_of(eight, i)));
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
        for (var i = 0u; i < 8u; i++) {
            top = max(top, ordered_value(logit_of(values, i)));
        }
    }
    return top;
}
