// Sums of the terms of rows in floats: of exp(logit / temperature), or of weight^(1/temperature).
// Needs: logarithm, or a form of it.

// A sum: its largest value, and the sum relative to that value.
struct Sum {
    // The largest value that can be drawn.
    most: u32,
    sum: f32,
}

const NO_SUM: Sum = Sum(NOTHING, 0.0);
// In the place of a sum, the bits of one that an invalid value is part of.
const INVALID_SUM: u32 = 0x7fc00000u;

fn joined_sums(a: Sum, b: Sum, inverse: f32) -> Sum {
    let both = vec4<u32>(a.most, b.most, b.most, b.most);
    let most = largest_of(both);
    let shares = relative(both, most, inverse);
    return Sum(most, a.sum * shares.x + b.sum * shares.y);
}
