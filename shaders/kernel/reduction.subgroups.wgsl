// The reduction of a team that is the whole workgroup, on a device with subgroups: invocations share their
// findings first within subgroups, then through workgroup memory.
// Other forms: reduction.wgsl, reduction.alone.wgsl. Needs: order, filter, outcome, run.
//
// Nothing here depends on which invocations a subgroup has, nor on all of them being active together: no
// device is bound to bring them together again after a loop that some leave before others.
// Barriers: two in open_cutoff, one in highest_lower_end, three in contenders_of_team, two in winner. Those of
// highest_lower_end and contenders_of_team are for short races, and those of winner for races that bounds do
// not decide: all invocations of a workgroup reach them, or none.
// Workgroup memory: lane 0 writes the cutoff, the lower end and the counts, to which others add, before a
// barrier. Invocations write the outcomes that are counted before the next barrier, and lane 0 reads them
// after it.

// Whether each invocation has a race of its own, and waits for no other.
const ALONE: bool = false;
// Whether a team tries to decide a short race by bounds. The teams of an emulation have long rows only.
const BOUNDED: bool = !EMULATED;

// The invocations of a team.
fn lanes() -> u32 {
    return WORKGROUP;
}

struct Invocation {
    @builtin(local_invocation_index) index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(subgroup_invocation_id) in_subgroup: u32,
}

var<workgroup> cutoff_of_team: atomic<i32>;
// The highest of the lower ends of keys, and the number of categories that may still win.
var<workgroup> lower_end_of_team: atomic<i32>;
var<workgroup> contenders: atomic<u32>;
// That number, in the form in which all branches on it are uniform.
var<workgroup> all_contenders: u32;
// The number of outcomes that are there.
var<workgroup> outcomes_left: atomic<u32>;
var<workgroup> keys: array<vec2<u32>, WORKGROUP>;
// Category and invalid flag.
var<workgroup> others: array<vec2<u32>, WORKGROUP>;

// The highest of the cutoffs that the team's invocations begin with.
fn open_cutoff(team: Team, invocation: Invocation, cutoff: f32) -> f32 {
    let highest = subgroupMax(ordered(cutoff));
    if team.lane == 0u {
        atomicStore(&cutoff_of_team, ordered(FILTER_OPEN));
        atomicStore(&lower_end_of_team, ordered(FILTER_OPEN));
        atomicStore(&contenders, 0u);
    }
    workgroupBarrier();
    // a cutoff that is missed discards less
    if invocation.in_subgroup == 0u {
        atomicMax(&cutoff_of_team, highest);
    }
    workgroupBarrier();
    return unordered(atomicLoad(&cutoff_of_team));
}

// For races that bounds decide: the highest of the lower ends of the team's keys, the number of the team's
// categories that may win, and whether the races of all the workgroup's teams are decided, here a single one.

fn highest_lower_end(team: Team, lower_end: f32) -> f32 {
    // few invocations have one
    if lower_end > FILTER_OPEN {
        atomicMax(&lower_end_of_team, ordered(lower_end));
    }
    workgroupBarrier();
    return unordered(atomicLoad(&lower_end_of_team));
}

fn contenders_of_team(team: Team, own: u32) -> u32 {
    if own > 0u {
        atomicAdd(&contenders, own);
    }
    workgroupBarrier();
    if team.lane == 0u {
        all_contenders = atomicLoad(&contenders);
    }
    return workgroupUniformLoad(&all_contenders);
}

fn all_decided(team: Team, all: u32, open: bool) -> bool {
    // nothing else here is sure to be uniform
    return all == 1u;
}

fn raise_cutoff(team: Team, cutoff: f32) {
    atomicMax(&cutoff_of_team, ordered(cutoff));
}

fn shared_cutoff(team: Team) -> f32 {
    return unordered(atomicLoad(&cutoff_of_team));
}

// Joins the outcomes of the invocations that do this together, a subgroup or as much of it as is active.
// One of them leaves the joint outcome.
fn leave(invocation: Invocation, own: Outcome) {
    let high = subgroupMax(bitcast<i32>(own.best.key.y));
    let with_high = bitcast<i32>(own.best.key.y) == high;
    let low = subgroupMax(select(0u, own.best.key.x, with_high));
    let with_key = with_high && own.best.key.x == low;
    let category = subgroupMin(select(NO_CATEGORY, own.best.category, with_key));
    let invalid = subgroupMax(u32(own.invalid));
    let first = subgroupMin(invocation.index);
    if invocation.index == first {
        let at = atomicAdd(&outcomes_left, 1u);
        keys[at] = vec2<u32>(low, bitcast<u32>(high));
        others[at] = vec2<u32>(category, invalid);
    }
}

// The winner of the team, in its lane 0.
fn winner(team: Team, invocation: Invocation, own: Outcome) -> Outcome {
    if team.lane == 0u {
        atomicStore(&outcomes_left, 0u);
    }
    workgroupBarrier();
    leave(invocation, own);
    workgroupBarrier();
    var all = own;
    if team.lane == 0u {
        let count = atomicLoad(&outcomes_left);
        for (var i = 0u; i < count; i++) {
            all = joined(all, Outcome(Best(keys[i], others[i].x), others[i].y != 0u));
        }
    }
    return all;
}
