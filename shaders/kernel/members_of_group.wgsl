// The groups of a long row that may have a word of interest, and their members.
// Needs: groups, half_span, restriction, values.

// The groups of a half-span whose largest word is this one or a larger one, a bit for each.
fn groups_from(row: RowValues, half: u32, word: u32) -> u32 {
    let first = row.position * restriction.halves + half;
    var groups = 0u;
    if cuts[restriction.halves_at + first].x >= word {
        let low = cuts[restriction.groups_at + first * 2u];
        let high = cuts[restriction.groups_at + first * 2u + 1u];
        let bits = vec4<u32>(1u, 2u, 4u, 8u);
        let none = vec4<u32>(0u);
        let of_low = select(none, bits, ordered_values(low) >= vec4<u32>(word));
        let of_high = select(none, bits, ordered_values(high) >= vec4<u32>(word));
        let all = of_low | (of_high << vec4<u32>(4u));
        groups = (all.x | all.y) | (all.z | all.w);
    }
    return groups;
}

// Four members of a group, the first of which is this one.
fn four_of_group(row: RowValues, group: u32, member: u32) -> vec4<u32> {
    return vec4<u32>(
        value_of_member(row, category_of(group, member)),
        value_of_member(row, category_of(group, member + 1u)),
        value_of_member(row, category_of(group, member + 2u)),
        value_of_member(row, category_of(group, member + 3u)),
    );
}

// The value of a category, `NEVER` from the row's end on.
fn value_of_member(row: RowValues, category: u32) -> u32 {
    let value = value_in_row(row, min(category, run.categories - 1u));
    return select(NEVER, value, category < run.categories);
}
