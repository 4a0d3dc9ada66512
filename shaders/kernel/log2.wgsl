// Binary logarithms of weights in floats, for the filter and the bounds: too large by up to 2^-9 of a
// power of two, never too small. The logarithms that decide a draw are in weights.wgsl. Needs: filter.

// The logarithms of normal numbers, given as bits, with `powers` subtracted from the exponents.
fn log2_of(bits: vec4<u32>, powers: vec4<f32>) -> vec4<f32> {
    let m = bitcast<vec4<f32>>((bits & vec4<u32>(0x7fffffu)) | vec4<u32>(0x3f800000u));
    // within 2^-10 of log2 m - (m - 1); the cubic is that of src/cpu/vector_value.rs
    let excess = ((0.1582439 * m - 1.051854) * m + 2.047853) * m - 1.153606;
    let whole = vec4<f32>(bits >> vec4<u32>(23u)) - powers;
    return whole + ((m - 1.0) + excess + 0.0009765625);
}

// The weight or count of a category, as it is in memory.
fn value_of(row: Row, category: u32) -> u32 {
    return value_in_row(row.values, category - run.first_category);
}
