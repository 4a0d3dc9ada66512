// The uniform and the buffers of the passes of an inverse CDF, and sums across a workgroup.
// Host side: src/gpu/cdf/table.rs. Needs: pair, value, workgroups.
//
// top.wgsl, build.wgsl and offsets.wgsl build a table for each row, pick.wgsl draws from it. A row is cut
// into blocks, a workgroup each. `sums` has, for each category, the sum of its block's weights up to and
// including the category. `offsets` has the sum of all weights before each block, and at the end of a row the
// sum of all.

// The ids of rows are given one by one.
const EACH_ID: u32 = 1u;

const NO_DRAW: u32 = 0xffffffffu;

struct TablePass {
    // The seed, and the id of the first row unless ids are explicit; (low, high).
    seed: vec2<u32>,
    first_row: vec2<u32>,
    // The number of tables: one for each row of the chunk, or one for all.
    tables: u32,
    // The table of the first row of this pass.
    first_table: u32,
    // The rows and the draws from each of them in this pass.
    rows: u32,
    draws: u32,
    first_draw: u32,
    categories: u32,
    // The distance between rows in `logits`, a multiple of 16 bytes.
    row_stride: u32,
    // The blocks of a row, the turns of a workgroup in a block, in each of which every invocation takes an
    // octet, and the categories of a block.
    blocks: u32,
    turns: u32,
    block_categories: u32,
    // The reciprocal of the temperature, as bits.
    scale: u32,
    flags: u32,
}

@group(0) @binding(0) var<uniform> run: TablePass;
@group(0) @binding(2) var<storage, read> row_ids: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> draws: array<u32>;
// The largest value of each row, as the word that `ordered_value` makes of it.
@group(1) @binding(0) var<storage, read_write> tops: array<atomic<u32>>;
@group(1) @binding(1) var<storage, read_write> offsets: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> sums: array<vec2<u32>>;

fn less_or_equal64(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y < b.y || (a.y == b.y && a.x <= b.x);
}

var<workgroup> shared_sums: array<vec2<u32>, WORKGROUP>;

struct Scan {
    // The sum of all invocations before this one.
    before: vec2<u32>,
    // The sum of all invocations.
    total: vec2<u32>,
}

// Barriers: one, two for each power of two below WORKGROUP, and one at the end. Workgroup memory: each
// invocation writes its own, before a barrier.
fn scan(index: u32, own: vec2<u32>) -> Scan {
    var sum = own;
    shared_sums[index] = sum;
    workgroupBarrier();
    for (var step = 1u; step < WORKGROUP; step *= 2u) {
        let other = shared_sums[max(index, step) - step];
        workgroupBarrier();
        if index >= step {
            sum = add64(sum, other);
            shared_sums[index] = sum;
        }
        workgroupBarrier();
    }
    let total = shared_sums[WORKGROUP - 1u];
    // before the next scan writes `shared_sums`
    workgroupBarrier();
    return Scan(sub64(sum, own), total);
}
