// Values of 32 bits in rows that start at multiples of 16 bytes.
// Plain form: load.wgsl, which says what the functions are for. Needs: octet.

@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;

fn load_one(at: u32) -> u32 {
    return logits[at / 4u][at % 4u];
}

fn load_eight(at: u32) -> Octet {
    return Octet(logits[at / 4u], logits[at / 4u + 1u]);
}
