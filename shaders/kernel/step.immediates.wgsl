// The number that is added to the first draw of the uniform: the one that the caller has given when encoding.
// Plain form: step.wgsl. Needs: nothing.

// DX12 takes immediate data only as a struct.
struct Step {
    first_draw: u32,
}

var<immediate> step_of_call: Step;

fn step_draw() -> u32 {
    return step_of_call.first_draw;
}
