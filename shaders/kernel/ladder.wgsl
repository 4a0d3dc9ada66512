// Searches for the word of a row at which a sum of its words, from the largest on, reaches a limit. The sum is of ones, of
// integer weights, or of weights in floats. Host side: src/gpu/bound/cuts.rs. Needs: value, values, logarithm, workgroups.
//
// A bracket is a range of words that has the one sought. Eight rungs divide the bracket, the words of the row are added
// up from each rung on, and the bracket becomes the words between two rungs, until one word is left. Sums of integers do
// not depend on their order, and no word is sorted.
//
// Sums in floats tell two words that the one sought lies between. A sum of the integer weights of some words, divided by
// the largest weight, differs from the sum in floats by little of the sum of all:
//
//     a weight: WGSL's exp, whose argument is from -200 on, to within 403 units, and its argument             2^-14
//     at most 2,432 values are added in an invocation, one after the other                                    2^-12
//     at most 256 invocations round their sums down to a multiple of 2^-18; the sum of all is 1 or more       2^-10
//     the same of the words above the bracket, whose sum is of the turn before                                2^-10
//     the integer weights are rounded                                                                         2^-20
//
// together less than 0.0024, and the limit, a share of the sum of all, is off by no more than 0.0013 of it. So nothing is
// known where a sum is within SLACK = 0.0039 of its limit.
//
// Each function is called from one place where that is possible: drivers copy what they call.
//
// Barriers: two a turn and a load of the bracket, reached by all invocations, as a bracket is uniform.
// Workgroup memory: invocations below 8 write rungs, those below 16 sums, and invocation 0 the bracket, each before a
// barrier.

// A row that is to be cut.
struct CutRow {
    // The reciprocal of the temperature at which the row is cut, as bits.
    scale: u32,
    // The largest value that can be drawn, and its word.
    most: u32,
    top: u32,
    log2_categories: u32,
}

// The words from `low` to `last`, and the sum of the words above. In floats, the sum is the first word, as bits, and the
// second is the sum of all words, once that is known.
struct Bracket {
    low: u32,
    last: u32,
    above: vec2<u32>,
}

// What is added up.
const ONES: u32 = 0u;
const WEIGHTS: u32 = 1u;
const ROUGH_WEIGHTS: u32 = 2u;

// A search. `from_halves` adds up the largest words of half-spans alone, and `once` ends it after a turn.
struct Search {
    bracket: Bracket,
    limit: vec2<u32>,
    // For rough sums, the share of the sum of all that is the limit, as bits of f32.
    share: u32,
    what: u32,
    from_halves: bool,
    once: bool,
}

// The sums from each rung on: low words, or floats as bits; and high words.
struct Sums {
    low: array<vec4<u32>, 2>,
    high: array<vec4<u32>, 2>,
}

const RUNGS: u32 = 8u;
const SLACK: f32 = 0.00390625;
const UNITS_OF_SUMS: f32 = 262144.0;

// The distances of the rungs from the least word of the bracket, in ascending order, the first of them 0.
var<workgroup> rungs: array<u32, RUNGS>;
// For each rung a low and a high word.
var<workgroup> rung_sums: array<atomic<u32>, 2u * RUNGS>;
var<workgroup> shared_bracket: Bracket;

fn less_or_equal64(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y < b.y || (a.y == b.y && a.x <= b.x);
}

struct Ladder {
    bracket: Bracket,
    rungs: array<vec4<u32>, 2>,
    what: u32,
}

fn no_sums() -> Sums {
    let none = array<vec4<u32>, 2>(vec4<u32>(0u), vec4<u32>(0u));
    return Sums(none, none);
}

// Adds a word to the sums from those rungs on that are not above it, if the bracket has the word.
fn add_word(sums: ptr<function, Sums>, row: CutRow, ladder: Ladder, word: u32) {
    let distance = word - ladder.bracket.low;
    if distance > ladder.bracket.last - ladder.bracket.low {
        return;
    }
    let none = vec4<u32>(0u);
    let ones = vec4<u32>(1u);
    let low = vec4<u32>(distance) >= ladder.rungs[0];
    let high = vec4<u32>(distance) >= ladder.rungs[1];
    if ladder.what == ONES {
        (*sums).low[0] += select(none, ones, low);
        (*sums).low[1] += select(none, ones, high);
    } else if ladder.what == ROUGH_WEIGHTS {
        let value = vec4<u32>(value_in_order(word));
        let w = vec4<f32>(relative(value, row.most, bitcast<f32>(row.scale)).x);
        let before = Rough(bitcast<vec4<f32>>((*sums).low[0]), bitcast<vec4<f32>>((*sums).low[1]));
        (*sums).low[0] = bitcast<vec4<u32>>(before.low + select(vec4<f32>(0.0), w, low));
        (*sums).low[1] = bitcast<vec4<u32>>(before.high + select(vec4<f32>(0.0), w, high));
    } else {
        let w = weight_of_word(row, word);
        let x0 = select(none, vec4<u32>(w.x), low);
        let x1 = select(none, vec4<u32>(w.x), high);
        (*sums).low[0] += x0;
        (*sums).low[1] += x1;
        (*sums).high[0] += select(none, vec4<u32>(w.y), low) + select(none, ones, (*sums).low[0] < x0);
        (*sums).high[1] += select(none, vec4<u32>(w.y), high) + select(none, ones, (*sums).low[1] < x1);
    }
}

struct Rough {
    low: vec4<f32>,
    high: vec4<f32>,
}

fn weight_of_word(row: CutRow, word: u32) -> vec2<u32> {
    return integer_weight(value_in_order(word), row.most, row.scale, row.log2_categories);
}

// Joins the sums of all invocations in `rung_sums`, which are 0 before. A barrier has to follow.
fn join_sums(own: Sums, what: u32) {
    for (var i = 0u; i < RUNGS; i++) {
        var low = own.low[i / 4u][i % 4u];
        let high = own.high[i / 4u][i % 4u];
        if what == ROUGH_WEIGHTS {
            low = u32(bitcast<f32>(low) * UNITS_OF_SUMS);
        }
        if (low | high) != 0u {
            let before = atomicAdd(&rung_sums[2u * i], low);
            atomicAdd(&rung_sums[2u * i + 1u], high + u32(before + low < before));
        }
    }
}

fn sum_from(rung: u32) -> vec2<u32> {
    return vec2<u32>(atomicLoad(&rung_sums[2u * rung]), atomicLoad(&rung_sums[2u * rung + 1u]));
}

// Sets the rungs and empties their sums; a barrier has to follow.
fn set_rungs(row: CutRow, index: u32, bracket: Bracket, by_weight: bool) {
    for (var i = index; i < 2u * RUNGS; i += WORKGROUP) {
        atomicStore(&rung_sums[i], 0u);
        if i < RUNGS {
            // the last rung is at most 7/8 of the bracket and 7: no overflow
            var rung = i * ((bracket.last - bracket.low) / RUNGS + 1u);
            if by_weight && i > 0u {
                // two powers of e apart, from the largest value on
                let distance = vec2<u32>((RUNGS - i) << 25u, 0u);
                let k = sub64(fixed_value(row.most, row.scale), distance);
                rung = first_word(row, bracket.low, bracket.last, Test(k, NO_WEIGHT)) - bracket.low;
            }
            rungs[i] = rung;
        }
    }
}

fn ladder_of(bracket: Bracket, what: u32) -> Ladder {
    let low = vec4<u32>(rungs[0], rungs[1], rungs[2], rungs[3]);
    let high = vec4<u32>(rungs[4], rungs[5], rungs[6], rungs[7]);
    return Ladder(bracket, array<vec4<u32>, 2>(low, high), what);
}

// The words between the two rungs at which the sum reaches the limit. The least word alone, if it does nowhere.
fn narrowed(bracket: Bracket, limit: vec2<u32>) -> Bracket {
    let span = bracket.last - bracket.low;
    if !less_or_equal64(limit, add64(bracket.above, sum_from(0u))) {
        return Bracket(bracket.low, bracket.low, bracket.above);
    }
    var i = RUNGS - 1u;
    while i > 0u && (rungs[i] > span || !less_or_equal64(limit, add64(bracket.above, sum_from(i)))) {
        i--;
    }
    if i == RUNGS - 1u || rungs[i + 1u] > span {
        return Bracket(bracket.low + rungs[i], bracket.last, bracket.above);
    }
    return Bracket(
        bracket.low + rungs[i],
        bracket.low + rungs[i + 1u] - 1u,
        add64(bracket.above, sum_from(i + 1u)),
    );
}

fn rough_sum_from(rung: u32) -> f32 {
    let sum = sum_from(rung);
    // 31 bits, as some devices convert words from 2^31 on wrongly
    return (f32(sum.y) * 4294967296.0 + f32(sum.x >> 1u) * 2.0) / UNITS_OF_SUMS;
}

// The words between which the sum reaches this share of the sum of all.
fn narrowed_roughly(before: Bracket, share: f32) -> Bracket {
    var total = bitcast<f32>(before.above.y);
    if before.above.y == 0u {
        total = rough_sum_from(0u);
    }
    let limit = share * total;
    let slack = SLACK * total;
    var narrow = Bracket(before.low, before.last, vec2<u32>(before.above.x, bitcast<u32>(total)));
    for (var i = 0u; i < RUNGS; i++) {
        if rungs[i] > before.last - before.low {
            break;
        }
        let sum = bitcast<f32>(before.above.x) + rough_sum_from(i);
        if sum >= limit + slack {
            narrow.low = before.low + rungs[i];
        } else if sum < limit - slack {
            // the first rung is the least word, from which on the sum reaches any limit
            narrow.last = max(before.low + rungs[i], before.low + 1u) - 1u;
            narrow.above.x = bitcast<u32>(sum);
            break;
        }
    }
    return narrow;
}

// Narrows a bracket: to the largest word from which on the row's words add up to the limit or more, or to the least word
// if the sum of all does not; in floats, to few words. If `once`, `above` is the sum of all instead.
fn searched(values: RowValues, row: CutRow, index: u32, search: Search) -> Bracket {
    var bracket = search.bracket;
    let rough = search.what == ROUGH_WEIGHTS;
    // the loop is uniform, as brackets are; after the first turn, a turn leaves at most an eighth of a bracket
    for (var turn = 0u; turn < 16u; turn++) {
        set_rungs(row, index, bracket, turn == 0u && search.what != ONES && !(search.once && !rough));
        workgroupBarrier();
        let sums = sums_among(values, row, index, ladder_of(bracket, search.what), search.from_halves);
        join_sums(sums, search.what);
        workgroupBarrier();
        if index == 0u {
            if rough {
                shared_bracket = narrowed_roughly(bracket, bitcast<f32>(search.share));
            } else if search.once {
                shared_bracket = Bracket(bracket.low, bracket.last, sum_from(0u));
            } else {
                shared_bracket = narrowed(bracket, search.limit);
            }
        }
        bracket = workgroupUniformLoad(&shared_bracket);
        if search.once || (rough && turn == 1u) || bracket.low == bracket.last {
            break;
        }
    }
    return bracket;
}

// What a word is tested for: this K or a larger one, or this weight or a larger one.
struct Test {
    k: vec2<u32>,
    weight: vec2<u32>,
}

// No weight is as large.
const NO_WEIGHT: vec2<u32> = vec2<u32>(0xffffffffu, 0xffffffffu);

fn meets(row: CutRow, word: u32, test: Test) -> bool {
    let k = fixed_value(value_in_order(word), row.scale);
    // as signed numbers
    let sign = vec2<u32>(0u, 0x80000000u);
    if less_or_equal64(test.k ^ sign, k ^ sign) {
        return true;
    }
    return !all(test.weight == NO_WEIGHT) && less_or_equal64(test.weight, weight_of_word(row, word));
}

// The first word of a range that meets a test, which the last word meets, and all words above one that meets it.
fn first_word(row: CutRow, low: u32, last: u32, test: Test) -> u32 {
    var first = low;
    var met = last;
    while first < met {
        let middle = first + (met - first) / 2u;
        if meets(row, middle, test) {
            met = middle;
        } else {
            first = middle + 1u;
        }
    }
    return met;
}
