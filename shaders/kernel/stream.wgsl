// One draw of each row: the winner among a run of categories. If rows are summed too, the first draw of
// each row adds up what is loaded for its race.
// Host side: src/gpu/kernel.rs. Needs: everything before it.
//
// Dispatch: teams of `lanes` invocations, numbered along x, then y; a race has `parts` teams. An
// invocation takes every `lanes`-th octet of its part, two at a time.
//
// The first octets of all lanes come first: the best key that their coarse bits are sure to reach sets the
// cutoff that all lanes begin with. From then on hardly a category passes.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total. Two octets take 17 at
// most, and the host hands an invocation at most 2,048 octets.

@compute @workgroup_size(WORKGROUP)
fn race(invocation: Invocation) {
    let team = team_of(invocation.index, invocation.workgroup, invocation.workgroups);
    let place = divided(team.index, run.parts);
    let race = place.x;
    let part = part_of(place.y);
    let exists = race < run.rows * run.draws;
    let row_and_draw = divided(race, run.draws);
    let row = row_of(min(row_and_draw.x, run.rows - 1u), row_and_draw.y);
    let end = select(0u, part.end, exists && row.valid);

    // draws beyond the first of a row sum nothing
    let summed = select(0u, end, row_and_draw.y == 0u && (run.flags & SUMMED) != 0u);

    var octet = part.begin + team.lane;
    let opening = pair_at(row, octet, end);
    var running_sums = with_sums_of(no_running_sums(), row, octet, summed);
    var running_best = RunningBest(best_none(), !row.valid, FILTER_OPEN);
    if !ALONE {
        running_best.cutoff = open_cutoff(team, invocation, sure_cutoff_of_pair(row, opening));
    }

    var far = max(farthest(opening.logits_a), farthest(opening.logits_b));
    // a row of a single pair, whose key nobody will ask for
    let whole = ALONE && run.parts == 1u && end > 0u && end <= 2u
        && (run.flags & (CONTINUED | UNFINISHED | KEYED | UNFILTERED)) == 0u;
    if whole && far <= 0x7f800000u {
        running_best = decided_by_bounds(row, run.first_category, opening);
        octet = select(octet, end, running_best.best.category != NO_CATEGORY);
    } else if ALONE {
        running_best.cutoff = sure_cutoff_of_pair(row, opening);
    }
    // apart from the loop, which then hands no pair from one turn to the next: an adapter that emulates a
    // GPU would keep the pair in memory
    if octet < end {
        running_best = evaluate_passing(row, run.first_category + octet * 8u, opening, running_best);
        raise_cutoff(team, running_best.cutoff);
        octet += 2u * run.lanes;
    }
    while octet < end {
        let pair = pair_at(row, octet, end);
        running_sums = with_sums_of(running_sums, row, octet, summed);
        far = max(far, max(farthest(pair.logits_a), farthest(pair.logits_b)));
        // the invocations of a GPU's subgroup enter together, so each turn looks at what the others have found
        if !EMULATED {
            running_best.cutoff = max(running_best.cutoff, shared_cutoff(team));
        }
        if reach_of_pair(row, pair) >= running_best.cutoff {
            if EMULATED {
                running_best.cutoff = max(running_best.cutoff, shared_cutoff(team));
            }
            running_best = evaluate_passing(row, run.first_category + octet * 8u, pair, running_best);
            raise_cutoff(team, running_best.cutoff);
        }
        octet += 2u * run.lanes;
    }

    let invalid = running_best.invalid || far > 0x7f800000u;
    let all = winner(team, invocation, Outcome(running_best.best, invalid));
    if team.lane == 0u && exists {
        finish(race, place.y, all);
    }
    let position = select(run.rows, row_and_draw.x, row_and_draw.y == 0u);
    write_sums(team, invocation, row, position, place.y, running_sums);
}
