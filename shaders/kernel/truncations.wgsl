// The truncations of rows: that of all rows.
// Form in which each row has cuts of its own: truncations.each.wgsl. Needs: truncation.

// The truncation of the row at a position, which the host has checked.
fn truncation_of(position: u32) -> Truncation {
    return truncation;
}

fn is_valid_truncation(t: Truncation) -> bool {
    return true;
}
