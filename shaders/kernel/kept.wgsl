// What the kernels that compute the weights of soft samples write. Needs: soften.

// Writes a weight, and returns what it adds to the mean cotangent.
fn keep(at: u32, weight_of: f32) -> f32 {
    weights[at] = weight_of;
    if soft.vjp == 0u || weight_of <= 0.0 {
        return 0.0;
    }
    return weight_of * cotangents[at];
}

fn keep_four(at: u32, count: u32, four: vec4<f32>) -> vec4<f32> {
    var products = vec4<f32>(0.0);
    if count > 0u {
        products.x = keep(at, four.x);
    }
    if count > 1u {
        products.y = keep(at + 1u, four.y);
    }
    if count > 2u {
        products.z = keep(at + 2u, four.z);
    }
    if count > 3u {
        products.w = keep(at + 3u, four.w);
    }
    return products;
}
