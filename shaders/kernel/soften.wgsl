// The uniform and the buffers that the kernels of soft samples share, and the weight of a category.
// Host side: src/gpu/soften.rs. Needs: pair, run.
//
// Keys are the contract's integers, and the race has found the largest. Floats come in with the difference
// of two keys, which decides nothing.

struct Soft {
    // log2 of a weight falls by `fall` for each unit that a key is below the largest. A weight is 0 from
    // `largest_gap` units on.
    fall: f32,
    largest_gap: f32,
    // The invocations that share a race: each takes every `strips`-th octet.
    strips: u32,
    // 1 if there are cotangents.
    vjp: u32,
}

@group(0) @binding(5) var<uniform> soft: Soft;
// Race by race, a weight for each category.
@group(0) @binding(6) var<storage, read_write> weights: array<f32>;
@group(0) @binding(7) var<storage, read> cotangents: array<f32>;
// For each strip of each race the sum of its weights, and of weights times cotangents. After them, if there
// are cotangents, for each race 1 / the sum of weights (−1 if it has no draw) and the mean cotangent.
@group(0) @binding(8) var<storage, read_write> sums: array<vec2<f32>>;
// Bits of f32.
@group(0) @binding(9) var<storage, read_write> gradients: array<u32>;

fn index_of(invocation: u32, workgroup: vec3<u32>, workgroups: vec3<u32>) -> u32 {
    return (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + invocation;
}

// The weight of a category whose key is `gap` units below the largest: 2^(-gap·fall), never above 1.
//
// The larger the argument of a device's exp2, the less accurate the result, so exp2 gets what is left of a
// whole power.
fn soft_weight(gap: vec2<u32>) -> f32 {
    let units = f32(gap.y) * 4294967296.0 + f32(gap.x);
    if units >= soft.largest_gap {
        return 0.0;
    }
    let powers = units * soft.fall;
    let whole = floor(powers + 0.5);
    let power = bitcast<f32>((127u - u32(whole)) << 23u);
    return min(exp2(whole - powers) * power, 1.0);
}
