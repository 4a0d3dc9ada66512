// One draw of each row: the winner among a run of categories. If rows are summed too, the first draw of
// each row adds up what is loaded for its race.
// Host side: src/gpu/kernel.rs. Needs: everything before it.
//
// Dispatch: teams of `lanes` invocations, numbered along x, then y; a race has `parts` teams. An
// invocation takes every `lanes`-th octet of its part, two at a time.
//
// The first octets of all lanes come first, the opening: the best key that their coarse bits are sure to
// reach sets the cutoff that all lanes begin with. From then on hardly a category passes. If the opening is
// the whole race, coarse bits nearly always decide it, and no category is evaluated exactly.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total. Two octets take 17 at most and
// the bounds of the opening 16, and the host hands an invocation at most 2,048 octets.

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

    var octet = part.begin + team.lane;
    let pair = pair_at(row, octet, end);
    var running_sums = with_sums_of(no_running_sums(), row, octet, summed);
    var running_best = RunningBest(best_none(), !row.valid, FILTER_OPEN);
    // One without a sign counts as an infinity: it reaches every cutoff, so that it is evaluated, and it sets no lower end,
    // so that bounds decide no race by it (bound.wgsl).
    let nan = has_negative_nan(pair.logits_a, pair.logits_b);
    // the races of the pass are a pair for each invocation, and nobody will ask for their keys
    let short = run.parts == 1u && run.categories <= 16u * lanes()
        && (run.flags & (CONTINUED | UNFINISHED | KEYED | UNFILTERED)) == 0u;
    let whole = short && end > 0u;
    var opening = Opening(FILTER_OPEN, FILTER_OPEN, FILTER_OPEN, 0u);
    if ALONE {
        if whole && !nan {
            running_best = decided_by_bounds(row, run.first_category, pair);
            octet = select(octet, end, running_best.best.category != NO_CATEGORY);
        } else {
            running_best.cutoff = sure_cutoff_of_pair(row, pair);
        }
    } else {
        opening = opening_of(row, pair);
        running_best.cutoff = open_cutoff(team, invocation, opening.sure);
    }
    var decided = false;
    // uniform, as what is short depends on the pass alone
    if BOUNDED && short {
        var own = Bounds(Highest(FILTER_OPEN, FILTER_OPEN), FILTER_OPEN);
        if whole && opening.most >= running_best.cutoff {
            own = bounds_of_passing(row, pair, opening, running_best.cutoff);
        }
        let lower_end = highest_lower_end(team, own.lower_end);
        let bounded = lower_end > FILTER_OPEN;
        // a NaN counts as two, so that its row is not decided here
        let reaching = u32(own.ends.most >= lower_end) + u32(own.ends.second >= lower_end) + 2u * u32(nan);
        let contenders = select(0u, reaching, bounded);
        let all_contenders = contenders_of_team(team, contenders);
        decided = all_contenders == 1u;
        if decided {
            if contenders == 1u {
                let category = run.first_category + octet * 8u + place_in(argmax_of(own.ends));
                finish(task.number, task.part, Outcome(Best(vec2<u32>(0u, 0u), category), false));
            }
            octet = end;
        }
        if all_decided(team, all_contenders, open) {
            write_sums(team, invocation, row, position, task.part, running_sums);
            return;
        }
        if bounded {
            running_best.cutoff = max(running_best.cutoff, cutoff_at(lower_end));
        }
    }
    // apart from the loop, which then hands no pair from one turn to the next: an adapter that emulates a
    // GPU would keep the pair in memory
    if octet < end {
        if EMULATED || ALONE || opening.most >= running_best.cutoff {
            running_best = evaluate_passing(row, run.first_category + octet * 8u, pair, running_best);
            raise_cutoff(team, running_best.cutoff);
        }
        octet += 2u * lanes();
    }
    var extremes = Extremes(0, 0u);
    while octet < end {
        let pair = pair_at(row, octet, end);
        running_sums = with_sums_of(running_sums, row, octet, summed);
        extremes = with_octet(with_octet(extremes, pair.logits_a), pair.logits_b);
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
        octet += 2u * lanes();
    }

    let invalid = running_best.invalid || nan || has_nan(extremes);
    let all = winner(team, invocation, Outcome(running_best.best, invalid));
    if team.lane == 0u && open && !decided {
        finish(task.number, task.part, all);
    }
    write_sums(team, invocation, row, position, task.part, running_sums);
}
