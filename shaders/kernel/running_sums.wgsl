// The sums of rows. No draw depends on them. Host side: src/gpu/operations.rs and src/gpu/bound/scores.rs.
// Other form, for races that sum nothing: running_sums.none.wgsl.
// Needs: run, reduction, octet, rows, values, logarithm, sum.
//
// The parts of a row are joined later: for batches in the host's memory by the host, in f64, and for batches on the device
// by log_probs.wgsl.
//
// Barriers: one a step in write_sums. All invocations of a workgroup reach all of them.
// Workgroup memory: each invocation writes what it has added up, before a barrier.

// The sums of an invocation so far.
struct RunningSums {
    all: Sum,
    // The sum of the last few pairs, apart from the others, since the roundings of a long sum add up too.
    some: Sum,
    pairs: u32,
    invalid: bool,
}

// The number of pairs that are added up apart from the others.
const FEW: u32 = 32u;

var<workgroup> sums_of: array<Sum, WORKGROUP>;
var<workgroup> any_invalid: array<u32, WORKGROUP>;

// The sum `before` with an octet added, relative to the largest value of both.
fn sum_with(before: Sum, values: Octet, inverse: f32) -> Sum {
    let drawable_low = can_be_drawn(values.low);
    let drawable_high = can_be_drawn(values.high);
    let low = select(vec4<u32>(NOTHING), values.low, drawable_low);
    let high = select(vec4<u32>(NOTHING), values.high, drawable_high);
    let most_low = largest_of(low);
    let most_high = largest_of(high);
    let most = largest_of(vec4<u32>(before.most, most_low, most_high, most_high));
    let four = select(vec4<f32>(0.0), relative(low, most, inverse), drawable_low)
        + select(vec4<f32>(0.0), relative(high, most, inverse), drawable_high);
    var sum = before.sum;
    if most != before.most {
        sum *= relative(vec4<u32>(before.most), most, inverse).x;
    }
    return Sum(most, sum + ((four.x + four.y) + (four.z + four.w)));
}

fn no_running_sums() -> RunningSums {
    return RunningSums(NO_SUM, NO_SUM, 0u, false);
}

// The running sums with the octets `octet` and `octet + lanes()`, as far as they are before `end`.
fn with_sums_of(before: RunningSums, row: Row, octet: u32, end: u32) -> RunningSums {
    var running_sums = before;
    let second = octet + lanes();
    if octet < end {
        running_sums = with_sum_of(running_sums, row, octet_in_row(row.values, octet));
    }
    if second < end {
        running_sums = with_sum_of(running_sums, row, octet_in_row(row.values, second));
    }
    return after_pair(running_sums, row);
}

fn with_sum_of(before: RunningSums, row: Row, values: Octet) -> RunningSums {
    var running_sums = before;
    running_sums.invalid = running_sums.invalid || invalid_among(values) != 0u;
    running_sums.some = sum_with(running_sums.some, values, bitcast<f32>(row.scale));
    return running_sums;
}

fn after_pair(before: RunningSums, row: Row) -> RunningSums {
    var running_sums = before;
    running_sums.pairs++;
    if running_sums.pairs % FEW == 0u {
        running_sums.all = joined_sums(running_sums.all, running_sums.some, bitcast<f32>(row.scale));
        running_sums.some = NO_SUM;
    }
    return running_sums;
}

// Joins the running sums of a team, and writes the sum of a part of a row, after the draws of all races.
fn write_sums(team: Team, invocation: Invocation, row: Row, position: u32, part: u32, running_sums: RunningSums) {
    let inverse = bitcast<f32>(row.scale);
    var own = joined_sums(running_sums.all, running_sums.some, inverse);
    var invalid = u32(running_sums.invalid);
    sums_of[invocation.index] = own;
    any_invalid[invocation.index] = invalid;
    for (var step = lanes() / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if team.lane < step {
            own = joined_sums(own, sums_of[invocation.index + step], inverse);
            invalid |= any_invalid[invocation.index + step];
            sums_of[invocation.index] = own;
            any_invalid[invocation.index] = invalid;
        }
    }
    if team.lane == 0u && position < run.rows && (run.flags & SUMMED) != 0u {
        let at = run.rows * run.draws + (position * run.parts + part) * 2u;
        draws[at] = own.most;
        draws[at + 1u] = select(bitcast<u32>(own.sum), INVALID_SUM, invalid != 0u);
    }
}
