// The draw to start at, beside the one in the uniform: none.
// Form for devices with immediate data: step.immediates.wgsl. Needs: nothing.

fn step_draw() -> u32 {
    return 0u;
}
