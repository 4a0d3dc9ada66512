// Logits of f32, wherever they start.
// Form for logits that start at multiples of 16 bytes: load.vec4.wgsl. Needs: octet.

@group(0) @binding(1) var<storage, read> logits: array<u32>;

// The octet whose first logit has number `at`, of which `count` logits belong to the row.
fn load(at: u32, count: u32) -> Octet {
    return cut(
        Octet(
            vec4<u32>(logits[at], logits[at + 1u], logits[at + 2u], logits[at + 3u]),
            vec4<u32>(logits[at + 4u], logits[at + 5u], logits[at + 6u], logits[at + 7u]),
        ),
        count,
    );
}
