// Several draws of each row: a team loads its categories once, and races them again for each draw.
// Host side: src/gpu/kernel.rs. Needs: everything before it but stream.
//
// Dispatch: teams of `lanes` invocations, numbered along x, then y; a race has `parts` teams, and
// each of them takes `draws_at_once` draws. An invocation holds every `lanes`-th octet of its
// part, which the host makes short enough to be held.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total. A draw takes fewer
// than 40, and those that join its findings, which are `lanes` at most. The host asks for at most 512 draws at
// once, and at most 2^15 / lanes.

// The pairs of octets that an invocation holds.
const HELD_PAIRS: u32 = 2u;

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
    let octet = part.begin + team.lane;

    // held: logits do not depend on the draw
    var a: array<Octet, HELD_PAIRS>;
    var b: array<Octet, HELD_PAIRS>;
    var far = 0u;
    for (var i = 0u; i < HELD_PAIRS; i++) {
        a[i] = octet_at(row, octet + 2u * i * lanes(), end);
        b[i] = octet_at(row, octet + (2u * i + 1u) * lanes(), end);
        far = max(far, max(farthest(a[i]), farthest(b[i])));
    }
    let invalid = !row.valid || far > 0x7f800000u;

    // all teams of a workgroup take as many turns, since there are barriers inside
    for (var draw = 0u; draw < run.draws_at_once; draw++) {
        var pairs: array<Pair, HELD_PAIRS>;
        var running_best = RunningBest(best_none(), invalid, FILTER_OPEN);
        for (var i = 0u; i < HELD_PAIRS; i++) {
            pairs[i] = pair_of(row, octet + 2u * i * lanes(), a[i], b[i]);
            running_best.cutoff = max(running_best.cutoff, sure_cutoff_of_pair(row, pairs[i]));
        }
        running_best.cutoff = open_cutoff(team, invocation, running_best.cutoff);
        for (var i = 0u; i < HELD_PAIRS; i++) {
            if reach_of_pair(row, pairs[i]) >= running_best.cutoff {
                let first = run.first_category + (octet + 2u * i * lanes()) * 8u;
                running_best = evaluate_passing(row, first, pairs[i], running_best);
                raise_cutoff(team, running_best.cutoff);
            }
        }
        let all = winner(team, invocation, Outcome(running_best.best, running_best.invalid));
        if team.lane == 0u && open && first_draw + draw < run.draws {
            finish(task.position * run.draws + first_draw + draw, task.part, all);
        }
        row.stream.draw++;
    }
}
