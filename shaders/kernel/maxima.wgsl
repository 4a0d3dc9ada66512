// The largest value of each group of long rows, and the largest word of each half-span. A cut is found, and a race of a
// cut row is run, from these, which are a sixteenth of the values; few groups are looked into. Where a cut depends on the
// sum of a row, half-spans are added up, too.
// Host side: src/gpu/bound/cuts.rs. Needs: rows, tops, half_span, values, restriction, and take_in or a form of it.
//
// Dispatch: a workgroup for each part of each row, numbered along x, then y. An invocation takes every WORKGROUP-th
// half-span of its part. Barriers: none.
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes one for each
// half-span, and on an emulation 16 more to load it, and as many to add it up.

// What is found of a half-span: the largest values of its groups, and perhaps a sum.
struct HalfSpan {
    tops: Tops,
    // As bits of f32.
    sum: u32,
}

@compute @workgroup_size(WORKGROUP)
fn maxima(invocation: Invocation) {
    let place = divided(workgroup_of(invocation), run.parts);
    let part = part_of(place.y);
    let position = min(place.x, run.rows - 1u);
    let row = place_of(position);
    let scale = scale_of_sums(position);
    let end = half_spans(select(0u, part.end, place.x < run.rows));
    for (var half = half_spans(part.begin) + invocation.index; half < end; half += WORKGROUP) {
        let at = position * restriction.halves + half;
        let half_span = taken_in(row, half, part.end, at, scale);
        var largest = values_of(half_span.tops);
        if has_invalid(half_span.tops) {
            largest.low.x = INVALID;
        }
        let words = max(ordered_values(largest.low), ordered_values(largest.high));
        let word = max(max(words.x, words.y), max(words.z, words.w));
        cuts[restriction.halves_at + at] = vec4<u32>(word, half_span.sum, 0u, 0u);
        cuts[restriction.groups_at + at * 2u] = largest.low;
        cuts[restriction.groups_at + at * 2u + 1u] = largest.high;
    }
}
