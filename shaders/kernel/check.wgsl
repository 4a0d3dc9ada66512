// Whether draws from rows that are cut roughly are kept. What is drawn has been found among too many words, so it is right if
// it is kept: no kept category has a larger key. See cut.wgsl.
//
// Of the least word that was drawn, what is above it in the order of K is added up in floats. If that is surely less than the
// limit of top-p, then all draws are kept. If it surely reaches the limit, then that word and all below it are cut: the row is cut
// above it and drawn from again, which is rarely needed more than once, as each time what is left is a random share of what was
// left before. Where neither is sure, and where the draw is between the words of epsilon, the row stays in doubt until cut.wgsl
// finds its cut by exact sums.
//
// Host side: src/gpu/bound/cuts.rs. Needs: bisect, float_sums, above, rows, values, restriction, workgroups.
//
// Dispatch: a workgroup for each row, numbered along x, then y.
// Barriers: two, the loads of what is shared, and those of two sums. All invocations reach them.
// Workgroup memory: invocation 0 writes the word, and what is shared, each before a barrier.
// Loops: those of a sum, and one iteration a draw, of which the host asks for few.

var<workgroup> least_drawn: atomic<u32>;
var<workgroup> shared_drawn: Drawn;
var<workgroup> shared_standing: u32;

// What all invocations know of the draws of a row: the least word that was drawn; the last word with the same K, above which is
// to be added up; the row's largest word; and the number of units that are added up, 0 if none have to be.
struct Drawn {
    least: u32,
    last: u32,
    top: u32,
    units: u32,
}

const NOTHING_DRAWN: u32 = 0xffffffffu;

@compute @workgroup_size(WORKGROUP)
fn check(invocation: Invocation) {
    let group = workgroup_of(invocation);
    let index = invocation.index;
    let position = min(group, run.rows - 1u);
    let values = place_of(position);
    let open = is_open(values);
    let known = cuts[position * RECORD];
    let sums = cuts[position * RECORD + 1u];
    if index == 0u {
        atomicStore(&least_drawn, NOTHING_DRAWN);
    }
    workgroupBarrier();
    for (var draw = index; open && draw < run.draws; draw += WORKGROUP) {
        let drawn = draws[position * run.draws + draw];
        if drawn != NO_DRAW {
            atomicMin(&least_drawn, ordered_value(value_in_row(values, drawn)));
        }
    }
    workgroupBarrier();
    if index == 0u {
        shared_drawn = drawn_of(atomicLoad(&least_drawn), known.w, sums);
        shared_standing = BELOW;
    }
    let drawn = workgroupUniformLoad(&shared_drawn);
    // most rows are settled by a sum that is a little too large; of the others, values have to be read
    let by_bound = standing_by_bound(values, index, drawn, sums);
    if index == 0u && by_bound != BELOW {
        shared_standing = UNKNOWN;
    }
    let units = select(0u, drawn.units, workgroupUniformLoad(&shared_standing) != BELOW);
    let standing = standing_by_sum(values, index, units, drawn, sums);
    if index == 0u && group < run.rows && open {
        var doubt = drawn.least != NOTHING_DRAWN && drawn.least < known.y;
        var kept_from = known.x;
        if units != 0u && standing != BELOW {
            doubt = true;
            if standing == REACHED {
                kept_from = max(kept_from, drawn.last + 1u);
            }
        }
        cuts[position * RECORD] = vec4<u32>(kept_from, known.y, u32(doubt), known.w);
    }
}

// What is to be added up for the least word that was drawn.
fn drawn_of(least: u32, top: u32, sums: vec4<u32>) -> Drawn {
    if least >= top || sums.y >= ALL_OF_SUM {
        return Drawn(least, least, top, 0u);
    }
    let last = last_with_k_of(sums.x, least, top);
    // what has the largest K is kept
    return Drawn(least, last, top, select(units_of_row(), 0u, last >= top));
}

// How a sum stands to the share of the sum of all that top-p keeps.
const BELOW: u32 = 0u;
const UNKNOWN: u32 = 1u;
const REACHED: u32 = 2u;

fn standing(sum: f32, sums: vec4<u32>) -> u32 {
    let total = bitcast<f32>(sums.z);
    let limit = bitcast<f32>(sums.y) * total;
    if sum < limit - SLACK * total {
        return BELOW;
    }
    return select(UNKNOWN, REACHED, sum >= limit + SLACK * total);
}

fn standing_by_bound(values: RowValues, index: u32, drawn: Drawn, sums: vec4<u32>) -> u32 {
    let own = most_above(values, index, drawn.units, drawn.last, value_in_order(drawn.top), sums.x);
    return standing(sum_of_workgroup(index, own), sums);
}

fn standing_by_sum(values: RowValues, index: u32, units: u32, drawn: Drawn, sums: vec4<u32>) -> u32 {
    let own = sum_above(values, index, units, drawn.last, value_in_order(drawn.top), sums.x);
    return standing(sum_of_workgroup(index, own), sums);
}

// The last word with the K of a word, at most `top`.
fn last_with_k_of(scale: u32, word: u32, top: u32) -> u32 {
    let k = k_of_word(scale, word);
    let after = add64(k, vec2<u32>(1u, 0u));
    if !reaches(k_of_word(scale, top), after) {
        return top;
    }
    return first_with_k(scale, word, top, after) - 1u;
}
