// An invocation of a workgroup that shares its findings in ways of its own. Needs: nothing.

struct Invocation {
    @builtin(local_invocation_index) index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
}

// The number of the workgroup.
fn workgroup_of(invocation: Invocation) -> u32 {
    return invocation.workgroup.y * invocation.workgroups.x + invocation.workgroup.x;
}
