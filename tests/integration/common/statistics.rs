//! Tests of frequencies, and the p-value below which a result counts as a failure.

use statrs::distribution::{ChiSquared, ContinuousCDF, DiscreteCDF, Poisson};

/// A p-value below this is an alarm. Seeds are fixed, so that a test either always raises one or
/// never; this is the probability of a false alarm when somebody changes the seeds or the noise.
pub(crate) const ALARM: f64 = 1e-6;

/// Returns how often each category was drawn.
///
/// # Panics
/// If a draw is no category.
pub(crate) fn counts(draws: impl IntoIterator<Item = u32>, categories: usize) -> Vec<u64> {
    let mut counts = vec![0; categories];
    draws.into_iter().for_each(|draw| counts[draw as usize] += 1);
    counts
}

/// Returns the p-value of Pearson's chi-square: the probability of counts that deviate at least as much from their
/// expectations, if the draws are independent.
///
/// Categories with fewer than ten expected draws are counted together, since the statistic is only approximately
/// chi-squared. If even these together have fewer than ten, they get a test of their own, of Poisson's distribution: in
/// a cell with so few, false alarms would be hundreds of times as frequent as the p-value says. If a category of
/// probability 0 was drawn, the p-value is 0.
#[expect(clippy::unwrap_used, reason = "degrees of freedom and means are positive")]
pub(crate) fn chi_square(counts: &[u64], probabilities: &[f64]) -> f64 {
    assert_eq!(counts.len(), probabilities.len());
    let draws = counts.iter().sum::<u64>() as f64;
    let (mut cells, mut rare) = (Vec::new(), (0, 0.0));
    for (&count, &probability) in counts.iter().zip(probabilities) {
        let expected = draws * probability;
        if probability == 0.0 && count > 0 {
            return 0.0;
        } else if expected >= ENOUGH {
            cells.push((count, expected));
        } else {
            rare = (rare.0 + count, rare.1 + expected);
        }
    }
    let few = rare.1 > 0.0 && rare.1 < ENOUGH;
    if rare.1 >= ENOUGH {
        cells.push(rare);
    }
    assert!(cells.len() > 1, "a single cell fits always");
    let term = |&(count, expected): &(u64, f64)| (count as f64 - expected).powi(2) / expected;
    let fit = ChiSquared::new((cells.len() - 1) as f64).unwrap().sf(cells.iter().map(term).sum());
    if !few {
        return fit;
    }
    let so_often = match rare.0 {
        0 => 1.0,
        count => Poisson::new(rare.1).unwrap().sf(count - 1),
    };
    // twice the smaller of the two p-values, since there were two tests
    (2.0 * fit.min(so_often)).min(1.0)
}

/// The least expected count of a cell of a chi-square.
const ENOUGH: f64 = 10.0;

/// Returns the p-value of Kolmogorov and Smirnov: the probability of a sample that deviates at least as much from the
/// distribution with this cumulative function.
///
/// The p-value is the series of Kolmogorov's distribution, with Stephens' correction of √n (1970) for finite samples.
#[allow(dead_code, reason = "not every test that has this module is about times")]
pub(crate) fn kolmogorov_smirnov(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = (0u32..).zip(&sample).fold(0f64, |most, (i, &x)| {
        let (below, at) = (f64::from(i) / n, f64::from(i + 1) / n);
        most.max((cdf(x) - below).abs()).max((at - cdf(x)).abs())
    });
    let lambda = distance * (n.sqrt() + 0.12 + 0.11 / n.sqrt());
    let term = |k: f64| 2.0 * (-1f64).powf(k - 1.0) * (-2.0 * (k * lambda).powi(2)).exp();
    (1..100).map(|k| term(f64::from(k))).sum::<f64>().clamp(0.0, 1.0)
}

/// Returns the probability of a table whose rows and columns deviate at least as much from
/// independence.
#[allow(dead_code, reason = "as above")]
#[expect(clippy::unwrap_used, reason = "degrees of freedom are positive")]
pub(crate) fn independence(table: &[Vec<u64>]) -> f64 {
    let of_rows: Vec<f64> = table.iter().map(|row| row.iter().sum::<u64>() as f64).collect();
    let columns = table[0].len();
    let of_columns: Vec<f64> =
        (0..columns).map(|c| table.iter().map(|row| row[c]).sum::<u64>() as f64).collect();
    let all: f64 = of_rows.iter().sum();
    let mut statistic = 0.0;
    for (row, of_row) in table.iter().zip(&of_rows) {
        for (&count, of_column) in row.iter().zip(&of_columns) {
            let expected = of_row * of_column / all;
            assert!(expected >= ENOUGH, "too few for a chi-square");
            statistic += (count as f64 - expected).powi(2) / expected;
        }
    }
    let freedom = (table.len() - 1) * (columns - 1);
    ChiSquared::new(freedom as f64).unwrap().sf(statistic)
}
