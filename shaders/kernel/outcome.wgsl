// The outcome of a race among some of a row's categories, and where it is written.
// Needs: order, run.

struct Outcome {
    best: Best,
    // True if a logit is NaN or +inf, or if the row cannot be drawn from at all.
    invalid: bool,
}

fn joined(a: Outcome, b: Outcome) -> Outcome {
    var best = a.best;
    if beats(b.best, a.best) {
        best = b.best;
    }
    return Outcome(best, a.invalid || b.invalid);
}

fn draw_of(outcome: Outcome) -> u32 {
    return select(outcome.best.category, NO_DRAW, outcome.invalid);
}

// Writes the outcome of a part, or the draw if the race has one part and is done.
fn finish(race: u32, part: u32, outcome: Outcome) {
    if run.parts == 1u && (run.flags & (CONTINUED | UNFINISHED)) == 0u {
        report(race, outcome);
    } else {
        outcomes[race * run.parts + part] = words_of(outcome);
    }
}

fn report(race: u32, outcome: Outcome) {
    draws[race * run.record] = draw_of(outcome);
    if (run.flags & KEYED) != 0u {
        draws[race * run.record + 1u] = outcome.best.key.x;
        draws[race * run.record + 2u] = outcome.best.key.y;
    }
}

fn words_of(outcome: Outcome) -> vec4<u32> {
    return vec4<u32>(outcome.best.key, outcome.best.category, u32(outcome.invalid));
}

fn outcome_at(i: u32) -> Outcome {
    let words = outcomes[i];
    return Outcome(Best(words.xy, words.z), words.w != 0u);
}

// Floats as integers in the same order, for atomicMax. On bits, the mapping is its own inverse.
fn ordered(float: f32) -> i32 {
    let bits = bitcast<i32>(float);
    return bits ^ ((bits >> 31u) & 0x7fffffff);
}

fn unordered(number: i32) -> f32 {
    return bitcast<f32>(number ^ ((number >> 31u) & 0x7fffffff));
}
