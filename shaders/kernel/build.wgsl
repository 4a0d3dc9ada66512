// The weights of each block's categories, added up.
// Host side: src/gpu/cdf/table.rs. Needs: everything before it but top.
//
// Dispatch as in top.wgsl. In a row without a draw, all categories have weight 0.
// Barriers: those of a scan for each turn. Loops: fewer than 40 iterations a turn, of which the host
// asks for no more than 1,024.

@compute @workgroup_size(WORKGROUP)
fn build(invocation: Invocation) {
    let group = workgroup_of(invocation);
    let row = group / run.blocks;
    let block = group % run.blocks;
    let exists = row < run.tables;
    let top = atomicLoad(&tops[min(row, run.tables - 1u)]);
    let most = value_in_order(top);
    let drawable = is_drawable(top);
    let log2_categories = log2_floor(run.categories);
    let octets = (run.categories - 1u) / 8u + 1u;

    var before = vec2<u32>(0u, 0u);
    for (var turn = 0u; turn < run.turns; turn++) {
        let octet = (block * run.turns + turn) * WORKGROUP + invocation.index;
        let at = octet * 8u;
        let count = select(0u, run.categories - at, exists && at < run.categories);
        let values = octet_before(RowValues(row * run.row_stride), octet, select(0u, octets, exists));
        var within: array<vec2<u32>, 8>;
        var sum = vec2<u32>(0u, 0u);
        for (var i = 0u; i < 8u; i++) {
            if drawable {
                let value = logit_of(values, i);
                sum = add64(sum, integer_weight(value, most, run.scale, log2_categories));
            }
            within[i] = sum;
        }
        let all = scan(invocation.index, sum);
        let offset = add64(before, all.before);
        for (var i = 0u; i < min(count, 8u); i++) {
            sums[row * run.categories + at + i] = add64(offset, within[i]);
        }
        before = add64(before, all.total);
    }
    if invocation.index == 0u && exists {
        offsets[row * (run.blocks + 1u) + block] = before;
    }
}
