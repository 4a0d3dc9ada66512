// The largest values of the groups of a half-span, and the sums of the groups, relative to the largest of these values.
// Other form, for cuts that do not depend on the sum of a row: take_in.none.wgsl. Needs: half_tops, float_sums, truncations.

// The reciprocal of the temperature at which a row is added up, as bits.
fn scale_of_sums(position: u32) -> u32 {
    return scale_of_cut(truncation_of(position), position);
}

// As in half_tops.wgsl, an emulation loads octet by octet in a loop. It loads them once more to add them up: it has no registers
// for a half-span.
fn taken_in(row: RowValues, half: u32, end: u32, at: u32, scale: u32) -> HalfSpan {
    let octet = octet_of_member(half, 0u);
    if EMULATED {
        let tops = tops_of(row, half, end);
        let most = most_among(values_of(tops));
        var sums = OfGroups(vec4<f32>(0.0), vec4<f32>(0.0));
        for (var i = octet; i < octet + 32u; i += 2u) {
            sums = sums_of_two(sums, relative_octet(most, scale, octet_before(row, i, end)));
        }
        return HalfSpan(tops, with_bounds(sums, at));
    }
    let x = every_second_octet_before(row, octet, end);
    let tops_of_x = with_members(no_tops(), x);
    let y = every_second_octet_before(row, octet + 16u, end);
    let tops = with_members(tops_of_x, y);
    let most_of_x = most_among(values_of(tops_of_x));
    return HalfSpan(tops, with_bounds(added_up(x, most_of_x, y, most_among(values_of(tops)), scale), at));
}

// The sums of the groups of a half-span, relative to its largest value.
fn added_up(x: array<Octet, 8>, most_of_x: u32, y: array<Octet, 8>, most: u32, scale: u32) -> OfGroups {
    let before = sums_relative_to(most_of_x, scale, x);
    let rest = relative_to(most, scale, vec4<u32>(most_of_x)).x;
    let sums = sums_relative_to(most, scale, y);
    return OfGroups(before.low * rest + sums.low, before.high * rest + sums.high);
}

// The sum of the half-span that is number `at` of all, as bits. Stores a bound of the sum of each group: the first 16 bits of an
// f32, which is rounded up. Those of the groups 0 to 3 are the low ones of words.
fn with_bounds(sums: OfGroups, at: u32) -> u32 {
    let rounding = vec4<u32>(0xffffu);
    let bounds_low = (bitcast<vec4<u32>>(sums.low) + rounding) >> vec4<u32>(16u);
    let bounds_high = (bitcast<vec4<u32>>(sums.high) + rounding) & vec4<u32>(0xffff0000u);
    cuts[restriction.bounds_at + at] = bounds_low | bounds_high;
    return bitcast<u32>(total_of_four(sums.low + sums.high));
}

// The largest value that can be drawn.
fn most_among(values: Octet) -> u32 {
    let low = largest_of(select(vec4<u32>(NOTHING), values.low, can_be_drawn(values.low)));
    let high = largest_of(select(vec4<u32>(NOTHING), values.high, can_be_drawn(values.high)));
    return largest_of(vec4<u32>(low, high, high, high));
}

// A number for each group.
struct OfGroups {
    low: vec4<f32>,
    high: vec4<f32>,
}

fn sums_relative_to(most: u32, scale: u32, x: array<Octet, 8>) -> OfGroups {
    let a = sums_of_two(relative_octet(most, scale, x[0]), relative_octet(most, scale, x[1]));
    let b = sums_of_two(relative_octet(most, scale, x[2]), relative_octet(most, scale, x[3]));
    let c = sums_of_two(relative_octet(most, scale, x[4]), relative_octet(most, scale, x[5]));
    let d = sums_of_two(relative_octet(most, scale, x[6]), relative_octet(most, scale, x[7]));
    return sums_of_two(sums_of_two(a, b), sums_of_two(c, d));
}

fn relative_octet(most: u32, scale: u32, octet: Octet) -> OfGroups {
    return OfGroups(relative_to(most, scale, octet.low), relative_to(most, scale, octet.high));
}

fn sums_of_two(a: OfGroups, b: OfGroups) -> OfGroups {
    return OfGroups(a.low + b.low, a.high + b.high);
}
