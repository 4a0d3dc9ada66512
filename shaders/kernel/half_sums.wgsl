// What is loaded for a race of groups, summed.
// Other forms, for races that sum nothing: half_sums.none.wgsl, half_sums.masked.wgsl. Needs: running_sums, group_scores.

// The largest value of each group of an invocation's first half-span, by which a cutoff is found; as `take_in_half` otherwise.
fn take_in_first_half(row: Row, half: u32, end: u32, summed: u32, running_sums: ptr<function, RunningSums>) -> Tops {
    return take_in_half(row, half, end, 0u, summed, running_sums);
}

// The largest value of each group of a half-span, where octets from `end` on are empty, or perhaps a larger one that is not
// allowed. Adds the octets up as far as they are before `summed`, which is `end` or 0. `turn` is how often the queue of groups was
// filled, and one more.
//
// In two rounds, since registers do not hold a whole half-span and all that a sum needs. Mesa 22.3 ends all loops of an
// invocation after 65,535 iterations in total: settle.wgsl leaves room for these.
fn take_in_half(row: Row, half: u32, end: u32, turn: u32, summed: u32, running_sums: ptr<function, RunningSums>) -> Tops {
    var tops = no_tops();
    for (var member = 0u; member < 16u; member += 8u) {
        let octet = octet_of_member(half, member);
        let x = every_second_octet_before(row.values, octet, end);
        tops = with_members(tops, x);
        var sums = *running_sums;
        sums = with_sums_of_two(sums, row, x[0], octet < summed, x[1], octet + 2u < summed);
        sums = with_sums_of_two(sums, row, x[2], octet + 4u < summed, x[3], octet + 6u < summed);
        sums = with_sums_of_two(sums, row, x[4], octet + 8u < summed, x[5], octet + 10u < summed);
        sums = with_sums_of_two(sums, row, x[6], octet + 12u < summed, x[7], octet + 14u < summed);
        *running_sums = sums;
    }
    return tops;
}

fn with_sums_of_two(
    before: RunningSums,
    row: Row,
    one: Octet,
    has_one: bool,
    other: Octet,
    has_other: bool,
) -> RunningSums {
    var running_sums = before;
    if has_one {
        running_sums = with_sum_of(running_sums, row, one);
    }
    if has_other {
        running_sums = with_sum_of(running_sums, row, other);
    }
    return after_pair(running_sums, row);
}
