// The noise of the groups of a half-span.
// Needs: groups, rows, blocks, half_span.

// The word of all groups at temperature 0: the same noise for all, which is that of octets there.
const GREEDY_WORD: u32 = 0x100000u;

// The words of the groups of a half-span.
fn group_words(row: Row, half: u32) -> Octet {
    if row.greedy {
        return Octet(vec4<u32>(GREEDY_WORD), vec4<u32>(GREEDY_WORD));
    }
    let first = GROUP_BLOCKS + (run.first_category >> 6u) + 2u * half;
    let rest = vec3<u32>(row.stream.row, row.stream.draw << 1u);
    let blocks = blocks_side_by_side(first, first + 1u, rest, row.stream.key);
    return Octet(blocks[0], blocks[1]);
}
