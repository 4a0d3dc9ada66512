// What is loaded for a race of groups that sums nothing, of rows with masks on a device that emulates a GPU.
// Other forms: half_sums.wgsl, which says what the functions are for, half_sums.none.wgsl. Needs: running_sums, half_tops.
//
// To hide a value that is not allowed costs such a device half as much as all else that is done for the value. So a group is
// raced by all its values. No draw depends on this: a group that does not reach the cutoff by all its values does not by some of
// them, and a group that does is settled by its members that are allowed. Where the queue was filled many times, it may be
// with groups that reach the cutoff by what is not allowed, and that is hidden from then on.

// From this turn on. Rows whose most likely categories are allowed have about six.
const TURNS: u32 = 16u;

fn take_in_first_half(row: Row, half: u32, end: u32, summed: u32, running_sums: ptr<function, RunningSums>) -> Tops {
    return tops_of(row.values, half, end);
}

fn take_in_half(row: Row, half: u32, end: u32, turn: u32, summed: u32, running_sums: ptr<function, RunningSums>) -> Tops {
    let first = octet_of_member(half, 0u);
    if first >= end || !(allows_any(row.values, first) || allows_any(row.values, first + 16u)) {
        return no_tops();
    }
    var tops = no_tops();
    for (var octet = first; octet < first + 32u; octet += 2u) {
        tops = with_member(tops, loaded_before(row.values, octet, end));
    }
    // an invalid value may be one that is not allowed, and hides the others of its group
    if has_invalid(tops) || turn >= TURNS {
        return tops_of(row.values, half, end);
    }
    return tops;
}
