// Draws from tables: the first category whose sum exceeds the point that a uniform number falls on.
// Host side: src/gpu/cdf/table.rs. Needs: everything before it.
//
// Dispatch: an invocation for each block of uniform numbers, which is two draws of a row, numbered along
// x, then y.
// Barriers: none. Loops: 2·(2·32) iterations at most.

// The draw for a point below the sum of all: in the last block that does not begin beyond the point, the
// first category whose sum exceeds the point.
fn find(table: u32, point_of_draw: vec2<u32>) -> u32 {
    let first = table * (run.blocks + 1u);
    var block = 0u;
    var end = run.blocks;
    while end - block > 1u {
        let middle = block + (end - block) / 2u;
        if less_or_equal64(offsets[first + middle], point_of_draw) {
            block = middle;
        } else {
            end = middle;
        }
    }
    let rest = sub64(point_of_draw, offsets[first + block]);
    var low = block * run.block_categories;
    var high = low + min(run.block_categories, run.categories - low) - 1u;
    while low < high {
        let middle = low + (high - low) / 2u;
        if less_or_equal64(sums[table * run.categories + middle], rest) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

@compute @workgroup_size(WORKGROUP)
fn pick(invocation: Invocation) {
    let index = workgroup_of(invocation) * WORKGROUP + invocation.index;
    let first_pair = run.first_draw / 2u;
    let pairs = (run.first_draw + run.draws - 1u) / 2u - first_pair + 1u;
    let row = index / pairs;
    if row >= run.rows {
        return;
    }
    let even = 2u * (first_pair + index % pairs);
    var id = add64(run.first_row, vec2<u32>(row, 0u));
    if (run.flags & EACH_ID) != 0u {
        id = row_ids[row];
    }
    let table = min(run.first_table + row, run.tables - 1u);
    let total = offsets[table * (run.blocks + 1u) + run.blocks];
    let block = uniform_block(Stream(run.seed, id, even));
    for (var draw = even; draw < even + 2u; draw++) {
        if draw >= run.first_draw && draw - run.first_draw < run.draws {
            var drawn = NO_DRAW;
            if (total.x | total.y) != 0u {
                drawn = find(table, point(uniform_bits(block, draw), total));
            }
            draws[row * run.draws + draw - run.first_draw] = drawn;
        }
    }
}
