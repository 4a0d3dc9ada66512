// The parameters of a race's row, where each row may have its own.
// Plain form: rows.wgsl. Needs: bits, filter, measure, run, restriction.
//
// A row whose parameters are out of range has no draw, and harms no other.

@group(0) @binding(2) var<storage, read> row_ids: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read> seeds: array<vec2<u32>>;
// Bits of f32.
@group(0) @binding(6) var<storage, read> temperatures: array<u32>;
@group(0) @binding(7) var<storage, read> first_draws: array<u32>;
// Which row of `logits` to read.
@group(0) @binding(8) var<storage, read> row_indices: array<u32>;

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
    if (run.flags & EACH_TEMPERATURE) == 0u {
        return Temperature(run.scale, false, true);
    }
    let temperature = temperatures[position];
    let greedy = (temperature & 0x7fffffffu) == 0u;
    // up to 2^100
    let in_range = temperature >= LEAST_TEMPERATURE && temperature <= 0x71800000u;
    let scale = scale_of(select(0x3f800000u, temperature, in_range));
    return Temperature(scale, greedy, greedy || in_range);
}

// The number of the row that the row at a position draws from; it may be out of range.
fn source_of(position: u32) -> u32 {
    var source = position;
    if (run.flags & GATHERED) != 0u {
        source = row_indices[position];
    }
    return source;
}

// The values of the row at a position; of another row, if that is out of range.
fn place_of(position: u32) -> RowValues {
    let source = min(source_of(position), run.source_rows - 1u);
    return row_values(position, run.first_logit + source * run.row_stride);
}

// Whether the values of the row at a position exist.
fn is_gathered(position: u32) -> bool {
    return source_of(position) < run.source_rows;
}

fn row_of(position: u32, draw: u32) -> Row {
    var id = add64(run.first_row, vec2<u32>(position, 0u));
    if (run.flags & EACH_ID) != 0u {
        id = row_ids[position];
    }
    var seed = run.seed;
    if (run.flags & EACH_SEED) != 0u {
        seed = seeds[position];
    }
    // draws are numbered from 0 to 2^31 - 1
    var number = run.first_draw + step_draw();
    var valid = is_gathered(position);
    if (run.flags & EACH_FIRST_DRAW) != 0u {
        let first = first_draws[position];
        valid = valid && first < 0x80000000u && first + number < 0x80000000u
            && first + number <= 0x80000000u - run.draws;
        number += first;
    }
    let temperature = temperature_of(position);
    var f = Filter(run.slope, run.clamp_bits);
    if (run.flags & EACH_TEMPERATURE) != 0u {
        f = filter_of(temperature.scale);
    }
    let values = place_of(position);
    valid = valid && temperature.valid && has_draw(values);
    return Row(Stream(seed, id, number + draw), values, temperature.scale, f, temperature.greedy, valid);
}

// The reciprocal of a temperature from 2^-100 to 2^100, correctly rounded, by integer arithmetic: a
// device's own division may be off by 2.5 units.
fn scale_of(temperature: u32) -> u32 {
    let exponent = temperature >> 23u;
    let mantissa = (temperature & 0x7fffffu) | 0x800000u;
    if mantissa == 0x800000u {
        return (254u - exponent) << 23u;
    }
    // 2^47 / mantissa in steps of 8 bits, and what is left over
    let q1 = 0x80000000u / mantissa;
    let r1 = (0x80000000u % mantissa) << 8u;
    let q2 = r1 / mantissa;
    let r2 = (r1 % mantissa) << 8u;
    let q3 = r2 / mantissa;
    let r3 = r2 % mantissa;
    let quotient = (q1 << 16u) + (q2 << 8u) + q3 + u32(2u * r3 > mantissa);
    return ((252u - exponent) << 23u) + quotient;
}

fn filter_of(scale: u32) -> Filter {
    let slope = bitcast<f32>(scale) * SLOPE;
    // a power of two: its product with the slope is 2^99 to 2^100
    let exponent = 353u - (bitcast<u32>(slope) >> 23u);
    return Filter(slope, select(exponent << 23u, 0x7f7fffffu, exponent >= 254u));
}
