// The draw to start at, beside the one in the uniform: what the encoder was told.
// Plain form: step.wgsl. Needs: nothing.

// DX12 takes nothing but a struct.
struct Step {
    first_draw: u32,
}

var<immediate> step_of_call: Step;

fn step_draw() -> u32 {
    return step_of_call.first_draw;
}
