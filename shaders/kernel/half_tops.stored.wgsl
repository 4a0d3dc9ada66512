// The largest values of the groups of a half-span, as maxima.wgsl has stored them. They are those of the values that are
// allowed; a row with an invalid one among these has no cut.
// Other form, for rows of which they are not known: half_tops.wgsl. Needs: octet, restriction, half_span.

struct Tops {
    low: vec4<u32>,
    high: vec4<u32>,
}

fn tops_of(row: RowValues, half: u32, end: u32) -> Tops {
    if octet_of_member(half, 0u) >= end {
        return Tops(vec4<u32>(NEVER), vec4<u32>(NEVER));
    }
    let at = restriction.groups_at + (row.position * restriction.halves + half) * 2u;
    return Tops(cuts[at], cuts[at + 1u]);
}

fn values_of(tops: Tops) -> Octet {
    return Octet(tops.low, tops.high);
}

fn has_invalid(tops: Tops) -> bool {
    return false;
}
