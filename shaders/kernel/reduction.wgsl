// The reduction of a team: its invocations share the cutoff, and at the end their outcomes.
// This form goes through workgroup memory, for teams of any power of two.
// Other forms: reduction.alone.wgsl, reduction.subgroups.wgsl. Needs: order, filter, outcome, run.
//
// Barriers: two in open_cutoff, one a step in winner. All invocations of a workgroup reach all of
// them.
// Workgroup memory: lane 0 of a team writes its cutoff, and each invocation its outcome, before a barrier.

// Whether each invocation has a race of its own, and waits for no other.
const ALONE: bool = false;
// Whether a team tries to decide a short race by bounds.
const BOUNDED: bool = false;

struct Invocation {
    @builtin(local_invocation_index) index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
}

var<workgroup> cutoffs: array<atomic<i32>, WORKGROUP>;
var<workgroup> keys: array<vec2<u32>, WORKGROUP>;
// Category and invalid flag.
var<workgroup> others: array<vec2<u32>, WORKGROUP>;

// The highest of the cutoffs that the team's invocations begin with.
fn open_cutoff(team: Team, invocation: Invocation, cutoff: f32) -> f32 {
    if team.lane == 0u {
        atomicStore(&cutoffs[team.slot], ordered(FILTER_OPEN));
    }
    workgroupBarrier();
    atomicMax(&cutoffs[team.slot], ordered(cutoff));
    workgroupBarrier();
    return unordered(atomicLoad(&cutoffs[team.slot]));
}

// These two are for races that bounds decide; see reduction.subgroups.wgsl.

fn highest_lower_end(lower_end: f32) -> f32 {
    return lower_end;
}

// Bounds decide nothing here. The number is the same for all invocations, as a branch on it has to be: Tint, the
// compiler of browsers, refuses barriers behind a branch that may not be, even if the branch is never taken.
fn contenders_of_team(team: Team, own: u32) -> u32 {
    return 0u;
}

fn raise_cutoff(team: Team, cutoff: f32) {
    atomicMax(&cutoffs[team.slot], ordered(cutoff));
}

fn shared_cutoff(team: Team) -> f32 {
    return unordered(atomicLoad(&cutoffs[team.slot]));
}

// The winner of the team, in its lane 0.
fn winner(team: Team, invocation: Invocation, own: Outcome) -> Outcome {
    var all = own;
    keys[invocation.index] = all.best.key;
    others[invocation.index] = vec2<u32>(all.best.category, u32(all.invalid));
    for (var step = run.lanes / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if team.lane < step {
            let other = others[invocation.index + step];
            all = joined(all, Outcome(Best(keys[invocation.index + step], other.x), other.y != 0u));
            keys[invocation.index] = all.best.key;
            others[invocation.index] = vec2<u32>(all.best.category, u32(all.invalid));
        }
    }
    return all;
}
