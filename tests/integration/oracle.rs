//! The reference against an f64 oracle that shares no code with it.

use crate::common::oracle::{self, Fault, Place};
use gumbel::noise::bits::{Stream, coarse, coarse_block, noise};
use gumbel::noise::groups;
use gumbel::noise::gumbel::gumbel;
use gumbel::noise::order::{Scale, key};
use gumbel::noise::philox::philox4x32_10;
use gumbel::reference::{Temperature, sample_row};
use rayon::prelude::*;

/// The largest difference between two keys of the oracle at which the reference may choose either.
///
/// In units of 2⁻²⁴ the reference's noise is off by less than 1.05 (0.85 for the Gumbel value and, in a long row, 0.2 for
/// the first alarm of a group) and its scaled logit by at most 0.5, for each of the two keys; the oracle itself is off by
/// less than 0.01.
const EPSILON: f64 = (2.0 * (1.05 + 0.5) + 0.01) / 16_777_216.0;

/// The counts of a comparison.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    rows: usize,
    /// Rows whose two best keys are closer than [`EPSILON`].
    near_ties: usize,
    /// Near ties that went the other way.
    exceptions: usize,
    /// Rows whose draws differ although they are no near ties.
    wrong: usize,
}

impl Tally {
    fn merge(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            near_ties: self.near_ties + other.near_ties,
            exceptions: self.exceptions + other.exceptions,
            wrong: self.wrong + other.wrong,
        }
    }
}

/// Rows of logits to race: of standard deviation `spread` around `shift`, or taken from `values`.
#[derive(Clone, Copy, Debug)]
struct Batch {
    rows: u64,
    categories: u32,
    spread: f32,
    shift: f32,
    temperature: f32,
    values: &'static [f32],
    /// The number of the batch: each has noise of its own.
    number: u64,
}

impl Batch {
    const fn new(rows: u64, categories: u32) -> Self {
        Self { rows, categories, spread: 3.0, shift: 0.0, temperature: 1.0, values: &[], number: 0 }
    }

    fn logits(self, row: u64) -> Vec<f32> {
        let place = Place { seed: 0x10617, row, draw: self.categories };
        (0..self.categories)
            .map(|category| {
                let word = oracle::bits(Fault::None, place, category);
                if !self.values.is_empty() {
                    return self.values[(word % self.values.len() as u64) as usize];
                }
                // the sum of eight bytes is close to normal
                let bytes = word.to_le_bytes();
                let sum: f32 = bytes.iter().map(|&byte| f32::from(byte)).sum();
                (sum - 1020.0) / 209.0 * self.spread + self.shift
            })
            .collect()
    }

    /// Returns a position whose seed, row and draw number use all of their bits.
    fn place(self, row: u64) -> Place {
        let seed = 0x0123_4567_89ab_cdef ^ u64::from(self.categories) << 20 ^ self.number << 52;
        Place { seed, row: row.wrapping_mul(0x1_0000_0001), draw: (row % 7) as u32 * 306_783_378 }
    }

    fn compare(self, fault: Fault) -> Tally {
        let rule = Temperature::new(self.temperature).unwrap_or(Temperature::Greedy);
        (0..self.rows)
            .into_par_iter()
            .map(|row| {
                let (logits, place) = (self.logits(row), self.place(row));
                let stream = Stream::new(place.seed, place.row, place.draw);
                let verdict = oracle::race(fault, &logits, place, self.temperature);
                let same = sample_row(&logits, stream, rule) == verdict.winner;
                // without noise nothing is rounded, so a near tie is no excuse
                let near_tie = verdict.gap < EPSILON && self.temperature != 0.0;
                Tally {
                    rows: 1,
                    near_ties: near_tie.into(),
                    exceptions: (near_tie && !same).into(),
                    wrong: (!near_tie && !same).into(),
                }
            })
            .reduce(Tally::default, Tally::merge)
    }
}

/// Short rows and long ones, flat and steep, warm and cold, near zero and far from it.
fn batches() -> Vec<Batch> {
    let mut batches = [
        (1_000_000, 2),
        (300_000, 3),
        (100_000, 8),
        (100_000, 9),
        (100_000, 64),
        (20_000, 257),
        (10_000, 1000),
        (500, 4096),
        (2000, 4097),
        (500, 10_000),
        (2, 128_256),
        (1, (1 << 20) + 3),
    ]
    .map(|(rows, categories)| Batch::new(rows, categories))
    .to_vec();
    let base = Batch::new(20_000, 50);
    for temperature in [0.0, 0.7, 3.0, 1e-3, 1e3] {
        batches.push(Batch { temperature, ..base });
        batches.push(Batch { temperature, shift: -1e4, ..Batch::new(2, 50_257) });
    }
    for shift in [1e3, -1e5, 1e7, -1e9, 1e10, 3e38] {
        batches.push(Batch { shift, ..base });
        batches.push(Batch { shift, temperature: 0.7, ..base });
    }
    batches.push(Batch { spread: 0.0, ..base });
    batches.push(Batch { spread: 0.0, temperature: 0.0, ..base });
    batches.push(Batch { spread: 100.0, temperature: 3.0, ..base });
    for values in SPECIAL {
        for temperature in [0.0, 1.0, 0.7, Scale::MIN_TEMPERATURE, Scale::MAX_TEMPERATURE] {
            batches.push(Batch { values, temperature, ..Batch::new(2000, 20) });
        }
    }
    for (number, batch) in (0..).zip(&mut batches) {
        batch.number = number;
    }
    batches
}

const TINY: f32 = f32::from_bits(1);
const MASK: f32 = f32::NEG_INFINITY;

/// Zeros of both signs, subnormal numbers, masks, the far ends, and values that leave a row without
/// a draw.
const SPECIAL: [&[f32]; 7] = [
    &[0.0, -0.0],
    &[TINY, -TINY, 0.0, -0.0, f32::MIN_POSITIVE],
    &[MASK, MASK, -1e30, 0.5, -0.5],
    &[MASK, MASK, MASK, MASK, MASK, MASK, MASK, MASK, MASK, MASK, 7.0],
    &[f32::MAX, 3.4e38, 3.3e38, f32::MIN],
    &[-1e30, -1.1e30, f32::MIN, MASK],
    &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, MASK, 11.0, f32::INFINITY, f32::NAN],
];

/// The reference draws the oracle's categories, except for near ties.
///
/// The gap between the two best keys of a row has the density 1 − Σpᵢ² ≤ 1 at zero: if i rings first,
/// at a time Exp(Σw), the next alarm follows after Exp(Σw − wᵢ), and the gap is ln(1 + their ratio).
/// Of n rows no more than λ = n·[`EPSILON`] are expected to be near ties, here 0.390. Every row has
/// noise of its own, so that six near ties or more have a probability of at most λ⁶/6!: the sum, over
/// all choices of six rows, of the probability that these six are. Here it is 4.9·10⁻⁶.
#[test]
fn the_reference_draws_what_the_oracle_draws() {
    let mut all = Tally::default();
    for batch in batches() {
        let tally = batch.compare(Fault::None);
        assert_eq!(tally.wrong, 0, "{batch:?}: {tally:?}");
        all = all.merge(tally);
    }
    println!("{all:?}");
    let expected = all.rows as f64 * EPSILON;
    assert!(expected.powi(6) / 720.0 < 4.9e-6, "{expected}");
    assert!(all.near_ties < 6, "{all:?}");
}

/// The sum behind [`EPSILON`]: a key is within the bound of the oracle's, for a million categories of short rows and of long
/// ones at each temperature. Some keys are more than one unit off, so the bounds are not loose.
#[test]
fn each_key_is_within_the_bound() {
    for (categories, bound) in [(1000, 0.85 + 0.5), (5000, 1.05 + 0.5)] {
        for temperature in [1.0, 0.7, 3.0] {
            let rows = 1_000_000 / u64::from(categories);
            let batch = Batch { spread: 30.0, temperature, ..Batch::new(rows, categories) };
            let scale = Scale::from_temperature(temperature).unwrap();
            let length = categories as usize;
            let worst = (0..batch.rows)
                .into_par_iter()
                .flat_map_iter(|row| {
                    let place = batch.place(row);
                    let stream = Stream::new(place.seed, place.row, place.draw);
                    (0..).zip(batch.logits(row)).map(move |(category, logit)| {
                        let g = gumbel(groups::noise(stream, category, length));
                        let scaled = f64::from(logit) * f64::from(1.0 / temperature);
                        let expected = scaled + oracle::noise(Fault::None, place, category, length);
                        (key(logit.to_bits(), scale, g) as f64 - expected * 16_777_216.0).abs()
                    })
                })
                .reduce(|| 0.0, f64::max);
            println!("{categories} at {temperature}: keys are at most {worst:.3} units off");
            assert!(worst < bound && worst > 1.0, "{worst}");
        }
    }
}

/// The density on which the bound on near ties rests: of 400,000 flat rows of n categories, the
/// share whose gap is below g is δ(n − 1)/(n + δ(n − 1)) with δ = eᵍ − 1.
///
/// False alarms: 5 sigma for each of three lengths, 2·10⁻⁶ in all.
#[test]
fn the_gap_has_the_density_that_the_bound_assumes() {
    for categories in [2, 5, 16] {
        let batch = Batch { spread: 0.0, ..Batch::new(400_000, categories) };
        let logits = batch.logits(0);
        let gap = 0.01;
        let seen = (0..batch.rows)
            .into_par_iter()
            .filter(|&row| oracle::race(Fault::None, &logits, batch.place(row), 1.0).gap < gap)
            .count();
        let (n, odds) = (f64::from(categories), f64::exp_m1(gap));
        let share = odds * (n - 1.0) / (n + odds * (n - 1.0));
        let expected = batch.rows as f64 * share;
        println!("{categories} categories: {seen} gaps below {gap}, expected {expected:.0}");
        assert!((seen as f64 - expected).abs() < 5.0 * expected.sqrt(), "{seen} {expected}");
    }
}

/// The comparison sees each mistake in the oracle: some of its rows are wrong, and no near tie
/// excuses them.
#[test]
fn the_comparison_sees_faults() {
    let noisy = Batch::new(1000, 50);
    let faults =
        [Fault::NineRounds, Fault::RowAndDrawSwapped, Fault::HalvesSwapped, Fault::WrongEnd];
    for fault in faults {
        let tally = noisy.compare(fault);
        assert!(tally.wrong > 100, "{fault:?}: {tally:?}");
    }
    let long = Batch::new(200, 4500);
    let faults = [Fault::NineRounds, Fault::RowAndDrawSwapped, Fault::NoFirstMember, Fault::NoWait];
    for fault in faults {
        let tally = long.compare(fault);
        assert!(tally.wrong > 20, "{fault:?}: {tally:?}");
    }
    // without noise all categories of a flat row are equal
    let ties = Batch { spread: 0.0, temperature: 0.0, ..noisy };
    assert_eq!(ties.compare(Fault::LastOfEqualsWins).wrong, 1000);
    // far from zero a scaled logit that is rounded to f32 loses its distance to the others
    let far = Batch { shift: 1e5, temperature: 0.7, ..Batch::new(20_000, 50) };
    let tally = far.compare(Fault::ProductRoundedToF32);
    assert!(tally.wrong > 20, "{tally:?}");
}

/// Random123's known answers for philox4x32-10, from the oracle and from the crate.
#[test]
fn both_philoxes_give_the_known_answers() {
    let answers = [
        ([0; 4], [0; 2], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
        ([!0; 4], [!0; 2], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
        (
            [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
            [0xa4093822, 0x299f31d0],
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
        ),
    ];
    for (counter, key, words) in answers {
        assert_eq!(oracle::philox(10, counter, key), words);
        assert_eq!(philox4x32_10(counter, key), words);
        assert_ne!(oracle::philox(9, counter, key), words);
    }
}

/// The counter layout: crate and oracle give the same 64 bits of noise, at the ends of every range
/// too.
#[test]
fn both_layouts_give_the_same_noise() {
    let ends = |high: u64| [0, 1, 7, 8, 0xffff_ffff, 0x1_0000_0000, high].into_iter();
    for seed in ends(u64::MAX) {
        for row in ends(u64::MAX) {
            for draw in [0, 1, 2, (1 << 31) - 1] {
                for category in (0..17).chain([u32::MAX - 1]) {
                    let stream = Stream::new(seed, row, draw);
                    let coarse = coarse(coarse_block(stream, category / 8), category);
                    let place = Place { seed, row, draw };
                    let bits = oracle::bits(Fault::None, place, category);
                    assert_eq!(noise(stream, category, coarse), bits, "{place:?} {category}");
                }
            }
        }
    }
}
