// Which values of a row may be drawn: those that a mask allows and that are not below the row's cut. `NEVER` takes the
// place of the others.
// Other form, for rows of which every value may be drawn: restriction.none.wgsl.
// Host side: src/gpu/bound/restriction.rs. Needs: octet, value, run.
//
// A mask has a bit for each category: bit i % 32 of word i / 32 is 1 if category i is allowed. A cut is the least word
// that is kept, in the order of `ordered_value`; cut.wgsl finds it.

// Rows have masks.
const MASKED: u32 = 1u;
// Rows are cut, each at the word that `cuts` has for it.
const CUT: u32 = 2u;
// The pass is for the rows alone whose draws are in doubt.
const IN_DOUBT: u32 = 4u;
// Cuts may be found roughly.
const ROUGH: u32 = 8u;

struct Restriction {
    flags: u32,
    // The number of words from one row's mask to the next, 0 if all rows have one mask.
    mask_stride: u32,
    // Where in `cuts` the words are that are sure to be kept, and whether a row's draws are in doubt.
    sure_at: u32,
    doubts_at: u32,
    // Where the largest values of the first row's groups are, and those of its half-spans, as words.
    groups_at: u32,
    halves_at: u32,
    // The number of half-spans of a row, or 0 if `cuts` has neither.
    halves: u32,
}

@group(1) @binding(0) var<uniform> restriction: Restriction;
@group(1) @binding(1) var<storage, read> masks: array<u32>;
// For each row the least word that is kept, or NO_CUT; then for each row a word that is sure to be kept, and 1 if draws
// are in doubt, as they are below that word. After these, of rows whose noise comes from the top down, the
// largest value of each group and the largest word of each half-span, as far as they are allowed; see maxima.wgsl.
@group(1) @binding(2) var<storage, read_write> cuts: array<u32>;

// In the place of the word of a row that has no draw. No value that can be drawn has this word.
const NO_CUT: u32 = 0u;

struct RowValues {
    // The number of the row's first value.
    first: u32,
    // The number of the first word of its mask.
    mask: u32,
    position: u32,
    // False for a row without a draw, as far as that is known.
    has_draw: bool,
    // The values that are kept, as the range of their bits.
    kept: Range,
}

// The values of the row at a position, which begin with value number `first`.
fn row_values(position: u32, first: u32) -> RowValues {
    let mask = position * restriction.mask_stride;
    if (restriction.flags & CUT) == 0u {
        return RowValues(first, mask, position, true, Range(0u, 0xffffffffu));
    }
    let least = cuts[position];
    return RowValues(first, mask, position, least != NO_CUT, range_from(least));
}

// Whether this pass is for the row.
fn is_open(row: RowValues) -> bool {
    return (restriction.flags & IN_DOUBT) == 0u || cuts[restriction.doubts_at + row.position] != 0u;
}

fn has_draw(row: RowValues) -> bool {
    return row.has_draw;
}

// An octet without the values that may not be drawn.
fn restricted(row: RowValues, octet: u32, values: Octet) -> Octet {
    if (restriction.flags & MASKED) == 0u {
        return uncut(row, values);
    }
    let allowed = masks[row.mask + (octet >> 2u)] >> ((octet & 3u) * 8u);
    return uncut(row, allowed_by(allowed, values));
}

fn allowed_by(bits: u32, values: Octet) -> Octet {
    let none = vec4<u32>(0u);
    let low = vec4<u32>(bits) & vec4<u32>(1u, 2u, 4u, 8u);
    let high = vec4<u32>(bits) & vec4<u32>(16u, 32u, 64u, 128u);
    return Octet(
        select(values.low, vec4<u32>(NEVER), low == none),
        select(values.high, vec4<u32>(NEVER), high == none),
    );
}

// A value, if it may be drawn.
fn restricted_one(row: RowValues, category: u32, value: u32) -> u32 {
    if (restriction.flags & MASKED) != 0u
        && ((masks[row.mask + (category >> 5u)] >> (category & 31u)) & 1u) == 0u {
        return NEVER;
    }
    return select(NEVER, value, value - row.kept.first <= row.kept.length);
}

// The bits of every second octet, eight in all: two octets a word, in the first and in the third byte. The first of them
// is one of the first two of its word.
fn allowed_every_second(row: RowValues, octet: u32) -> vec4<u32> {
    let at = row.mask + (octet >> 2u);
    let words = vec4<u32>(masks[at], masks[at + 1u], masks[at + 2u], masks[at + 3u]);
    return (words >> vec4<u32>((octet & 1u) * 8u)) & vec4<u32>(0xff00ffu);
}

// Whether something is allowed in one of these octets.
fn allows_any(row: RowValues, octet: u32) -> bool {
    return (restriction.flags & MASKED) == 0u || any(allowed_every_second(row, octet) != vec4<u32>(0u));
}

// Every second octet, eight in all, without the values that are not allowed. Those below the row's cut are still there:
// the largest of some values is below the cut if and only if all of them are, so `uncut` comes after the maxima.
fn allowed_of(row: RowValues, octet: u32, values: array<Octet, 8>) -> array<Octet, 8> {
    if (restriction.flags & MASKED) == 0u {
        return values;
    }
    let bits = allowed_every_second(row, octet);
    if all(bits == vec4<u32>(0xff00ffu)) {
        return values;
    }
    return array<Octet, 8>(
        allowed_by(bits.x, values[0]), allowed_by(bits.x >> 16u, values[1]),
        allowed_by(bits.y, values[2]), allowed_by(bits.y >> 16u, values[3]),
        allowed_by(bits.z, values[4]), allowed_by(bits.z >> 16u, values[5]),
        allowed_by(bits.w, values[6]), allowed_by(bits.w >> 16u, values[7]),
    );
}

// The values that are not below the row's cut.
fn uncut(row: RowValues, values: Octet) -> Octet {
    if (restriction.flags & CUT) == 0u {
        return values;
    }
    let first = vec4<u32>(row.kept.first);
    let length = vec4<u32>(row.kept.length);
    return Octet(
        select(vec4<u32>(NEVER), values.low, values.low - first <= length),
        select(vec4<u32>(NEVER), values.high, values.high - first <= length),
    );
}

// Four values as words.
fn ordered_values(bits: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(ordered_value(bits.x), ordered_value(bits.y), ordered_value(bits.z), ordered_value(bits.w));
}
