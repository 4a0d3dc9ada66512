// The categories of a long row that may be among the first k of a race, with their keys; the host ranks them.
// Form for short rows, whose noise is flat: top_k.wgsl, which says how categories are counted in bins. Host side:
// src/gpu/operations.rs. Needs: everything before settle, and record.
//
// The row is read three times. First the category of each first alarm is counted by the least that its key is. That
// gives a cutoff which k categories reach. Then, in the groups that reach this cutoff, all members that may reach it are
// counted, with their own noise: where a row is steep, few of the first k are first alarms. At last what may reach the
// new cutoff is evaluated.
//
// Dispatch: a workgroup a race, numbered along x, then y. Barriers: outside of loops, reached by all.
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: for each of its half-spans, of which the
// host hands it at most 2^8, an invocation takes 235 at most: 17 in each of three passes to load it, 8 for its first alarms,
// 40 to count the members of its groups, and 136 for its groups and their members in the last pass. It takes at most 2,048
// twice for the bins.

// Counts the first alarms of a half-span.
fn count_first_alarms(row: Row, top: f32, half: u32, words: Octet) {
    let first = first_group_of(half);
    for (var i = 0u; i < 8u; i++) {
        count_sure(top, sure_cutoff_of_first(row, first + i, logit_of(words, i)));
    }
}

// Counts a member of a group, which counts from the first of this pass, if it may reach the cutoff.
fn count_member(row: Row, top: f32, cutoff: f32, group: u32, word: u32, member: u32) {
    let f = row.filter_of_row;
    let at = category_of(group, member);
    let value = measured_at(row, at);
    let reaches = score_in_group(f, value, noise_before(word)) >= cutoff && !is_invalid(value);
    // no branch, as in count_sure
    let noise = most_noise(noise_of_member(row, run.first_category + at, word));
    let sure = sure_cutoff_in_group_measured(f, value, noise);
    count_sure(top, select(FILTER_OPEN, sure, reaches));
}

// Counts all members of a group that may reach the cutoff. Each has a block of noise: sixteen written out, with all that
// surrounds them, took SwiftShader's compiler minutes and gigabytes.
fn count_members(row: Row, top: f32, cutoff: f32, group: u32, word: u32) {
    for (var member = 0u; member < 16u; member += 4u) {
        count_member(row, top, cutoff, group, word, member);
        count_member(row, top, cutoff, group, word, member + 1u);
        count_member(row, top, cutoff, group, word, member + 2u);
        count_member(row, top, cutoff, group, word, member + 3u);
    }
}

// Evaluates the members of a group that may reach the cutoff, and writes them.
fn take_members(row: Row, race: u32, cutoff: f32, group: u32, word: u32) {
    let f = row.filter_of_row;
    let base = category_of(group, 0u);
    let low = scores_with_first(f, eight_members(row, base), noise_before(word));
    let high = scores_with_first(f, eight_members(row, base + 128u), noise_before(word));
    let all = passing_at(low, cutoff) | (passing_at(high, cutoff) << 8u);
    for (var passing = all; passing != 0u; passing &= passing - 1u) {
        let at = category_of(group, firstTrailingBit(passing));
        let value = measured_at(row, at);
        let category = run.first_category + at;
        let noise = noise_of_member(row, category, word);
        if !is_invalid(value) && score_in_group(f, value, noise) >= cutoff {
            record_one(race, evaluate_in_group(row, category, word, value));
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn top_k(invocation: Invocation) {
    let race = invocation.workgroup.y * invocation.workgroups.x + invocation.workgroup.x;
    let team = Team(race, 0u, invocation.index);
    let exists = race < run.rows * run.draws;
    let row = row_of(min(race / run.draws, run.rows - 1u), race % run.draws);
    let f = row.filter_of_row;
    let end = select(0u, (run.categories - 1u) / 8u + 1u, exists && row.valid);
    let end_half = half_spans(end);

    begin_bins(invocation.index);
    workgroupBarrier();

    let opening = measured(values_of(tops_of(row.values, team.lane, end)));
    let first_words = group_words(row, team.lane);
    let first_scores = scores_of_groups(f, opening, first_words);
    let sure = sure_cutoff_of_half(row, team.lane, first_scores, opening, first_words);
    let top = open_cutoff(team, invocation, sure);
    var invalid = false;
    for (var half = team.lane; half < end_half; half += WORKGROUP) {
        invalid = invalid || has_invalid(tops_of(row.values, half, end));
        count_first_alarms(row, top, half, group_words(row, half));
    }
    if invalid {
        atomicStore(&invalid_in_row, 1u);
    }
    workgroupBarrier();
    if team.lane == 0u {
        set_cutoff_of_top_k(top);
    }
    workgroupBarrier();
    let first_cutoff = cutoff_of_top_k;
    workgroupBarrier();
    for (var bin = team.lane; bin < BINS; bin += WORKGROUP) {
        atomicStore(&bins[bin], 0u);
    }
    workgroupBarrier();
    // without a cutoff all members would be counted
    let counted = select(0u, end_half, first_cutoff > FILTER_OPEN);
    for (var half = team.lane; half < counted; half += WORKGROUP) {
        let words = group_words(row, half);
        let scores = scores_of_groups(f, measured(values_of(tops_of(row.values, half, end))), words);
        for (var left = passing_at(scores, first_cutoff); left != 0u; left &= left - 1u) {
            let i = firstTrailingBit(left);
            count_members(row, top, first_cutoff, first_group_of(half) + i, logit_of(words, i));
        }
    }
    workgroupBarrier();
    if team.lane == 0u {
        set_cutoff_of_top_k(top);
    }
    workgroupBarrier();
    let cutoff = max(first_cutoff, cutoff_of_top_k);
    for (var half = team.lane; half < end_half; half += WORKGROUP) {
        let words = group_words(row, half);
        let scores = scores_of_groups(f, measured(values_of(tops_of(row.values, half, end))), words);
        // once there is no memory for those that are found already, the host races the row
        let more = atomicLoad(&found) <= capacity();
        for (var left = select(0u, passing_at(scores, cutoff), more); left != 0u; left &= left - 1u) {
            let i = firstTrailingBit(left);
            take_members(row, race, cutoff, first_group_of(half) + i, logit_of(words, i));
        }
    }
    workgroupBarrier();
    if team.lane == 0u && exists {
        finish_record(race, row.valid);
    }
}
