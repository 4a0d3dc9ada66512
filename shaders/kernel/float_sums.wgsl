// Sums in floats of words of a row, each relative to the largest, and how far they may be off.
// Needs: logarithm, or a form of it, and values.
//
// A sum of the integer weights of some words, divided by the largest weight, differs from the sum in floats by little of
// the sum of all, which is 1 or more:
//
//     logarithms of ratios, together 40 at most, are rounded                2^-15
//     their exponentials: WGSL's exp, three at most, to within 89 units     2^-16
//     logarithms beyond 40: e^-40 each, of at most 2^20 categories          2^-37
//     the values of a half-span or an octet are added up: 34 at most        2^-18
//     and then the sums of an invocation: 64 at most                        2^-18
//     sums of invocations are rounded to a multiple of 2^-31, then to f32   2^-23
//     the integer weights are rounded                                       2^-20
//
// together less than 2^-13. A limit, a share of the sum of all, is off by as much. So nothing is known where a sum is within
// SLACK of its limit, in units of the sum of all. Integer logarithms of counts are off by 2^-28, times the reciprocal of the temperature:
// where that is above 4096, cut.wgsl uses no sums in floats.
//
// Barriers: two, and the load of the sum. All invocations reach them.
// Workgroup memory: invocation 0 empties the sum and writes what is shared, each before a barrier.

const SLACK: f32 = 0.000244140625;
const HALF_UNITS: f32 = 2147483648.0;

// Whole units, and 2^-32 of these.
var<workgroup> sum_of_floats: array<atomic<u32>, 2>;
var<workgroup> shared_sum: f32;

// The weights of words relative to the largest value.
fn relative_to(most: u32, scale: u32, values: vec4<u32>) -> vec4<f32> {
    return select(vec4<f32>(0.0), relative(values, most, bitcast<f32>(scale)), can_be_drawn(values));
}

// Those of the values of an octet that are in a range.
fn relative_in_octet(octet: Octet, range: Range, most: u32, scale: u32) -> vec4<f32> {
    let none = vec4<u32>(NEVER);
    let first = vec4<u32>(range.first);
    let length = vec4<u32>(range.length);
    let low = select(none, octet.low, octet.low - first <= length);
    let high = select(none, octet.high, octet.high - first <= length);
    return relative_to(most, scale, low) + relative_to(most, scale, high);
}

fn total_of_four(x: vec4<f32>) -> f32 {
    return (x.x + x.y) + (x.z + x.w);
}

// The sum of what all invocations have, each below 2^31.
fn sum_of_workgroup(index: u32, own: f32) -> f32 {
    if index == 0u {
        atomicStore(&sum_of_floats[0], 0u);
        atomicStore(&sum_of_floats[1], 0u);
    }
    workgroupBarrier();
    let whole = floor(own);
    // 31 bits, as some devices convert words from 2^31 on wrongly
    let low = u32((own - whole) * HALF_UNITS) << 1u;
    let before = atomicAdd(&sum_of_floats[0], low);
    atomicAdd(&sum_of_floats[1], u32(whole) + u32(before + low < before));
    workgroupBarrier();
    if index == 0u {
        let part = f32(atomicLoad(&sum_of_floats[0]) >> 1u) / HALF_UNITS;
        shared_sum = f32(atomicLoad(&sum_of_floats[1])) + part;
    }
    return workgroupUniformLoad(&shared_sum);
}
