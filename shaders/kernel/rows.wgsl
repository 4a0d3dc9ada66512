// The parameters of a race's row: the same for all rows, but for their ids.
// Form in which each row has its own: rows.each.wgsl. Needs: bits, filter, run, restriction.

@group(0) @binding(2) var<storage, read> row_ids: array<vec2<u32>>;

struct Row {
    stream: Stream,
    values: RowValues,
    // The reciprocal of the temperature, as bits.
    scale: u32,
    filter_of_row: Filter,
    // True at temperature 0.
    greedy: bool,
    // False for a row that cannot be drawn from, whatever its logits.
    valid: bool,
}

// A row's temperature: its reciprocal as bits, 1 in place of temperature 0.
struct Temperature {
    scale: u32,
    greedy: bool,
    valid: bool,
}

fn temperature_of(position: u32) -> Temperature {
    return Temperature(run.scale, false, true);
}

// The values of the row at a position.
fn place_of(position: u32) -> RowValues {
    return row_values(position, run.first_logit + position * run.row_stride);
}

// Whether the values of the row at a position exist.
fn is_gathered(position: u32) -> bool {
    return true;
}

fn row_of(position: u32, draw: u32) -> Row {
    var id = add64(run.first_row, vec2<u32>(position, 0u));
    if (run.flags & EACH_ID) != 0u {
        id = row_ids[position];
    }
    let stream = Stream(run.seed, id, run.first_draw + step_draw() + draw);
    let values = place_of(position);
    return Row(stream, values, run.scale, Filter(run.slope, run.clamp_bits), false, has_draw(values));
}
