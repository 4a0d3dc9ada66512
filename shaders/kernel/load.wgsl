// Values of 32 bits, wherever they start.
// Form for values that start at multiples of 16 bytes: load.vec4.wgsl. Needs: octet.

@group(0) @binding(1) var<storage, read> logits: array<u32>;

fn value_at(at: u32) -> u32 {
    return logits[at];
}

// The octet whose first value has number `at`, of which `count` values belong to the row.
fn load(at: u32, count: u32) -> Octet {
    return cut(
        Octet(
            vec4<u32>(logits[at], logits[at + 1u], logits[at + 2u], logits[at + 3u]),
            vec4<u32>(logits[at + 4u], logits[at + 5u], logits[at + 6u], logits[at + 7u]),
        ),
        count,
    );
}
