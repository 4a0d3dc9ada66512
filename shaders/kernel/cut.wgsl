// Where a truncation cuts each row: the least word that is kept, in the order of `ordered_value`.
// Host side: src/gpu/bound/cuts.rs. Defined in src/reference/restricted.rs. Needs: everything before it.
//
// Every cut keeps a prefix of the order by K, so a cut is one word. Min-p and epsilon are bisections of words: see
// bisect.wgsl. Top-k and top-p are searches for the word at which a sum reaches a limit: see ladder.wgsl.
//
// The sum of all integer weights of a row takes much longer than a draw. So where a cut depends on that sum, a first pass
// has the sum in floats. Epsilon then has two words that its cut lies between: rows are cut at the lower one, and a draw
// from the higher one on is right. By top-p rows are not cut at first; check.wgsl finds whether what was drawn is kept. Of a row
// for which it does not find that, another pass finds the cut by exact sums, and the row is drawn from once more.
//
// Dispatch: a workgroup for each row, numbered along x, then y.
// Barriers: two, the load of what is shared, and those of sums, lists and searches. All invocations reach them: what branches
// depend on comes from workgroup memory, as Tint, the compiler of browsers, believes nothing that was read from a buffer.
// Workgroup memory: invocation 0 writes the word, and what is shared, each before a barrier.
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total. For each half-span, of which the host hands an
// invocation at most 19, top-k takes 11 turns of 41 iterations and a list 169, and exact sums take 14 turns of 137. A search
// of the list takes up to 16,384, and bisections take 33 each.

var<workgroup> top_of_row: atomic<u32>;
var<workgroup> shared_cut: Cut;

// What all invocations know of a row: its largest word, 0 if this pass is not for the row; a word below which all are cut, as is
// known already; the reciprocal of the temperature at which it is cut, as bits; and how it is truncated.
struct Cut {
    top: u32,
    known: u32,
    scale: u32,
    truncation: Truncation,
}

fn cut_of_row(row: RowValues, index: u32) -> Cut {
    if index == 0u {
        atomicStore(&top_of_row, 0u);
    }
    workgroupBarrier();
    if is_open(row) {
        atomicMax(&top_of_row, top_of(row, index));
    }
    workgroupBarrier();
    if index == 0u {
        let t = truncation_of(row.position);
        let is_known = (restriction.flags & IN_DOUBT) != 0u;
        let known = select(LEAST_WORD, cuts[row.position * RECORD].x, is_known);
        shared_cut = Cut(atomicLoad(&top_of_row), known, scale_of_cut(t, row.position), t);
    }
    return workgroupUniformLoad(&shared_cut);
}

// What is found of a row. The least word that is kept is one of `low` to `high`, as far as it does not depend on a share of
// the row's sum, which top-p keeps.
struct Found {
    low: u32,
    high: u32,
    // That share, 1 if top-p keeps no such share, and the sum in floats, both as bits of f32.
    share: u32,
    total: u32,
}

@compute @workgroup_size(WORKGROUP)
fn cut_rows(invocation: Invocation) {
    let group = workgroup_of(invocation);
    let position = min(group, run.rows - 1u);
    let values = place_of(position);
    let cut = cut_of_row(values, invocation.index);
    var found = Found(NO_CUT, NO_CUT, ALL_OF_SUM, 0u);
    if is_drawable(cut.top) && is_valid_truncation(cut.truncation) {
        found = cut_of(values, cut_row(cut.scale, cut.top), invocation.index, cut.known, cut.truncation);
    }
    if invocation.index == 0u && group < run.rows && is_open(values) {
        // rows in doubt stay that until they are drawn from
        let doubt = u32((restriction.flags & IN_DOUBT) != 0u);
        cuts[position * RECORD] = vec4<u32>(found.low, found.high, doubt, cut.top);
        cuts[position * RECORD + 1u] = vec4<u32>(cut.scale, found.share, found.total, 0u);
    }
}

// The steps by which a cut is found, as bits: those that a truncation has, in this order.
const TOP_K_OF_HALVES: u32 = 1u;
const TOP_K: u32 = 2u;
const MIN_P: u32 = 4u;
const SUM_OF_ALL: u32 = 8u;
const EPSILON: u32 = 16u;
const SUM_OF_SHARE: u32 = 32u;
const TOP_P: u32 = 64u;

// The reciprocal of the least temperature at which sums in floats are used, 4096, as bits.
const MOST_ROUGH_SCALE: u32 = 0x45800000u;

fn step_if(needed: bool, step: u32) -> u32 {
    return select(0u, step, needed);
}

fn cut_of(values: RowValues, row: CutRow, index: u32, known: u32, t: Truncation) -> Found {
    let none = vec2<u32>(0u, 0u);
    let cuts_k = t.top_k < run.categories;
    let cuts_p = t.top_p < ALL_OF_SUM;
    let cuts_min_p = (t.min_p & 0x7fffffffu) != 0u;
    let cuts_epsilon = (t.epsilon & 0x7fffffffu) != 0u;
    // whether top-p is a share of what the other cuts keep, and whether of the whole row
    let of_rest = t.share == SHARE_OF_REST && (cuts_k || cuts_min_p || cuts_epsilon);
    let of_all = cuts_p && !of_rest && (t.share == SHARE_OF_ALL || !cuts_k);
    // Not a share of what a rough cut keeps; and not where a temperature is so low that it magnifies the roundings of
    // integer logarithms.
    let roughly = (restriction.flags & ROUGH) != 0u && !(cuts_p && of_rest && cuts_epsilon)
        && row.scale <= MOST_ROUGH_SCALE;

    var found = Found(LEAST_WORD, LEAST_WORD, ALL_OF_SUM, 0u);
    if roughly && (of_all || cuts_epsilon) {
        found.total = rough_sum(values, row, index);
        found.share = select(ALL_OF_SUM, t.top_p, of_all);
    }
    var steps = step_if(cuts_k && HAS_HALVES, TOP_K_OF_HALVES) | step_if(cuts_k, TOP_K) | step_if(cuts_min_p, MIN_P)
        | step_if((of_all || cuts_epsilon) && !roughly, SUM_OF_ALL) | step_if(cuts_epsilon, EPSILON)
        | step_if(cuts_p && !of_all, SUM_OF_SHARE) | step_if(cuts_p && !(of_all && roughly), TOP_P);
    // what top-k keeps, and the words that are listed
    var of_k = LEAST_WORD;
    var list = NO_LIST;
    // the bracket that the last search has left, and the sum that top-p is a share of
    let whole = Bracket(LEAST_WORD, row.top, none, none);
    var bracket = whole;
    var total = none;
    while steps != 0u {
        let step = steps & (~steps + 1u);
        steps &= ~step;
        if step == MIN_P {
            let k = sub64(k_of_word(row.scale, row.top), distance_of(t.min_p));
            found = raised(found, first_with_k(row.scale, LEAST_WORD, row.top, k));
            continue;
        }
        if step == EPSILON {
            // the low one first
            for (var high = 0u; high < 2u; high++) {
                let weight = least_weight(row, t.epsilon, total, found.total, roughly, high == 1u);
                let word = first_with_weight(row, weight);
                found.low = select(max(found.low, word), found.low, high == 1u);
                found.high = max(found.high, word);
            }
            continue;
        }
        let limit_of_k = vec2<u32>(t.top_k, 0u);
        var search = Search(whole, limit_of_k, WEIGHTS, false, 0u);
        if step == TOP_K_OF_HALVES {
            // words that are listed cost more than turns
            search.enough = t.top_k + t.top_k / 8u;
            search.what = HALVES;
        } else if step == TOP_K {
            // as many half-spans have a word from here on, and so the row has as many words
            search.bracket.low = bracket.low;
            search.what = ONES;
            list = list_words(values, index, bracket.low);
        } else if step == TOP_P {
            search.bracket.low = max(max(found.low, known), bracket.low);
            search.limit = share_of(t.top_p, total);
        } else {
            search.once = true;
            if step == SUM_OF_SHARE {
                search.bracket.low = select(of_k, found.low, of_rest);
                // values of one weight are all kept, whatever the share: without sums of what may be the whole row
                if all(k_of_word(row.scale, search.bracket.low) == k_of_word(row.scale, row.top)) {
                    break;
                }
            }
        }
        if step >= TOP_K && list.low <= search.bracket.low {
            // what is sought is among the words that are listed
            bracket = search.bracket;
            bracket.all = sum_of_list(row, index, list, bracket.low, step == TOP_K);
            if !search.once {
                bracket.low = searched_in_list(index, list, bracket.low, search.limit);
            }
        } else {
            bracket = searched(values, row, index, search);
        }
        if step == TOP_K || step == TOP_P {
            // the first word with the K of the one found
            let k = k_of_word(row.scale, bracket.low);
            let word = first_with_k(row.scale, LEAST_WORD, bracket.low, k);
            found = raised(found, word);
            of_k = select(of_k, word, step == TOP_K);
        } else if search.once {
            total = bracket.all;
            // what is so light that all of the row, were it as light, had no more than is left over is beyond the limit
            let spare = shr64(sub64(total, share_of(t.top_p, total)), row.log2_categories + 1u);
            let low = first_with_weight(row, add64(spare, vec2<u32>(1u, 0u)));
            bracket = Bracket(low, row.top, none, none);
        }
    }
    return found;
}

// The sum of a row in floats, as bits.
fn rough_sum(values: RowValues, row: CutRow, index: u32) -> u32 {
    return bitcast<u32>(sum_of_workgroup(index, sum_of_row(values, index, row.most, row.scale)));
}

fn raised(before: Found, word: u32) -> Found {
    return Found(max(before.low, word), max(before.high, word), before.share, before.total);
}

// The least integer weight that epsilon keeps; of a rough sum, the most or the least that it may be.
fn least_weight(row: CutRow, epsilon: u32, total: vec2<u32>, rough: u32, roughly: bool, high: bool) -> vec2<u32> {
    if !roughly {
        return share_of(epsilon, total);
    }
    let share = bitcast<f32>(epsilon) * bitcast<f32>(rough);
    let bound = min(share * select(1.0 - SLACK, 1.0 + SLACK, high), 1.0);
    let least = share_of(bitcast<u32>(bound), weight_of_word(row, row.top));
    // the limit is above 0, even if a device takes a small epsilon for 0
    return select(least, vec2<u32>(1u, 0u), all(least == vec2<u32>(0u, 0u)));
}
