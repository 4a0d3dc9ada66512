// Whether draws from rows that are cut roughly are right: those are in doubt that are below the word which is sure to be
// kept. See cut.wgsl.
// Host side: src/gpu/bound/cuts.rs. Needs: rows, values, restriction, workgroups.
//
// Dispatch: an invocation for each row. Loops: one iteration a draw, of which the host asks for few.

@compute @workgroup_size(WORKGROUP)
fn check(invocation: Invocation) {
    let position = workgroup_of(invocation) * WORKGROUP + invocation.index;
    if position >= run.rows {
        return;
    }
    let row = place_of(position);
    var doubt = 0u;
    for (var draw = 0u; draw < run.draws; draw++) {
        let drawn = draws[position * run.draws + draw];
        if drawn != NO_DRAW && ordered_value(value_in_row(row, drawn)) < cuts[restriction.sure_at + position] {
            doubt = 1u;
        }
    }
    cuts[restriction.doubts_at + position] = doubt;
}
