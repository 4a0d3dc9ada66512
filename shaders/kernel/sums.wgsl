// The sums of rows, without a draw.
// Host side: src/gpu/operations.rs and src/gpu/bound/scores.rs. Needs: everything before race, and running_sums.
//
// Dispatch: teams of `lanes` invocations, numbered along x, then y; a row has `parts` teams. An
// invocation takes every `lanes`-th octet of its part, two at a time. Barriers: those of write_sums.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes one for
// two octets, and the host hands it at most 2,048 octets.

@compute @workgroup_size(WORKGROUP)
fn sums(invocation: Invocation) {
    let team = team_of(invocation.index, invocation.workgroup, invocation.workgroups);
    let task = task_of(team, 1u);
    let part = part_of(task.part);
    let row = row_of(min(task.position, run.rows - 1u), 0u);
    let summed = task.position < run.rows && row.valid && (run.flags & SUMMED) != 0u;
    let end = select(0u, part.end, summed);

    var running_sums = no_running_sums();
    for (var octet = part.begin + team.lane; octet < end; octet += 2u * lanes()) {
        running_sums = with_sums_of(running_sums, row, octet, end);
    }
    write_sums(team, invocation, row, task.position, task.part, running_sums);
}
