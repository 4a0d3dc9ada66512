//! What an engine tells of the cases beside their draws, against the reference's: keys and places of
//! races, draws by inverse CDF, logsumexp, and the log-probabilities of draws.

use super::Case;
use crate::engine::Blocking;
use crate::error::Error;
use crate::job::NO_DRAW;
use crate::options::{Method, SampleOptions};
use crate::reference;
use crate::results::{ScoredDraws, TopK};
use crate::sampler::Sampler;

/// How near an engine promises its logsumexps, or log-probabilities, to be to those in `f64`: within
/// `absolute` and this share of what is expected.
///
/// ```
/// use gumbel::conformance::SumTolerance;
/// assert_eq!(SumTolerance::GPU.fraction(100.0, 100.0 + 6e-5).round(), 1.0);
/// assert_eq!(SumTolerance::GPU.fraction(f64::NAN, f64::NAN), 0.0);
/// assert_eq!(SumTolerance::GPU.fraction(100.0, f64::NAN), f64::INFINITY);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SumTolerance {
    /// In units of a logarithm.
    pub absolute: f64,
    /// As a share of it.
    pub relative: f64,
}

impl SumTolerance {
    /// What the CPU engine promises of logsumexps.
    pub const CPU: Self = Self { absolute: 5e-6, relative: 6e-8 };
    /// What the GPU engine promises of logsumexps.
    pub const GPU: Self = Self { absolute: 2e-5, relative: 4e-7 };
    /// What the CPU engine promises of log-probabilities: nothing in it grows with the logits. The share is
    /// for the rounding of what is far from 0.
    pub const CPU_LOG_PROBS: Self = Self { absolute: 5e-6, relative: 1e-15 };
    /// What the GPU engine promises of log-probabilities.
    pub const GPU_LOG_PROBS: Self = Self { absolute: 2e-5, relative: 1e-15 };

    /// How much of it a number uses up: more than 1 is further off than promised. Infinite if one of the two
    /// is NaN, as for a row without a draw, and the other is not.
    pub fn fraction(self, found: f64, expected: f64) -> f64 {
        if found == expected || found.is_nan() && expected.is_nan() {
            return 0.0;
        }
        let share = (found - expected).abs() / (self.absolute + self.relative * expected.abs());
        if share.is_nan() { f64::INFINITY } else { share }
    }
}

impl Case {
    /// The case's options, at temperature 1 where it has 0, at which there is neither noise nor a
    /// probability.
    pub fn warm_options(&self) -> SampleOptions<'_> {
        let options = self.options();
        if options.temperature == 0.0 { options.with_temperature(1.0) } else { options }
    }

    /// The reference's first places of each race.
    ///
    /// # Errors
    /// [`Error::ZeroK`] and [`Error::TopKTooLarge`].
    pub fn expected_race(&self, k: usize) -> Result<TopK, Error> {
        reference::race_rows(self.batch(), &self.warm_options(), k)
    }

    /// How many of an engine's places are not the expected ones, by their category or by their key.
    /// Whoever is expected where the engine has no place counts, and the other way round.
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
    /// The engine's.
    pub fn race_mismatches(
        &self,
        engine: &Sampler<impl Blocking>,
        expected: &TopK,
    ) -> Result<usize, Error> {
        let found = engine.race_rows(self.batch(), &self.warm_options(), expected.k())?;
        let k = |race: &TopK| {
            let k = race.categories().iter().copied().zip(race.keys().iter().copied());
            k.collect::<Vec<_>>()
        };
        Ok(differences(&k(&found), &k(expected)))
    }

    /// The options, by inverse CDF.
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

    /// How many of an engine's draws by inverse CDF are not the expected ones. A draw that the engine
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
    /// The engine's.
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

    /// How many draws from tables that an engine keeps are not the expected ones. A draw that the engine leaves
    /// unwritten counts.
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
    /// The engine's.
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

    /// The logsumexp of each row, in `f64`.
    ///
    /// # Errors
    /// None: the cases of this module are valid.
    pub fn expected_logsumexp(&self) -> Result<Vec<f64>, Error> {
        reference::logsumexp_rows(self.batch(), &self.warm_options())
    }

    /// How much of a tolerance an engine uses up at most in the logsumexps of the rows: more than 1 is
    /// further off than promised. Infinite if a row has a sum in one and not in the other.
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
    /// The engine's.
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

    /// How much of a tolerance an engine uses up at most in the log-probabilities of its draws: more than 1
    /// is further off than promised. Infinite if the draws that it gives with them are not the expected ones.
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
    /// The engine's.
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

/// How much of a tolerance is used up at most; infinite if there are more numbers of one kind.
fn largest_fraction(tolerance: SumTolerance, found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let shares = found.iter().zip(expected).map(|(&a, &b)| tolerance.fraction(a, b));
    shares.fold(0.0, f64::max)
}

/// In how many places two lists differ; what one has more than the other does.
fn differences<T: PartialEq>(found: &[T], expected: &[T]) -> usize {
    let pairs = found.iter().zip(expected).filter(|(found, expected)| found != expected);
    pairs.count() + found.len().abs_diff(expected.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::sampler::CpuSampler;

    fn case(name: &str) -> Case {
        conformance::cases().find(|case| case.to_string() == name).unwrap()
    }

    /// Of a place that has the right category and another key too.
    #[test]
    fn faults_of_races_are_counted() {
        let case = case("33 x 131: 5 draws a row");
        let engine = CpuSampler::new();
        for k in [1, 3] {
            let mut expected = case.expected_race(k).unwrap();
            assert_eq!(case.race_mismatches(&engine, &expected).unwrap(), 0);
            expected.slices_mut().keys[7] ^= 1;
            assert_eq!(case.race_mismatches(&engine, &expected).unwrap(), 1);
            expected.slices_mut().categories[9] ^= 1;
            assert_eq!(case.race_mismatches(&engine, &expected).unwrap(), 2);
        }
    }

    #[test]
    fn faults_of_draws_by_inverse_cdf_are_counted() {
        let case = case("33 x 131: 5 draws a row");
        let engine = CpuSampler::new();
        let mut expected = case.expected_inverse_cdf().unwrap();
        assert_eq!(case.inverse_cdf_mismatches(&engine, &expected).unwrap(), 0);
        expected[7] ^= 1;
        assert_eq!(case.inverse_cdf_mismatches(&engine, &expected).unwrap(), 1);
        // they are not those of races
        assert!(case.inverse_cdf_mismatches(&engine, &case.expected()).unwrap() > 100);
    }

    #[test]
    fn sums_that_are_off_or_missing_are_seen() {
        let name = "41 x 203: NaN, infinities and nothing drawable in single rows";
        let (case, engine) = (case(name), CpuSampler::new());
        let expected = case.expected_logsumexp().unwrap();
        assert!(expected[0].is_finite() && expected[1].is_nan());
        let error =
            |expected: &[f64]| case.logsumexp_error(&engine, SumTolerance::CPU, expected).unwrap();
        let fraction = error(&expected);
        assert!(fraction > 0.0 && fraction <= 1.0, "{fraction}");
        let with = |row: usize, sum: f64| {
            let mut other = expected.clone();
            other[row] = sum;
            error(&other)
        };
        assert!(with(0, expected[0] + 2e-5) > 1.0);
        assert_eq!(with(0, f64::NAN), f64::INFINITY);
        assert_eq!(with(1, 0.5), f64::INFINITY);
        assert_eq!(error(&expected[1..]), f64::INFINITY);
    }

    #[test]
    fn log_probabilities_that_are_off_or_of_other_draws_are_seen() {
        let name = "41 x 203: NaN, infinities and nothing drawable in single rows";
        let engine = CpuSampler::new();
        let error = |case: &Case, expected: &ScoredDraws| {
            case.log_probs_error(&engine, SumTolerance::CPU_LOG_PROBS, expected).unwrap()
        };
        let few = case(name);
        let expected = few.expected_scores().unwrap();
        assert!(expected.log_probs[0].is_finite() && expected.log_probs[1].is_nan());
        let fraction = error(&few, &expected);
        assert!(fraction > 0.0 && fraction <= 1.0, "{fraction}");
        let with = |change: fn(&mut ScoredDraws)| {
            let mut other = expected.clone();
            change(&mut other);
            error(&few, &other)
        };
        assert!(with(|scored| scored.log_probs[0] += 2e-5) > 1.0);
        assert_eq!(with(|scored| scored.log_probs[0] = f64::NAN), f64::INFINITY);
        assert_eq!(with(|scored| scored.log_probs[1] = -0.5), f64::INFINITY);
        assert_eq!(with(|scored| scored.draws[0] ^= 1), f64::INFINITY);
        // what is left of them in their difference from a large logsumexp
        let far = case("41 x 203: near +3e38");
        let mut expected = far.expected_scores().unwrap();
        assert!(error(&far, &expected) <= 1.0);
        for (log_prob, logsumexp) in expected.log_probs.iter_mut().zip(&expected.logsumexps) {
            *log_prob = (*log_prob + logsumexp) - logsumexp;
        }
        assert!(error(&far, &expected) > 1.0);
    }
}
