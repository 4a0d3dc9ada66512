//! The example `nile`: its particles follow the Kalman filter as closely as it states.

#[path = "../../examples/nile/filter.rs"]
mod filter;

use filter::{Filtered, filter, kalman};

/// The largest difference of two means of a year.
fn furthest<'a>(some: impl IntoIterator<Item = &'a f64>, others: &[f64]) -> f64 {
    some.into_iter().zip(others).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

/// By 100,000 particles the level of each year is within 2 of the exact one, and the log-likelihood within 0.05.
#[test]
fn particles_follow_the_kalman_filter() {
    let Filtered { means, log_likelihood, resampled, cloud } = filter(100_000).unwrap();
    let (exact, exact_likelihood) = kalman();
    assert_eq!((means.len(), cloud.len()), (100, 100));
    assert!(furthest(&means, &exact) < 2.0, "{}", furthest(&means, &exact));
    let error = (log_likelihood - exact_likelihood).abs();
    assert!(error < 0.05, "{error}");
    assert!((10..90).contains(&resampled), "{resampled}");
    // the level moves by far more than these bounds from year to year
    assert!(furthest(&means[1..], &exact) > 50.0);
    // the log-likelihood of Durbin and Koopman's variances, in other programs as well
    assert!((-650.0..-630.0).contains(&exact_likelihood), "{exact_likelihood}");
}

/// A thousand particles are not enough for that: the bounds tell.
#[test]
fn few_particles_follow_it_less_closely() {
    let Filtered { means, .. } = filter(1000).unwrap();
    let error = furthest(&means, &kalman().0);
    assert!(error > 2.0 && error < 40.0, "{error}");
}
