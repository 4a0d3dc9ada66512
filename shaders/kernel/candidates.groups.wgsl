// The words of a long row, whose groups' largest values are known: of the groups only those are looked into that may
// have a word of the bracket.
// Form for short rows: candidates.wgsl. Needs: groups, ladder, restriction.

const HAS_HALVES: bool = true;

fn sums_among(values: RowValues, row: CutRow, index: u32, ladder: Ladder, from_halves: bool) -> Sums {
    var sums = no_sums();
    let first = values.position * restriction.halves;
    let low = ladder.bracket.low;
    for (var half = index; half < restriction.halves; half += WORKGROUP) {
        let most = cuts[restriction.halves_at + first + half];
        // a half-span has one word, or those of its groups
        var group = 0u;
        var member = 0u;
        let end = select(select(0u, 8u, most >= low), 1u, from_halves);
        while group < end {
            var word = most;
            if !from_halves {
                if member == 0u && ordered_value(cuts[restriction.groups_at + (first + half) * 8u + group]) < low {
                    group++;
                    continue;
                }
                word = word_of(values, category_of(half * 8u + group, member));
            }
            add_word(&sums, row, ladder, word);
            member = select((member + 1u) & 15u, 0u, from_halves);
            group += u32(member == 0u);
        }
    }
    return sums;
}

// The word of a category, 0 from the row's end on.
fn word_of(row: RowValues, category: u32) -> u32 {
    let word = ordered_value(value_in_row(row, min(category, run.categories - 1u)));
    return select(0u, word, category < run.categories);
}

fn top_of(row: RowValues, index: u32) -> u32 {
    var top = 0u;
    let first = restriction.halves_at + row.position * restriction.halves;
    for (var half = index; half < restriction.halves; half += WORKGROUP) {
        top = max(top, cuts[first + half]);
    }
    return top;
}
