//! Draw numbers that go on from call to call.

use crate::error::Error;
use crate::noise::bits::MAX_DRAWS;
use crate::options::SampleOptions;

/// A seed and the number of the next draw: each call of a loop gets draw numbers that no call before it had.
///
/// [`SampleOptions`] do not count. Two calls with the same options use the same noise, and a loop that forgets
/// [`with_first_draw`](SampleOptions::with_first_draw) uses it in every step. A sequence counts: [`take`](Self::take)
/// returns the options for one call, and goes on by the draws of that call.
///
/// ```
/// use gumbel::{CpuSampler, Logits, SampleOptions, Sequence};
/// let (sampler, logits) = (CpuSampler::new(), [0.0; 1000]);
/// let row = Logits::new(&logits, 1000)?;
/// let options = SampleOptions::default().with_temperature(0.8);
///
/// let mut sequence = Sequence::new(42);
/// let first = sampler.sample_rows(row, &sequence.take(&options)?)?;
/// let second = sampler.sample_rows(row, &sequence.take(&options)?)?;
/// assert_ne!(first, second);
///
/// // one call for two draws gives the same two
/// let both = sampler.sample_rows(row, &options.with_seed(42).with_draws(2))?;
/// assert_eq!([first, second].concat(), both);
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// With [`Method::Auto`](crate::Method::Auto) the number of draws of a call decides the method: set the method itself
/// if the same draws may be taken in fewer or more calls.
///
/// **To go on later**, save the [`seed`](Self::seed) and the number of the [`next_draw`](Self::next_draw), or the
/// sequence itself with the feature `serde`. [`at`](Self::at) puts a sequence at any draw.
///
/// **A clone** repeats the draw numbers of its original. Threads that draw from the same rows need a seed each;
/// threads that draw from different rows can share a seed, as long as their row ids differ.
///
/// **Rows** stay the business of each call: a sequence numbers draws, and leaves the row ids to the options. All rows
/// of a call have the same draw numbers. If rows are at different steps, as the requests of a server are, put the
/// step into the row id, for instance `request << 32 | step`, and keep the draw number at 0: the draw of a request at
/// a step then depends on nothing else, whichever requests share its call.
///
/// ```
/// use gumbel::{CpuSampler, Logits, SampleOptions};
/// let draw = |rows: &[(u64, u64)]| {
///     let ids: Vec<u64> = rows.iter().map(|&(request, step)| request << 32 | step).collect();
///     let options = SampleOptions::default().with_seed(42).with_row_ids(&ids);
///     CpuSampler::new().sample_rows(Logits::strided(&[0.0f32; 1000], rows.len(), 1000, 0)?, &options)
/// };
/// // request 7001 at step 12 gets the same category alone and beside another request
/// assert_eq!(draw(&[(9005, 3), (7001, 12)])?[1], draw(&[(7001, 12)])?[0]);
/// # Ok::<(), gumbel::Error>(())
/// ```
// no Copy, since a copy that nobody sees would repeat noise
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    seed: u64,
    /// At most [`MAX_DRAWS`].
    next_draw: u32,
}

impl Sequence {
    /// A sequence from draw number 0 on.
    ///
    /// ```
    /// let sequence = gumbel::Sequence::new(42);
    /// assert_eq!((sequence.seed(), sequence.next_draw()), (42, 0));
    /// ```
    pub const fn new(seed: u64) -> Self {
        Self { seed, next_draw: 0 }
    }

    /// A sequence from draw number `next_draw` on, 0 to 2³¹: to go on where another sequence has ended, or to repeat
    /// what it gave.
    ///
    /// ```
    /// use gumbel::{SampleOptions, Sequence};
    /// let (options, mut sequence) = (SampleOptions::default().with_draws(10), Sequence::new(42));
    /// sequence.take(&options)?;
    /// let mut later = Sequence::at(sequence.seed(), sequence.next_draw())?;
    /// assert_eq!(later.take(&options)?, sequence.take(&options)?);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Draws`] if `next_draw` exceeds 2³¹.
    pub fn at(seed: u64, next_draw: u32) -> Result<Self, Error> {
        if next_draw > MAX_DRAWS {
            return Err(Error::Draws { first_draw: next_draw, draws: 1 });
        }
        Ok(Self { seed, next_draw })
    }

    /// The seed, under which all draws of the sequence are.
    ///
    /// ```
    /// assert_eq!(gumbel::Sequence::new(42).seed(), 42);
    /// ```
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of the draw that comes next, 0 to 2³¹. At 2³¹ the sequence is at its end.
    ///
    /// ```
    /// let mut sequence = gumbel::Sequence::new(42);
    /// sequence.take_draws(10)?;
    /// assert_eq!(sequence.next_draw(), 10);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    pub const fn next_draw(&self) -> u32 {
        self.next_draw
    }

    /// Returns `options` for one call, with the seed of the sequence and with the number of its next draw in place of
    /// their own, and goes on by the draws of the call.
    ///
    /// The draw numbers are used up when this returns, whether or not the call succeeds. To repeat a call that failed,
    /// keep the options that were returned. All operations of a [`Sampler`](crate::Sampler) take such options.
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Sequence, Weights};
    /// let (sampler, rates) = (CpuSampler::new(), Weights::new(&[1.0, 2.0, 5.0], 3)?);
    /// let options = SampleOptions::default().with_draws(100);
    /// let mut sequence = Sequence::new(7);
    /// let mut sum = 0.0;
    /// for _ in 0..100 {
    ///     let race = sampler.race_rows(rates, &sequence.take(&options)?, 1)?;
    ///     sum += race.times().sum::<f64>();
    /// }
    /// assert!((sum / 10_000.0 - 1.0 / 8.0).abs() < 0.005); // the mean of Exp(1 + 2 + 5)
    /// assert_eq!(sequence.next_draw(), 10_000);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`take_draws`](Self::take_draws).
    #[must_use = "the draw numbers are used up; give these options to one call"]
    pub fn take<'a>(&mut self, options: &SampleOptions<'a>) -> Result<SampleOptions<'a>, Error> {
        match self.take_draws(options.draws) {
            Ok(first_draw) => Ok(SampleOptions { seed: self.seed, first_draw, ..*options }),
            Err(error) => Err(error),
        }
    }

    /// Returns the number of the next draw, and goes on by `draws` draws: for calls that take draw numbers without
    /// [`SampleOptions`], as those of an [`InverseCdf`](crate::InverseCdf) and of a `BoundBatch` do. Such a call has
    /// its seed already: give it the [`seed`](Self::seed) of the sequence when it is prepared.
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Sequence, Weights};
    /// let mut sequence = Sequence::new(7);
    /// let options = SampleOptions::default().with_seed(sequence.seed());
    /// let cdf = CpuSampler::new().inverse_cdf(Weights::new(&[1.0, 3.0], 2)?, &options)?;
    /// let some = cdf.sample_rows(sequence.take_draws(100)?, 100)?;
    /// let more = cdf.sample_rows(sequence.take_draws(50)?, 50)?;
    /// assert_eq!([some, more].concat(), cdf.sample_rows(0, 150)?);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Draws`] for 0 draws, and [`Error::SequenceEnd`] if fewer than `draws` numbers are left of the 2³¹ that
    /// a seed has. The sequence then stays where it is. It does not go on with another seed by itself: then nobody
    /// could tell from a seed and a number which draw is meant.
    #[must_use = "the draw numbers are used up; give the first of them to one call"]
    pub fn take_draws(&mut self, draws: u32) -> Result<u32, Error> {
        let first_draw = self.next_draw;
        if draws == 0 {
            return Err(Error::Draws { first_draw, draws });
        }
        if draws > MAX_DRAWS - first_draw {
            return Err(Error::SequenceEnd { next_draw: first_draw, draws });
        }
        self.next_draw = first_draw + draws;
        Ok(first_draw)
    }
}
