// Logits of 16 bits in rows that start at multiples of 16 bytes.
// Plain form: load.wgsl, which says what the functions are for. Needs: octet, widen.

@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;

fn load_one(at: u32) -> u32 {
    let pair = logits[at / 8u][at / 2u % 4u];
    return widen(vec4<u32>((pair >> (16u * (at & 1u))) & 0xffffu)).x;
}

fn load_eight(at: u32) -> Octet {
    return load_eight_from(at / 8u);
}

// The octet in this vector.
fn load_eight_from(eight: u32) -> Octet {
    let pairs = logits[eight];
    let even = pairs & vec4<u32>(0xffffu);
    let odd = pairs >> vec4<u32>(16u);
    return Octet(
        widen(vec4<u32>(even.x, odd.x, even.y, odd.y)),
        widen(vec4<u32>(even.z, odd.z, even.w, odd.w)),
    );
}

fn load_every_second(at: u32) -> array<Octet, 8> {
    let eight = at / 8u;
    return array<Octet, 8>(
        load_eight_from(eight), load_eight_from(eight + 2u),
        load_eight_from(eight + 4u), load_eight_from(eight + 6u),
        load_eight_from(eight + 8u), load_eight_from(eight + 10u),
        load_eight_from(eight + 12u), load_eight_from(eight + 14u),
    );
}
