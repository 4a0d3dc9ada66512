// Upper scores of eight categories or groups, and what an invocation has found so far.
// Needs: everything before blocks.

// The findings of an invocation so far.
struct RunningBest {
    best: Best,
    invalid: bool,
    // The upper score below which no category can win.
    cutoff: f32,
}

// The upper scores of the eight categories.
struct UpperScores {
    low: vec4<f32>,
    high: vec4<f32>,
}

fn highest_of(s: UpperScores) -> f32 {
    let four = max(s.low, s.high);
    return max(max(four.x, four.y), max(four.z, four.w));
}

// Bit i: category i of the octet reaches the cutoff.
fn passing_at(s: UpperScores, cutoff: f32) -> u32 {
    let bits = vec4<u32>(1u, 2u, 4u, 8u);
    let none = vec4<u32>(0u);
    let low = select(none, bits, s.low >= vec4<f32>(cutoff));
    let high = select(none, bits << vec4<u32>(4u), s.high >= vec4<f32>(cutoff));
    let both = low | high;
    return both.x | both.y | both.z | both.w;
}

// The cutoff that an evaluated category sets.
fn cutoff_after(row: Row, best: Best, logit: u32) -> f32 {
    if (run.flags & UNFILTERED) != 0u {
        return FILTER_OPEN;
    }
    if row.greedy {
        return sure_cutoff_measured(row.filter_of_row, logit, 1u);
    }
    return cutoff_of(best.key);
}

