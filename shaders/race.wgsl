// The races of a batch: the winner among a run of categories of one row, for one draw each.
// Twin: src/cpu/race.rs. Host side: src/gpu/kernel.rs. Needs: everything else.
//
// Dispatch: a race takes `lanes` neighbouring invocations of a workgroup, a power of two up to
// WORKGROUP, which the host defines; workgroups are numbered along x, then y. An invocation takes
// every `lanes`-th octet of the race's categories. What the filter admits is settled at once, the
// most promising category of an octet first; the floor is shared by the lanes of a race.
// Barriers: one after the floors are set, then one a step of the reduction over the lanes. All
// invocations reach all of them.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total. An octet takes at
// most 17, and the host hands an invocation at most 2,048 octets.

const EXPLICIT_IDS: u32 = 1u;
const GREEDY: u32 = 2u;
const UNFILTERED: u32 = 4u;
const CONTINUED: u32 = 8u;
const UNFINISHED: u32 = 16u;

const NO_DRAW: u32 = 0xffffffffu;
const LARGEST_NEGATIVE: u32 = 0xff7fffffu;

struct Pass {
    // The seed, and the id of the first row unless ids are explicit; (low, high).
    seed: vec2<u32>,
    first_row: vec2<u32>,
    // The rows and the draws from each of them in this pass.
    rows: u32,
    draws: u32,
    first_draw: u32,
    // The categories in this pass; the first is a multiple of 8.
    first_category: u32,
    categories: u32,
    // The distance between rows in `logits`.
    row_stride: u32,
    lanes: u32,
    flags: u32,
    // The reciprocal of the temperature, as bits.
    scale: u32,
    slope: f32,
    lowest: f32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> run: Pass;
// Bits of f32, from the first category of this pass on.
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read> row_ids: array<vec2<u32>>;
// The outcome of a race whose categories are cut into several passes: key, category, invalid.
@group(0) @binding(3) var<storage, read_write> outcomes: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> draws: array<u32>;

var<workgroup> floors: array<atomic<i32>, WORKGROUP>;
var<workgroup> keys: array<vec2<u32>, WORKGROUP>;
// Category and invalid flag.
var<workgroup> others: array<vec2<u32>, WORKGROUP>;

// Floats in the order of integers, for atomicMax; its own inverse.
fn ordered(bits: i32) -> i32 {
    return bits ^ ((bits >> 31u) & 0x7fffffff);
}

fn row_id(row: u32) -> vec2<u32> {
    if (run.flags & EXPLICIT_IDS) != 0u {
        return row_ids[row];
    }
    return add64(run.first_row, vec2<u32>(row, 0u));
}

// One category with a finite logit, exactly.
fn settle(stream: Stream, category: u32, coarse_bits: u32, logit: u32) -> Best {
    if (run.flags & GREEDY) != 0u {
        return Best(greedy_key(logit), category);
    }
    let g = gumbel(noise(stream, category, coarse_bits));
    return Best(key(logit, run.scale, g), category);
}

@compute @workgroup_size(WORKGROUP)
fn race(
    @builtin(local_invocation_index) invocation: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let slot = invocation / run.lanes;
    let lane = invocation % run.lanes;
    let index = (workgroup.y * workgroups.x + workgroup.x) * (WORKGROUP / run.lanes) + slot;
    let races = run.rows * run.draws;

    if lane == 0u {
        atomicStore(&floors[slot], ordered(bitcast<i32>(FILTER_OPEN)));
    }
    workgroupBarrier();

    var best = best_none();
    var invalid = 0u;
    if index < races {
        let row = index / run.draws;
        let stream = Stream(run.seed, row_id(row), run.first_draw + index % run.draws);
        let filter_of_run = Filter(run.slope, run.lowest);
        let filtered = (run.flags & (GREEDY | UNFILTERED)) == 0u;
        let first_logit = row * run.row_stride;
        let octets = (run.categories + 7u) / 8u;

        for (var octet = lane; octet < octets; octet += run.lanes) {
            let begin = octet * 8u;
            let count = min(8u, run.categories - begin);
            var block = vec4<u32>(0u, 0u, 0u, 0u);
            if (run.flags & GREEDY) == 0u {
                block = coarse_block(stream, run.first_category / 8u + octet);
            }
            var floor = bitcast<f32>(ordered(atomicLoad(&floors[slot])));

            // bit i: category begin + i is to be settled
            var admitted = 0u;
            var leader = 0u;
            var highest = FILTER_OPEN;
            for (var i = 0u; i < count; i++) {
                let logit = logits[first_logit + begin + i];
                invalid |= u32(is_invalid(logit));
                // a compiler may assume that no float is infinite or NaN: none gets that far
                let masked = is_invalid(logit) || logit == NEG_INFINITY;
                let finite = select(logit, LARGEST_NEGATIVE, masked);
                let s = standing(filter_of_run, bitcast<f32>(finite), coarse(block, i));
                admitted |= u32(!masked && (!filtered || s >= floor)) << i;
                if s > highest {
                    highest = s;
                    leader = i;
                }
            }
            // floats choose who comes first, but not how many come
            let first = select(firstTrailingBit(admitted), leader, ((admitted >> leader) & 1u) != 0u);
            var next = first;
            while admitted != 0u {
                admitted &= ~(1u << next);
                let logit = logits[first_logit + begin + next];
                let bits = coarse(block, next);
                if !filtered || standing(filter_of_run, bitcast<f32>(logit), bits) >= floor {
                    let one = settle(stream, run.first_category + begin + next, bits, logit);
                    if beats(one, best) {
                        best = one;
                        floor = max(floor, floor_of(best.key));
                    }
                }
                next = firstTrailingBit(admitted);
            }
            if filtered && best.category != NO_CATEGORY {
                atomicMax(&floors[slot], ordered(bitcast<i32>(floor)));
            }
        }
    }

    keys[invocation] = best.key;
    others[invocation] = vec2<u32>(best.category, invalid);
    for (var step = run.lanes / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if lane < step {
            let other = Best(keys[invocation + step], others[invocation + step].x);
            invalid |= others[invocation + step].y;
            if beats(other, best) {
                best = other;
            }
            keys[invocation] = best.key;
            others[invocation] = vec2<u32>(best.category, invalid);
        }
    }

    if lane == 0u && index < races {
        if (run.flags & CONTINUED) != 0u {
            let before = outcomes[index];
            invalid |= before.w;
            if beats(Best(before.xy, before.z), best) {
                best = Best(before.xy, before.z);
            }
        }
        if (run.flags & UNFINISHED) != 0u {
            outcomes[index] = vec4<u32>(best.key, best.category, invalid);
        } else {
            draws[index] = select(best.category, NO_DRAW, invalid != 0u);
        }
    }
}
