// The sums of rows: of exp(logit / temperature), or of weight^(1/temperature), in floats. No draw
// depends on them. Host side: src/gpu/operations.rs. Needs: everything before race.
//
// A sum is kept as its largest value and the sum relative to that, whose logarithms the host takes in f64
// when it joins the segments of a row.
//
// Dispatch: a workgroup a row, numbered along x, then y. Barriers: one a step of the reduction, reached
// by all. Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation
// takes one for every WORKGROUP-th octet, and the host hands it at most 2^14.

struct Sum {
    // The largest value that can be drawn.
    most: u32,
    sum: f32,
}

var<workgroup> sums_of: array<Sum, WORKGROUP>;
var<workgroup> any_invalid: atomic<u32>;

fn joined_sums(a: Sum, b: Sum, inverse: f32) -> Sum {
    let both = vec4<u32>(a.most, b.most, b.most, b.most);
    let most = largest_of(both);
    let shares = relative(both, most, inverse);
    return Sum(most, a.sum * shares.x + b.sum * shares.y);
}

fn sum_of_four(values: vec4<u32>, inverse: f32) -> Sum {
    let drawable = can_be_drawn(values);
    let x = select(vec4<u32>(NOTHING), values, drawable);
    let most = largest_of(x);
    let counted = select(vec4<f32>(0.0), relative(x, most, inverse), drawable);
    return Sum(most, counted.x + counted.y + counted.z + counted.w);
}

@compute @workgroup_size(WORKGROUP)
fn sums(invocation: Invocation) {
    let position = invocation.workgroup.y * invocation.workgroups.x + invocation.workgroup.x;
    let exists = position < run.rows;
    let row = row_of(min(position, run.rows - 1u), 0u);
    let inverse = bitcast<f32>(row.scale);
    let end = select(0u, (run.categories - 1u) / 8u + 1u, exists);

    var own = Sum(NOTHING, 0.0);
    var invalid = 0u;
    for (var octet = invocation.index; octet < end; octet += WORKGROUP) {
        let values = load(row.first_logit + octet * 8u, run.categories - octet * 8u);
        invalid |= invalid_among(values);
        own = joined_sums(own, sum_of_four(values.low, inverse), inverse);
        own = joined_sums(own, sum_of_four(values.high, inverse), inverse);
    }
    sums_of[invocation.index] = own;
    if invalid != 0u {
        atomicStore(&any_invalid, 1u);
    }
    for (var step = WORKGROUP / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if invocation.index < step {
            own = joined_sums(own, sums_of[invocation.index + step], inverse);
            sums_of[invocation.index] = own;
        }
    }
    workgroupBarrier();
    if invocation.index == 0u && exists {
        let at = position * run.draws * run.record;
        draws[at + 1u] = own.most;
        draws[at + 2u] = select(bitcast<u32>(own.sum), 0x7fc00000u, atomicLoad(&any_invalid) != 0u);
    }
}
