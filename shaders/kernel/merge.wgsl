// Joins the outcomes of a race's parts, and of the segments before this one.
// Host side: src/gpu/kernel.rs. Needs: run, outcome, reduction.
//
// Dispatch: a workgroup, as one team, for each race, numbered along x, then y.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes
// one for every WORKGROUP-th part.

@compute @workgroup_size(WORKGROUP)
fn merge(invocation: Invocation) {
    let race = invocation.workgroup.y * invocation.workgroups.x + invocation.workgroup.x;
    let races = run.rows * run.draws;
    let exists = race < races;
    let before = races * run.parts + race;

    var own = Outcome(best_none(), false);
    if exists {
        for (var part = invocation.index; part < run.parts; part += WORKGROUP) {
            own = joined(own, outcome_at(race * run.parts + part));
        }
        if invocation.index == 0u && (run.flags & CONTINUED) != 0u {
            own = joined(own, outcome_at(before));
        }
    }
    let all = winner(Team(race, 0u, invocation.index), invocation, own);
    if invocation.index == 0u && exists {
        if (run.flags & UNFINISHED) != 0u {
            outcomes[before] = words_of(all);
        } else {
            report(race, all);
        }
    }
}
