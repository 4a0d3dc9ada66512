//! Tests of frequencies, and how improbable a result has to be to count as a failure.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// A p-value below this is an alarm. Seeds are fixed, so that a test either always raises one or
/// never; this is the probability of a false alarm when somebody changes the seeds or the noise.
pub(crate) const ALARM: f64 = 1e-6;

/// How often each category was drawn.
///
/// # Panics
/// If a draw is no category.
pub(crate) fn counts(draws: impl IntoIterator<Item = u32>, categories: usize) -> Vec<u64> {
    let mut counts = vec![0; categories];
    draws.into_iter().for_each(|draw| counts[draw as usize] += 1);
    counts
}

/// Pearson's chi-square: the probability of counts that are at least so far from what the
/// probabilities let expect, if the draws are independent.
///
/// Categories that are expected less than ten times are counted together, since the statistic is
/// only nearly chi-squared. What was drawn at probability 0 is beyond all probability.
#[expect(clippy::unwrap_used, reason = "degrees of freedom are positive")]
pub(crate) fn chi_square(counts: &[u64], probabilities: &[f64]) -> f64 {
    assert_eq!(counts.len(), probabilities.len());
    let draws = counts.iter().sum::<u64>() as f64;
    let (mut statistic, mut cells, mut rare) = (0.0, 0, (0.0, 0.0));
    let mut add = |count: f64, expected: f64| {
        statistic += (count - expected).powi(2) / expected;
        cells += 1;
    };
    for (&count, &probability) in counts.iter().zip(probabilities) {
        let (count, expected) = (count as f64, draws * probability);
        if probability == 0.0 && count > 0.0 {
            return 0.0;
        } else if expected >= 10.0 {
            add(count, expected);
        } else {
            rare = (rare.0 + count, rare.1 + expected);
        }
    }
    if rare.1 > 0.0 {
        add(rare.0, rare.1);
    }
    assert!(cells > 1, "a single cell fits always");
    ChiSquared::new(f64::from(cells - 1)).unwrap().sf(statistic)
}
