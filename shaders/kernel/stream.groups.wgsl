// One draw of each long row: the winner among a run of categories, with noise from the top down. If rows are summed
// too, the first draw of each row adds up what is loaded for its race.
// Form for short rows, whose noise is flat: stream.wgsl. Host side: src/gpu/kernel.rs. Needs: everything before it.
//
// Dispatch: a workgroup, as one team, for each part of each race, numbered along x, then y. An invocation takes every
// WORKGROUP-th half-span of its part.
//
// The first half-spans of all invocations come first, the opening: the first alarms of the most promising groups set
// the cutoff that all invocations begin with. From then on few groups reach it, and these are queued.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: see settle.wgsl. There are counted
// the iterations that load half-spans too.

@compute @workgroup_size(WORKGROUP)
fn race(invocation: Invocation) {
    let team = team_of(invocation.index, invocation.workgroup, invocation.workgroups);
    let task = task_of(team, run.draws);
    let part = part_of(task.part);
    let exists = task.position < run.rows;
    let row = row_of(min(task.position, run.rows - 1u), task.turn);
    let open = exists && is_open(row.values);
    let end = select(0u, part.end, open && row.valid);

    // draws beyond the first of a row sum nothing
    let first_draw = task.turn == 0u;
    let summed = select(0u, end, first_draw && (run.flags & SUMMED) != 0u);
    let position = select(run.rows, task.position, first_draw);

    var half = half_spans(part.begin) + team.lane;
    let end_half = half_spans(end);
    var running_sums = no_running_sums();
    let tops = take_in_first_half(row, half, end, summed, &running_sums);
    var invalid = !row.valid || has_invalid(tops);
    let largest = measured(uncut(row.values, values_of(tops)));
    let words = group_words(row, half);
    let scores = scores_of_groups(row.filter_of_row, largest, words);
    begin_queue(team);
    var cutoff = open_cutoff(team, invocation, sure_cutoff_of_half(row, half, scores, largest, words));
    // the groups of the half-span that reach the cutoff and are not queued yet
    var left = passing_at(scores, cutoff);
    var best = best_none();
    for (var turn = 1u; ; turn++) {
        loop {
            left = queue_groups(first_group_of(half), left);
            if left != 0u || half + WORKGROUP >= end_half || queue_is_full() {
                break;
            }
            half += WORKGROUP;
            let tops = take_in_half(row, half, end, turn, summed, &running_sums);
            invalid = invalid || has_invalid(tops);
            let words = group_words(row, half);
            let scores = scores_of_groups(row.filter_of_row, measured(uncut(row.values, values_of(tops))), words);
            left = passing_at(scores, cutoff);
        }
        let all = all_queued(team, left != 0u || half + WORKGROUP < end_half);
        best = settle(row, team, all.x, best);
        if all.y == 0u {
            break;
        }
        cutoff = shared_cutoff(team);
        begin_queue(team);
        workgroupBarrier();
    }

    let all = winner(team, invocation, Outcome(best, invalid));
    if team.lane == 0u && open {
        finish(task.number, task.part, all);
    }
    write_sums(team, invocation, row, position, task.part, running_sums);
}
