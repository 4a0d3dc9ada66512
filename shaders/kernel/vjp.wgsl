// Gradients by keys: for each category of a row the sum over its draws of y·(g - mean of g).
// Host side: src/gpu/soften.rs. Twin: src/cpu/soften/vjp.rs. Needs: run, soften.
//
// Dispatch: an invocation for each category of each row, numbered along x, then y. No barriers.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes one
// for every draw of a row, of which the host gives at most 2^15.

const NOT_A_NUMBER: u32 = 0x7fc00000u;

@compute @workgroup_size(WORKGROUP)
fn vjp(
    @builtin(local_invocation_index) invocation: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let index = index_of(invocation, workgroup, workgroups);
    let position = index / run.categories;
    if position >= run.rows {
        return;
    }
    let category = index % run.categories;
    let races = run.rows * run.draws;
    var gradient = 0.0;
    var drawn = true;
    for (var draw = 0u; draw < run.draws; draw++) {
        let race = position * run.draws + draw;
        let all = sums[races * soft.strips + race];
        let at = race * run.categories + category;
        let y = weights[at] * all.x;
        drawn = drawn && all.x > 0.0;
        if y > 0.0 {
            gradient += y * (cotangents[at] - all.y);
        }
    }
    // written as bits, since a compiler may assume that no float is NaN
    gradients[index] = select(NOT_A_NUMBER, bitcast<u32>(gradient), drawn);
}
