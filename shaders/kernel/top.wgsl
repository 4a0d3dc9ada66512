// The largest value of each row.
// Host side: src/gpu/cdf/table.rs. Needs: everything before it.
//
// Dispatch: a workgroup for each block of each row, numbered along x, then y. An invocation takes an
// octet a turn.
// Workgroup memory: the first invocation writes it, before a barrier.
// Barriers: two. Loops: nine iterations a turn, of which the host asks for 1,024 at most.

var<workgroup> top_of_block: atomic<u32>;

@compute @workgroup_size(WORKGROUP)
fn top(invocation: Invocation) {
    let group = group_of(invocation);
    let row = group / run.blocks;
    let block = group % run.blocks;
    var most = 0u;
    if row < run.tables {
        for (var turn = 0u; turn < run.turns; turn++) {
            let at = ((block * run.turns + turn) * WORKGROUP + invocation.index) * 8u;
            if at < run.categories {
                let octet = load(row * run.row_stride + at, run.categories - at);
                for (var i = 0u; i < 8u; i++) {
                    most = max(most, ordered_value(logit_of(octet, i)));
                }
            }
        }
    }
    if invocation.index == 0u {
        atomicStore(&top_of_block, 0u);
    }
    workgroupBarrier();
    atomicMax(&top_of_block, most);
    workgroupBarrier();
    if invocation.index == 0u && row < run.tables {
        atomicMax(&tops[row], atomicLoad(&top_of_block));
    }
}
