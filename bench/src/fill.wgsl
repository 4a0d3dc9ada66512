// Logits that the host knows too: every word is decided by integers.
// Twin: logits.rs, which says why. Needs: gumbel's noise.
//
// Dispatch: an invocation for each four logits, numbered along x, then y.

struct Fill {
    // The block of the first four logits, and the number of blocks.
    first: u32,
    blocks: u32,
    region: u32,
    // The invocations along x.
    across: u32,
    // What the logits of rows are, the number of a variant of `Rows` in logits.rs.
    rows: u32,
    categories: u32,
}

@group(0) @binding(0) var<uniform> fill: Fill;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;

fn sixteenths(word: u32) -> i32 {
    let sum = (word & 255u) + ((word >> 8u) & 255u) + ((word >> 16u) & 255u) + (word >> 24u);
    return ((i32(sum) - 510) * 83) >> 8u;
}

// The category of the first logit of a block. Four times the number of a block may be more than 32 bits hold, and
// blocks are numbered modulo 2^32: rows are the host's in shapes of fewer than 2^32 logits.
fn first_category(block: u32) -> u32 {
    return ((block % fill.categories) * 4u) % fill.categories;
}

fn of_category(category: u32, word: u32) -> i32 {
    switch fill.rows {
        case 1u: { return 0; }
        case 2u: { return i32(category % 2u); }
        case 3u: { return -i32(category / ((fill.categories + 159u) / 160u)); }
        case 4u: { return select(sixteenths(word) >> 2u, 160, category == 7u); }
        default: { return sixteenths(word); }
    }
}

fn logits_of(block: u32) -> vec4<f32> {
    let words = philox4x32_10(vec4<u32>(fill.first + block, fill.region, 0u, 0u), vec2<u32>(5u, 6u));
    let at = first_category(fill.first + block) + vec4<u32>(0u, 1u, 2u, 3u);
    let n = vec4<i32>(
        of_category(at.x % fill.categories, words.x), of_category(at.y % fill.categories, words.y),
        of_category(at.z % fill.categories, words.z), of_category(at.w % fill.categories, words.w),
    );
    return vec4<f32>(n) * 0.0625;
}

@compute @workgroup_size(64)
fn fill_f32(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.y * fill.across + id.x;
    if block < fill.blocks {
        let bits = bitcast<vec4<u32>>(logits_of(block));
        for (var i = 0u; i < 4u; i++) {
            out[4u * block + i] = bits[i];
        }
    }
}

@compute @workgroup_size(64)
fn fill_f16(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.y * fill.across + id.x;
    if block < fill.blocks {
        let logits = logits_of(block);
        out[2u * block] = pack2x16float(logits.xy);
        out[2u * block + 1u] = pack2x16float(logits.zw);
    }
}

@compute @workgroup_size(64)
fn fill_bf16(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.y * fill.across + id.x;
    if block < fill.blocks {
        let upper = bitcast<vec4<u32>>(logits_of(block)) >> vec4<u32>(16u);
        out[2u * block] = upper.x | (upper.y << 16u);
        out[2u * block + 1u] = upper.z | (upper.w << 16u);
    }
}
