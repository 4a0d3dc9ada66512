// Values of 32 bits, wherever they start.
// Other forms: load.vec4.wgsl, load.halves.wgsl, load.halves.vec4.wgsl. Needs: octet.
//
// This piece alone reads the binding of values, and values.wgsl alone calls it.

@group(0) @binding(1) var<storage, read> logits: array<u32>;

// The value with number `at`.
fn load_one(at: u32) -> u32 {
    return logits[at];
}

// The octet whose first value has number `at`.
fn load_eight(at: u32) -> Octet {
    return Octet(
        vec4<u32>(logits[at], logits[at + 1u], logits[at + 2u], logits[at + 3u]),
        vec4<u32>(logits[at + 4u], logits[at + 5u], logits[at + 6u], logits[at + 7u]),
    );
}

// Every second octet, eight in all. The first value of the first one has number `at`.
fn load_every_second(at: u32) -> array<Octet, 8> {
    return array<Octet, 8>(
        load_eight(at), load_eight(at + 16u), load_eight(at + 32u), load_eight(at + 48u),
        load_eight(at + 64u), load_eight(at + 80u), load_eight(at + 96u), load_eight(at + 112u),
    );
}
