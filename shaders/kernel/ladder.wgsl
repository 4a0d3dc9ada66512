// Searches for the word of a row at which a sum of its words, from the largest on, reaches a limit. The sum is of ones or
// of integer weights. Host side: src/gpu/bound/cuts.rs. Needs: bisect, values, workgroups.
//
// A bracket is a range of words that has the one sought. Eight rungs divide the bracket, the words of the row are added
// up from each rung on, and the bracket becomes the words between two rungs, until one word is left. Sums of integers do
// not depend on their order, and no word is sorted.
//
// Emulated devices execute what branches leave out, so loops for ones are apart from those for weights. Each function is
// called from one place where that is possible: drivers copy what they call.
//
// Barriers: two a turn and a load of the bracket, reached by all invocations, as a bracket is uniform.
// Workgroup memory: invocations below 8 write rungs, those below 16 sums, and invocation 0 the bracket, each before a
// barrier.

// The words from `low` to `last`, and the sum of the words above; and the sum of the words from `low` on, as far as it is
// known.
struct Bracket {
    low: u32,
    last: u32,
    above: vec2<u32>,
    all: vec2<u32>,
}

// What is added up: ones for the largest words of half-spans, ones for the words of the row, or their weights.
const HALVES: u32 = 0u;
const ONES: u32 = 1u;
const WEIGHTS: u32 = 2u;

// A search. The search ends after one turn if `once`, or when the sum from the bracket on is at most `enough`.
struct Search {
    bracket: Bracket,
    limit: vec2<u32>,
    what: u32,
    once: bool,
    enough: u32,
}

// The sums from each rung on: low words, and high words.
struct Sums {
    low: array<vec4<u32>, 2>,
    high: array<vec4<u32>, 2>,
}

const RUNGS: u32 = 8u;

// The distances of the rungs from the least word of the bracket, in ascending order, the first of them 0.
var<workgroup> rungs: array<u32, RUNGS>;
// For each rung a low and a high word.
var<workgroup> rung_sums: array<atomic<u32>, 2u * RUNGS>;
var<workgroup> shared_bracket: Bracket;

struct Ladder {
    bracket: Bracket,
    rungs: array<vec4<u32>, 2>,
    what: u32,
}

fn no_sums() -> Sums {
    let none = array<vec4<u32>, 2>(vec4<u32>(0u), vec4<u32>(0u));
    return Sums(none, none);
}

// Counts a word from those rungs on that are not above it, if the bracket has the word.
fn with_one(before: Sums, ladder: Ladder, word: u32) -> Sums {
    var sums = before;
    let distance = word - ladder.bracket.low;
    let one = vec4<u32>(u32(distance <= ladder.bracket.last - ladder.bracket.low));
    sums.low[0] += select(vec4<u32>(0u), one, vec4<u32>(distance) >= ladder.rungs[0]);
    sums.low[1] += select(vec4<u32>(0u), one, vec4<u32>(distance) >= ladder.rungs[1]);
    return sums;
}

// Adds a word's weight to the sums from those rungs on that are not above it, if the bracket has the word.
fn with_weight(before: Sums, row: CutRow, ladder: Ladder, word: u32) -> Sums {
    let distance = word - ladder.bracket.low;
    if distance > ladder.bracket.last - ladder.bracket.low {
        return before;
    }
    var sums = before;
    let none = vec4<u32>(0u);
    let ones = vec4<u32>(1u);
    let low = vec4<u32>(distance) >= ladder.rungs[0];
    let high = vec4<u32>(distance) >= ladder.rungs[1];
    let w = weight_of_word(row, word);
    let x0 = select(none, vec4<u32>(w.x), low);
    let x1 = select(none, vec4<u32>(w.x), high);
    sums.low[0] += x0;
    sums.low[1] += x1;
    sums.high[0] += select(none, vec4<u32>(w.y), low) + select(none, ones, sums.low[0] < x0);
    sums.high[1] += select(none, vec4<u32>(w.y), high) + select(none, ones, sums.low[1] < x1);
    return sums;
}

// Joins the sums of all invocations in `rung_sums`, which are 0 before. A barrier has to follow.
fn join_sums(own: Sums) {
    for (var i = 0u; i < RUNGS; i++) {
        let low = own.low[i / 4u][i % 4u];
        let high = own.high[i / 4u][i % 4u];
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
                let k = sub64(k_of_word(row.scale, row.top), distance);
                rung = first_with_k(row.scale, bracket.low, bracket.last, k) - bracket.low;
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
        return Bracket(bracket.low, bracket.low, bracket.above, sum_from(0u));
    }
    var i = RUNGS - 1u;
    while i > 0u && (rungs[i] > span || !less_or_equal64(limit, add64(bracket.above, sum_from(i)))) {
        i--;
    }
    let all = add64(bracket.above, sum_from(i));
    if i == RUNGS - 1u || rungs[i + 1u] > span {
        return Bracket(bracket.low + rungs[i], bracket.last, bracket.above, all);
    }
    return Bracket(
        bracket.low + rungs[i],
        bracket.low + rungs[i + 1u] - 1u,
        add64(bracket.above, sum_from(i + 1u)),
        all,
    );
}

// Narrows a bracket to the largest word from which on the row's words add up to the limit or more, or to the least word if
// the sum of all does not.
fn searched(values: RowValues, row: CutRow, index: u32, search: Search) -> Bracket {
    var bracket = search.bracket;
    // the loop is uniform, as brackets are; after the first turn, a turn leaves at most an eighth of a bracket
    for (var turn = 0u; turn < 16u; turn++) {
        set_rungs(row, index, bracket, turn == 0u && search.what == WEIGHTS && !search.once);
        workgroupBarrier();
        join_sums(sums_among(values, row, index, ladder_of(bracket, search.what)));
        workgroupBarrier();
        if index == 0u {
            if search.once {
                shared_bracket = Bracket(bracket.low, bracket.last, bracket.above, sum_from(0u));
            } else {
                shared_bracket = narrowed(bracket, search.limit);
            }
        }
        bracket = workgroupUniformLoad(&shared_bracket);
        if search.once || bracket.low == bracket.last || less_or_equal64(bracket.all, vec2<u32>(search.enough, 0u)) {
            break;
        }
    }
    return bracket;
}
