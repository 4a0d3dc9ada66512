// The members of a group whose word is known.
// Needs: group_scores.

// The measured values of eight members of a group, from this category on.
fn eight_members(row: Row, base: u32) -> Octet {
    return Octet(
        vec4<u32>(
            measured_at(row, base), measured_at(row, base + 16u),
            measured_at(row, base + 32u), measured_at(row, base + 48u),
        ),
        vec4<u32>(
            measured_at(row, base + 64u), measured_at(row, base + 80u),
            measured_at(row, base + 96u), measured_at(row, base + 112u),
        ),
    );
}

// The scores of eight members, if they rang at the same time as the first.
fn scores_with_first(f: Filter, values: Octet, noise: f32) -> UpperScores {
    return UpperScores(
        vec4<f32>(
            score_in_group(f, values.low.x, noise),
            score_in_group(f, values.low.y, noise),
            score_in_group(f, values.low.z, noise),
            score_in_group(f, values.low.w, noise),
        ),
        vec4<f32>(
            score_in_group(f, values.high.x, noise),
            score_in_group(f, values.high.y, noise),
            score_in_group(f, values.high.z, noise),
            score_in_group(f, values.high.w, noise),
        ),
    );
}

// The word of a group, which counts from the first of this pass.
fn word_of_group(row: Row, group: u32) -> u32 {
    if row.greedy {
        return GREEDY_WORD;
    }
    let block = group_block(row.stream, (run.first_category >> 6u) + (group >> 2u));
    return word_in(block, group);
}

// Evaluates a member of a group with this word exactly.
fn evaluate_in_group(row: Row, category: u32, word: u32, value: u32) -> Best {
    if row.greedy {
        return Best(greedy_key_of(row, category, value), category);
    }
    let group = group_of(category);
    let further = word_in(further_block(row.stream, group >> 2u), group);
    let g = gumbel(noise_in_group(row.stream, category, word, further));
    return Best(key_of(row, category, value, g), category);
}

// The noise before which a member of a group does not ring: that of the first alarm, and its own.
fn noise_of_member(row: Row, category: u32, word: u32) -> f32 {
    let own = own_noise(row.stream, category).y;
    let is_first = row.greedy || first_member(word) == member_of(category);
    return least_noise(leading_bits(word), select(own, 0u, is_first));
}
