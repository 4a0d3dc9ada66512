// The largest value of each group of long rows, and the largest word of each half-span. A cut is found, and a race of a
// cut row is run, from these, which are a sixteenth of the values; few groups are looked into.
// Host side: src/gpu/bound/cuts.rs. Needs: rows, tops, half_tops, values, restriction.
//
// Dispatch: a workgroup for each part of each row, numbered along x, then y. An invocation takes every WORKGROUP-th
// half-span of its part. Barriers: none.
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes one for each half-span.

@compute @workgroup_size(WORKGROUP)
fn maxima(invocation: Invocation) {
    let place = divided(workgroup_of(invocation), run.parts);
    let part = part_of(place.y);
    let position = min(place.x, run.rows - 1u);
    let row = place_of(position);
    let end = half_spans(select(0u, part.end, place.x < run.rows));
    for (var half = half_spans(part.begin) + invocation.index; half < end; half += WORKGROUP) {
        let tops = tops_of(row, half, part.end);
        var largest = values_of(tops);
        if has_invalid(tops) {
            largest.low.x = INVALID;
        }
        let words = Octet(ordered_values(largest.low), ordered_values(largest.high));
        let more = max(words.low, words.high);
        let at = position * restriction.halves + half;
        cuts[restriction.halves_at + at] = max(max(more.x, more.y), max(more.z, more.w));
        store_eight(restriction.groups_at + at * 8u, largest);
    }
}

fn store_eight(at: u32, values: Octet) {
    cuts[at] = values.low.x;
    cuts[at + 1u] = values.low.y;
    cuts[at + 2u] = values.low.z;
    cuts[at + 3u] = values.low.w;
    cuts[at + 4u] = values.high.x;
    cuts[at + 5u] = values.high.y;
    cuts[at + 6u] = values.high.z;
    cuts[at + 7u] = values.high.w;
}
