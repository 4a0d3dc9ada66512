// Races pairs of octets: the categories that pass the filter are evaluated at once, the most promising
// first.
// Twin: src/cpu/race.rs. Needs: everything before it.

// The coarse bits of two octets.
fn blocks_of(row: Row, first: u32, second: u32) -> array<vec4<u32>, 2> {
    if row.greedy {
        // the same noise for all
        return array<vec4<u32>, 2>(vec4<u32>(0x00010001u), vec4<u32>(0x00010001u));
    }
    let rest = vec3<u32>(row.stream.row, row.stream.draw << 1u);
    return blocks_side_by_side(first, second, rest, row.stream.key);
}

fn upper_scores(f: Filter, octet: Octet, block: vec4<u32>) -> UpperScores {
    return UpperScores(
        vec4<f32>(
            upper_score(f, octet.low.x, block.x & 0xffffu),
            upper_score(f, octet.low.y, block.x >> 16u),
            upper_score(f, octet.low.z, block.y & 0xffffu),
            upper_score(f, octet.low.w, block.y >> 16u),
        ),
        vec4<f32>(
            upper_score(f, octet.high.x, block.z & 0xffffu),
            upper_score(f, octet.high.y, block.z >> 16u),
            upper_score(f, octet.high.z, block.w & 0xffffu),
            upper_score(f, octet.high.w, block.w >> 16u),
        ),
    );
}

// Two octets and their coarse bits.
struct Pair {
    logits_a: Octet,
    logits_b: Octet,
    block_a: vec4<u32>,
    block_b: vec4<u32>,
}

// The octets `octet` and `octet + lanes()`, empty from `end` on. The logits are loaded first: an adapter
// that emulates a GPU loads them lane by lane, with branches between which it would cut up the noise.
fn pair_at(row: Row, octet: u32, end: u32) -> Pair {
    let a = octet_at(row, octet, end);
    let b = octet_at(row, octet + lanes(), end);
    return pair_of(row, octet, a, b);
}

// The pair of the octets `octet` and `octet + lanes()`, which are loaded already as `a` and `b`.
fn pair_of(row: Row, octet: u32, a: Octet, b: Octet) -> Pair {
    let first_octet = run.first_category / 8u + octet;
    let blocks = blocks_of(row, first_octet, first_octet + lanes());
    return Pair(a, b, blocks[0], blocks[1]);
}

fn octet_at(row: Row, octet: u32, end: u32) -> Octet {
    return measured(octet_before(row.values, octet, end));
}

// What is known of a pair before it is raced.
struct Opening {
    // The cutoff that the most promising category sets, whatever its fine bits.
    sure: f32,
    // No less than the highest upper score of the pair, and than those of all categories but the most promising one.
    most: f32,
    second: f32,
    // The most promising category.
    argmax: u32,
}

// The highest and the second highest of some upper scores or upper ends, with the numbers of their categories in the four
// least bits.
struct Highest {
    most: f32,
    second: f32,
}

fn with_numbered(before: Highest, float: f32, i: u32) -> Highest {
    let numbered = bitcast<f32>((bitcast<u32>(float) & ~15u) | i);
    return Highest(max(before.most, numbered), max(before.second, min(before.most, numbered)));
}

// The category with the largest.
fn argmax_of(highest: Highest) -> u32 {
    return bitcast<u32>(highest.most) & 15u;
}

// Takes in the categories `first` to `first + 7` of a pair.
fn with_scores(before: Highest, s: UpperScores, first: u32) -> Highest {
    var highest = with_numbered(before, s.low.x, first);
    highest = with_numbered(highest, s.low.y, first + 1u);
    highest = with_numbered(highest, s.low.z, first + 2u);
    highest = with_numbered(highest, s.low.w, first + 3u);
    highest = with_numbered(highest, s.high.x, first + 4u);
    highest = with_numbered(highest, s.high.y, first + 5u);
    highest = with_numbered(highest, s.high.z, first + 6u);
    return with_numbered(highest, s.high.w, first + 7u);
}

// No less than the upper scores of all categories but the one whose number the highest has: the highest itself where a
// device may take the number alone for 0, since the category is then another.
fn highest_of_others(highest: Highest) -> f32 {
    return select(highest.second, highest.most, abs(highest.most) < 1.0);
}

fn opening_of(row: Row, pair: Pair) -> Opening {
    // in a branch if barriers follow: an adapter that emulates a GPU would keep the upper scores across
    // them, where computing them again costs less
    if !ALONE && (run.flags & UNFILTERED) != 0u {
        return Opening(FILTER_OPEN, 0.0, 0.0, 0u);
    }
    let f = row.filter_of_row;
    var highest = Highest(FILTER_OPEN, FILTER_OPEN);
    highest = with_scores(highest, upper_scores(f, pair.logits_a, pair.block_a), 0u);
    highest = with_scores(highest, upper_scores(f, pair.logits_b, pair.block_b), 8u);
    let argmax = argmax_of(highest);
    let sure = sure_cutoff_measured(f, logit_in(pair, argmax), coarse_in(pair, argmax));
    return Opening(
        select(sure, FILTER_OPEN, (run.flags & UNFILTERED) != 0u),
        without_number(highest.most),
        without_number(highest_of_others(highest)),
        argmax,
    );
}

fn sure_cutoff_of_pair(row: Row, pair: Pair) -> f32 {
    return opening_of(row, pair).sure;
}

// An upper bound on the upper scores of the octet's categories, but for roundings, which the slack of a
// cutoff covers: the upper score of the greatest logit with the least coarse bits, as an upper score grows
// with the logit and falls with the coarse bits. This is one evaluation for eight categories. Seldom does
// it reach the cutoff when no category does.
fn reach_of(f: Filter, octet: Octet, block: vec4<u32>) -> f32 {
    let low = block & vec4<u32>(0xffffu);
    let least_low = min(min(low.x, low.y), min(low.z, low.w));
    // the lower half of a word does not change the order of the upper halves
    let least_high = min(min(block.x, block.y), min(block.z, block.w)) >> 16u;
    let coarse_bits = min(least_low, least_high);
    return upper_score(f, greatest(octet), coarse_bits);
}

fn reach_of_pair(row: Row, pair: Pair) -> f32 {
    let f = row.filter_of_row;
    return max(reach_of(f, pair.logits_a, pair.block_a), reach_of(f, pair.logits_b, pair.block_b));
}

// Evaluates a category with a finite logit exactly.
fn evaluate(row: Row, category: u32, coarse_bits: u32, logit: u32) -> Best {
    if row.greedy {
        return Best(greedy_key_of(row, category, logit), category);
    }
    let g = gumbel(noise(row.stream, category, coarse_bits));
    return Best(key_of(row, category, logit, g), category);
}

// Bit i: category i of the pair reaches the cutoff by its upper score.
fn passing_of_pair(a: UpperScores, b: UpperScores, cutoff: f32) -> u32 {
    return passing_at(a, cutoff) | (passing_at(b, cutoff) << 8u);
}

// Evaluates the categories of a pair that reach the cutoff, the most promising first. The pair's first
// octet begins at category `first`.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: this loop takes 16 at most.
fn evaluate_passing(row: Row, first: u32, pair: Pair, before: RunningBest) -> RunningBest {
    var running_best = before;
    let f = row.filter_of_row;
    let a = upper_scores(f, pair.logits_a, pair.block_a);
    let b = upper_scores(f, pair.logits_b, pair.block_b);
    var passing = passing_of_pair(a, b, running_best.cutoff);
    // floats choose which category comes first, but not how many come
    let highest = max(highest_of(a), highest_of(b));
    let argmax = firstTrailingBit(passing_of_pair(a, b, highest)) & 15u;
    var i = select(firstTrailingBit(passing), argmax, ((passing >> argmax) & 1u) != 0u);
    while passing != 0u {
        passing &= ~(1u << i);
        let logit = logit_in(pair, i);
        let bits = coarse_in(pair, i);
        if is_invalid(logit) {
            running_best.invalid = true;
        } else if logit != NEG_INFINITY && upper_score(f, logit, bits) >= running_best.cutoff {
            let one = evaluate(row, first + place_in(i), bits, logit);
            if beats(one, running_best.best) {
                running_best.best = one;
                running_best.cutoff = max(running_best.cutoff, cutoff_after(row, one, logit));
            }
        }
        i = firstTrailingBit(passing);
    }
    return running_best;
}

fn with_upper_end(before: Highest, f: Filter, logit: u32, coarse_bits: u32, i: u32) -> Highest {
    return with_numbered(before, upper(f, logit, coarse_bits), i);
}

// Takes in the categories `first` to `first + 7` of a pair.
fn with_upper_ends_of(before: Highest, f: Filter, octet: Octet, block: vec4<u32>, first: u32) -> Highest {
    var ends = with_upper_end(before, f, octet.low.x, block.x & 0xffffu, first);
    ends = with_upper_end(ends, f, octet.low.y, block.x >> 16u, first + 1u);
    ends = with_upper_end(ends, f, octet.low.z, block.y & 0xffffu, first + 2u);
    ends = with_upper_end(ends, f, octet.low.w, block.y >> 16u, first + 3u);
    ends = with_upper_end(ends, f, octet.high.x, block.z & 0xffffu, first + 4u);
    ends = with_upper_end(ends, f, octet.high.y, block.z >> 16u, first + 5u);
    ends = with_upper_end(ends, f, octet.high.z, block.w & 0xffffu, first + 6u);
    return with_upper_end(ends, f, octet.high.w, block.w >> 16u, first + 7u);
}

// The winner of a pair that is a whole race, if coarse bits decide it. If they do not, or if the winner is
// +inf, there is no winner, and a cutoff instead. The winner's key is not evaluated.
//
// All 16 categories are bounded, without a loop over those that pass the filter: on a GPU the invocations of
// a subgroup would all wait for the one with the most.
fn decided_by_bounds(row: Row, first: u32, pair: Pair) -> RunningBest {
    let f = row.filter_of_row;
    var ends = Highest(FILTER_OPEN, FILTER_OPEN);
    ends = with_upper_ends_of(ends, f, pair.logits_a, pair.block_a, 0u);
    ends = with_upper_ends_of(ends, f, pair.logits_b, pair.block_b, 8u);
    let argmax = argmax_of(ends);
    let lower_end = threshold_measured(f, ends.most, coarse_in(pair, argmax));
    var decided = RunningBest(best_none(), false, cutoff_at(lower_end));
    if ends.second < lower_end && !is_invalid(logit_in(pair, argmax)) {
        decided.best = Best(vec2<u32>(0u, 0u), first + place_in(argmax));
    }
    return decided;
}

// The upper ends of the categories of a pair that may win, and the lower end of the key of the one with the highest.
struct Bounds {
    ends: Highest,
    lower_end: f32,
}

// The bounds of a pair whose most promising category reaches the cutoff.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: this loop takes 15 at most.
fn bounds_of_passing(row: Row, pair: Pair, opening: Opening, cutoff: f32) -> Bounds {
    let f = row.filter_of_row;
    let argmax = opening.argmax;
    let coarse_bits = coarse_in(pair, argmax);
    let none = Highest(FILTER_OPEN, FILTER_OPEN);
    var ends = with_upper_end(none, f, logit_in(pair, argmax), coarse_bits, argmax);
    var lower_end = threshold_measured(f, ends.most, coarse_bits);
    // seldom; and all invocations of a subgroup would wait for this one
    let reached = max(cutoff, cutoff_at(lower_end));
    if opening.second >= reached {
        let a = upper_scores(f, pair.logits_a, pair.block_a);
        let b = upper_scores(f, pair.logits_b, pair.block_b);
        var passing = passing_of_pair(a, b, reached) & ~(1u << argmax);
        for (; passing != 0u; passing &= passing - 1u) {
            let i = firstTrailingBit(passing);
            ends = with_upper_end(ends, f, logit_in(pair, i), coarse_in(pair, i), i);
        }
        lower_end = threshold_measured(f, ends.most, coarse_in(pair, argmax_of(ends)));
    }
    return Bounds(ends, lower_end);
}

// The logit of category i of a pair.
fn logit_in(pair: Pair, i: u32) -> u32 {
    return select(logit_of(pair.logits_a, i & 7u), logit_of(pair.logits_b, i & 7u), i >= 8u);
}

// The coarse bits of category i of a pair.
fn coarse_in(pair: Pair, i: u32) -> u32 {
    return coarse(select(pair.block_a, pair.block_b, i >= 8u), i);
}

// The place in the row of category i of a pair, from the first category of the pair on.
fn place_in(i: u32) -> u32 {
    return select(i, i - 8u + 8u * lanes(), i >= 8u);
}
