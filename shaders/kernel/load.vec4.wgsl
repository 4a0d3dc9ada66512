// Values of 32 bits in rows that start at multiples of 16 bytes.
// Plain form: load.wgsl. Needs: octet.

@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;

fn value_at(at: u32) -> u32 {
    return logits[at / 4u][at % 4u];
}

// The octet whose first value has number `at`, of which `count` values belong to the row.
fn load(at: u32, count: u32) -> Octet {
    return cut(Octet(logits[at / 4u], logits[at / 4u + 1u]), count);
}
