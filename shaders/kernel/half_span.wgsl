// Half a span: eight groups of 16 categories, which an invocation takes in at once.
// Needs: nothing.
//
// A span is 32 octets. Half-span h has the octets of one parity of span ⌊h/2⌋: octet 2·j + h mod 2 of the span has
// member j of each of its eight groups. So the eight groups are one octet of maxima, and two blocks of noise.

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
