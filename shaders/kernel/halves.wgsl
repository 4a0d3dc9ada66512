// Logits of 16 bits, wherever they start.
// Form for logits that start at multiples of 16 bytes: halves.vec4.wgsl. Needs: octet, widen.

@group(0) @binding(1) var<storage, read> logits: array<u32>;

fn half_at(at: u32) -> u32 {
    return (logits[at / 2u] >> (16u * (at & 1u))) & 0xffffu;
}

// The octet whose first logit has number `at`, of which `count` logits belong to the row.
fn load(at: u32, count: u32) -> Octet {
    return cut(
        Octet(
            widen(vec4<u32>(half_at(at), half_at(at + 1u), half_at(at + 2u), half_at(at + 3u))),
            widen(vec4<u32>(half_at(at + 4u), half_at(at + 5u), half_at(at + 6u), half_at(at + 7u))),
        ),
        count,
    );
}
