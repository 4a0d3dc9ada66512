//! A second door: rows of which some categories are cut away. Every algorithm behind this door has the same
//! results as for rows in which these categories have values that are never drawn.

use super::super::bound::RoundKeys;
use super::super::keys::Keys;
use super::super::logsumexp::{Summed, sums_of};
use super::super::schedule::Plan;
use super::super::simd::Isa;
use super::super::soften::Soften;
use super::super::top_k::TopKRaces;
use super::*;
use crate::job::soften::Softening;
use crate::job::{Job, Temperature};
use crate::noise::philox::philox4x32_10;
use crate::options::{Batch, Data, Logits, Relaxation, SampleOptions, Weights};

/// Rows of which only the categories of a mask are allowed.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Allowed<'a, T> {
    pub(in crate::cpu) rows: Rows<'a, T>,
    /// One mask for all rows.
    pub(in crate::cpu) mask: &'a [bool],
}

#[derive(Clone, Copy)]
pub(in crate::cpu) struct AllowedRow<'a, T> {
    values: &'a [T],
    mask: &'a [bool],
}

/// The values of up to two tiles, copied.
pub(in crate::cpu) struct Copied<T>([T; 2 * MAX_TILE * OCTET], usize);

impl<T> Deref for Copied<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0[..self.1]
    }
}

impl<'a, T: VectorValue> BatchValues for Allowed<'a, T> {
    type Value = T;
    type Row = AllowedRow<'a, T>;

    fn categories(self) -> usize {
        self.rows.categories()
    }
    fn row(self, row: usize) -> Self::Row {
        AllowedRow { values: self.rows.row(row), mask: self.mask }
    }
    fn in_place<S: Simd>(&self, _: usize, _: usize) -> Option<&[T]> {
        None
    }
}

impl<T: VectorValue> RowValues for AllowedRow<'_, T> {
    type Value = T;
    type Tile = Copied<T>;

    fn len(self) -> usize {
        self.values.len()
    }
    fn value(self, at: usize) -> T {
        if self.mask[at] { self.values[at] } else { T::NEVER }
    }
    fn iter(self) -> impl Iterator<Item = T> {
        (0..self.values.len()).map(move |at| self.value(at))
    }
    fn part(self, range: Range<usize>) -> Self {
        Self { values: &self.values[range.clone()], mask: &self.mask[range] }
    }
    fn tile(self, at: usize, len: usize) -> Copied<T> {
        let mut tile = Copied([T::NEVER; 2 * MAX_TILE * OCTET], len);
        self.part(at..at + len).copy_to(&mut tile.0[..len]);
        tile
    }
    fn tiles(self, len: usize) -> impl Iterator<Item = Copied<T>> {
        (0..self.values.len() / len).map(move |i| self.tile(i * len, len))
    }
    fn copy_to(self, to: &mut [T]) {
        assert_eq!(to.len(), self.values.len());
        to.iter_mut().zip(self.iter()).for_each(|(to, value)| *to = value);
    }
    fn widen_to(self, to: &mut [f32])
    where
        T: Widen,
    {
        let mut values = self.values.to_vec();
        self.copy_to(&mut values);
        T::widen_all(&values, to);
    }
}

/// All results from rows behind a door.
#[derive(PartialEq, Debug, Default)]
struct Results {
    draws: Vec<u32>,
    keys: Vec<i64>,
    sums: Vec<[u64; 2]>,
    floats: Vec<u32>,
}

/// The results of a job's races, from the rows behind a door, and the sums of these rows.
fn results_of<B: BatchValues<Value: Summed>>(door: B, job: &Job<'_>, isa: Isa) -> Results {
    let mut results = Results::default();
    let n = job.total();
    for (filter, greedy) in [(true, false), (false, false), (true, true)] {
        let temperature = if greedy { Temperature::Greedy } else { job.temperature };
        let job = Job { temperature, ..*job };
        let mut draws = vec![7; n];
        Plan::new(&job, isa, filter).races_of(door, 0, &mut draws, &mut []);
        results.draws.extend(draws);
    }
    let Temperature::Scaled(scale) = job.temperature else { return results };
    let (first, keys, coarse_known) = (0, RoundKeys::new(job.seed), false);
    let categories = &results.draws[..n];
    let mut won = vec![0; n];
    isa.run(Keys { job, rows: door, scale, keys, first, categories, coarse_known, won: &mut won });
    results.keys.extend(won);
    let k = 3.min(door.categories());
    let (mut categories, mut won) = (vec![u32::MAX; n * k], vec![i64::MIN; n * k]);
    isa.run(TopKRaces {
        job,
        rows: door,
        scale,
        keys,
        filter: true,
        k,
        first,
        categories: &mut categories,
        won: &mut won,
    });
    results.draws.extend(categories);
    results.keys.extend(won);
    let inverse = f64::from(scale.reciprocal());
    sums_of(isa, door, 0..job.logits.rows(), inverse, |_, sum| {
        results.sums.push([sum.most.to_bits(), sum.sum.to_bits()]);
    });
    results
}

/// Soft samples and gradients of the rows behind a door.
fn softened<B: BatchValues<Value: Widen + Summed>>(
    door: B,
    logits: Logits<'_>,
    options: &SampleOptions<'_>,
    isa: Isa,
) -> Results {
    let softening = Softening::new(logits, options, Relaxation::soft(0.7)).unwrap();
    let soften = Soften::new(&softening, isa, true);
    let mut samples = vec![7.0; softening.samples()];
    soften.samples_of(door, &mut samples);
    let cotangents: Vec<_> = (0..samples.len()).map(|i| (i % 17) as f32 - 8.0).collect();
    let mut gradients = vec![7.0; softening.gradients()];
    soften.gradients_of(door, &cotangents, &mut gradients).unwrap();
    let floats = samples.iter().chain(&gradients).map(|x| x.to_bits()).collect();
    Results { floats, ..Results::default() }
}

fn isas() -> impl Iterator<Item = Isa> {
    Isa::available()
}

/// Three rows of this number of logits, and a mask that allows most categories.
fn logits(categories: usize) -> (Vec<f32>, Vec<bool>) {
    let word = |i: usize| philox4x32_10([i as u32, categories as u32, 0, 0], [5, 6]);
    let mask = (0..categories).map(|i| !word(i)[1].is_multiple_of(4)).collect();
    let logits = (0..3 * categories).map(|i| (word(i)[0] >> 20) as f32 / 300.0);
    (logits.collect(), mask)
}

/// Lengths on both sides of every choice of an algorithm.
const CATEGORIES: [usize; 13] = [1, 5, 16, 27, 100, 128, 256, 300, 512, 1000, 4096, 4999, 33_000];

/// Evaluates an expression with rows of the types under test. Every further type would be compiled for every algorithm
/// and instruction set, a minute for each, and these two take every branch that depends on a type: logits are filtered
/// by their values, weights by a logarithm, of the greatest of a group in a long row, with a check for invalid values.
macro_rules! with_tested {
    ($data:expr, $rows:ident => $do:expr) => {
        match $data {
            Data::F32($rows) => $do,
            Data::Weights($rows) => $do,
            _ => panic!("a type that is not among those of these tests"),
        }
    };
}

/// Compares rows behind a mask with rows that have values that are never drawn where the mask is false.
/// `cut_away` is the value behind the mask there, mostly one that would leave its row without a draw.
fn check<'a, T: Copy>(
    raw: &'a mut [T],
    cut: &'a mut [T],
    mask: &[bool],
    [cut_away, never]: [T; 2],
    batch: impl Fn(&'a [T]) -> Batch<'a>,
) {
    let categories = mask.len();
    for (i, (raw, cut)) in raw.iter_mut().zip(&mut *cut).enumerate() {
        if !mask[i % categories] {
            (*raw, *cut) = (cut_away, never);
        }
    }
    let (raw, cut) = (batch(raw), batch(cut));
    for draws in [1, 3] {
        let options = SampleOptions::default().with_seed(9).with_draws(draws);
        let job = Job::new(cut, &options.with_temperature(0.9)).unwrap();
        for isa in isas() {
            let expected = with_tested!(cut.data(), rows => results_of(rows, &job, isa));
            let got =
                with_tested!(raw.data(), rows => results_of(Allowed { rows, mask }, &job, isa));
            assert!(got == expected, "{isa}, {categories}, {draws}: {:?}", raw.format());
            // and another mask is seen: it allows the last category if `mask` does not, and no other category
            let mut more = vec![false; categories];
            more[categories - 1] = !mask[categories - 1];
            let seen = with_tested!(cut.data(), rows => {
                results_of(Allowed { rows, mask: &more }, &job, isa)
            });
            assert_ne!(seen, expected, "{isa}, {categories}");
        }
    }
}

#[test]
fn what_a_mask_cuts_away_is_never_drawn() {
    for categories in CATEGORIES {
        let (logits, mut mask) = logits(categories);
        mask[0] = true;
        check(
            &mut logits.clone(),
            &mut logits.clone(),
            &mask,
            [f32::NAN, f32::NEG_INFINITY],
            |x| Logits::new(x, categories).unwrap().into(),
        );
        let weights: Vec<_> = logits.iter().map(|x| x.exp()).collect();
        check(&mut weights.clone(), &mut weights.clone(), &mask, [-1.0, 0.0], |x| {
            Weights::new(x, categories).unwrap().into()
        });
    }
}

#[test]
fn soft_samples_do_not_see_what_a_mask_cuts_away() {
    for categories in CATEGORIES {
        let (mut raw, mut mask) = logits(categories);
        mask[0] = true;
        let mut cut = raw.clone();
        for (i, (raw, cut)) in raw.iter_mut().zip(&mut cut).enumerate() {
            if !mask[i % categories] {
                (*raw, *cut) = (f32::NAN, f32::NEG_INFINITY);
            }
        }
        let [raw, cut] = [&raw, &cut].map(|x| Logits::new(x, categories).unwrap());
        for draws in [1, 2] {
            let options = SampleOptions::default().with_seed(3).with_draws(draws);
            for isa in isas() {
                let of = |logits: Logits<'_>, mask: &[bool]| match Batch::from(logits).data() {
                    Data::F32(rows) => softened(Allowed { rows, mask }, cut, &options, isa),
                    _ => panic!("logits of another type"),
                };
                let expected = match Batch::from(cut).data() {
                    Data::F32(rows) => softened(rows, cut, &options, isa),
                    _ => panic!("logits of another type"),
                };
                assert!(of(raw, &mask) == expected, "{isa}, {categories}, {draws}");
                // and it is seen if the mask lets everything pass
                let everything = vec![true; categories];
                assert!(
                    mask == everything || of(raw, &everything) != expected,
                    "{isa}, {categories}"
                );
            }
        }
    }
}

/// Padding makes an incomplete tile whole, and the values that it adds are never drawn.
#[test]
fn a_padded_tile_ends_with_what_is_never_drawn() {
    for len in 1..MAX_TILE * OCTET {
        let values = vec![1.5f32; 3 * MAX_TILE * OCTET + len];
        let last = RowValues::after_tiles(&values[..], MAX_TILE * OCTET);
        let Aligned(whole) = RowValues::padded(last);
        assert!(whole[..len].iter().all(|&x| x == 1.5), "{len}");
        assert!(whole[len..].iter().all(|&x| x == f32::NEVER), "{len}");
    }
}

/// Rows side by side are filled up likewise, and a part of a row leaves nothing of the values there before.
#[test]
fn rows_side_by_side_have_what_is_never_drawn_between_them() {
    let mut rows = SideBySide::<u32, 8>::new(11);
    for at in 0..4 {
        rows.put(at, &[7; 11][..]);
    }
    for (i, &value) in rows.values().iter().enumerate() {
        assert_eq!(value, if i % 16 < 11 { 7 } else { u32::NEVER }, "{i}");
    }
    let mut rows = SideBySide::<f32, 2>::new(16);
    rows.put_part_widened(&[1.0f32; 16][..]);
    rows.put_part_widened(&[2.0f32; 5][..]);
    assert_eq!(rows.values()[..5], [2.0; 5]);
    assert_eq!(rows.values()[5..8], [f32::NEG_INFINITY; 3]);
}
