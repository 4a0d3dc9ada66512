// Logits of 16 bits in rows that start at multiples of 16 bytes.
// Plain form: halves.wgsl. Needs: octet, widen.

@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;

// The octet whose first logit has number `at`, of which `count` logits belong to the row.
fn load(at: u32, count: u32) -> Octet {
    let pairs = logits[at / 8u];
    let even = pairs & vec4<u32>(0xffffu);
    let odd = pairs >> vec4<u32>(16u);
    return cut(
        Octet(
            widen(vec4<u32>(even.x, odd.x, even.y, odd.y)),
            widen(vec4<u32>(even.z, odd.z, even.w, odd.w)),
        ),
        count,
    );
}
