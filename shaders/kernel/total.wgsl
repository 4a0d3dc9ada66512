// Adds up what the strips of each race have summed.
// Host side: src/gpu/soften.rs. Needs: run, soften.
//
// Dispatch: an invocation for each race, numbered along x, then y. No barriers.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes one
// for every strip.

@compute @workgroup_size(WORKGROUP)
fn total(
    @builtin(local_invocation_index) invocation: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let race = index_of(invocation, workgroup, workgroups);
    let races = run.rows * run.draws;
    if race >= races {
        return;
    }
    // some at a time, since the roundings of a long sum add up too
    var all = vec2<f32>(0.0);
    var some = vec2<f32>(0.0);
    for (var strip = 0u; strip < soft.strips; strip++) {
        some += sums[race * soft.strips + strip];
        if strip % 32u == 31u {
            all += some;
            some = vec2<f32>(0.0);
        }
    }
    all += some;
    // the drawn category's weight alone is 1
    var result = vec2<f32>(-1.0, 0.0);
    if all.x >= 0.5 {
        result = vec2<f32>(1.0 / all.x, all.y / all.x);
    }
    sums[races * soft.strips + race] = result;
}
