// The largest values of the groups of a half-span, of what is loaded.
// Other form, for rows of which they are known: half_tops.stored.wgsl. Needs: tops, half_span, values.
//
// On a GPU loads are written out, so that all of them are on their way at once. An emulation loads lane by lane: written
// out, that is too many instructions for a CPU's caches, and a loop is faster. Mesa 22.3 ends all loops of an invocation after
// 65,535 iterations in total: settle.wgsl leaves room for these.

// The largest value of each group, where octets from `end` on are empty.
fn tops_of(row: RowValues, half: u32, end: u32) -> Tops {
    let first = octet_of_member(half, 0u);
    if EMULATED {
        var tops = no_tops();
        for (var octet = first; octet < first + 32u; octet += 2u) {
            tops = with_member(tops, octet_before(row, octet, end));
        }
        return tops;
    }
    let tops = with_members(no_tops(), every_second_octet_before(row, first, end));
    return with_members(tops, every_second_octet_before(row, first + 16u, end));
}

// Takes in eight members of each group.
fn with_members(before: Tops, x: array<Octet, 8>) -> Tops {
    var tops = with_member(with_member(before, x[0]), x[1]);
    tops = with_member(with_member(tops, x[2]), x[3]);
    tops = with_member(with_member(tops, x[4]), x[5]);
    return with_member(with_member(tops, x[6]), x[7]);
}
