// Copies the rows of a batch, gathered and as f32, to where they are adjusted. A row that cannot be gathered becomes NaNs.
// Host side: src/gpu/bound/adjustment.rs. Needs: rows, values, workgroups.
//
// Dispatch: an invocation for each octet of each row, numbered along x, then y. Barriers: none.

// Rows of whole octets.
@group(1) @binding(0) var<storage, read_write> copies: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn copy_rows(invocation: Invocation) {
    // there may be 2^32 - 1 categories
    let octets = (run.categories - 1u) / 8u + 1u;
    let place = divided(workgroup_of(invocation) * WORKGROUP + invocation.index, octets);
    let position = place.x;
    if position >= run.rows {
        return;
    }
    var octet = octet_in_row(place_of(position), place.y);
    if !is_gathered(position) {
        octet = Octet(vec4<u32>(0x7fc00000u), vec4<u32>(0x7fc00000u));
    }
    let to = (position * octets + place.y) * 8u;
    for (var i = 0u; i < 4u; i++) {
        copies[to + i] = octet.low[i];
        copies[to + 4u + i] = octet.high[i];
    }
}
