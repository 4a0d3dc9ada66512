// Half-spans whose values are not added up.
// Other form: take_in.wgsl, which says what the functions are for. Needs: half_tops.

fn scale_of_sums(position: u32) -> u32 {
    return 0u;
}

fn taken_in(row: RowValues, half: u32, end: u32, at: u32, scale: u32) -> HalfSpan {
    return HalfSpan(tops_of(row, half, end), 0u);
}
