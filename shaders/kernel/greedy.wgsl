// Temperature 0: the first of the largest values.
// Twin: src/cpu/greedy.rs. Host side: src/gpu/kernel.rs. Needs: everything before it but race.
//
// Dispatch and barriers as in stream.wgsl. Loops: one iteration for each octet of an invocation, of which
// the host hands it at most 2,048, and those of winner.
//
// The kernel reads the logits as fast as they can be read, so benchmarks hold the other kernels against it.

@compute @workgroup_size(WORKGROUP)
fn greedy(invocation: Invocation) {
    let team = team_of(invocation.index, invocation.workgroup, invocation.workgroups);
    let task = task_of(team, run.draws);
    let part = part_of(task.part);
    let exists = task.position < run.rows;
    let row = row_of(min(task.position, run.rows - 1u), task.turn);
    let open = exists && is_open(row.values);
    let end = select(0u, part.end, open && row.valid);

    var most = GREEDY_NONE;
    var least = 0;
    var argmax = part.begin;
    for (var octet = part.begin + team.lane; octet < end; octet += lanes()) {
        let logits_of = octet_in_row(row.values, octet);
        let low = greedy_words(logits_of.low);
        let high = greedy_words(logits_of.high);
        let more = max(low, high);
        let less = min(low, high);
        let highest = max(max(more.x, more.y), max(more.z, more.w));
        least = min(least, min(min(less.x, less.y), min(less.z, less.w)));
        argmax = select(argmax, octet, highest > most);
        most = max(most, highest);
    }

    let invalid = !row.valid || greedy_invalid(most, least);
    var best = best_none();
    if greedy_drawable(most) && !invalid {
        let logits_of = octet_in_row(row.values, argmax);
        let bits = vec4<u32>(1u, 2u, 4u, 8u);
        let wanted = vec4<i32>(most);
        let low = select(vec4<u32>(0u), bits, greedy_words(logits_of.low) == wanted);
        let high = select(vec4<u32>(0u), bits << vec4<u32>(4u), greedy_words(logits_of.high) == wanted);
        let both = low | high;
        let first = firstTrailingBit(both.x | both.y | both.z | both.w);
        best = Best(greedy_word_key(most), run.first_category + argmax * 8u + first);
    }
    let all = winner(team, invocation, Outcome(best, invalid));
    if team.lane == 0u && open {
        finish(task.number, task.part, all);
    }
}
