// One draw of each row, one workgroup a row, with noise from the top down.
// Needs: the pieces of the contract, filter, noise.wgsl.
//
// A lane takes the four groups of one vec4 of a span: 16 loads, the maxima, one block of noise, four upper
// scores. Groups that reach the cutoff are queued in workgroup memory. The queue is settled packed: first one
// lane a group, which finds the members that may win, then one lane a member, which finds those that may
// still win with their own noise, and evaluates these exactly.
//
// Whoever finds no room in a queue comes again: a group's turn of the loop is done once more after the queue
// was settled, and a group that is settled twice does no harm.
//
// In the unit of the filter, noise is 2^32·E from here on, where filter.wgsl has 2^16·E.

const LANES: u32 = 256u;
// The room for groups: those of one turn have room together.
const QUEUE: u32 = 1024u;
// The room for members, at least those of one group.
const ROOM: u32 = 512u;
const NO_DRAW: u32 = 0xffffffffu;

struct Pass {
    seed: vec2<u32>,
    first_row: vec2<u32>,
    rows: u32,
    draw: u32,
    categories: u32,
    // in logits, a multiple of four
    row_stride: u32,
    scale: u32,
    slope: f32,
    clamp_bits: u32,
}

@group(0) @binding(0) var<uniform> run: Pass;
@group(0) @binding(3) var<storage, read_write> outcomes: array<u32>;
@group(0) @binding(4) var<storage, read_write> draws: array<u32>;

struct Invocation {
    @builtin(local_invocation_index) index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(subgroup_invocation_id) in_subgroup: u32,
}

// The highest cutoff found, and the groups and members queued.
var<workgroup> shared_cutoff: atomic<i32>;
var<workgroup> queued: atomic<u32>;
var<workgroup> waiting: atomic<u32>;
// The first turn that has a group without room, and the members before the first without room.
var<workgroup> lost: atomic<u32>;
var<workgroup> filled: atomic<u32>;
var<workgroup> outcomes_left: atomic<u32>;
var<workgroup> invalid: atomic<u32>;
var<workgroup> told: vec2<u32>;
// Group and word, and at the end keys.
var<workgroup> queue: array<vec2<u32>, QUEUE>;
// Category and word, and at the end categories.
var<workgroup> members: array<vec2<u32>, ROOM>;
// Groups queued, members looked at, members evaluated, turns done again.
var<workgroup> counts: array<atomic<u32>, 4>;

fn ordered(float: f32) -> i32 {
    let bits = bitcast<i32>(float);
    return bits ^ ((bits >> 31u) & 0x7fffffff);
}

fn unordered(number: i32) -> f32 {
    return bitcast<f32>(number ^ ((number >> 31u) & 0x7fffffff));
}

// (log2(noise) + 127)·2^23 or a little less; 0 for 0.
fn low_log2(noise: f32) -> f32 {
    return f32(bitcast<i32>(noise));
}

// The cutoff that a category with this logit sets, which rings within `noise` / 2^32. The factor is at most 1.033 where
// the noise is below 2^24, so that ln and the linear logarithm together are off by 0.14 at most.
fn sure_cutoff_at(f: Filter, logit: u32, noise: f32) -> f32 {
    let sure = scaled(f, logit) - low_log2(noise);
    // noise beyond 2^24 may be any; beyond 2^30 powers of two the key may not be on the linear scale
    if noise > 16777216.0 || abs(sure) >= 9007199254740992.0 {
        return FILTER_OPEN;
    }
    return sure - abs(sure) * 1.9073486328125e-6 - POWER * 0.25;
}

fn cutoff_of_key(key: vec2<u32>) -> f32 {
    let cutoff = cutoff_of(key);
    return select(cutoff - POWER * 16.0 - 256.0, FILTER_OPEN, cutoff == FILTER_OPEN);
}

// The most that members can reach, in the unit of the filter.
fn upper_scores(f: Filter, four: Four) -> vec4<f32> {
    let noise = vec4<f32>(bitcast<vec4<i32>>(four.words >> vec4<u32>(4u)));
    return vec4<f32>(
        scaled(f, four.tops.x) - low_log2(noise.x),
        scaled(f, four.tops.y) - low_log2(noise.y),
        scaled(f, four.tops.z) - low_log2(noise.z),
        scaled(f, four.tops.w) - low_log2(noise.w),
    );
}

fn put(group: u32, word: u32, turn: u32) {
    let at = atomicAdd(&queued, 1u);
    if at < QUEUE {
        queue[at] = vec2<u32>(group, word);
    } else {
        atomicMin(&lost, turn);
    }
}

fn queue_passing(s: vec4<f32>, four: Four, quarter: u32, turn: u32, cutoff: f32) {
    let first = quarter << 2u;
    if s.x >= cutoff {
        put(first, four.words.x, turn);
    }
    if s.y >= cutoff {
        put(first | 1u, four.words.y, turn);
    }
    if s.z >= cutoff {
        put(first | 2u, four.words.z, turn);
    }
    if s.w >= cutoff {
        put(first | 3u, four.words.w, turn);
    }
}

fn bit_if(f: Filter, logit: u32, limit: f32, bit: u32) -> u32 {
    return select(0u, bit, scaled(f, logit) >= limit && logit != NEG_INFINITY);
}

@compute @workgroup_size(LANES)
fn draw(invocation: Invocation) {
    let lane = invocation.index;
    let row = invocation.workgroup.y * invocation.workgroups.x + invocation.workgroup.x;
    let stream = Stream(run.seed, add64(run.first_row, vec2<u32>(row, 0u)), run.draw);
    let first = (row * run.row_stride) >> 2u;
    let f = Filter(run.slope, run.clamp_bits);
    let quarters = ((run.categories + 255u) >> 8u) << 2u;
    let turns = (quarters + LANES - 1u) / LANES;
    if lane == 0u {
        atomicStore(&shared_cutoff, ordered(FILTER_OPEN));
        atomicStore(&queued, 0u);
        atomicStore(&waiting, 0u);
        atomicStore(&lost, turns);
        atomicStore(&filled, ROOM);
        atomicStore(&outcomes_left, 0u);
        atomicStore(&invalid, 0u);
    }
    if COUNTED && lane < 4u {
        atomicStore(&counts[lane], 0u);
    }

    // the opening: the first turn, of which the most promising groups set the cutoff
    var seen = Seen(0, 0u);
    var four = Four(vec4<u32>(NEG_INFINITY), vec4<u32>(0u));
    var upper = vec4<f32>(FILTER_OPEN);
    var cutoff = FILTER_OPEN;
    let opens = lane < quarters;
    if opens {
        four = four_at(stream, first, lane, &seen);
        upper = upper_scores(f, four);
        let two = select(vec2<u32>(0u, four.words.x), vec2<u32>(1u, four.words.y), upper.y > upper.x);
        let other = select(vec2<u32>(2u, four.words.z), vec2<u32>(3u, four.words.w), upper.w > upper.z);
        let best = select(two, other, max(upper.z, upper.w) > max(upper.x, upper.y));
        let category = category_of((lane << 2u) | best.x, best.y & 15u);
        let logit = select(NEG_INFINITY, logit_at(first, category), category < run.categories);
        cutoff = sure_cutoff_at(f, logit, f32(bitcast<i32>((best.y >> 4u) + 1u)));
    }
    let highest = subgroupMax(ordered(cutoff));
    workgroupBarrier();
    if invocation.in_subgroup == 0u {
        atomicMax(&shared_cutoff, highest);
    }
    workgroupBarrier();
    cutoff = unordered(atomicLoad(&shared_cutoff));
    if opens {
        queue_passing(upper, four, lane, 0u, cutoff);
    }

    var best = best_none();
    var turn = 1u;
    var end = turns;
    loop {
        // stream
        var quarter = turn * LANES + lane;
        for (; turn < end; turn++) {
            if quarter < quarters {
                let next = four_at(stream, first, quarter, &seen);
                let s = upper_scores(f, next);
                if max(max(s.x, s.y), max(s.z, s.w)) >= cutoff {
                    queue_passing(s, next, quarter, turn, cutoff);
                }
            }
            quarter += LANES;
        }

        // settle
        workgroupBarrier();
        if lane == 0u {
            told = vec2<u32>(min(atomicLoad(&queued), QUEUE), atomicLoad(&lost));
        }
        let todo = workgroupUniformLoad(&told);
        for (var begin = 0u; begin < todo.x; begin += LANES) {
            var group = 0u;
            var word = 0u;
            var x: array<u32, 16>;
            let here = begin + lane < todo.x;
            if here {
                group = queue[begin + lane].x;
                word = queue[begin + lane].y;
                let base = category_of(group, 0u);
                x[0] = logit_at(first, base);
                x[1] = logit_at(first, base + 16u);
                x[2] = logit_at(first, base + 32u);
                x[3] = logit_at(first, base + 48u);
                x[4] = logit_at(first, base + 64u);
                x[5] = logit_at(first, base + 80u);
                x[6] = logit_at(first, base + 96u);
                x[7] = logit_at(first, base + 112u);
                x[8] = logit_at(first, base + 128u);
                x[9] = logit_at(first, base + 144u);
                x[10] = logit_at(first, base + 160u);
                x[11] = logit_at(first, base + 176u);
                x[12] = logit_at(first, base + 192u);
                x[13] = logit_at(first, base + 208u);
                x[14] = logit_at(first, base + 224u);
                x[15] = logit_at(first, base + 240u);
                let category = category_of(group, word & 15u);
                let logit = select(NEG_INFINITY, logit_at(first, category), category < run.categories);
                let sure = sure_cutoff_at(f, logit, f32(bitcast<i32>((word >> 4u) + 1u)));
                atomicMax(&shared_cutoff, ordered(sure));
            }
            workgroupBarrier();
            cutoff = unordered(atomicLoad(&shared_cutoff));
            var passing = 0u;
            if here {
                let limit = cutoff + low_log2(f32(bitcast<i32>(word >> 4u)));
                passing = bit_if(f, x[0], limit, 1u) | bit_if(f, x[1], limit, 2u)
                    | bit_if(f, x[2], limit, 4u) | bit_if(f, x[3], limit, 8u)
                    | bit_if(f, x[4], limit, 16u) | bit_if(f, x[5], limit, 32u)
                    | bit_if(f, x[6], limit, 64u) | bit_if(f, x[7], limit, 128u)
                    | bit_if(f, x[8], limit, 256u) | bit_if(f, x[9], limit, 512u)
                    | bit_if(f, x[10], limit, 1024u) | bit_if(f, x[11], limit, 2048u)
                    | bit_if(f, x[12], limit, 4096u) | bit_if(f, x[13], limit, 8192u)
                    | bit_if(f, x[14], limit, 16384u) | bit_if(f, x[15], limit, 32768u);
                // beyond the end of the row
                let base = category_of(group, 0u);
                let left = (run.categories - min(base, run.categories) + 15u) >> 4u;
                passing &= (1u << min(left, 16u)) - 1u;
            }
            loop {
                if passing != 0u {
                    let wanted = countOneBits(passing);
                    var at = atomicAdd(&waiting, wanted);
                    if at + wanted <= ROOM {
                        while passing != 0u {
                            members[at] = vec2<u32>(category_of(group, firstTrailingBit(passing)), word);
                            passing &= passing - 1u;
                            at++;
                        }
                    } else {
                        atomicMin(&filled, at);
                    }
                }
                workgroupBarrier();
                if lane == 0u {
                    let all = atomicLoad(&waiting);
                    told = vec2<u32>(min(all, atomicLoad(&filled)), u32(all > ROOM));
                }
                let ready = workgroupUniformLoad(&told);
                for (var k = lane; k < ready.x; k += LANES) {
                    let category = members[k].x;
                    let word = members[k].y;
                    let logit = logit_at(first, category);
                    let q = own_noise(stream, category);
                    let rings_first = (word & 15u) == ((category >> 4u) & 15u);
                    let high = select(q.y, 0u, rings_first);
                    let noise = f32(bitcast<i32>(word >> 4u));
                    let least = noise + f32(high);
                    let sure = sure_cutoff_at(f, logit, least + 2.0);
                    atomicMax(&shared_cutoff, ordered(sure));
                    cutoff = unordered(atomicLoad(&shared_cutoff));
                    if COUNTED {
                        atomicAdd(&counts[1], 1u);
                    }
                    if scaled(f, logit) - low_log2(least) >= cutoff {
                        let g = gumbel(top_noise(stream, category, word, q));
                        let one = Best(key(logit, run.scale, g), category);
                        if beats(one, best) {
                            best = one;
                        }
                        atomicMax(&shared_cutoff, ordered(cutoff_of_key(one.key)));
                        if COUNTED {
                            atomicAdd(&counts[2], 1u);
                        }
                    }
                }
                workgroupBarrier();
                if lane == 0u {
                    atomicStore(&waiting, 0u);
                    atomicStore(&filled, ROOM);
                }
                workgroupBarrier();
                if ready.y == 0u {
                    break;
                }
            }
        }
        workgroupBarrier();
        if COUNTED && lane == 0u {
            atomicAdd(&counts[0], todo.x);
            atomicAdd(&counts[3], u32(todo.y < turns));
        }
        if todo.y < turns {
            // a turn alone has room
            turn = todo.y;
            end = turn + 1u;
        } else if end < turns {
            end = turns;
        } else {
            break;
        }
        if lane == 0u {
            atomicStore(&queued, 0u);
            atomicStore(&lost, turns);
        }
        workgroupBarrier();
        cutoff = unordered(atomicLoad(&shared_cutoff));
    }

    // end
    if seen.positive >= 0x7f800000 || seen.negative > NEG_INFINITY {
        atomicStore(&invalid, 1u);
    }
    if best.category != NO_CATEGORY {
        let at = atomicAdd(&outcomes_left, 1u);
        queue[at] = best.key;
        members[at].x = best.category;
    }
    workgroupBarrier();
    if lane == 0u && row < run.rows {
        let left = atomicLoad(&outcomes_left);
        var all = best_none();
        for (var i = 0u; i < left; i++) {
            let one = Best(queue[i], members[i].x);
            if beats(one, all) {
                all = one;
            }
        }
        draws[row] = select(all.category, NO_DRAW, atomicLoad(&invalid) != 0u);
    }
    if COUNTED && lane < 4u {
        outcomes[4u * row + lane] = atomicLoad(&counts[lane]);
    }
}
