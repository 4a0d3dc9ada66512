// bf16 as f32: the upper half of its bits.
// Needs: nothing.

fn widen(halves: vec4<u32>) -> vec4<u32> {
    return halves << vec4<u32>(16u);
}
