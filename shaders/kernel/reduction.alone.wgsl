// The reduction of teams of a single invocation, which share nothing.
// Other forms: reduction.wgsl, reduction.subgroups.wgsl. Needs: outcome, run.

// Whether each invocation has a race of its own, and waits for no other.
const ALONE: bool = true;
// Whether a team tries to decide a short race by bounds.
const BOUNDED: bool = false;

// The invocations of a team.
fn lanes() -> u32 {
    return 1u;
}

struct Invocation {
    @builtin(local_invocation_index) index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
}

fn open_cutoff(team: Team, invocation: Invocation, cutoff: f32) -> f32 {
    return cutoff;
}

// These are for races that bounds decide; see reduction.wgsl. An invocation alone decides its own; see race.wgsl.

fn highest_lower_end(team: Team, lower_end: f32) -> f32 {
    return lower_end;
}

// The same for all invocations, as a branch on it has to be.
fn contenders_of_team(team: Team, own: u32) -> u32 {
    return 0u;
}

fn all_decided(team: Team, all: u32, open: bool) -> bool {
    return all == 1u;
}

fn raise_cutoff(team: Team, cutoff: f32) {}

fn shared_cutoff(team: Team) -> f32 {
    return FILTER_OPEN;
}

fn winner(team: Team, invocation: Invocation, own: Outcome) -> Outcome {
    return own;
}
