// Logits of f32: a load has one of each of four groups.
// Other form: four.bf16.wgsl. Needs: four.wgsl.

alias Loaded = vec4<u32>;
alias Signed = vec4<i32>;

const NEVER: Loaded = Loaded(NEG_INFINITY);

@group(0) @binding(1) var<storage, read> logits: array<Loaded>;

fn logit_at(first: u32, category: u32) -> u32 {
    return logits[first + (category >> 2u)][category & 3u];
}

fn tops_of(x: array<Loaded, 16>, seen: ptr<function, Seen>) -> vec4<u32> {
    let most = most_of(x);
    let far = farthest_of(x);
    (*seen).positive = max((*seen).positive, max(max(most.x, most.y), max(most.z, most.w)));
    (*seen).negative = max((*seen).negative, max(max(far.x, far.y), max(far.z, far.w)));
    var tops = bitcast<vec4<u32>>(most);
    // of negative numbers alone, the one of the least code is the largest
    if min(min(most.x, most.y), min(most.z, most.w)) < 0 {
        tops = select(tops, nearest_of(x), most < vec4<i32>(0));
    }
    return tops;
}
