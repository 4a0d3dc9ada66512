// Weights or counts relative to the largest of them, for sums.
// Needs: what logarithm.weights.wgsl defines, or logarithm.counts.wgsl and measure.counts.wgsl.

// A value: the mantissa, whose first bit is at the same place in all values, times two to the power.
struct Positive {
    mantissa: vec4<u32>,
    power: vec4<i32>,
}

// The largest of four weights or counts: they are positive, so they are in the order of their bits.
fn largest_of(values: vec4<u32>) -> u32 {
    return max(max(values.x, values.y), max(values.z, values.w));
}

// The logarithm of a value at temperature 1.
fn log_of(value: u32) -> f32 {
    let x = positive(vec4<u32>(value));
    return log(floats_of(x.mantissa).x) + f32(x.power.x - ONE) * 0.6931472;
}

// The logarithms of the ratios of the values' probabilities to that of `most`, which no value exceeds: those of
// (x / most)^(1/temperature), from -100 on, below which nothing is drawn.
//
// 1/temperature multiplies the error in the logarithm of a ratio, and the larger it is, the nearer to 1 are
// the ratios that matter. So the logarithm is accurate relative to itself: the difference of mantissas is
// exact, and all terms of the series are of one sign.
fn log_ratio(values: vec4<u32>, most: u32, inverse: f32) -> vec4<f32> {
    let x = positive(values);
    let m = positive(vec4<u32>(most));
    // the ratio less whole powers of two is in (1/2, 1]
    let above = x.mantissa > m.mantissa;
    let mantissa = x.mantissa >> select(vec4<u32>(0u), vec4<u32>(1u), above);
    let lost = select(vec4<f32>(0.0), vec4<f32>(x.mantissa & vec4<u32>(1u)) * 0.5, above);
    let behind = floats_of(m.mantissa - mantissa) - lost;
    // -ln of it is 2 artanh s
    let s = behind / (floats_of(m.mantissa) + floats_of(mantissa));
    let q = s * s;
    let series = ((((0.09090909 * q + 0.11111111) * q + 0.14285714) * q + 0.2) * q + 0.33333334) * q + 1.0;
    let powers = vec4<f32>(m.power - x.power) - select(vec4<f32>(0.0), vec4<f32>(1.0), above);
    let distance = powers * 0.6931472 + 2.0 * s * series;
    return -min(distance * inverse, vec4<f32>(100.0));
}

// The ratios of the values' probabilities to that of `most`.
fn relative(values: vec4<u32>, most: u32, inverse: f32) -> vec4<f32> {
    return exp(log_ratio(values, most, inverse));
}
