// The weights of all categories of a race of a long row whose largest key is known, and their sum.
// Form for short rows, whose noise is flat: soft_weights.wgsl. Host side: src/gpu/soften.rs.
// Needs: everything before it, and half_span.
//
// Dispatch: an invocation for each strip of each race, numbered along x, then y; it takes every `strips`-th half-span.
// No barriers.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: a half-span takes 41, and the host hands
// an invocation no more half-spans than the limit allows.

// The first alarms of eight groups.
struct FirstAlarms {
    words: Octet,
    low: Octet,
    high: Octet,
}

fn first_alarms_of(row: Row, half: u32) -> FirstAlarms {
    let words = group_words(row, half);
    let first = FURTHER_BLOCKS + 2u * half;
    let rest = vec3<u32>(row.stream.row, row.stream.draw << 1u);
    let further = blocks_side_by_side(first, first + 1u, rest, row.stream.key);
    let a = first_alarm(vec2<u32>(further[0].x, leading_bits(words.low.x)));
    let b = first_alarm(vec2<u32>(further[0].y, leading_bits(words.low.y)));
    let c = first_alarm(vec2<u32>(further[0].z, leading_bits(words.low.z)));
    let d = first_alarm(vec2<u32>(further[0].w, leading_bits(words.low.w)));
    let e = first_alarm(vec2<u32>(further[1].x, leading_bits(words.high.x)));
    let f = first_alarm(vec2<u32>(further[1].y, leading_bits(words.high.y)));
    let g = first_alarm(vec2<u32>(further[1].z, leading_bits(words.high.z)));
    let h = first_alarm(vec2<u32>(further[1].w, leading_bits(words.high.w)));
    return FirstAlarms(
        words,
        Octet(vec4<u32>(a.x, b.x, c.x, d.x), vec4<u32>(e.x, f.x, g.x, h.x)),
        Octet(vec4<u32>(a.y, b.y, c.y, d.y), vec4<u32>(e.y, f.y, g.y, h.y)),
    );
}

// The weight of a member of the group with number `group` of a half-span, with this own noise.
fn weight_of_member(
    row: Row,
    alarms: FirstAlarms,
    group: u32,
    category: u32,
    logit: u32,
    own: vec2<u32>,
    max_key: vec2<u32>,
) -> f32 {
    if logit == NEG_INFINITY {
        return 0.0;
    }
    let p = vec2<u32>(logit_of(alarms.low, group), logit_of(alarms.high, group));
    let is_first = first_member(logit_of(alarms.words, group)) == member_of(category);
    let v = select(later_alarm(p, own), p, is_first);
    return soft_weight(sub64(max_key, key_of(row, category, logit, gumbel(v))));
}

@compute @workgroup_size(WORKGROUP)
fn soft_weights(
    @builtin(local_invocation_index) invocation: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let index = index_of(invocation, workgroup, workgroups);
    let races = run.rows * run.draws;
    let race = index / soft.strips;
    if race >= races {
        return;
    }
    // the outcome of a race of one part is not merged
    let won = outcome_at(select(races * run.parts + race, race, run.parts == 1u));
    let drawn = draw_of(won) != NO_DRAW;
    let row = row_of(race / run.draws, race % run.draws);
    let octets = (run.categories - 1u) / 8u + 1u;
    let own_rest = vec3<u32>(row.stream.row, (row.stream.draw << 1u) | 1u);
    var sum = vec4<f32>(0.0);
    var product = vec4<f32>(0.0);
    for (var half = index % soft.strips; half < half_spans(octets); half += soft.strips) {
        let alarms = first_alarms_of(row, half);
        // two members of each group, whose own noise shares a block
        for (var member = 0u; member < 16u; member += 2u) {
            let octet = octet_of_member(half, member);
            // nothing is drawn where there is no octet
            let one = octet_before(row.values, octet, select(0u, octets, drawn));
            let other = octet_before(row.values, octet + 2u, select(0u, octets, drawn));
            for (var i = 0u; i < 8u; i += 2u) {
                let c = octet * 8u + i;
                let counter = member_counter(c);
                let own = blocks_side_by_side(counter, counter + 1u, own_rest, row.stream.key);
                let key = won.best.key;
                let found = vec4<f32>(
                    weight_of_member(row, alarms, i, c, logit_of(one, i), own[0].xy, key),
                    weight_of_member(row, alarms, i + 1u, c + 1u, logit_of(one, i + 1u), own[1].xy, key),
                    weight_of_member(row, alarms, i, c + 16u, logit_of(other, i), own[0].zw, key),
                    weight_of_member(row, alarms, i + 1u, c + 17u, logit_of(other, i + 1u), own[1].zw, key),
                );
                let at = race * run.categories;
                product.x += keep_before(at, c, found.x);
                product.y += keep_before(at, c + 1u, found.y);
                product.z += keep_before(at, c + 16u, found.z);
                product.w += keep_before(at, c + 17u, found.w);
                sum += found;
            }
        }
    }
    sums[index] = vec2<f32>(
        sum.x + sum.y + (sum.z + sum.w),
        product.x + product.y + (product.z + product.w),
    );
}

// Keeps the weight of a category before the row's end, whose weights begin at `first`.
fn keep_before(first: u32, category: u32, weight_of: f32) -> f32 {
    if category >= run.categories {
        return 0.0;
    }
    return keep(first + category, weight_of);
}
