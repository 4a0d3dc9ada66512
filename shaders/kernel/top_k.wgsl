// The categories that may be among the first k of a race, with their keys; the host ranks them.
// Host side: src/gpu/operations.rs. Needs: everything before stream.
//
// First every category is counted in a bin by the least that its key may be, in steps of an eighth of a
// power of two. Where the count reaches k, a cutoff is known that k categories are sure to reach. Then
// every category that may reach the cutoff is evaluated. The number of these does not depend on the order
// of the categories. If the record has no memory for all of them, a larger number than the
// record holds is written, and the host races the row.
//
// Dispatch: a workgroup a race, numbered along x, then y. Barriers: outside of loops, reached by all.
// Workgroup memory: all together clear the bins, and lane 0 writes the rest, before a barrier.
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes two
// for every two of its octets, of which the host hands it at most 2^14, at most 2,048 for the bins, and one for
// each category that it evaluates. These are few: no more are evaluated once there is no memory for them.

const BINS: u32 = 1024u;
const BIN: f32 = POWER * 0.125;
// How much higher than the first octets a row may reach before categories share the first bin.
const HEADROOM: f32 = POWER * 8.0;

var<workgroup> bins: array<atomic<u32>, BINS>;
var<workgroup> cutoff_of_top_k: f32;
var<workgroup> found: atomic<u32>;
var<workgroup> invalid_in_row: atomic<u32>;

fn count_at(f: Filter, top: f32, bits: u32, coarse_bits: u32) {
    let sure = sure_cutoff_measured(f, bits, coarse_bits);
    let counts = sure > FILTER_OPEN;
    // no branch: for n branches in a row, SwiftShader compiles 2^n paths
    let down = clamp((top + HEADROOM - sure) * (1.0 / BIN), 0.0, f32(BINS - 1u));
    atomicAdd(&bins[u32(select(0.0, down, counts))], select(0u, 1u, counts));
}

// The score that the categories of the bins before bin `bin` are sure to reach.
fn lower_end(top: f32, bin: u32) -> f32 {
    let slack = POWER * 0.015625 + abs(top) * 9.5367431640625e-7;
    return top + HEADROOM - f32(bin) * BIN - slack;
}

// Written out, since iterations of loops are limited.
fn count_octet(f: Filter, top: f32, octet: Octet, block: vec4<u32>) {
    count_at(f, top, octet.low.x, block.x & 0xffffu);
    count_at(f, top, octet.low.y, block.x >> 16u);
    count_at(f, top, octet.low.z, block.y & 0xffffu);
    count_at(f, top, octet.low.w, block.y >> 16u);
    count_at(f, top, octet.high.x, block.z & 0xffffu);
    count_at(f, top, octet.high.y, block.z >> 16u);
    count_at(f, top, octet.high.z, block.w & 0xffffu);
    count_at(f, top, octet.high.w, block.w >> 16u);
}

// The number of categories that a record has memory for.
fn capacity() -> u32 {
    return (run.record - 1u) / 3u;
}

// Evaluates the categories of a pair that reach the cutoff, and writes them. The pair's first octet begins
// at category `first`.
fn take(row: Row, race: u32, first: u32, pair: Pair, cutoff: f32) {
    let f = row.filter_of_row;
    let a = upper_scores(f, pair.logits_a, pair.block_a);
    let b = upper_scores(f, pair.logits_b, pair.block_b);
    for (var passing = passing_of_pair(a, b, cutoff); passing != 0u; passing &= passing - 1u) {
        let i = firstTrailingBit(passing);
        let bits = logit_in(pair, i);
        if is_invalid(bits) {
            atomicStore(&invalid_in_row, 1u);
        } else if bits != NEG_INFINITY {
            let one = evaluate(row, first + place_in(i), coarse_in(pair, i), bits);
            let at = atomicAdd(&found, 1u);
            if at < capacity() {
                let to = race * run.record + 1u + 3u * at;
                draws[to] = one.category;
                draws[to + 1u] = one.key.x;
                draws[to + 2u] = one.key.y;
            }
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn top_k(invocation: Invocation) {
    let race = invocation.workgroup.y * invocation.workgroups.x + invocation.workgroup.x;
    let team = Team(0u, invocation.index, race);
    let exists = race < run.rows * run.draws;
    let row = row_of(min(race / run.draws, run.rows - 1u), race % run.draws);
    let f = row.filter_of_row;
    let end = select(0u, (run.categories - 1u) / 8u + 1u, exists && row.valid);

    for (var bin = invocation.index; bin < BINS; bin += WORKGROUP) {
        atomicStore(&bins[bin], 0u);
    }
    if team.lane == 0u {
        atomicStore(&found, 0u);
        atomicStore(&invalid_in_row, 0u);
    }
    workgroupBarrier();

    var pair = pair_at(row, team.lane, end);
    let top = open_cutoff(team, invocation, sure_cutoff_of_pair(row, pair));
    var far = 0u;
    for (var octet = team.lane; octet < end; octet += 2u * run.lanes) {
        pair = pair_at(row, octet, end);
        far = max(far, max(farthest(pair.logits_a), farthest(pair.logits_b)));
        count_octet(f, top, pair.logits_a, pair.block_a);
        count_octet(f, top, pair.logits_b, pair.block_b);
    }
    if far > 0x7f800000u {
        atomicStore(&invalid_in_row, 1u);
    }
    workgroupBarrier();
    if team.lane == 0u {
        var count = 0u;
        var bin = 0u;
        while bin < BINS - 1u && count < run.k {
            count += atomicLoad(&bins[bin]);
            bin++;
        }
        let sure = lower_end(top, bin);
        let known = count >= run.k && top > FILTER_OPEN && (run.flags & UNFILTERED) == 0u;
        cutoff_of_top_k = select(FILTER_OPEN, sure, known);
    }
    workgroupBarrier();
    let cutoff = cutoff_of_top_k;
    for (var octet = team.lane; octet < end; octet += 2u * run.lanes) {
        pair = pair_at(row, octet, end);
        // once there is no memory for those that are found already, the host races the row
        if reach_of_pair(row, pair) >= cutoff && atomicLoad(&found) <= capacity() {
            take(row, race, run.first_category + octet * 8u, pair, cutoff);
        }
    }
    workgroupBarrier();
    if team.lane == 0u && exists {
        let invalid = !row.valid || atomicLoad(&invalid_in_row) != 0u;
        draws[race * run.record] = select(atomicLoad(&found), NO_DRAW, invalid);
    }
}
