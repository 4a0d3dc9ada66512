// Where a truncation cuts each row: the least word that is kept, in the order of `ordered_value`.
// Host side: src/gpu/bound/cuts.rs. Defined in src/reference/restricted.rs. Needs: everything before it.
//
// Every cut keeps a prefix of the order by K, and K never falls as a word grows. So a cut is one word; a condition on K or
// on weights becomes one on words by bisection, without a look at the row. Top-k and top-p are searches for the word at
// which a sum reaches a limit: see ladder.wgsl.
//
// The sum of all integer weights of a row takes much longer than a draw. So where a cut depends on that sum, a first pass
// finds two words that it lies between, by sums in floats. Rows are cut at the lower of these, and drawn from.
// A draw from the higher word on is right. Of a row with another draw, which check.wgsl notes, a second pass finds the cut
// by exact sums, and the row is drawn from once more.
//
// Dispatch: a workgroup for each row, numbered along x, then y.
// Barriers: two, the load of what is shared, and those of searches. All invocations reach them: what branches depend on comes
// from workgroup memory, as Tint, the compiler of browsers, believes nothing that was read from a buffer.
// Workgroup memory: invocation 0 writes the word, and what is shared, each before a barrier.
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total. Top-k takes 11 turns, sums 2, and top-p 12; a turn
// takes 129 iterations for each half-span, of which the host hands an invocation at most 19; bisections take 33 each.

var<workgroup> top_of_row: atomic<u32>;
var<workgroup> shared_cut: Cut;

// What all invocations know of a row: its largest word, 0 if this pass is not for the row; the reciprocal of the temperature at
// which it is cut, as bits; and how it is truncated.
struct Cut {
    top: u32,
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
        let scale = select(t.scale, temperature_of(row.position).scale, t.scale == 0u);
        shared_cut = Cut(atomicLoad(&top_of_row), scale, t);
    }
    return workgroupUniformLoad(&shared_cut);
}

@compute @workgroup_size(WORKGROUP)
fn cut_rows(invocation: Invocation) {
    let group = workgroup_of(invocation);
    let position = min(group, run.rows - 1u);
    let values = place_of(position);
    let cut = cut_of_row(values, invocation.index);
    var found = Between(NO_CUT, NO_CUT);
    if is_drawable(cut.top) && is_valid_truncation(cut.truncation) {
        let row = CutRow(cut.scale, value_in_order(cut.top), cut.top, log2_floor(run.categories));
        found = cut_of(values, row, invocation.index, cut.truncation);
    }
    if invocation.index == 0u && group < run.rows && is_open(values) {
        cuts[position] = found.low;
        cuts[restriction.sure_at + position] = found.high;
        if (restriction.flags & IN_DOUBT) == 0u {
            cuts[restriction.doubts_at + position] = 0u;
        }
    }
}

// The least word that is kept is one of these.
struct Between {
    low: u32,
    high: u32,
}

fn larger_of(a: Between, b: Between) -> Between {
    return Between(max(a.low, b.low), max(a.high, b.high));
}

// The steps by which a cut is found, as far as it has them. Most are a search and then a bisection.
const TOP_K_OF_HALVES: u32 = 0u;
const TOP_K: u32 = 1u;
const MIN_P: u32 = 2u;
const SUM_OF_ALL: u32 = 3u;
const EPSILON: u32 = 4u;
const EPSILON_HIGH: u32 = 5u;
const SUM_OF_SHARE: u32 = 6u;
const TOP_P: u32 = 7u;
const STEPS: u32 = 8u;

fn cut_of(values: RowValues, row: CutRow, index: u32, t: Truncation) -> Between {
    let none = vec2<u32>(0u, 0u);
    let whole = Bracket(LEAST_WORD, row.top, none);
    let k_of_top = fixed_value(row.most, row.scale);
    let cuts_k = t.top_k < run.categories;
    let cuts_p = t.top_p < 0x3f800000u;
    let cuts_min_p = (t.min_p & 0x7fffffffu) != 0u;
    let cuts_epsilon = (t.epsilon & 0x7fffffffu) != 0u;
    // whether top-p is a share of what the other cuts keep, and whether of the whole row
    let of_rest = t.share == SHARE_OF_REST && (cuts_k || cuts_min_p || cuts_epsilon);
    let of_all = cuts_p && !of_rest && (t.share == SHARE_OF_ALL || !cuts_k);
    let sums_all = of_all || cuts_epsilon;
    // not a share of what a rough cut keeps
    let roughly = (restriction.flags & ROUGH) != 0u && !(cuts_p && of_rest && cuts_epsilon);
    var needs = array<bool, STEPS>(
        cuts_k && HAS_HALVES, cuts_k, cuts_min_p, sums_all, cuts_epsilon, cuts_epsilon && roughly,
        cuts_p && !of_all, cuts_p && !(of_all && roughly),
    );

    var found = Between(LEAST_WORD, LEAST_WORD);
    // what top-k keeps
    var of_k = LEAST_WORD;
    // the bracket that the last search has left, and the sum that top-p is a share of
    var bracket = whole;
    var total = none;
    for (var step = 0u; step < STEPS; step++) {
        if !needs[step] {
            continue;
        }
        let exact_p = step == TOP_P;
        var search = Search(whole, vec2<u32>(t.top_k, 0u), t.top_p, ONES, step == TOP_K_OF_HALVES, false);
        if step == TOP_K && HAS_HALVES {
            // as many half-spans have a word from here on, and so the row has as many words
            search.bracket.low = bracket.low;
        } else if step == SUM_OF_ALL {
            search.what = select(WEIGHTS, ROUGH_WEIGHTS, roughly);
            search.once = !roughly || !of_all;
        } else if step == SUM_OF_SHARE {
            search.bracket.low = select(of_k, found.low, of_rest);
            search.what = WEIGHTS;
            search.once = true;
        } else if exact_p {
            search.limit = share_of(t.top_p, total);
            search.bracket.low = max(found.low, bracket.low);
            search.what = WEIGHTS;
        }
        if step <= TOP_K || step == SUM_OF_ALL || step >= SUM_OF_SHARE {
            bracket = searched(values, row, index, search);
        }
        if step == SUM_OF_ALL || step == SUM_OF_SHARE {
            total = bracket.above;
        }

        var last = row.top;
        var test = Test(k_of_top, NO_WEIGHT);
        if step == MIN_P {
            test.k = sub64(k_of_top, distance_of(t.min_p));
        } else if step == EPSILON || step == EPSILON_HIGH {
            test.weight = least_weight(row, t.epsilon, total, roughly, step == EPSILON_HIGH);
        } else if step == TOP_K || step == TOP_P || (step == SUM_OF_ALL && roughly && of_all) {
            // the first word with the K of the one found
            last = bracket.low;
            test.k = fixed_value(value_in_order(last), row.scale);
        } else if (step == SUM_OF_ALL && of_all) || step == SUM_OF_SHARE {
            // what is so light that all of the row, were it as light, had no more than is left over is beyond the limit
            let spare = shr64(sub64(total, share_of(t.top_p, total)), row.log2_categories + 1u);
            test.weight = add64(spare, vec2<u32>(1u, 0u));
        } else {
            continue;
        }
        let word = first_word(row, LEAST_WORD, last, test);

        if step == TOP_K {
            of_k = word;
        }
        if step == SUM_OF_ALL && roughly {
            // the word after the last is sure to be kept, and the largest is in any case
            let sure = select(bracket.last + 1u, row.top, bracket.last >= row.top);
            found = larger_of(found, Between(word, sure));
        } else if step == SUM_OF_ALL || step == SUM_OF_SHARE {
            bracket = Bracket(word, row.top, none);
        } else if step == EPSILON && roughly {
            found.low = max(found.low, word);
        } else if step == EPSILON_HIGH {
            found.high = max(found.high, word);
        } else {
            found = larger_of(found, Between(word, word));
        }
    }
    return found;
}

// The least integer weight that epsilon keeps; of a rough sum, the most or the least that it may be.
fn least_weight(row: CutRow, epsilon: u32, total: vec2<u32>, roughly: bool, high: bool) -> vec2<u32> {
    if !roughly {
        return share_of(epsilon, total);
    }
    let share = bitcast<f32>(epsilon) * bitcast<f32>(total.y);
    let bound = min(share * select(1.0 - SLACK, 1.0 + SLACK, high), 1.0);
    let least = share_of(bitcast<u32>(bound), weight_of_word(row, row.top));
    // the limit is above 0, even if a device takes a small epsilon for 0
    return select(least, vec2<u32>(1u, 0u), all(least == vec2<u32>(0u, 0u)));
}
