//! Particles and their resampling.

use crate::cpu::Isa;
use crate::cpu::resample::{Noise, Weighed, resample, weigh};
use crate::error::Error;
use crate::job::{check_draws, zeroed};
use crate::noise::exp::log2_floor;
use crate::options::{Resampling, RowIds, SampleOptions};

/// Particles with weights, to be resampled: the running sums of integer weights, made of log-weights in f64.
///
/// A particle filter weighs its particles at each step, and draws ancestors from them when too few of them have most of
/// the weight. All of this is integers: the same ancestors on every machine, for any number of threads.
///
/// ```
/// use gumbel::{Particles, Resampling, SampleOptions, Sequence};
/// let mut particles = Particles::default();
/// let mut sequence = Sequence::new(42);
/// let mut state = vec![0.0, 1.0, 2.0, 3.0];
/// for seen in [0.4, 1.1, 1.9] {
///     let log_weights: Vec<f64> = state.iter().map(|x: &f64| -(x - seen).powi(2)).collect();
///     particles.weigh(&log_weights)?;
///     if particles.effective_sample_size() < 0.5 * state.len() as f64 {
///         let options = sequence.take(&SampleOptions::default())?;
///         let ancestors = particles.resample(Resampling::Systematic, &options, state.len())?;
///         state = ancestors.iter().map(|&ancestor| state[ancestor as usize]).collect();
///     }
///     // ... and move them
/// }
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// **The weights.** The largest log-weight becomes 2^(62 − ⌊log₂ n⌋) for n particles, and a log-weight that is d less
/// becomes that times exp(−d), d rounded to 2⁻²⁴, by an integer exp with a relative error below 2⁻³¹. A particle whose
/// weight is less than about n·2⁻⁶² of the largest has weight 0. Log-weights may be shifted by any amount: 10⁷ + ½ beside
/// 10⁷ is as good as ½ beside 0.
#[derive(Clone, Debug)]
pub struct Particles {
    isa: Isa,
    sums: Vec<u64>,
    weighed: Option<Weighed>,
}

impl Default for Particles {
    /// No particles yet.
    fn default() -> Self {
        Self { isa: Isa::detect(), sums: Vec::new(), weighed: None }
    }
}

impl Particles {
    /// Particles with these log-weights: the natural logarithms of unnormalised weights.
    ///
    /// ```
    /// use gumbel::Particles;
    /// let particles = Particles::new(&[0.0, f64::NEG_INFINITY, 0.0])?;
    /// assert_eq!(particles.len(), 3);
    /// assert_eq!(particles.effective_sample_size(), 2.0);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`weigh`](Self::weigh).
    pub fn new(log_weights: &[f64]) -> Result<Self, Error> {
        let mut particles = Self::default();
        particles.weigh(log_weights)?;
        Ok(particles)
    }

    /// Uses these vector instructions; the ancestors are the same.
    ///
    /// # Errors
    /// [`Error::Isa`] if this machine lacks them.
    pub fn with_isa(self, isa: Isa) -> Result<Self, Error> {
        if isa.is_available() {
            Ok(Self { isa, ..self })
        } else {
            Err(Error::Isa { isa: isa.name() })
        }
    }

    /// Takes other log-weights, of as many particles as one likes, into the memory that there is: 8 bytes for each
    /// particle. O(particles), on this thread.
    ///
    /// ```
    /// use gumbel::{Error, Particles, Undrawable};
    /// let error = Particles::new(&[0.0, f64::NAN]).unwrap_err();
    /// let Error::UndrawableRow { reason: Undrawable::Nan { category: 1 }, .. } = error else { panic!() };
    /// ```
    ///
    /// # Errors
    /// [`Error::Categories`] for no particles or more than 2³² − 1, [`Error::UndrawableRow`] if a log-weight is NaN or
    /// +∞ or if all are −∞, and [`Error::NoMemoryForPoints`]. There are no particles then.
    pub fn weigh(&mut self, log_weights: &[f64]) -> Result<(), Error> {
        self.weighed = None;
        let n = log_weights.len();
        if n == 0 || n > u32::MAX as usize {
            return Err(Error::Categories { got: n });
        }
        self.sums.clear();
        let no_memory = |_| Error::NoMemoryForPoints { positions: n };
        self.sums.try_reserve_exact(n).map_err(no_memory)?;
        self.sums.resize(n, 0);
        self.weighed = Some(weigh(self.isa, log_weights, &mut self.sums)?);
        Ok(())
    }

    /// The number of particles.
    pub fn len(&self) -> usize {
        if self.weighed.is_some() { self.sums.len() } else { 0 }
    }

    /// True if there are no particles.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn total(&self) -> u64 {
        self.sums.last().copied().unwrap_or(0)
    }

    /// (Σw)²/Σw², from 1, if one particle has all the weight, to the number of particles, if all have the same; 0 without
    /// particles. The sums are exact integers.
    pub fn effective_sample_size(&self) -> f64 {
        let Some(Weighed { squares, .. }) = self.weighed else { return 0.0 };
        let total = self.total() as f64;
        total * total / squares as f64
    }

    /// ln Σ exp(log-weight), within 10⁻⁹ of it or the rounding of an f64; −∞ without particles. Less the logarithm of
    /// their number, the estimate of a filter's likelihood of what was seen at this step.
    ///
    /// ```
    /// use gumbel::Particles;
    /// let particles = Particles::new(&[1000.0, 1000.0])?;
    /// assert!((particles.logsumexp() - (1000.0 + 2f64.ln())).abs() < 1e-9);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    pub fn logsumexp(&self) -> f64 {
        let Some(Weighed { most, .. }) = self.weighed else { return f64::NEG_INFINITY };
        let one = (1u64 << (62 - log2_floor(self.sums.len() as u32))) as f64;
        most + (self.total() as f64 / one).ln()
    }

    /// Resamples: returns the ancestor of each of `positions` positions, the number of a particle.
    ///
    /// Of the options, seed, row ids and first draw count: position i has the uniform number of that draw of the row with
    /// id i, as in a draw by inverse CDF. A filter takes the options of each step from a [`Sequence`](crate::Sequence).
    /// Ancestors ascend, except that by [`Residual`](Resampling::Residual) those that are drawn follow those that are
    /// copied. `reference::resample` defines them.
    ///
    /// ```
    /// use gumbel::{Particles, Resampling, SampleOptions};
    /// let particles = Particles::new(&[0.0, f64::NEG_INFINITY, 0.0, 3f64.ln()])?;
    /// let options = SampleOptions::default().with_seed(7);
    /// assert_eq!(particles.resample(Resampling::Systematic, &options, 5)?, [0, 2, 3, 3, 3]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`resample_into`](Self::resample_into), and [`Error::NoMemoryForPoints`].
    ///
    /// # Complexity
    /// O(particles + positions) time, on the threads of rayon's current pool if there are many, and 4 bytes for each
    /// position; by `Residual` 8 to 16 bytes for each particle as well.
    #[doc(alias = "particle_filter")]
    pub fn resample(
        &self,
        scheme: Resampling,
        options: &SampleOptions<'_>,
        positions: usize,
    ) -> Result<Vec<u32>, Error> {
        let no_memory = Error::NoMemoryForPoints { positions };
        let mut ancestors = zeroed(positions).ok_or(no_memory)?;
        self.resample_into(scheme, options, &mut ancestors)?;
        Ok(ancestors)
    }

    /// Resamples as [`resample`](Self::resample) does, and writes the ancestors into a slice, which has an element for
    /// each position.
    ///
    /// # Errors
    /// [`Error::Categories`] without particles, [`Error::Draws`] for a first draw beyond the last, [`Error::RowIds`] if
    /// row ids are given one by one and are not as many as positions, and [`Error::NoMemoryForPoints`].
    pub fn resample_into(
        &self,
        scheme: Resampling,
        options: &SampleOptions<'_>,
        ancestors: &mut [u32],
    ) -> Result<(), Error> {
        if self.is_empty() {
            return Err(Error::Categories { got: 0 });
        }
        let &SampleOptions { seed, row_ids: ids, first_draw: draw, .. } = options;
        check_draws(draw, 1)?;
        if let RowIds::Each(ids) = ids
            && ids.len() != ancestors.len()
        {
            return Err(Error::RowIds { expected: ancestors.len(), got: ids.len() });
        }
        resample(self.isa, &self.sums, scheme, &Noise { seed, ids, draw }, ancestors)
    }
}
