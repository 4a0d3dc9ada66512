//! Rows as distributions of the crate rand: the generator of each call decides the draw.

use std::sync::Arc;

use rand::Rng;
use rand::distr::Distribution;

use crate::cpu::{Copies, Cpu, CpuTables};
use crate::error::Error;
use crate::job::{Adjustment, Job, NO_DRAW, Restriction};
use crate::options::{Batch, SampleOptions};
use crate::sampler::InverseCdf;

/// A row of logits or weights as a distribution over its categories, by the Gumbel-max trick: exact to the far tail,
/// with nothing added up and nothing stored.
///
/// A draw takes one `u64` from the generator, and is the draw that [`CpuSampler`](crate::CpuSampler) gives under this
/// `u64` as its seed, with row id 0 and draw number 0. It reads the row: O(categories). For many draws from a row there
/// is [`CdfRow`], in O(1) each; for many rows [`sample_rows`](crate::Sampler::sample_rows) is faster.
///
/// ```
/// use gumbel::{GumbelRow, Logits, PhiloxRng, SampleOptions};
/// use rand::distr::Distribution;
/// let logits = [0.0, 1.0, f32::NEG_INFINITY];
/// let row = GumbelRow::new(Logits::new(&logits, 3)?, 0, &SampleOptions::default())?;
/// let draws: Vec<u32> = row.sample_iter(PhiloxRng::new(42)).take(10_000).collect();
/// let ones = draws.iter().filter(|&&draw| draw == 1).count();
/// assert!((ones as f64 / 1e4 - 0.731).abs() < 0.02); // e / (1 + e)
/// assert!(!draws.contains(&2));
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// Needs the feature `rand`.
#[derive(Clone, Debug)]
pub struct GumbelRow<'a> {
    cpu: Cpu,
    /// One draw of one row that has a draw, but for the seed.
    job: Job<'a>,
    /// The copy of a row that the engine cannot read where it is.
    copied: Option<Arc<Copies>>,
}

impl<'a> GumbelRow<'a> {
    /// The row at position `row` of a batch. Of the options, the row's temperature counts, its truncation, its
    /// bias and penalty, and which of its categories are allowed.
    ///
    /// O(categories), to check the row.
    ///
    /// ```
    /// use gumbel::{Error, GumbelRow, SampleOptions, Weights};
    /// let (weights, options) = (Weights::new(&[0.0, 3.0, 0.0, 0.0], 2)?, SampleOptions::default());
    /// assert!(GumbelRow::new(weights, 0, &options).is_ok());
    /// assert!(matches!(GumbelRow::new(weights, 1, &options), Err(Error::UndrawableRow { row: 1, .. })));
    /// assert!(matches!(GumbelRow::new(weights, 2, &options), Err(Error::NoRow { row: 2, rows: 2 })));
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoRow`] if the batch has no such row, [`Error::UndrawableRow`] if the row has no draw,
    /// [`Error::Temperature`] and [`Error::WeightsTemperature`], and [`Error::NoMemoryForRows`] for a row that must be
    /// copied: one of `f64`, or one whose values do not lie side by side.
    pub fn new(
        batch: impl Into<Batch<'a>>,
        row: usize,
        options: &SampleOptions<'_>,
    ) -> Result<Self, Error> {
        let batch = batch.into();
        let one = batch.only(row).ok_or(Error::NoRow { row, rows: batch.rows() })?;
        let own = options.temperatures.and_then(|all| all.get(row)).copied();
        let temperature = own.unwrap_or(options.temperature);
        let free = SampleOptions::default().with_temperature(temperature);
        let job = Job::new(one, &free)?;
        let restriction = Restriction::of_row(options, row, one.categories(), one.format())?;
        let adjustment = Adjustment::of_row(options, row, one.categories(), one.format())?;
        let restricted = Job { restriction, adjustment, ..job };
        match restricted.undrawable(0) {
            Some(Error::UndrawableRow { reason, .. }) => Err(Error::UndrawableRow { row, reason }),
            Some(error) => Err(error),
            None => {
                let cpu = Cpu::new();
                let copied = match restricted.is_in_place() {
                    true => None,
                    false => Some(Arc::new(Copies::new(&cpu, &restricted)?)),
                };
                Ok(Self { cpu, job, copied })
            }
        }
    }
}

impl Distribution<u32> for GumbelRow<'_> {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u32 {
        let mut draw = [NO_DRAW];
        let logits = self.copied.as_ref().map_or(self.job.logits, |copies| copies.batch());
        self.cpu.draw_by_gumbel(&Job { logits, seed: rng.next_u64(), ..self.job }, &mut draw);
        draw[0]
    }
}

/// A row of prepared tables as a distribution over its categories, by inverse CDF: O(1) for a draw. What
/// [`InverseCdf::row`] returns.
///
/// A draw takes one `u64` from the generator as its uniform number, and is the first category at which the sum of the
/// weights so far exceeds [`point`](crate::noise::cdf::point)(uniform number, sum of all weights).
/// [`Method::InverseCdf`](crate::Method::InverseCdf) says which categories are too improbable for it.
///
/// ```
/// use gumbel::{CpuSampler, PhiloxRng, SampleOptions, Weights};
/// use rand::RngExt;
/// let (counts, options) = ([3, 0, 1], SampleOptions::default());
/// let cdf = CpuSampler::new().inverse_cdf(Weights::from_counts(&counts, 3)?, &options)?;
/// let row = cdf.row(0)?;
/// let mut rng = PhiloxRng::new(42);
/// let first = (0..10_000).filter(|_| rng.sample(&row) == 0).count();
/// assert!((first as f64 / 1e4 - 0.75).abs() < 0.02);
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// It owns its share of the tables, and a clone copies none of their memory. Needs the feature `rand`.
#[derive(Clone, Debug)]
pub struct CdfRow {
    tables: Arc<CpuTables>,
    row: usize,
}

impl Distribution<u32> for CdfRow {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u32 {
        self.tables.find(self.row, rng.next_u64())
    }
}

impl InverseCdf<crate::engine::Cpu> {
    /// The row at position `row` as a [`Distribution`] of the crate `rand`, whose draws are decided by the generator
    /// and not by the seed and the draw number of these tables. Of a row without a draw, which only tables with
    /// [sentinels](SampleOptions::with_sentinels) have, every draw is [`NO_DRAW`].
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Weights};
    /// use rand::{SeedableRng, distr::Distribution, rngs::SmallRng};
    /// let weights = Weights::new(&[0.5, 0.5, 0.0, 0.25, 0.5, 0.25], 3)?;
    /// let cdf = CpuSampler::new().inverse_cdf(weights, &SampleOptions::default())?;
    /// let mut rng = SmallRng::seed_from_u64(1);
    /// assert_ne!(cdf.row(0)?.sample(&mut rng), 2);
    /// assert_eq!(cdf.row(2).unwrap_err().to_string(), "there is no row 2; there are 2, numbered from 0");
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// Needs the feature `rand`. Tables on a GPU have no such rows, as each draw would wait for the device.
    ///
    /// # Errors
    /// [`Error::NoRow`] if there is no such row.
    pub fn row(&self, row: usize) -> Result<CdfRow, Error> {
        let rows = self.rows();
        let tables = self.cpu_tables().filter(|_| row < rows).ok_or(Error::NoRow { row, rows })?;
        Ok(CdfRow { tables: Arc::clone(tables), row })
    }
}
