//! Where a truncation cuts each row.

use super::Sampler;
#[cfg(feature = "gpu")]
use crate::cpu::Cpu;
use crate::engine::{Chosen, Engine};
use crate::error::Error;
use crate::job::cuts::CutJob;
use crate::options::{Batch, SampleOptions};
use crate::results::Cut;

impl<E: Engine> Sampler<E> {
    /// Returns where each row is cut by its [truncation](SampleOptions::with_truncation): the threshold, how many
    /// categories are kept, and their share of the probability. A trainer that has the logits finds the kept categories
    /// again from the threshold alone, bit for bit.
    ///
    /// Of the options, truncations, allowed categories, temperatures, row indices and sentinels count. A row that
    /// nothing cuts keeps all categories that can be drawn.
    ///
    /// ```
    /// use gumbel::{CpuSampler, Logits, SampleOptions, Truncation};
    /// let logits = [0.0, 3.0, 1.0, 2.0];
    /// let options = SampleOptions::default().with_truncation(Truncation::new().with_top_p(0.8));
    /// let cut = CpuSampler::new().cut_rows(Logits::new(&logits, 4)?, &options)?[0];
    /// assert_eq!((cut.threshold, cut.kept), (2.0, 2));
    /// assert!((cut.share - 0.881).abs() < 1e-3); // (e³ + e²) / (e³ + e² + e + 1)
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// All engines return the same numbers: the host finds the cuts.
    ///
    /// # Errors
    /// [`Error::UndrawableRow`] for the first row that has no draw, unless the options ask for
    /// [sentinels](SampleOptions::with_sentinels): such a row has a threshold of NaN and keeps nothing. Those of
    /// [`sample_rows`](Self::sample_rows) for invalid options, and [`Error::NoMemoryForRows`].
    ///
    /// # Complexity
    /// O(rows · categories), as values are selected and not sorted.
    pub fn cut_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<Cut>, Error> {
        let of = CutJob::new(batch, options)?;
        let mut cuts = of.unwritten()?;
        self.cut(&of, &mut cuts)?;
        Ok(cuts)
    }

    /// Finds the cuts as [`cut_rows`](Self::cut_rows) does, and writes them into a slice of a cut for each row.
    ///
    /// ```
    /// use gumbel::{CpuSampler, Cut, Logits, SampleOptions, Truncation};
    /// let options = SampleOptions::default().with_truncation(Truncation::new().with_top_k(1));
    /// let mut cuts = [Cut::default(); 2];
    /// let logits = [0.0, 3.0, 1.0, 2.0];
    /// CpuSampler::new().cut_rows_into(Logits::new(&logits, 2)?, &options, &mut cuts)?;
    /// assert_eq!(cuts.map(|cut| cut.threshold), [3.0, 2.0]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`cut_rows`](Self::cut_rows), and [`Error::FloatsLength`] if the slice has another length.
    pub fn cut_rows_into<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        cuts: &mut [Cut],
    ) -> Result<(), Error> {
        let of = CutJob::new(batch, options)?;
        Error::check_floats("cuts", of.job.logits.rows(), cuts.len())?;
        self.cut(&of, cuts)
    }

    /// Finds the cuts as [`cut_rows`](Self::cut_rows) does, for executors. The host finds them when the future is first polled.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler, Truncation};
    /// # pollster::block_on(async {
    /// let sampler = Sampler::auto_async().await;
    /// let options = SampleOptions::default().with_truncation(Truncation::new().with_top_k(2));
    /// let cuts = sampler.cut_rows_async(Logits::new(&[0.0, 2.0, 1.0], 3)?, &options).await?;
    /// assert_eq!(cuts[0].kept, 2);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`cut_rows`](Self::cut_rows).
    pub async fn cut_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<Cut>, Error> {
        self.cut_rows(batch, options)
    }

    /// Finds the cuts on the host, and returns the error for the first row that has no draw.
    fn cut(&self, of: &CutJob<'_>, cuts: &mut [Cut]) -> Result<(), Error> {
        match self.engine.choose(of.job.work()) {
            Chosen::Cpu(cpu) => cpu.cut(&of.job, cuts)?,
            #[cfg(feature = "gpu")]
            Chosen::Gpu { .. } => Cpu::new().cut(&of.job, cuts)?,
        }
        of.job.check_rows(|row| !cuts[row].is_none())
    }
}
