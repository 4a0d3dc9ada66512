// What a race adds up that sums nothing.
// Other form: tally.wgsl, which says what the functions are for. Needs: rows, share, run.

struct Tally {
    nothing: u32,
}

fn no_tally() -> Tally {
    return Tally(0u);
}

fn tallied(before: Tally, row: Row, octet: u32, end: u32) -> Tally {
    return before;
}

fn tell(team: Team, invocation: Invocation, row: Row, position: u32, part: u32, tally: Tally) {}
