//! Verification of drafts: speculative decoding.

use super::Sampler;
#[cfg(feature = "gpu")]
use crate::cpu::Cpu;
use crate::engine::{Blocking, Chosen, Engine};
use crate::error::Error;
use crate::job::Job;
use crate::job::verify::RatioJob;
use crate::options::{Batch, Drafts, SampleOptions};
use crate::results::Verified;

impl<E: Engine> Sampler<E> {
    /// Verifies what a drafter guessed: draws from each row of the target, and accepts the drafts that are these draws.
    ///
    /// **The outcome is what the target alone would have drawn**, byte for byte: it does not depend on the drafter, which
    /// decides only how many categories are had from one pass of the target. A drafter guesses well if it
    /// draws with the *same noise*: under the same seed, with the same row id and draw number and the same options. Then its
    /// draw is the target's with probability Σᵢ 1/Σⱼ max(pⱼ/pᵢ, qⱼ/qᵢ), for distributions p of the target and q of the
    /// drafter, which is at least (1 − d)/(1 + d) where d is their total variation distance
    /// ([Daliri, Musco and Suresh](https://arxiv.org/abs/2408.07978)). At temperature 0 both are greedy.
    ///
    /// The batch has the rows that [`Drafts`] names, and the options are those of any call, with one draw a row.
    ///
    /// ```
    /// use gumbel::{CpuSampler, Drafts, Logits, SampleOptions};
    /// // a drafter whose logits are nearly the target's, for three steps of one request
    /// let target = [0.0, 1.0, 2.0, 2.0, 1.0, 0.0, 0.0, 2.0, 1.0, 1.0, 1.0, 1.0];
    /// let drafter: Vec<f32> = target[..9].iter().map(|x| x * 0.9).collect();
    /// let sampler = CpuSampler::new();
    /// let options = SampleOptions::default().with_seed(7);
    /// // the request has id 3 and is at draw 100; the drafter draws three categories
    /// let (id, first) = ([3], [100]);
    /// let guesses = (0..3).map(|step: usize| {
    ///     let row = Logits::new(&drafter[3 * step..][..3], 3)?;
    ///     let options = options.with_row_ids(&id).with_first_draw(first[0] + step as u32);
    ///     Ok(sampler.sample_rows(row, &options)?[0])
    /// });
    /// let guesses = guesses.collect::<Result<Vec<u32>, gumbel::Error>>()?;
    ///
    /// let drafts = Drafts::chains(&[0, 3], &guesses)?;
    /// let (ids, draws) = (drafts.per_row(&id)?, drafts.first_draws(&first)?);
    /// let options = options.with_row_ids(&ids).with_first_draws(&draws);
    /// let verified = sampler.verify_rows(Logits::new(&target, 3)?, &drafts, &options)?;
    /// assert_eq!(verified.categories(0)[..verified.accepted(0)], guesses[..verified.accepted(0)]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// For trees of drafts, let the children of a node be the first k categories of the drafter's
    /// [race](Self::race_rows): if the target's draw is among them, it is accepted.
    ///
    /// # Errors
    /// Those of [`sample_rows`](Self::sample_rows), and [`Error::Entries`] if the rows do not fit the drafts, for more draws
    /// than one a row, and for drafts that are no categories.
    ///
    /// # Complexity
    /// That of [`sample_rows`](Self::sample_rows).
    #[doc(alias = "speculative_decoding")]
    pub fn verify_rows<'a>(
        &self,
        target: impl Into<Batch<'a>>,
        drafts: &Drafts<'_>,
        options: &SampleOptions<'a>,
    ) -> Result<Verified, Error>
    where
        E: Blocking,
    {
        let target = target.into();
        Job::of_drafts(target, drafts, options)?;
        Verified::by_draws(drafts, &self.sample_rows(target, options)?)
    }

    /// Verifies drafts as [`verify_rows`](Self::verify_rows) does, for executors.
    ///
    /// ```
    /// use gumbel::{Drafts, Logits, SampleOptions, Sampler};
    /// # pollster::block_on(async {
    /// let (sampler, options) = (Sampler::auto_async().await, SampleOptions::default());
    /// let drafts = Drafts::chains(&[0, 1], &[2])?;
    /// let verified = sampler.verify_rows_async(Logits::new(&[0.0; 6], 3)?, &drafts, &options).await?;
    /// assert_eq!(verified.requests(), 1);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`verify_rows`](Self::verify_rows).
    pub async fn verify_rows_async<'a>(
        &self,
        target: impl Into<Batch<'a>>,
        drafts: &Drafts<'_>,
        options: &SampleOptions<'a>,
    ) -> Result<Verified, Error> {
        let target = target.into();
        Job::of_drafts(target, drafts, options)?;
        Verified::by_draws(drafts, &self.sample_rows_async(target, options).await?)
    }

    /// Verifies chains of drafts by the ratio test of speculative sampling ([Leviathan et al.](https://arxiv.org/abs/2211.17192),
    /// [Chen et al.](https://arxiv.org/abs/2302.01318)): draft x, drawn from q, is accepted with probability min(1,
    /// p(x)/q(x)), and in place of the first that is not, a category is drawn in proportion to max(p − q, 0). After the last
    /// draft comes the target's draw.
    ///
    /// What comes out has the target's distribution, and a draft is accepted with probability 1 − d, where d is the total
    /// variation distance of p and q: somewhat more often than by [`verify_rows`](Self::verify_rows). The price: the
    /// drafter's logits must be kept, and the outcome depends on the drafter.
    ///
    /// `drafter` has a row for each draft: that from which the draft was drawn, with the options that the target's row has, by
    /// [`sample_rows`](Self::sample_rows) under any seed. The noise of the test is no draw's
    /// ([`noise::verification`](crate::noise::verification)), so the seed may be the same. Both distributions are those of
    /// [integer weights](crate::noise::exp), so that categories with less than some 2⁻⁴⁰ of the largest probability are
    /// never drawn in place of a draft. The host tests, for all engines: the results are the same numbers.
    ///
    /// ```
    /// use gumbel::{CpuSampler, Drafts, Logits, SampleOptions};
    /// let (target, drafter) = ([0.0, 1.0, 2.0, 2.0, 1.0, 0.0], [0.0, 1.0, 1.5]);
    /// let (sampler, options) = (CpuSampler::new(), SampleOptions::default().with_seed(7));
    /// let guess = sampler.sample_rows(Logits::new(&drafter, 3)?, &options)?;
    /// let drafts = Drafts::chains(&[0, 1], &guess)?;
    /// let (ids, draws) = (drafts.per_row(&[0])?, drafts.first_draws(&[0])?);
    /// let options = options.with_row_ids(&ids).with_first_draws(&draws);
    /// let verified = sampler.verify_rows_by_ratio(
    ///     Logits::new(&target, 3)?,
    ///     Logits::new(&drafter, 3)?,
    ///     &drafts,
    ///     &options,
    /// )?;
    /// assert_eq!(verified.categories(0).len(), verified.accepted(0) + 1);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`verify_rows`](Self::verify_rows); [`Error::Entries`] also for trees, for rows of the drafter that do not
    /// fit the drafts, for [gathered rows](SampleOptions::with_row_indices), and for a draft that cannot be drawn from its row
    /// with these options; and [`Error::NoMemoryForRows`].
    ///
    /// # Complexity
    /// That of [`sample_rows`](Self::sample_rows), and O(categories) for each draft up to the first that is not accepted.
    pub fn verify_rows_by_ratio<'a>(
        &self,
        target: impl Into<Batch<'a>>,
        drafter: impl Into<Batch<'a>>,
        drafts: &Drafts<'a>,
        options: &SampleOptions<'a>,
    ) -> Result<Verified, Error>
    where
        E: Blocking,
    {
        let (target, mut indices) = (target.into(), Vec::new());
        let of = RatioJob::new(target, drafter.into(), drafts, options, &mut indices)?;
        self.verify(&of, &self.sample_rows(target, options)?)
    }

    /// Verifies drafts as [`verify_rows_by_ratio`](Self::verify_rows_by_ratio) does, for executors. The test runs
    /// when the draws are there, on the thread that polls.
    ///
    /// ```
    /// use gumbel::{Drafts, Logits, SampleOptions, Sampler};
    /// # pollster::block_on(async {
    /// let (sampler, options) = (Sampler::auto_async().await, SampleOptions::default());
    /// let drafts = Drafts::chains(&[0, 1], &[2])?;
    /// let (target, drafter) = (Logits::new(&[0.0; 6], 3)?, Logits::new(&[0.0; 3], 3)?);
    /// let verified = sampler.verify_rows_by_ratio_async(target, drafter, &drafts, &options).await?;
    /// assert_eq!(verified.accepted(0), 1); // the same distribution
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`verify_rows_by_ratio`](Self::verify_rows_by_ratio).
    pub async fn verify_rows_by_ratio_async<'a>(
        &self,
        target: impl Into<Batch<'a>>,
        drafter: impl Into<Batch<'a>>,
        drafts: &Drafts<'a>,
        options: &SampleOptions<'a>,
    ) -> Result<Verified, Error> {
        let (target, mut indices) = (target.into(), Vec::new());
        let of = RatioJob::new(target, drafter.into(), drafts, options, &mut indices)?;
        self.verify(&of, &self.sample_rows_async(target, options).await?)
    }

    /// Tests on the host.
    fn verify(&self, of: &RatioJob<'_>, draws: &[u32]) -> Result<Verified, Error> {
        match self.engine.choose(of.target.work()) {
            Chosen::Cpu(cpu) => cpu.verify(of, draws),
            #[cfg(feature = "gpu")]
            Chosen::Gpu { .. } => Cpu::new().verify(of, draws),
        }
    }
}
