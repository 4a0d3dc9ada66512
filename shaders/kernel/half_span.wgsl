// Half a span: eight groups of 16 categories, which an invocation takes in at once.
// Needs: groups, rows, values, blocks.
//
// A span is 32 octets. Half-span h has the octets of one parity of span ⌊h/2⌋: octet 2·j + h mod 2 of the span has
// member j of each of its eight groups. So the eight groups are one octet of maxima, and two blocks of noise.

// The word of all groups at temperature 0: the same noise for all, which is that of octets there.
const GREEDY_WORD: u32 = 0x100000u;

// The number of half-spans in some octets, which begin with a span.
fn half_spans(octets: u32) -> u32 {
    return 2u * ((octets + 31u) / 32u);
}

// The octet with member `member` of each group of a half-span.
fn octet_of_member(half: u32, member: u32) -> u32 {
    return ((half >> 1u) << 5u) + 2u * member + (half & 1u);
}

// The number of the first group of a half-span.
fn first_group_of(half: u32) -> u32 {
    return 8u * half;
}

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
