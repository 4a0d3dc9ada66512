// Logits of f32 in rows that start at multiples of 16 bytes.
// Plain form: load.wgsl. Needs: octet.

@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;

// The octet whose first logit has number `at`, of which `count` logits belong to the row.
fn load(at: u32, count: u32) -> Octet {
    return cut(Octet(logits[at / 4u], logits[at / 4u + 1u]), count);
}
