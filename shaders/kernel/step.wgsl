// The number that is added to the first draw of the uniform: 0.
// Form for devices with immediate data: step.immediates.wgsl. Needs: nothing.

fn step_draw() -> u32 {
    return 0u;
}
