// Which values of a row may be drawn: those that a mask allows and that are not below the row's cut. `NEVER` takes the
// place of the others.
// Other form, for rows of which every value may be drawn: restriction.none.wgsl.
// Host side: src/gpu/bound/restriction.rs. Needs: octet, value, run.
//
// A cut is the least word that is kept, in the order of `ordered_value`; cut.wgsl finds it.

// Rows are cut, each at the word that `cuts` has for it.
const CUT: u32 = 1u;
// The pass is for the rows alone whose draws are in doubt.
const IN_DOUBT: u32 = 2u;
// What depends on the sum of a row may be found by sums in floats, and leave draws in doubt.
const ROUGH: u32 = 4u;

struct Restriction {
    flags: u32,
    // The number of words from one row's mask to the next, 0 if all rows have one mask.
    mask_stride: u32,
    // Where in `cuts` the vectors of the first row's half-spans are: the largest values of groups, two for each half-span; the
    // largest word and the sum, one; and bounds of the sums of groups, one.
    groups_at: u32,
    halves_at: u32,
    bounds_at: u32,
    // The number of half-spans of a row, or 0 if `cuts` has none of these.
    halves: u32,
}

@group(1) @binding(0) var<uniform> restriction: Restriction;
@group(1) @binding(1) var<storage, read> masks: array<u32>;
// What is known of each row, a record. After these, of rows whose noise comes from the top down, what is known of each
// half-span, as far as its values are allowed; see maxima.wgsl.
@group(1) @binding(2) var<storage, read_write> cuts: array<vec4<u32>>;

// The vectors of a row's record. The first has the least word that is kept, or NO_CUT; a word that is sure to be kept, as far
// as that does not depend on top-p; 1 if the row's draws are in doubt; and the largest word. The second has the reciprocal of
// the temperature at which the row is cut, and the share of the row's sum that top-p keeps, 1 if it keeps no such share, both
// as bits of f32; and that sum in floats, relative to the largest value.
const RECORD: u32 = 2u;
const ALL_OF_SUM: u32 = 0x3f800000u;

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
    let least = cuts[position * RECORD].x;
    return RowValues(first, mask, position, least != NO_CUT, range_from(least));
}

// Whether this pass is for the row.
fn is_open(row: RowValues) -> bool {
    return (restriction.flags & IN_DOUBT) == 0u || cuts[row.position * RECORD].z != 0u;
}

fn has_draw(row: RowValues) -> bool {
    return row.has_draw;
}

// An octet without the values that may not be drawn.
fn restricted(row: RowValues, octet: u32, values: Octet) -> Octet {
    return uncut(row, allowed_octet(row, octet, values));
}

// A value, if it may be drawn.
fn restricted_one(row: RowValues, category: u32, value: u32) -> u32 {
    return select(NEVER, value, is_allowed(row, category) && value - row.kept.first <= row.kept.length);
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
