// The upper scores of groups, and the cutoffs that they set.
// Needs: scores, half_tops, group_words.

// Below the score of every category that can be drawn, and below every cutoff: for groups without one.
const NOTHING_IN_GROUP: f32 = 2.0 * FILTER_OPEN;

// Every alarm rings before this noise, as far as cutoffs are concerned.
const ANY_NOISE: f32 = 4294967296.0;

// No alarm of a group with this word rings before this noise.
fn noise_before(word: u32) -> f32 {
    return least_noise(leading_bits(word), 0u);
}

fn score_in_group(f: Filter, value: u32, noise: f32) -> f32 {
    return select(upper_score_in_group(f, value, noise), NOTHING_IN_GROUP, value == NEG_INFINITY);
}

// The most that a member of each group can reach, of the measured largest values and the words.
fn scores_of_groups(f: Filter, tops: Octet, words: Octet) -> UpperScores {
    return UpperScores(
        vec4<f32>(
            score_in_group(f, tops.low.x, noise_before(words.low.x)),
            score_in_group(f, tops.low.y, noise_before(words.low.y)),
            score_in_group(f, tops.low.z, noise_before(words.low.z)),
            score_in_group(f, tops.low.w, noise_before(words.low.w)),
        ),
        vec4<f32>(
            score_in_group(f, tops.high.x, noise_before(words.high.x)),
            score_in_group(f, tops.high.y, noise_before(words.high.y)),
            score_in_group(f, tops.high.z, noise_before(words.high.z)),
            score_in_group(f, tops.high.w, noise_before(words.high.w)),
        ),
    );
}

// The measured value of a category, -inf from the end of the row on. The category counts from the first of this pass.
fn measured_at(row: Row, category: u32) -> u32 {
    let value = measured_one(value_in_row(row.values, min(category, run.categories - 1u)));
    return select(NEG_INFINITY, value, category < run.categories);
}

// The cutoff that the first alarm of a group sets. The group counts from the first of this pass.
fn sure_cutoff_of_first(row: Row, group: u32, word: u32) -> f32 {
    let value = measured_at(row, category_of(group, first_member(word)));
    let sure = sure_cutoff_in_group_measured(row.filter_of_row, value, most_noise(noise_before(word)));
    let unknown = value == NEG_INFINITY || is_invalid(value) || (run.flags & UNFILTERED) != 0u;
    return select(sure, FILTER_OPEN, unknown);
}

// The cutoff that the most promising group of a half-span sets: by its first alarm, or by its largest value, whenever
// that rings.
fn sure_cutoff_of_half(row: Row, half: u32, scores: UpperScores, tops: Octet, words: Octet) -> f32 {
    let best = firstTrailingBit(passing_at(scores, highest_of(scores))) & 7u;
    let top = logit_of(tops, best);
    let of_first = sure_cutoff_of_first(row, first_group_of(half) + best, logit_of(words, best));
    let of_top = sure_cutoff_in_group_measured(row.filter_of_row, top, ANY_NOISE);
    let unknown = top == NEG_INFINITY || is_invalid(top) || (run.flags & UNFILTERED) != 0u;
    return select(max(of_first, of_top), FILTER_OPEN, unknown);
}
