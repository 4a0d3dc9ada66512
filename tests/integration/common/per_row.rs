//! A call whose rows have options of their own gives what one call for each row gives, on any engine.

use gumbel::engine::Blocking;
use gumbel::{Error, Logit, Logits, Method, Relaxation, RowIds, SampleOptions, Sampler};

/// The options of five rows. The last two rows have the same ones but for their ids.
const SEEDS: [u64; 5] = [7, u64::MAX, 7, 1 << 33, 1 << 33];
const TEMPERATURES: [f32; 5] = [0.8, 1.0, 4.0, 0.25, 0.25];
const SOME_GREEDY: [f32; 5] = [0.8, 0.0, 4.0, 0.0, 0.0];
const FIRST_DRAWS: [u32; 5] = [0, 3, 1 << 30, 5, 5];
const INDICES: [u32; 5] = [2, 0, 0, 3, 1];
const IDS: [u64; 5] = [0, 1 << 40, 2, 0, 9];

/// The lengths of rows.
pub(crate) const LENGTHS: [usize; 5] = [1, 9, 50, 700, 5000];

/// Draws of each row.
const DRAWS: usize = 2;

/// The call for the row at a position alone: the row of the batch, its id, and its options.
fn alone<'a>(
    options: &SampleOptions<'a>,
    row: usize,
    ids: &'a [u64; 5],
) -> (usize, SampleOptions<'a>) {
    let mut one = *options;
    one.row_ids = match options.row_ids {
        RowIds::Consecutive(first) => RowIds::Consecutive(first + row as u64),
        RowIds::Each(_) => RowIds::Consecutive(ids[row]),
    };
    one.seed = options.seeds.map_or(one.seed, |all| all[row]);
    one.temperature = options.temperatures.map_or(one.temperature, |all| all[row]);
    one.first_draw += options.first_draws.map_or(0, |all| all[row]);
    (one.seeds, one.temperatures, one.first_draws, one.row_indices) = (None, None, None, None);
    (options.row_indices.map_or(row, |all| all[row] as usize), one)
}

/// Compares every operation with the calls for each row alone. Floats may differ by a share of `tolerance`.
///
/// # Errors
/// The engine's errors.
///
/// # Panics
/// If a call differs from the calls for its rows.
pub(crate) fn agree<E: Blocking>(sampler: &Sampler<E>, tolerance: f64) -> Result<(), Error> {
    agree_on(sampler, tolerance, &LENGTHS, |logit| logit)
}

/// Compares as [`agree`] does, with logits of any type, in rows of these lengths.
///
/// # Errors
/// The engine's errors.
///
/// # Panics
/// If a call differs from the calls for its rows.
pub(crate) fn agree_on<E: Blocking, T: Logit>(
    sampler: &Sampler<E>,
    tolerance: f64,
    lengths: &[usize],
    from: fn(f32) -> T,
) -> Result<(), Error> {
    let plain = SampleOptions::default().with_draws(DRAWS as u32).with_seed(5).with_first_draw(9);
    for &categories in lengths {
        let value = |i: usize| (i * 7919 % 101) as f32 / 16.0;
        let data: Vec<T> = (0..5 * categories).map(value).map(from).collect();
        for options in [
            plain.with_seeds(&SEEDS),
            plain.with_temperatures(&TEMPERATURES),
            plain.with_first_draws(&FIRST_DRAWS).with_row_ids(&IDS),
            plain.with_row_indices(&INDICES),
            plain
                .with_seeds(&SEEDS)
                .with_temperatures(&TEMPERATURES)
                .with_first_draws(&FIRST_DRAWS)
                .with_row_indices(&INDICES)
                .with_row_ids(&IDS),
        ] {
            let compare = Compare { sampler, data: &data, categories, options, tolerance };
            compare.draws()?;
            compare.others()?;
        }
        for method in [Method::Gumbel, Method::InverseCdf] {
            let options = plain.with_temperatures(&SOME_GREEDY).with_method(method);
            Compare { sampler, data: &data, categories, options, tolerance }.draws()?;
        }
    }
    Ok(())
}

struct Compare<'a, E: Blocking, T> {
    sampler: &'a Sampler<E>,
    data: &'a [T],
    categories: usize,
    options: SampleOptions<'a>,
    tolerance: f64,
}

impl<E: Blocking, T: Logit> Compare<'_, E, T> {
    /// Each row alone, with its options.
    fn rows(&self) -> impl Iterator<Item = Result<(Logits<'_>, SampleOptions<'_>), Error>> {
        (0..5).map(|row| {
            let (index, options) = alone(&self.options, row, &IDS);
            let values = &self.data[index * self.categories..][..self.categories];
            Ok((Logits::strided(values, 1, self.categories, self.categories)?, options))
        })
    }

    fn whole(&self) -> Result<Logits<'_>, Error> {
        Logits::strided(self.data, 5, self.categories, self.categories)
    }

    fn draws(&self) -> Result<(), Error> {
        let all = self.sampler.sample_rows(self.whole()?, &self.options)?;
        for (row, draws) in self.rows().zip(all.chunks(DRAWS)) {
            let (logits, options) = row?;
            assert_eq!(draws, self.sampler.sample_rows(logits, &options)?, "{:?}", self.options);
        }
        Ok(())
    }

    /// Everything but draws, for temperatures above 0.
    fn others(&self) -> Result<(), Error> {
        let (sampler, whole, options) = (self.sampler, self.whole()?, &self.options);
        let near = |found: &[f64], expected: &[f64]| {
            let near = |(x, y): (&f64, &f64)| (x - y).abs() <= self.tolerance * y.abs().max(1.0);
            assert_eq!(found.len(), expected.len());
            let all = found.iter().zip(expected).all(near);
            assert!(all, "{found:?}, {expected:?}: {:?}", self.options);
        };
        let wide = |floats: &[f32]| floats.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let cotangents: Vec<f32> =
            (0..self.categories * DRAWS * 5).map(|i| (i % 7) as f32 - 3.0).collect();
        let soft = Relaxation::soft(0.5);
        let hard = soft.with_hard(true);

        let k = 2;
        let races = sampler.race_rows(whole, options, k)?;
        let sums = sampler.logsumexp_rows(whole, options)?;
        let scored = sampler.sample_rows_scored(whole, options)?;
        let estimates = sampler.estimate_log_z(whole, options)?;
        let samples = sampler.soften_rows(whole, options, soft)?;
        let hot = sampler.soften_rows(whole, options, hard)?;
        let gradients = sampler.soften_rows_vjp(whole, options, soft, &cotangents)?;
        let of_row = DRAWS * self.categories;
        for (i, row) in self.rows().enumerate() {
            let (logits, options) = row?;
            let race = sampler.race_rows(logits, &options, k)?;
            let entries = i * DRAWS * k..(i + 1) * DRAWS * k;
            assert_eq!(races.categories()[entries.clone()], *race.categories());
            assert_eq!(races.keys()[entries], *race.keys());
            near(&sums[i..=i], &sampler.logsumexp_rows(logits, &options)?);
            let one = sampler.sample_rows_scored(logits, &options)?;
            let draws = i * DRAWS..(i + 1) * DRAWS;
            assert_eq!(scored.draws[draws.clone()], one.draws);
            near(&scored.log_probs[draws], &one.log_probs);
            near(&scored.logsumexps[i..=i], &one.logsumexps);
            assert_eq!(estimates[i..=i], sampler.estimate_log_z(logits, &options)?);
            let floats = i * of_row..(i + 1) * of_row;
            let one = sampler.soften_rows(logits, &options, soft)?;
            near(&wide(&samples[floats.clone()]), &wide(&one));
            assert_eq!(hot[floats.clone()], sampler.soften_rows(logits, &options, hard)?);
            let one = sampler.soften_rows_vjp(logits, &options, soft, &cotangents[floats])?;
            near(&wide(&gradients[i * self.categories..][..self.categories]), &wide(&one));
        }
        Ok(())
    }
}
