// Logits of bf16, two to a word: a load of 8 bytes has one of each of four groups.
// Other form: four.f32.wgsl. Needs: four.wgsl.

alias Loaded = vec2<u32>;
alias Signed = vec2<i32>;

const NEVER: Loaded = Loaded(0xff80ff80u);

@group(0) @binding(1) var<storage, read> logits: array<Loaded>;

fn logit_at(first: u32, category: u32) -> u32 {
    let word = logits[first + (category >> 2u)][(category >> 1u) & 1u];
    return select(word << 16u, word & 0xffff0000u, (category & 1u) != 0u);
}

fn tops_of(x: array<Loaded, 16>, seen: ptr<function, Seen>) -> vec4<u32> {
    // the upper halves are x with whatever is below them, and the lower ones y
    let by = Loaded(16u);
    let y = array<Loaded, 16>(
        x[0] << by, x[1] << by, x[2] << by, x[3] << by, x[4] << by, x[5] << by, x[6] << by, x[7] << by,
        x[8] << by, x[9] << by, x[10] << by, x[11] << by, x[12] << by, x[13] << by, x[14] << by, x[15] << by,
    );
    let high = most_of(x);
    let low = most_of(y);
    let most = vec4<i32>(low.x, high.x & -65536, low.y, high.y & -65536);
    let far = max(farthest_of(x) & Loaded(0xffff0000u), farthest_of(y));
    (*seen).positive = max((*seen).positive, max(max(most.x, most.y), max(most.z, most.w)));
    (*seen).negative = max((*seen).negative, max(far.x, far.y));
    var tops = bitcast<vec4<u32>>(most);
    // of negative numbers alone, the one of the least code is the largest
    if min(min(most.x, most.y), min(most.z, most.w)) < 0 {
        let high = nearest_of(x);
        let low = nearest_of(y);
        let near = vec4<u32>(low.x, high.x & 0xffff0000u, low.y, high.y & 0xffff0000u);
        tops = select(tops, near, most < vec4<i32>(0));
    }
    return tops;
}
