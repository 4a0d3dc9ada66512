//! Comparisons of an engine's other operations with the reference's: keys and categories of races, draws by inverse
//! CDF, logsumexp, and the log-probabilities of draws.

use super::Case;
use crate::engine::Blocking;
use crate::error::Error;
use crate::job::NO_DRAW;
use crate::options::{Method, SampleOptions};
use crate::reference;
use crate::results::{ScoredDraws, TopK};
use crate::sampler::Sampler;

/// How near an engine promises its logsumexps, or log-probabilities, to be to those in `f64`: within `absolute` plus
/// `relative` times the expected number.
///
/// ```
/// use gumbel::conformance::SumTolerance;
/// assert_eq!(SumTolerance::GPU.fraction(100.0, 100.0 + 6e-5).round(), 1.0);
/// assert_eq!(SumTolerance::GPU.fraction(f64::NAN, f64::NAN), 0.0);
/// assert_eq!(SumTolerance::GPU.fraction(100.0, f64::NAN), f64::INFINITY);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SumTolerance {
    /// The absolute part, in units of a logarithm.
    pub absolute: f64,
    /// The relative part, as a fraction of the expected number.
    pub relative: f64,
}

impl SumTolerance {
    /// The tolerance of the CPU engine's logsumexps.
    pub const CPU: Self = Self { absolute: 5e-6, relative: 6e-8 };
    /// The tolerance of the GPU engine's logsumexps.
    pub const GPU: Self = Self { absolute: 2e-5, relative: 4e-7 };
    /// The tolerance of the CPU engine's log-probabilities: no error grows with the logits. The relative part is for
    /// the rounding of numbers that are far from 0.
    pub const CPU_LOG_PROBS: Self = Self { absolute: 5e-6, relative: 1e-15 };
    /// The tolerance of the GPU engine's log-probabilities.
    pub const GPU_LOG_PROBS: Self = Self { absolute: 2e-5, relative: 1e-15 };

    /// The error of a number as a fraction of the tolerance: more than 1 is further off than promised. Infinite if one
    /// of the two is NaN, as for a row without a draw, and the other is not.
    pub fn fraction(self, found: f64, expected: f64) -> f64 {
        if found == expected || found.is_nan() && expected.is_nan() {
            return 0.0;
        }
        let share = (found - expected).abs() / (self.absolute + self.relative * expected.abs());
        if share.is_nan() { f64::INFINITY } else { share }
    }
}

impl Case {
    /// The case's options, with temperature 1 in the place of 0, at which there is neither noise nor a probability. If
    /// rows have temperatures of their own, and one of them is 0, all rows have temperature 1.
    pub fn warm_options(&self) -> SampleOptions<'_> {
        let options = self.options();
        let greedy = |temperature: &f32| *temperature == 0.0;
        let own = options.temperatures.filter(|all| !all.iter().any(greedy));
        let temperature = if greedy(&options.temperature) { 1.0 } else { options.temperature };
        SampleOptions { temperature, temperatures: own, ..options }
    }

    /// The reference's first `k` categories of each race.
    ///
    /// # Errors
    /// [`Error::ZeroK`] and [`Error::TopKTooLarge`].
    pub fn expected_race(&self, k: usize) -> Result<TopK, Error> {
        reference::race_rows(self.batch(), &self.warm_options(), k)
    }

    /// Returns how many of an engine's entries differ from the expected ones, in category or key. An entry without a
    /// category counts where one is expected, and the other way round.
    ///
    /// ```
    /// use gumbel::{CpuSampler, conformance};
    /// let engine = CpuSampler::new();
    /// for case in conformance::cases().filter(|case| case.work() < 100) {
    ///     assert_eq!(case.race_mismatches(&engine, &case.expected_race(3)?)?, 0, "{case}");
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Sampler::race_rows`].
    pub fn race_mismatches(
        &self,
        engine: &Sampler<impl Blocking>,
        expected: &TopK,
    ) -> Result<usize, Error> {
        let found = engine.race_rows(self.batch(), &self.warm_options(), expected.k())?;
        Ok(race_differences(&found, expected))
    }

    /// The case's options, for draws by inverse CDF.
    fn inverse_cdf_options(&self) -> SampleOptions<'_> {
        self.options().with_method(Method::InverseCdf)
    }

    /// The reference's draws by inverse CDF.
    ///
    /// # Errors
    /// None: the cases of this module are valid.
    pub fn expected_inverse_cdf(&self) -> Result<Vec<u32>, Error> {
        reference::sample_rows(self.batch(), &self.inverse_cdf_options())
    }

    /// Returns how many of an engine's draws by inverse CDF differ from the expected ones. A draw that the engine
    /// leaves unwritten counts.
    ///
    /// ```
    /// use gumbel::{CpuSampler, conformance};
    /// let engine = CpuSampler::new();
    /// for case in conformance::cases().filter(|case| case.work() < 100) {
    ///     let expected = case.expected_inverse_cdf()?;
    ///     assert_eq!(case.inverse_cdf_mismatches(&engine, &expected)?, 0, "{case}");
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Sampler::sample_rows_into`].
    pub fn inverse_cdf_mismatches(
        &self,
        engine: &Sampler<impl Blocking>,
        expected: &[u32],
    ) -> Result<usize, Error> {
        // a word that is no draw and not the sentinel either
        let mut draws = vec![NO_DRAW - 1; expected.len()];
        engine.sample_rows_into(self.batch(), &self.inverse_cdf_options(), &mut draws)?;
        Ok(differences(&draws, expected))
    }

    /// Returns how many draws from an engine's prepared tables differ from the expected ones. A draw that the engine
    /// leaves unwritten counts.
    ///
    /// ```
    /// use gumbel::{CpuSampler, conformance};
    /// let engine = CpuSampler::new();
    /// for case in conformance::cases().filter(|case| case.work() < 100) {
    ///     let expected = case.expected_inverse_cdf()?;
    ///     assert_eq!(case.prepared_cdf_mismatches(&engine, &expected)?, 0, "{case}");
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Sampler::inverse_cdf`], and of the draws from its tables.
    pub fn prepared_cdf_mismatches(
        &self,
        engine: &Sampler<impl Blocking>,
        expected: &[u32],
    ) -> Result<usize, Error> {
        let prepared = engine.inverse_cdf(self.batch(), &self.options())?;
        let mut draws = vec![NO_DRAW - 1; expected.len()];
        prepared.sample_rows_into(self.options().first_draw, &mut draws)?;
        Ok(differences(&draws, expected))
    }

    /// The reference's logsumexp of each row, in `f64`.
    ///
    /// # Errors
    /// None: the cases of this module are valid.
    pub fn expected_logsumexp(&self) -> Result<Vec<f64>, Error> {
        reference::logsumexp_rows(self.batch(), &self.warm_options())
    }

    /// The largest error of an engine's logsumexps as a fraction of a tolerance: more than 1 is further off than
    /// promised. Infinite if only one of engine and reference has a sum for a row.
    ///
    /// ```
    /// use gumbel::conformance::{self, SumTolerance};
    /// use gumbel::CpuSampler;
    /// let engine = CpuSampler::new();
    /// for case in conformance::cases().filter(|case| case.work() < 100) {
    ///     let expected = case.expected_logsumexp()?;
    ///     assert!(case.logsumexp_error(&engine, SumTolerance::CPU, &expected)? <= 1.0, "{case}");
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Sampler::logsumexp_rows`].
    pub fn logsumexp_error(
        &self,
        engine: &Sampler<impl Blocking>,
        tolerance: SumTolerance,
        expected: &[f64],
    ) -> Result<f64, Error> {
        let found = engine.logsumexp_rows(self.batch(), &self.warm_options())?;
        Ok(largest_fraction(tolerance, &found, expected))
    }

    /// The reference's draws with their log-probabilities, in `f64`.
    ///
    /// # Errors
    /// None: the cases of this module are valid.
    pub fn expected_scores(&self) -> Result<ScoredDraws, Error> {
        reference::sample_rows_scored(self.batch(), &self.warm_options())
    }

    /// The largest error of an engine's log-probabilities as a fraction of a tolerance: more than 1 is further off than
    /// promised. Infinite if the engine's draws are not the expected ones.
    ///
    /// ```
    /// use gumbel::conformance::{self, SumTolerance};
    /// use gumbel::CpuSampler;
    /// let engine = CpuSampler::new();
    /// for case in conformance::cases().filter(|case| case.work() < 100) {
    ///     let (promise, expected) = (SumTolerance::CPU_LOG_PROBS, case.expected_scores()?);
    ///     assert!(case.log_probs_error(&engine, promise, &expected)? <= 1.0, "{case}");
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Sampler::sample_rows_scored`].
    pub fn log_probs_error(
        &self,
        engine: &Sampler<impl Blocking>,
        tolerance: SumTolerance,
        expected: &ScoredDraws,
    ) -> Result<f64, Error> {
        let found = engine.sample_rows_scored(self.batch(), &self.warm_options())?;
        if found.draws != expected.draws {
            return Ok(f64::INFINITY);
        }
        Ok(largest_fraction(tolerance, &found.log_probs, &expected.log_probs))
    }
}

/// The largest error as a fraction of a tolerance; infinite if the two slices have different lengths.
fn largest_fraction(tolerance: SumTolerance, found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let shares = found.iter().zip(expected).map(|(&a, &b)| tolerance.fraction(a, b));
    shares.fold(0.0, f64::max)
}

/// The number of positions in which two lists differ, with those that only one of them has.
fn differences<T: PartialEq>(found: &[T], expected: &[T]) -> usize {
    let pairs = found.iter().zip(expected).filter(|(found, expected)| found != expected);
    pairs.count() + found.len().abs_diff(expected.len())
}

/// The number of entries in which two results differ, in category or key.
fn race_differences(found: &TopK, expected: &TopK) -> usize {
    let entries = |race: &TopK| {
        let entries = race.categories().iter().copied().zip(race.keys().iter().copied());
        entries.collect::<Vec<_>>()
    };
    differences(&entries(found), &entries(expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    /// An entry with the right category and a wrong key counts too.
    #[test]
    fn faults_of_races_are_counted() {
        let name = "33 x 131: 5 draws a row";
        let case = conformance::cases().find(|case| case.to_string() == name).unwrap();
        for k in [1, 3] {
            let found = case.expected_race(k).unwrap();
            let mut expected = found.clone();
            assert_eq!(race_differences(&found, &expected), 0);
            expected.slices_mut().keys[7] ^= 1;
            assert_eq!(race_differences(&found, &expected), 1);
            expected.slices_mut().categories[9] ^= 1;
            assert_eq!(race_differences(&found, &expected), 2);
        }
    }
}
