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
    let group = workgroup_of(invocation);
    let row = group / run.blocks;
    let block = group % run.blocks;
    var most = 0u;
    if row < run.tables {
        for (var turn = 0u; turn < run.turns; turn++) {
            let octet = (block * run.turns + turn) * WORKGROUP + invocation.index;
            if octet * 8u < run.categories {
                let values = octet_in_row(RowValues(row * run.row_stride), octet);
                for (var i = 0u; i < 8u; i++) {
                    most = max(most, ordered_value(logit_of(values, i)));
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
