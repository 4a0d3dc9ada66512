// The words of a long row, whose groups' largest values are known: of the groups only those are looked into that may
// have a word of the bracket.
// Form for short rows: words.wgsl. Needs: ladder, list, members_of_group.

const HAS_HALVES: bool = true;

fn sums_among(values: RowValues, row: CutRow, index: u32, ladder: Ladder) -> Sums {
    var sums = no_sums();
    let low = ladder.bracket.low;
    let halves = restriction.halves;
    let first = restriction.halves_at + values.position * halves;
    for (var half = select(halves, index, ladder.what == HALVES); half < halves; half += WORKGROUP) {
        sums = with_one(sums, ladder, cuts[first + half].x);
    }
    for (var half = select(halves, index, ladder.what == ONES); half < halves; half += WORKGROUP) {
        var groups = groups_from(values, half, low);
        while groups != 0u {
            let group = first_group_of(half) + firstTrailingBit(groups);
            groups &= groups - 1u;
            for (var member = 0u; member < 16u; member += 4u) {
                let words = ordered_values(four_of_group(values, group, member));
                sums = with_one(with_one(sums, ladder, words.x), ladder, words.y);
                sums = with_one(with_one(sums, ladder, words.z), ladder, words.w);
            }
        }
    }
    for (var half = select(halves, index, ladder.what == WEIGHTS); half < halves; half += WORKGROUP) {
        var groups = groups_from(values, half, low);
        while groups != 0u {
            let group = first_group_of(half) + firstTrailingBit(groups);
            groups &= groups - 1u;
            for (var member = 0u; member < 16u; member++) {
                sums = with_weight(sums, row, ladder, ordered_value(value_of_member(values, category_of(group, member))));
            }
        }
    }
    return sums;
}

fn top_of(row: RowValues, index: u32) -> u32 {
    var top = 0u;
    let first = restriction.halves_at + row.position * restriction.halves;
    for (var half = index; half < restriction.halves; half += WORKGROUP) {
        top = max(top, cuts[first + half].x);
    }
    return top;
}
