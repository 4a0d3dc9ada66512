// What the kernels that find the first k of a race share: the bins in which categories are counted, and the record of
// those that may be among the first k. Needs: everything before it.
//
// Workgroup memory: all together clear the bins, and lane 0 writes the rest, before a barrier.

const BINS: u32 = 1024u;
const BIN: f32 = POWER * 0.125;
// How much higher than the first octets a row may reach before categories share the first bin.
const HEADROOM: f32 = POWER * 8.0;

var<workgroup> bins: array<atomic<u32>, BINS>;
var<workgroup> cutoff_of_top_k: f32;
var<workgroup> found: atomic<u32>;
var<workgroup> invalid_in_row: atomic<u32>;

// Counts a category that is sure to reach this score; `top` is what the first categories are sure to reach.
fn count_sure(top: f32, sure: f32) {
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

// The number of categories that a record has memory for.
fn capacity() -> u32 {
    return (run.record - 1u) / 3u;
}

// Clears the bins, and begins the record; a barrier has to follow.
fn begin_bins(lane: u32) {
    for (var bin = lane; bin < BINS; bin += WORKGROUP) {
        atomicStore(&bins[bin], 0u);
    }
    if lane == 0u {
        atomicStore(&found, 0u);
        atomicStore(&invalid_in_row, 0u);
    }
}

// In one invocation: sets the cutoff that k of the counted categories are sure to reach. If there is none, no category
// is discarded.
fn set_cutoff_of_top_k(top: f32) {
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

// Writes a category that may be among the first k, if there is memory for it.
fn record_one(race: u32, one: Best) {
    let at = atomicAdd(&found, 1u);
    if at < capacity() {
        let to = race * run.record + 1u + 3u * at;
        draws[to] = one.category;
        draws[to + 1u] = one.key.x;
        draws[to + 2u] = one.key.y;
    }
}

// In one invocation: writes how many categories were found, once all are written.
fn finish_record(race: u32, valid: bool) {
    let invalid = !valid || atomicLoad(&invalid_in_row) != 0u;
    draws[race * run.record] = select(atomicLoad(&found), NO_DRAW, invalid);
}
