// The largest count of each of eight groups of 16 categories, which lie 16 apart.
// Other forms: tops.wgsl, which says what the functions are for, tops.weights.wgsl. Needs: octet, values.

struct Tops {
    low: vec4<u32>,
    high: vec4<u32>,
}

fn no_tops() -> Tops {
    return Tops(vec4<u32>(0u), vec4<u32>(0u));
}

fn with_member(before: Tops, octet: Octet) -> Tops {
    return Tops(max(before.low, octet.low), max(before.high, octet.high));
}

fn values_of(tops: Tops) -> Octet {
    return Octet(tops.low, tops.high);
}

// Every count is valid.
fn has_invalid(tops: Tops) -> bool {
    return false;
}
