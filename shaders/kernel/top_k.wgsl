// The categories that may be among the first k of a race, with their keys; the host ranks them.
// Host side: src/gpu/operations.rs. Needs: everything before stream.
//
// First every category is counted in a bin by the least that its key may be, in steps of an eighth of a
// power of two. Where the count reaches k, a cutoff is known that k categories are sure to reach. Then
// every category that may reach the cutoff is evaluated. The number of these does not depend on the order
// of the categories. If the record has no memory for all of them, a larger number than the
// record holds is written, and the host races the row.
//
// Form for long rows, whose noise comes from the top down: top_k.groups.wgsl.
//
// Dispatch: a workgroup a race, numbered along x, then y. Barriers: outside of loops, reached by all.
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total: an invocation takes two
// for every two of its octets, of which the host hands it at most 2^12, at most 2,048 for the bins, and one for
// each category that it evaluates. These are few: no more are evaluated once there is no memory for them.

// Written out, since iterations of loops are limited.
fn count_octet(f: Filter, top: f32, octet: Octet, block: vec4<u32>) {
    count_sure(top, sure_cutoff_measured(f, octet.low.x, block.x & 0xffffu));
    count_sure(top, sure_cutoff_measured(f, octet.low.y, block.x >> 16u));
    count_sure(top, sure_cutoff_measured(f, octet.low.z, block.y & 0xffffu));
    count_sure(top, sure_cutoff_measured(f, octet.low.w, block.y >> 16u));
    count_sure(top, sure_cutoff_measured(f, octet.high.x, block.z & 0xffffu));
    count_sure(top, sure_cutoff_measured(f, octet.high.y, block.z >> 16u));
    count_sure(top, sure_cutoff_measured(f, octet.high.z, block.w & 0xffffu));
    count_sure(top, sure_cutoff_measured(f, octet.high.w, block.w >> 16u));
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
            record_one(race, one);
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn top_k(invocation: Invocation) {
    let race = invocation.workgroup.y * invocation.workgroups.x + invocation.workgroup.x;
    let team = Team(race, 0u, invocation.index);
    let exists = race < run.rows * run.draws;
    let row = row_of(min(race / run.draws, run.rows - 1u), race % run.draws);
    let f = row.filter_of_row;
    let end = select(0u, (run.categories - 1u) / 8u + 1u, exists && row.valid);

    begin_bins(invocation.index);
    workgroupBarrier();

    var pair = pair_at(row, team.lane, end);
    let top = open_cutoff(team, invocation, sure_cutoff_of_pair(row, pair));
    var far = 0u;
    for (var octet = team.lane; octet < end; octet += 2u * lanes()) {
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
        set_cutoff_of_top_k(top);
    }
    workgroupBarrier();
    let cutoff = cutoff_of_top_k;
    for (var octet = team.lane; octet < end; octet += 2u * lanes()) {
        pair = pair_at(row, octet, end);
        // once there is no memory for those that are found already, the host races the row
        if reach_of_pair(row, pair) >= cutoff && atomicLoad(&found) <= capacity() {
            take(row, race, run.first_category + octet * 8u, pair, cutoff);
        }
    }
    workgroupBarrier();
    if team.lane == 0u && exists {
        finish_record(race, row.valid);
    }
}
