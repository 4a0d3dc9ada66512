// A Potts lattice: a square of SIDE × SIDE sites with periodic borders, each in one of STATES states.
//
// The sites are coloured like a checkerboard, and each colour has a buffer of its own: the site in
// column x of row y is black if x + y is even, and has cell y * SIDE / 2 + x / 2 of its colour. All
// four neighbours of a site are of the other colour.

override SIDE: u32;
override STATES: u32;
// The colour whose logits are computed: 0 is black, 1 is white.
override COLOUR: u32 = 0u;
// The distance between the logits of two sites.
override STRIDE: u32 = 1u;

// The states of the sites of the other colour.
@group(0) @binding(0) var<storage, read> others: array<u32>;
@group(0) @binding(1) var<storage, read_write> logits: array<f32>;

// Returns the states of the neighbours of the site in this column of cells and row.
fn around(site: vec2<u32>) -> vec4<u32> {
    let width = SIDE / 2u;
    let above = (site.y + SIDE - 1u) % SIDE;
    let below = (site.y + 1u) % SIDE;
    // A row of one colour begins one column before the same row of the other colour. So one of the
    // two neighbours beside a site has the site's own column of cells, and the other has the next
    // column or the one before.
    let late = (site.y + COLOUR) % 2u;
    let beside = (site.x + width - 1u + 2u * late) % width;
    return vec4<u32>(
        others[above * width + site.x],
        others[below * width + site.x],
        others[site.y * width + site.x],
        others[site.y * width + beside],
    );
}

fn count_equal(states: vec4<u32>, state: u32) -> u32 {
    let equal = vec4<u32>(states == vec4<u32>(state));
    return equal.x + equal.y + equal.z + equal.w;
}

fn is_inside(site: vec2<u32>) -> bool {
    return site.x < SIDE / 2u && site.y < SIDE;
}

// The logit of a state is the number of neighbours in that state; gumbel divides by the
// temperature.
@compute @workgroup_size(8, 8)
fn count_neighbours(@builtin(global_invocation_id) id: vec3<u32>) {
    let site = id.xy;
    if is_inside(site) {
        let states = around(site);
        let first = (site.y * (SIDE / 2u) + site.x) * STRIDE;
        for (var state = 0u; state < STATES; state++) {
            logits[first + state] = f32(count_equal(states, state));
        }
    }
}

// The states of the black sites; the others are white.
@group(0) @binding(2) var<storage, read> black: array<u32>;
// A record has the number of sites in each state, and the number of bonds between equal states.
@group(0) @binding(3) var<storage, read_write> records: array<atomic<u32>>;

// DX12 takes only structs as immediate data.
struct Record {
    number: u32,
}
var<immediate> record: Record;

const MOST_STATES: u32 = 64u;
var<workgroup> tally: array<atomic<u32>, MOST_STATES + 1u>;

@compute @workgroup_size(8, 8)
fn measure(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let site = id.xy;
    if is_inside(site) {
        let cell = site.y * (SIDE / 2u) + site.x;
        let state = black[cell];
        atomicAdd(&tally[state], 1u);
        atomicAdd(&tally[others[cell]], 1u);
        // every bond has one black end
        atomicAdd(&tally[STATES], count_equal(around(site), state));
    }
    workgroupBarrier();
    for (var i = lane; i <= STATES; i += 64u) {
        atomicAdd(&records[record.number * (STATES + 1u) + i], atomicLoad(&tally[i]));
    }
}
