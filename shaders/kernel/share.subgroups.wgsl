// What the invocations of a team share, if the team is the whole workgroup and the device has
// subgroups: first within subgroups, then through workgroup memory.
// Other forms: share.wgsl, share.alone.wgsl. Needs: order, filter, outcome, run.
//
// Nothing here depends on which invocations a subgroup has.
// Barriers: two in open_floor, one in winner. All invocations of a workgroup reach all of them.

struct Invocation {
    @builtin(local_invocation_index) index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(subgroup_invocation_id) in_subgroup: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
}

var<workgroup> floor_of_team: atomic<i32>;
var<workgroup> keys: array<vec2<u32>, WORKGROUP>;
// Category and invalid flag.
var<workgroup> others: array<vec2<u32>, WORKGROUP>;

// The highest floor of the team, to begin with.
fn open_floor(team: Team, invocation: Invocation, floor: f32) -> f32 {
    let highest = subgroupMax(ordered(floor));
    if team.lane == 0u {
        atomicStore(&floor_of_team, ordered(FILTER_OPEN));
    }
    workgroupBarrier();
    if invocation.in_subgroup == 0u {
        atomicMax(&floor_of_team, highest);
    }
    workgroupBarrier();
    return unordered(atomicLoad(&floor_of_team));
}

fn raise_floor(team: Team, floor: f32) {
    atomicMax(&floor_of_team, ordered(floor));
}

fn shared_floor(team: Team) -> f32 {
    return unordered(atomicLoad(&floor_of_team));
}

// The winner of the team, in its lane 0.
fn winner(team: Team, invocation: Invocation, own: Outcome) -> Outcome {
    let high = subgroupMax(bitcast<i32>(own.best.key.y));
    let with_high = bitcast<i32>(own.best.key.y) == high;
    let low = subgroupMax(select(0u, own.best.key.x, with_high));
    let with_key = with_high && own.best.key.x == low;
    let category = subgroupMin(select(NO_CATEGORY, own.best.category, with_key));
    let invalid = subgroupMax(u32(own.invalid));
    if invocation.in_subgroup == 0u {
        keys[invocation.subgroup] = vec2<u32>(low, bitcast<u32>(high));
        others[invocation.subgroup] = vec2<u32>(category, invalid);
    }
    workgroupBarrier();
    var all = own;
    if team.lane == 0u {
        for (var i = 0u; i < invocation.subgroups; i++) {
            all = joined(all, Outcome(Best(keys[i], others[i].x), others[i].y != 0u));
        }
    }
    return all;
}
