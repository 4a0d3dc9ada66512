// Rows of which every value may be drawn.
// Form in which values are hidden: restriction.wgsl, which says what the functions are for. Needs: octet.

struct RowValues {
    first: u32,
}

fn row_values(position: u32, first: u32) -> RowValues {
    return RowValues(first);
}

fn is_open(row: RowValues) -> bool {
    return true;
}

fn has_draw(row: RowValues) -> bool {
    return true;
}

fn restricted(row: RowValues, octet: u32, values: Octet) -> Octet {
    return values;
}

fn restricted_one(row: RowValues, category: u32, value: u32) -> u32 {
    return value;
}

fn allows_any(row: RowValues, octet: u32) -> bool {
    return true;
}

fn allowed_of(row: RowValues, octet: u32, values: array<Octet, 8>) -> array<Octet, 8> {
    return values;
}

fn uncut(row: RowValues, most: Octet) -> Octet {
    return most;
}
