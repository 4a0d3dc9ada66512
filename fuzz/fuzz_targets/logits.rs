//! The CPU engine gives the reference's bytes in every form that this machine has.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use gumbel::noise::bits::{MAX_DRAWS, Stream, coarse, coarse_block, noise};
use gumbel::noise::gumbel::{UNIT, gumbel};
use gumbel::{CpuForm, CpuSampler, Logits, NO_DRAW, RowIds, SampleOptions, reference};
use libfuzzer_sys::fuzz_target;

/// How the fuzzer's words become logits.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Values {
    Bits,
    /// Noise decides among them.
    Moderate,
    /// What makes up for the noise, plus a little: all keys are about the same.
    Level,
    /// The same for the best noise that the coarse bits admit.
    LevelBounds,
}

#[derive(Arbitrary, Debug)]
struct Input {
    rows: u8,
    categories: u16,
    row_stride: Option<u16>,
    seed: u64,
    first_row: u64,
    ids: Option<[u64; 3]>,
    first_draw: u32,
    draws: u8,
    /// Bits of a temperature; 1 if none.
    temperature: Option<u32>,
    values: Values,
    /// Which categories have the word of the pattern that is due, by 64; the others have the fill.
    mask: u64,
    fill: u32,
    /// One place of the memory has a word of its own: what comes once only may come late.
    odd: Option<(u16, u32)>,
    pattern: Vec<u32>,
}

/// Logits of one input, counted once a draw: few enough for one thread, and to be fast.
const MOST: usize = 1 << 13;
/// Longer rows take no other way on one thread.
const MAX_CATEGORIES: usize = 4200;
/// Most rows are no longer than this.
const FEW_CATEGORIES: usize = 1100;

static ENGINES: LazyLock<Vec<CpuSampler>> = LazyLock::new(|| {
    let forms = CpuForm::available();
    forms.map(|form| CpuSampler::new().with_form(form).expect("it is there")).collect()
});

impl Input {
    fn temperature(&self) -> f32 {
        let Some(bits) = self.temperature else { return 1.0 };
        let temperature = f32::from_bits(bits & 0x7fff_ffff);
        // any in the range, and 0 for what is below
        if temperature < 2f32.powi(-100) {
            0.0
        } else if temperature <= 2f32.powi(100) {
            temperature
        } else {
            f32::from_bits(bits & 0x7f_ffff | 0x3f80_0000)
        }
    }

    fn logit(&self, at: usize, category: u32, stream: Stream) -> f32 {
        let word = match (self.odd, self.pattern.len()) {
            (Some((odd, word)), _) if usize::from(odd) % MOST == at => word,
            (_, count) if count > 0 && self.mask >> (at % 64) & 1 == 1 => self.pattern[at % count],
            _ => self.fill,
        };
        let float = f32::from_bits(word);
        let coarse = coarse(coarse_block(stream, category / 8), category);
        let noise = match self.values {
            Values::Bits => return float,
            // no number, or probability 0
            _ if !float.is_finite() => return float,
            Values::Moderate => return word as i32 as f32 / (1 << 27) as f32,
            Values::Level => noise(stream, category, coarse),
            Values::LevelBounds => u64::from(coarse) << 48,
        };
        // mostly a few units
        let beside = i64::from(word as i32 >> (word % 32));
        (beside - i64::from(gumbel(noise))) as f32 / UNIT as f32 * self.temperature()
    }
}

fuzz_target!(|input: Input| {
    let most = if input.categories >= 0xf000 { MAX_CATEGORIES } else { FEW_CATEGORIES };
    let categories = 1 + usize::from(input.categories) % most;
    let draws = (1 + usize::from(input.draws) % 70).min((MOST / categories).max(2));
    let rows = usize::from(input.rows % 65).min((MOST / (categories * draws)).max(1));
    let row_stride = input.row_stride.map_or(categories, |at| usize::from(at) % (categories + 9));
    let ids: Vec<u64> = match input.ids {
        None => Vec::new(),
        Some(ids) => (0..rows).map(|row| ids[row % 3].wrapping_add(row as u64 / 3)).collect(),
    };
    let first_draw = input.first_draw.min(MAX_DRAWS - draws as u32);
    let mut options = SampleOptions::default()
        .with_seed(input.seed)
        .with_first_row(input.first_row)
        .with_first_draw(first_draw)
        .with_draws(draws as u32)
        .with_temperature(input.temperature())
        .with_sentinels(true);
    if input.ids.is_some() {
        options.row_ids = RowIds::Each(&ids);
    }
    let mut data = vec![0.0; rows.checked_sub(1).map_or(0, |n| n * row_stride + categories)];
    for row in 0..rows {
        let id = ids.get(row).copied().unwrap_or(input.first_row.wrapping_add(row as u64));
        let stream = Stream::new(input.seed, id, first_draw);
        for category in 0..categories {
            let at = row * row_stride + category;
            data[at] = input.logit(at, category as u32, stream);
        }
    }
    let logits = Logits::with_row_stride(&data, rows, categories, row_stride).expect("it fits");
    let expected = reference::sample_rows(logits, &options).expect("all of it is valid");
    for engine in &*ENGINES {
        let mut draws = vec![NO_DRAW - 1; expected.len()];
        engine.sample_rows_into(logits, &options, &mut draws).expect("all of it is valid");
        assert_eq!(draws, expected, "{}", engine.form());
    }
});
