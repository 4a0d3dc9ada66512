// Turns the sum of each block of a row, in place, into the sum of all blocks before it, and writes the sum of
// all blocks at the end.
// Host side: src/gpu/cdf/table.rs. Needs: table.
//
// Dispatch: a workgroup for each row, numbered along x, then y. An invocation takes a run of blocks.
// Barriers: those of a scan. Loops: two iterations for each block of its run, which the host makes no
// longer than 4,096.

@compute @workgroup_size(WORKGROUP)
fn add_up(invocation: Invocation) {
    let row = workgroup_of(invocation);
    let length = (run.blocks + WORKGROUP - 1u) / WORKGROUP;
    let begin = min(invocation.index * length, run.blocks);
    let end = select(begin, min(begin + length, run.blocks), row < run.tables);
    let first = row * (run.blocks + 1u);
    var own = vec2<u32>(0u, 0u);
    for (var block = begin; block < end; block++) {
        own = add64(own, offsets[first + block]);
    }
    let all = scan(invocation.index, own);
    var before = all.before;
    for (var block = begin; block < end; block++) {
        let weighs = offsets[first + block];
        offsets[first + block] = before;
        before = add64(before, weighs);
    }
    if invocation.index == 0u && row < run.tables {
        offsets[first + run.blocks] = all.total;
    }
}
