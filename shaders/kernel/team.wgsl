// Which race, or which part of one, a team of invocations takes.
// Needs: run, reduction.

fn team_of(invocation: u32, workgroup: vec3<u32>, workgroups: vec3<u32>) -> Team {
    let shift = firstTrailingBit(lanes());
    let number = workgroup.y * workgroups.x + workgroup.x;
    return Team(number, invocation >> shift, invocation & (lanes() - 1u));
}

// What a team takes: a part of a turn of a row. A turn is a draw, or as many draws as the kernel takes at once.
struct Task {
    // The number among all turns of all rows.
    number: u32,
    position: u32,
    turn: u32,
    part: u32,
}

fn task_of(team: Team, turns: u32) -> Task {
    // a race of several parts has whole workgroups: what is divided is the same for all invocations of one
    let place = divided(team.workgroup, run.parts);
    let teams = WORKGROUP >> firstTrailingBit(lanes());
    let first = divided(place.x * teams, turns);
    // Less than `turns` and a workgroup of at most 1,024 together. So this is a comparison, or a product by a reciprocal
    // that is too large by less than 1 in 2^21, where the product of `rest` and `turns` is below 2^21.
    let rest = first.y + team.slot;
    let few = (rest * ((1u << 21u) / turns + 1u)) >> 21u;
    let rows = select(few, u32(rest >= turns), turns >= WORKGROUP);
    return Task(place.x * teams + team.slot, first.x + rows, rest - rows * turns, place.y);
}
