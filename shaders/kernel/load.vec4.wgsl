// Values of 32 bits in rows that start at multiples of 16 bytes.
// Plain form: load.wgsl, which says what the functions are for. Needs: octet.

@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;

fn load_one(at: u32) -> u32 {
    return logits[at / 4u][at % 4u];
}

fn load_eight(at: u32) -> Octet {
    return load_eight_from(at / 4u);
}

// The octet that begins with these four values.
fn load_eight_from(four: u32) -> Octet {
    return Octet(logits[four], logits[four + 1u]);
}

fn load_every_second(at: u32) -> array<Octet, 8> {
    let four = at / 4u;
    return array<Octet, 8>(
        load_eight_from(four), load_eight_from(four + 4u),
        load_eight_from(four + 8u), load_eight_from(four + 12u),
        load_eight_from(four + 16u), load_eight_from(four + 20u),
        load_eight_from(four + 24u), load_eight_from(four + 28u),
    );
}
