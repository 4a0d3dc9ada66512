// Adds biases to copies of rows, and subtracts penalties, in place: the arithmetic of `Penalty` in src/options/penalty.rs.
// Host side: src/gpu/bound/adjustment.rs. Needs: double, workgroups.
//
// Dispatch: an invocation for each entry of the lists, those of biases first, numbered along x, then y. A category that
// has several entries is the first one's, and a category with biases is that of the first bias, so that no two
// invocations write the same logit. Barriers: none.
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes one for each count of its
// row and four for each bias, and two more for each other bias of its category. The documentation of
// `DeviceBatch::with_bias` says so.

struct Adjustment {
    rows: u32,
    categories: u32,
    // The distance between copies of rows.
    stride: u32,
    flags: u32,
    // The penalties of all rows, as bits of f32.
    repetition: u32,
    frequency: u32,
    presence: u32,
}

const BIASED: u32 = 1u;
// Each row has biases of its own.
const EACH_BIAS: u32 = 2u;
const PENALISED: u32 = 4u;
// Each row has penalties of its own.
const EACH_PENALTY: u32 = 8u;

const NAN: u32 = 0x7fc00000u;
const INFINITY: u32 = 0x7f800000u;
const NEGATIVE_INFINITY: u32 = 0xff800000u;

@group(0) @binding(0) var<uniform> adjustment: Adjustment;
@group(0) @binding(9) var<storage, read_write> copies: array<u32>;
// A row has the entries from its offset up to the next one.
@group(0) @binding(2) var<storage, read> bias_offsets: array<u32>;
@group(0) @binding(3) var<storage, read> bias_categories: array<u32>;
@group(0) @binding(4) var<storage, read> biases: array<u32>;
@group(0) @binding(5) var<storage, read> history_offsets: array<u32>;
@group(0) @binding(6) var<storage, read> history_categories: array<u32>;
@group(0) @binding(7) var<storage, read> counts: array<u32>;
// Repetition, frequency and presence of each row, as bits of f32.
@group(0) @binding(8) var<storage, read> penalties: array<u32>;

// The entries of a row.
struct Entries {
    begin: u32,
    end: u32,
}

// The number of biases that there is memory for.
fn bias_count() -> u32 {
    return select(0u, arrayLength(&biases), (adjustment.flags & BIASED) != 0u);
}

// The number of counts that there is memory for.
fn history_count() -> u32 {
    return select(0u, arrayLength(&counts), (adjustment.flags & PENALISED) != 0u);
}

fn biases_of(position: u32) -> Entries {
    if (adjustment.flags & EACH_BIAS) == 0u {
        return Entries(0u, bias_count());
    }
    return Entries(bias_offsets[position], min(bias_offsets[position + 1u], bias_count()));
}

fn history_of(position: u32) -> Entries {
    if (adjustment.flags & PENALISED) == 0u {
        return Entries(0u, 0u);
    }
    return Entries(history_offsets[position], min(history_offsets[position + 1u], history_count()));
}

// Where the entries of a row begin, among biases or in the history.
fn offset_of(position: u32, of_bias: bool) -> u32 {
    if of_bias {
        return bias_offsets[position];
    }
    return history_offsets[position];
}

// The last row whose offset is not above the entry; the entry may not belong to that row either.
fn row_of_entry(entry: u32, of_bias: bool) -> u32 {
    var least = 0u;
    var most = adjustment.rows - 1u;
    while least < most {
        let middle = most - (most - least) / 2u;
        if offset_of(middle, of_bias) <= entry {
            least = middle;
        } else {
            most = middle - 1u;
        }
    }
    return least;
}

// Whether a bias of the category stands before the entry with number `end`.
fn has_bias_before(entries: Entries, end: u32, category: u32) -> bool {
    for (var i = entries.begin; i < end; i++) {
        if bias_categories[i] == category {
            return true;
        }
    }
    return false;
}

// A category's history.
struct Count {
    exists: bool,
    // At most 2^32 - 1.
    count: u32,
}

fn count_of(entries: Entries, category: u32) -> Count {
    var found = Count(false, 0u);
    for (var i = entries.begin; i < entries.end; i++) {
        if history_categories[i] == category {
            let count = counts[i];
            found = Count(true, found.count + min(count, ~found.count));
        }
    }
    return found;
}

// The bits of a number as a word in the order of numbers. That of no finite number is 2^32 - 1.
fn in_order(bits: u32) -> u32 {
    return bits ^ select(0x80000000u, 0xffffffffu, (bits & 0x80000000u) != 0u);
}

// The logit after the biases of its category, the least of them first. All of them are finite.
fn with_biases(logit: Double, entries: Entries, category: u32, first: u32) -> Double {
    var x = logit;
    var added = 0u;
    var least = 0u;
    loop {
        // the least one that has not been added
        var next = 0xffffffffu;
        for (var i = first; i < entries.end; i++) {
            let bias = in_order(biases[i]);
            if bias_categories[i] == category && (added == 0u || bias > least) {
                next = min(next, bias);
            }
        }
        if next == 0xffffffffu {
            break;
        }
        least = next;
        for (var i = first; i < entries.end; i++) {
            if bias_categories[i] == category && in_order(biases[i]) == least {
                x = sum_of_doubles(x, double_of(biases[i]));
                added += 1u;
            }
        }
    }
    return x;
}

// The bits of all biases of a category, as far as they are not finite: NaN, if one is NaN or +inf, or -inf; else 0.
fn not_finite(entries: Entries, category: u32, first: u32) -> u32 {
    var found = 0u;
    for (var i = first; i < entries.end; i++) {
        let bits = biases[i];
        if bias_categories[i] == category && (bits & INFINITY) == INFINITY && found != NAN {
            found = select(NAN, NEGATIVE_INFINITY, bits == NEGATIVE_INFINITY);
        }
    }
    return found;
}

// The penalties of a row, as bits of f32.
struct Penalty {
    repetition: u32,
    frequency: u32,
    presence: u32,
    // False if one of them is out of range.
    valid: bool,
}

fn penalty_of(position: u32) -> Penalty {
    var p = vec3<u32>(adjustment.repetition, adjustment.frequency, adjustment.presence);
    if (adjustment.flags & EACH_PENALTY) != 0u {
        p = vec3<u32>(penalties[3u * position], penalties[3u * position + 1u], penalties[3u * position + 2u]);
    }
    // finite, and repetition above 0
    let valid = p.x - 1u < INFINITY - 1u && (p.y & INFINITY) != INFINITY && (p.z & INFINITY) != INFINITY;
    return Penalty(p.x, p.y, p.z, valid);
}

fn penalised(logit: Double, penalty: Penalty, count: u32) -> Double {
    let repetition = double_of(penalty.repetition);
    var x: Double;
    if is_positive(logit) {
        x = quotient_of_doubles(logit, repetition);
    } else {
        x = product_of_doubles(logit, repetition);
    }
    let frequency = product_of_doubles(double_of(penalty.frequency), double_of_word(0u, 0, count));
    x = sum_of_doubles(x, negated(frequency));
    if count > 0u {
        x = sum_of_doubles(x, negated(double_of(penalty.presence)));
    }
    return x;
}

// Adjusts the logit of a category whose first bias, if it has one, has number `first`.
fn adjust_one(position: u32, category: u32, of_bias: Entries, first: u32, count: Count) {
    let at = position * adjustment.stride + category;
    let bits = copies[at];
    let bias = not_finite(of_bias, category, first);
    let penalty = penalty_of(position);
    if bias == NAN || (count.exists && !penalty.valid) {
        copies[at] = NAN;
        return;
    }
    // nothing that is finite changes an infinite logit
    if (bits & INFINITY) == INFINITY {
        return;
    }
    if bias == NEGATIVE_INFINITY {
        copies[at] = NEGATIVE_INFINITY;
        return;
    }
    var x = with_biases(double_of(bits), of_bias, category, first);
    if count.exists {
        x = penalised(x, penalty, count.count);
    }
    copies[at] = single_of(x);
}

@compute @workgroup_size(WORKGROUP)
fn adjust(invocation: Invocation) {
    let i = workgroup_of(invocation) * WORKGROUP + invocation.index;
    let is_shared = (adjustment.flags & EACH_BIAS) == 0u;
    let of_biases = bias_count() * select(1u, adjustment.rows, is_shared);
    if i < of_biases {
        var place = vec2<u32>(0u, i);
        if is_shared {
            place = vec2<u32>(i / bias_count(), i % bias_count());
        } else {
            place.x = row_of_entry(i, true);
        }
        let of_bias = biases_of(place.x);
        let entry = place.y;
        let category = bias_categories[entry];
        let is_of_row = entry >= of_bias.begin && entry < of_bias.end;
        if is_of_row && category < adjustment.categories && !has_bias_before(of_bias, entry, category) {
            adjust_one(place.x, category, of_bias, entry, count_of(history_of(place.x), category));
        }
        return;
    }
    let entry = i - of_biases;
    if entry >= history_count() {
        return;
    }
    let position = row_of_entry(entry, false);
    let of_row = history_of(position);
    let category = history_categories[entry];
    if entry < of_row.begin || entry >= of_row.end || category >= adjustment.categories {
        return;
    }
    for (var before = of_row.begin; before < entry; before++) {
        if history_categories[before] == category {
            return;
        }
    }
    let of_bias = biases_of(position);
    if !has_bias_before(of_bias, of_bias.end, category) {
        adjust_one(position, category, Entries(0u, 0u), 0u, count_of(of_row, category));
    }
}
