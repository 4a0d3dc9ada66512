// Rows without masks, whose categories are all allowed.
// Other form: masks.wgsl, which says what the functions are for. Needs: restriction.

fn allowed_octet(row: RowValues, octet: u32, values: Octet) -> Octet {
    return values;
}

fn is_allowed(row: RowValues, category: u32) -> bool {
    return true;
}

fn allows_any(row: RowValues, octet: u32) -> bool {
    return true;
}

fn allowed_of(row: RowValues, octet: u32, values: array<Octet, 8>) -> array<Octet, 8> {
    return values;
}
