// What is loaded for a race of groups that sums nothing.
// Other forms: half_sums.wgsl, which says what the functions are for, half_sums.masked.wgsl. Needs: running_sums, half_tops.

fn take_in_first_half(row: Row, half: u32, end: u32, summed: u32, running_sums: ptr<function, RunningSums>) -> Tops {
    return tops_of(row.values, half, end);
}

fn take_in_half(row: Row, half: u32, end: u32, turn: u32, summed: u32, running_sums: ptr<function, RunningSums>) -> Tops {
    return tops_of(row.values, half, end);
}
