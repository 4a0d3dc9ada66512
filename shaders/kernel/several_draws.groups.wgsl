// Several draws of each long row: the largest values of groups are loaded once, held, and raced for every draw.
// Form for short rows, whose noise is flat: several_draws.wgsl. Host side: src/gpu/kernel.rs.
// Needs: everything before it but stream.
//
// Dispatch: a workgroup, as one team, for each part of each row and for every `draws_at_once` draws, numbered along x,
// then y. An invocation holds every WORKGROUP-th half-span of its part, which the host makes short enough to be held.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total. A draw takes up to 5,920 of eight
// invocations, which Mesa 22.3 runs as one, if no group is out (settle.wgsl), and the host asks for at most 32 draws at once: too many
// for that driver. The host has values held on GPUs alone, whose drivers have no such limit. Tests have values held on emulations too,
// of rows in which few groups are left.

// The half-spans that an invocation holds.
const HELD_HALVES: u32 = 4u;

@compute @workgroup_size(WORKGROUP)
fn races(invocation: Invocation) {
    let team = team_of(invocation.index, invocation.workgroup, invocation.workgroups);
    let turns = (run.draws + run.draws_at_once - 1u) / run.draws_at_once;
    let task = task_of(team, turns);
    let exists = task.position < run.rows;
    let part = part_of(task.part);
    let first_draw = task.turn * run.draws_at_once;
    var row = row_of(min(task.position, run.rows - 1u), first_draw);
    let open = exists && is_open(row.values);
    let end = select(0u, part.end, open && row.valid);
    let half = half_spans(part.begin) + team.lane;

    // held: values do not depend on the draw
    var held: array<Octet, HELD_HALVES>;
    var invalid = !row.valid;
    for (var i = 0u; i < HELD_HALVES; i++) {
        let tops = tops_of(row.values, half + i * WORKGROUP, end);
        held[i] = measured(uncut(row.values, values_of(tops)));
        invalid = invalid || has_invalid(tops);
    }

    for (var draw = 0u; draw < run.draws_at_once; draw++) {
        var scores: array<UpperScores, HELD_HALVES>;
        var sure = FILTER_OPEN;
        for (var i = 0u; i < HELD_HALVES; i++) {
            let words = group_words(row, half + i * WORKGROUP);
            scores[i] = scores_of_groups(row.filter_of_row, held[i], words);
            sure = max(sure, sure_cutoff_of_half(row, half + i * WORKGROUP, scores[i], held[i], words));
        }
        begin_queue(team);
        let cutoff = open_cutoff(team, invocation, sure);
        var left: array<u32, HELD_HALVES>;
        for (var i = 0u; i < HELD_HALVES; i++) {
            left[i] = passing_at(scores[i], cutoff);
        }
        var best = best_none();
        loop {
            var has_more = false;
            for (var i = 0u; i < HELD_HALVES; i++) {
                left[i] = queue_groups(first_group_of(half + i * WORKGROUP), left[i]);
                has_more = has_more || left[i] != 0u;
            }
            let all = all_queued(team, has_more);
            best = settle(row, team, all.x, best);
            if all.y == 0u {
                break;
            }
            begin_queue(team);
            workgroupBarrier();
        }
        let all = winner(team, invocation, Outcome(best, invalid));
        if team.lane == 0u && open && first_draw + draw < run.draws {
            finish(task.position * run.draws + first_draw + draw, task.part, all);
        }
        row.stream.draw++;
    }
}
