// The weights of all categories of a race whose largest key is known, and their sum.
// Form for long rows, whose noise comes from the top down: soft_weights.groups.wgsl.
// Host side: src/gpu/soften.rs. Needs: everything before it.
//
// Dispatch: an invocation for each strip of each race, numbered along x, then y. No barriers.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an octet takes one, and
// the host hands an invocation no more octets than the limit allows.

struct Weights {
    low: vec4<f32>,
    high: vec4<f32>,
}

// How far the key of a category is below the largest, `max_key`; for -inf the largest 64-bit number.
fn gap(row: Row, category: u32, logit: u32, coarse_bits: u32, fine: vec4<u32>, max_key: vec2<u32>) -> vec2<u32> {
    if logit == NEG_INFINITY {
        return vec2<u32>(0xffffffffu);
    }
    let v = vec2<u32>(fine.x, (coarse_bits << 16u) | (fine.y & 0xffffu));
    return sub64(max_key, key_of(row, category, logit, gumbel(v)));
}

// The weights of two neighbouring categories, whose coarse bits are one word.
fn weights_of_two(row: Row, logits_of: vec2<u32>, word: u32, first: u32, max_key: vec2<u32>) -> vec2<f32> {
    let rest = vec3<u32>(row.stream.row, (row.stream.draw << 1u) | 1u);
    let fine = blocks_side_by_side(first, first + 1u, rest, row.stream.key);
    return vec2<f32>(
        soft_weight(gap(row, first, logits_of.x, word & 0xffffu, fine[0], max_key)),
        soft_weight(gap(row, first + 1u, logits_of.y, word >> 16u, fine[1], max_key)),
    );
}

fn weights_of(row: Row, octet: u32, logits_of: Octet, max_key: vec2<u32>) -> Weights {
    let block = coarse_block(row.stream, octet);
    let first = octet * 8u;
    return Weights(
        vec4<f32>(
            weights_of_two(row, logits_of.low.xy, block.x, first, max_key),
            weights_of_two(row, logits_of.low.zw, block.y, first + 2u, max_key),
        ),
        vec4<f32>(
            weights_of_two(row, logits_of.high.xy, block.z, first + 4u, max_key),
            weights_of_two(row, logits_of.high.zw, block.w, first + 6u, max_key),
        ),
    );
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
    var sum = vec4<f32>(0.0);
    var product = vec4<f32>(0.0);
    for (var octet = index % soft.strips; octet < octets; octet += soft.strips) {
        let count = run.categories - octet * 8u;
        var found = Weights(vec4<f32>(0.0), vec4<f32>(0.0));
        if drawn {
            let logits_of = octet_in_row(row.values, octet);
            found = weights_of(row, octet, logits_of, won.best.key);
        }
        let at = race * run.categories + octet * 8u;
        product += keep_four(at, count, found.low);
        product += keep_four(at + 4u, max(count, 4u) - 4u, found.high);
        sum += found.low + found.high;
    }
    sums[index] = vec2<f32>(
        sum.x + sum.y + (sum.z + sum.w),
        product.x + product.y + (product.z + product.w),
    );
}
