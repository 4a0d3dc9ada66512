// The log-probabilities of the draws of a batch on the device, and the logarithms of the sums of its rows, from the sums of
// the rows' parts. Host side: src/gpu/bound/scores.rs. Needs: rows, values, logarithm, sum, workgroups.
//
// Dispatch: an invocation for each draw, numbered along x, then y. Barriers: none.
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes one for each part of a
// row, and a layout never has that many parts.
//
// `outcomes` has the sums of the parts, two words each, row by row.

@group(1) @binding(0) var<storage, read_write> log_probs: array<u32>;
@group(1) @binding(1) var<storage, read_write> logsumexps: array<u32>;

// The flags of what is written.
const WITH_LOG_PROBS: u32 = 1024u;
const WITH_LOGSUMEXPS: u32 = 2048u;

// The bits for a row without a draw.
const NOT_A_NUMBER: u32 = 0x7fc00000u;

// The sum of a row; 0 if there is none.
fn sum_of_row(position: u32, inverse: f32) -> Sum {
    var sum = NO_SUM;
    for (var part = 0u; part < run.parts; part++) {
        let at = position * run.parts + part;
        let two = outcomes[at / 2u];
        let one = select(two.xy, two.zw, (at & 1u) == 1u);
        if one.y == INVALID_SUM {
            return NO_SUM;
        }
        sum = joined_sums(sum, Sum(one.x, bitcast<f32>(one.y)), inverse);
    }
    return sum;
}

@compute @workgroup_size(WORKGROUP)
fn write_log_probs(invocation: Invocation) {
    let place = divided(workgroup_of(invocation) * WORKGROUP + invocation.index, run.draws);
    let position = place.x;
    if position >= run.rows {
        return;
    }
    let row = row_of(position, place.y);
    let inverse = bitcast<f32>(row.scale);
    let sum = sum_of_row(position, inverse);
    let race = position * run.draws + place.y;
    let drawn = draws[race];
    // Of a row without a draw, for whatever reason, nothing is said. At temperature 0 probabilities have no logarithms to
    // speak of: all but one are 0.
    let exists = drawn < run.categories && !row.greedy && sum.sum > 0.0;
    let rest = log(max(sum.sum, 1.0));
    if (run.flags & WITH_LOG_PROBS) != 0u {
        var bits = NOT_A_NUMBER;
        if exists {
            let value = vec4<u32>(value_in_row(row.values, drawn));
            bits = bitcast<u32>(log_ratio(value, sum.most, inverse).x - rest);
        }
        log_probs[race] = bits;
    }
    if (run.flags & WITH_LOGSUMEXPS) != 0u && place.y == 0u {
        let whole = log_of(sum.most) * inverse + rest;
        logsumexps[position] = select(NOT_A_NUMBER, bitcast<u32>(whole), exists);
    }
}
