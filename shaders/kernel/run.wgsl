// The uniform of a pass, and its buffers.
// Host side: src/gpu/kernel.rs. Needs: nothing.

const UNFILTERED: u32 = 1u;
const CONTINUED: u32 = 2u;
const UNFINISHED: u32 = 4u;
// The parameters of rows that are given one by one; see rows.each.wgsl.
const EACH_ID: u32 = 8u;
const EACH_SEED: u32 = 16u;
const EACH_TEMPERATURE: u32 = 32u;
const EACH_FIRST_DRAW: u32 = 64u;
const GATHERED: u32 = 128u;
// The winner's key is written beside it.
const KEYED: u32 = 256u;
// Flags from 1024 on are those of log_probs.wgsl.
// Rows are summed. Passes for the later draws of a row do not have this flag.
const SUMMED: u32 = 512u;

const NO_DRAW: u32 = 0xffffffffu;

struct Pass {
    // The seed, and the id of the first row unless ids are explicit; (low, high).
    seed: vec2<u32>,
    first_row: vec2<u32>,
    // The rows and the draws from each of them in this pass.
    rows: u32,
    draws: u32,
    first_draw: u32,
    // The categories in this pass; the first is a multiple of 8.
    first_category: u32,
    categories: u32,
    // The first logit of the first row in `logits`, and the distance between rows.
    first_logit: u32,
    row_stride: u32,
    // The number of rows that can be gathered from.
    source_rows: u32,
    // The invocations of a team, a power of two up to WORKGROUP. If it is WORKGROUP, a race may have
    // several teams, `parts`, with `part_octets` octets each.
    lanes: u32,
    parts: u32,
    part_octets: u32,
    // The draws that a team takes from the octets that it holds.
    draws_at_once: u32,
    flags: u32,
    // The reciprocal of the temperature, as bits, and the filter that belongs to it.
    scale: u32,
    slope: f32,
    clamp_bits: u32,
    // The words that are written for each race, and the k of its first k.
    record: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> run: Pass;
// The outcomes of parts, race by race, and after them the outcomes that are carried over between the
// segments of cut rows.
@group(0) @binding(3) var<storage, read_write> outcomes: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> draws: array<u32>;

// A team of invocations, which takes a race or a part of one.
struct Team {
    // The number of its workgroup.
    workgroup: u32,
    // The team's number in the workgroup.
    slot: u32,
    lane: u32,
}

// Quotient and remainder. Most rows have one part and one draw, and a division takes some twenty instructions.
fn divided(n: u32, divisor: u32) -> vec2<u32> {
    if divisor == 1u {
        return vec2<u32>(n, 0u);
    }
    let quotient = n / divisor;
    return vec2<u32>(quotient, n - quotient * divisor);
}

// The octets of a part.
struct Part {
    begin: u32,
    end: u32,
}

fn part_of(part: u32) -> Part {
    // there may be 2^32 - 1 categories
    let octets = (run.categories - 1u) / 8u + 1u;
    let begin = part * run.part_octets;
    return Part(begin, min(octets, begin + run.part_octets));
}
