// Sums of the words of a long row, of whose groups the largest values are known.
// Form for short rows: above.wgsl, which says what the functions are for. Needs: float_sums, members_of_group.

fn units_of_row() -> u32 {
    return restriction.halves;
}

// Where a sum has to be known so well, nearly all half-spans have such words. They are read octet by octet, which costs
// less than reading the members of the groups that have some.
fn sum_above(values: RowValues, index: u32, halves: u32, above: u32, most: u32, scale: u32) -> f32 {
    var sum = 0.0;
    let range = range_from(above + 1u);
    let first = restriction.halves_at + values.position * restriction.halves;
    let end = (run.categories - 1u) / 8u + 1u;
    for (var half = index; half < halves; half += WORKGROUP) {
        if cuts[first + half].x > above {
            var four = vec4<f32>(0.0);
            for (var member = 0u; member < 16u; member++) {
                let octet = octet_before(values, octet_of_member(half, member), end);
                four += relative_in_octet(octet, range, most, scale);
            }
            sum += total_of_four(four);
        }
    }
    return sum;
}

// The sums of all groups that have such words, each rounded up by 1/128 of itself or less.
fn most_above(values: RowValues, index: u32, halves: u32, above: u32, most: u32, scale: u32) -> f32 {
    var sum = 0.0;
    let first = values.position * restriction.halves;
    for (var half = index; half < halves; half += WORKGROUP) {
        let groups = groups_from(values, half, above + 1u);
        if groups != 0u {
            let bounds = cuts[restriction.bounds_at + first + half];
            let none = vec4<u32>(0u);
            let bits = vec4<u32>(1u, 2u, 4u, 8u);
            let low = select(none, bounds << vec4<u32>(16u), (vec4<u32>(groups) & bits) != none);
            let high = select(none, bounds & vec4<u32>(0xffff0000u), (vec4<u32>(groups >> 4u) & bits) != none);
            let of_groups = total_of_four(bitcast<vec4<f32>>(low) + bitcast<vec4<f32>>(high));
            // relative to the largest value of the half-span
            let largest = vec4<u32>(value_in_order(cuts[restriction.halves_at + first + half].x));
            sum += of_groups * relative_to(most, scale, largest).x;
        }
    }
    return sum;
}

fn sum_of_row(values: RowValues, index: u32, most: u32, scale: u32) -> f32 {
    var sum = 0.0;
    let first = restriction.halves_at + values.position * restriction.halves;
    for (var half = index; half < restriction.halves; half += WORKGROUP) {
        let of_half = cuts[first + half];
        if of_half.x >= LEAST_WORD {
            let largest = vec4<u32>(value_in_order(of_half.x));
            sum += bitcast<f32>(of_half.y) * relative_to(most, scale, largest).x;
        }
    }
    return sum;
}
