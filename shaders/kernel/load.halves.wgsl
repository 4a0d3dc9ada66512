// Logits of 16 bits, wherever they start.
// Plain form: load.wgsl, which says what the functions are for. Needs: octet, widen.

@group(0) @binding(1) var<storage, read> logits: array<u32>;

fn half_at(at: u32) -> u32 {
    return (logits[at / 2u] >> (16u * (at & 1u))) & 0xffffu;
}

fn load_one(at: u32) -> u32 {
    return widen(vec4<u32>(half_at(at))).x;
}

fn load_eight(at: u32) -> Octet {
    return Octet(
        widen(vec4<u32>(half_at(at), half_at(at + 1u), half_at(at + 2u), half_at(at + 3u))),
        widen(vec4<u32>(half_at(at + 4u), half_at(at + 5u), half_at(at + 6u), half_at(at + 7u))),
    );
}

fn load_every_second(at: u32) -> array<Octet, 8> {
    return array<Octet, 8>(
        load_eight(at), load_eight(at + 16u), load_eight(at + 32u), load_eight(at + 48u),
        load_eight(at + 64u), load_eight(at + 80u), load_eight(at + 96u), load_eight(at + 112u),
    );
}
