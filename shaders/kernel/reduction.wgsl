// The reduction of a team: its invocations share the cutoff, and at the end their outcomes.
// This form goes through workgroup memory, for teams of any power of two.
// Other forms: reduction.alone.wgsl, reduction.subgroups.wgsl. Needs: order, filter, outcome, run.
//
// Barriers: two in open_cutoff, one each in highest_lower_end and contenders_of_team, three in all_decided, one a
// step in winner. Those of the three in the middle are for short races, and those of winner for workgroups in
// which bounds do not decide every race: all invocations of a workgroup reach them, or none.
// Workgroup memory: lane 0 of a team writes its cutoff, lower end and count, to which others add, and each
// invocation its outcome, before a barrier.

// Whether each invocation has a race of its own, and waits for no other.
const ALONE: bool = false;
// Whether a team tries to decide a short race by bounds. The teams of an emulation have long rows only.
const BOUNDED: bool = !EMULATED;

// The invocations of a team.
fn lanes() -> u32 {
    return run.lanes;
}

struct Invocation {
    @builtin(local_invocation_index) index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
}

// A team has two invocations or more, unless a workgroup has one.
const SLOTS: u32 = (WORKGROUP + 1u) / 2u;

var<workgroup> cutoffs: array<atomic<i32>, SLOTS>;
// The highest of the lower ends of a team's keys, and the number of its categories that may still win.
var<workgroup> lower_ends: array<atomic<i32>, SLOTS>;
var<workgroup> contenders: array<atomic<u32>, SLOTS>;
// Whether some team's race is undecided, and that in the form in which all branches on it are uniform.
var<workgroup> some_undecided: atomic<u32>;
var<workgroup> told_undecided: u32;
var<workgroup> keys: array<vec2<u32>, WORKGROUP>;
// Category and invalid flag.
var<workgroup> others: array<vec2<u32>, WORKGROUP>;

// The highest of the cutoffs that the team's invocations begin with.
fn open_cutoff(team: Team, invocation: Invocation, cutoff: f32) -> f32 {
    if team.lane == 0u {
        atomicStore(&cutoffs[team.slot], ordered(FILTER_OPEN));
        if BOUNDED {
            atomicStore(&lower_ends[team.slot], ordered(FILTER_OPEN));
            atomicStore(&contenders[team.slot], 0u);
            atomicStore(&some_undecided, 0u);
        }
    }
    workgroupBarrier();
    atomicMax(&cutoffs[team.slot], ordered(cutoff));
    workgroupBarrier();
    return unordered(atomicLoad(&cutoffs[team.slot]));
}

// For races that bounds decide: the highest of the lower ends of a team's keys, the number of the team's
// categories that may win, and whether the races of all the workgroup's teams are decided.

fn highest_lower_end(team: Team, lower_end: f32) -> f32 {
    // few invocations have one
    if lower_end > FILTER_OPEN {
        atomicMax(&lower_ends[team.slot], ordered(lower_end));
    }
    workgroupBarrier();
    return unordered(atomicLoad(&lower_ends[team.slot]));
}

fn contenders_of_team(team: Team, own: u32) -> u32 {
    if own > 0u {
        atomicAdd(&contenders[team.slot], own);
    }
    workgroupBarrier();
    return atomicLoad(&contenders[team.slot]);
}

// The same for all invocations, as a branch on it has to be: Tint, the compiler of browsers, refuses barriers behind a
// branch that may not be, even if the branch is never taken.
fn all_decided(team: Team, all: u32, open: bool) -> bool {
    if open && all != 1u && team.lane == 0u {
        atomicStore(&some_undecided, 1u);
    }
    workgroupBarrier();
    if team.slot == 0u && team.lane == 0u {
        told_undecided = atomicLoad(&some_undecided);
    }
    return workgroupUniformLoad(&told_undecided) == 0u;
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
