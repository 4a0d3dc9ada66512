//! Resampling: the reference's ancestors for every size, how many positions each particle has, and that no scheme is
//! biased.

use crate::common::statistics::{ALARM, chi_square};
use gumbel::noise::philox::philox4x32_10;
use gumbel::{Error, Isa, Particles, Resampling, SampleOptions, Sequence, Undrawable, reference};

const SCHEMES: [Resampling; 3] =
    [Resampling::Systematic, Resampling::Stratified, Resampling::Residual];

/// Log-weights of a kind.
fn log_weights(n: usize, kind: usize) -> Vec<f64> {
    let uniform = |i: usize| {
        let [a, b, ..] = philox4x32_10([i as u32, kind as u32, 0, 0], [11, 12]);
        (f64::from(a) + f64::from(b) / 2f64.powi(32) + 1e-9) / 2f64.powi(32)
    };
    let one = |i: usize| match kind {
        // all the same, far away
        0 => 1e7 + 0.5,
        // weights that are exponential
        1 => (-uniform(i).ln()).ln(),
        // a few with all the weight
        2 => uniform(i) * 60.0,
        // one with all the weight
        3 if i == n / 2 => -3e300,
        3 => f64::NEG_INFINITY,
        // many without weight, among the first as among the last
        4 if i % 7 == (n - 1) % 7 => uniform(i),
        4 => f64::NEG_INFINITY,
        // near each other and far from 0
        5 => -1e9 + uniform(i),
        // by the edge of what is resolved
        _ => -(i as f64) * 0.1 - uniform(i),
    };
    (0..n).map(one).collect()
}
const KINDS: usize = 7;

#[test]
fn ancestors_are_the_references() {
    let ids: Vec<u64> = (0..5000).map(|i| (i * i) << 31).collect();
    let mut compared = 0;
    for n in [1, 2, 3, 17, 128, 129, 1000] {
        for kind in 0..KINDS {
            let log_weights = log_weights(n, kind);
            let weights = reference::particle_weights(&log_weights).unwrap();
            // of the most, several blocks of positions
            for positions in [0, 1, 2, 31, n, 5 * n] {
                for (k, scheme) in SCHEMES.into_iter().enumerate() {
                    let mut options = SampleOptions::default().with_seed((n + k) as u64);
                    if kind % 2 == 1 {
                        options = options.with_first_draw(7).with_row_ids(&ids[..positions]);
                    }
                    let expected = reference::resample(&weights, scheme, &options, positions);
                    for isa in Isa::available() {
                        let particles = Particles::default().with_isa(isa).unwrap();
                        let mut particles = particles;
                        particles.weigh(&log_weights).unwrap();
                        let found = particles.resample(scheme, &options, positions).unwrap();
                        assert_eq!(found, expected, "{n}, {kind}, {positions}, {scheme:?}, {isa}");
                        compared += positions;
                    }
                }
            }
        }
    }
    assert!(compared > 50_000);
}

/// Enough particles that threads share them. The reference is slow, so ancestors are compared with a walk along the sums.
#[test]
fn many_particles_on_several_threads() {
    for (n, positions) in [(70_000, 100_000), (100_000, 50_001), (3, 200_000), (200_000, 3)] {
        for kind in 0..KINDS {
            let log_weights = log_weights(n, kind);
            let weights = reference::particle_weights(&log_weights).unwrap();
            let particles = Particles::new(&log_weights).unwrap();
            let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
            for scheme in SCHEMES {
                let options = SampleOptions::default().with_seed(9);
                let all = particles.resample(scheme, &options, positions).unwrap();
                let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
                let again = pool.install(|| particles.resample(scheme, &options, positions));
                assert_eq!(all, again.unwrap(), "{scheme:?}");
                let mut counts = vec![0u128; n];
                all.iter().for_each(|&ancestor| counts[ancestor as usize] += 1);
                for (particle, (&count, &weight)) in counts.iter().zip(&weights).enumerate() {
                    let expected = positions as u128 * u128::from(weight);
                    let (least, more) = (expected / total, !expected.is_multiple_of(total));
                    let what = format!("{scheme:?}, {kind}, {particle}: {count}, {least}");
                    match scheme {
                        // one less or more where the width of a stratum is rounded
                        Resampling::Systematic => {
                            assert!(count + 1 >= least && count <= least + 2, "{what}")
                        }
                        Resampling::Stratified => {
                            assert!(count + 2 >= least && count <= least + 3, "{what}")
                        }
                        _ => assert!(count >= least && (more || count == least), "{what}"),
                    }
                    assert!(weight > 0 || count == 0, "{what}");
                }
                if scheme != Resampling::Residual {
                    assert!(all.is_sorted());
                }
            }
        }
    }
}

/// Over many draw numbers each particle has its share of the positions, and the variance that the scheme promises:
/// systematic and stratified resampling have less of it than independent draws, and residual resampling that of the draws
/// that are left.
#[test]
fn no_scheme_is_biased() {
    const CALLS: u32 = 20_000;
    const POSITIONS: usize = 10;
    let shares = [0.055f64, 0.29, 0.115, 0.02, 0.405, 0.115];
    let log_weights = shares.map(f64::ln);
    let particles = Particles::new(&log_weights).unwrap();
    let mut sequence = Sequence::new(5);
    for scheme in SCHEMES {
        let (mut counts, mut squares) = ([0u64; 6], [0.0; 6]);
        for _ in 0..CALLS {
            let options = sequence.take(&SampleOptions::default()).unwrap();
            let mut of_call = [0u64; 6];
            for ancestor in particles.resample(scheme, &options, POSITIONS).unwrap() {
                of_call[ancestor as usize] += 1;
            }
            for (j, &count) in of_call.iter().enumerate() {
                counts[j] += count;
                squares[j] += (count as f64 - 10.0 * shares[j]).powi(2);
            }
        }
        for (j, share) in shares.into_iter().enumerate() {
            let expected = POSITIONS as f64 * share;
            let (fraction, calls) = (expected - expected.floor(), f64::from(CALLS));
            // the variance of a number that is ⌊expected⌋ or one more
            let least = fraction * (1.0 - fraction);
            let variance = squares[j] / calls;
            let error = counts[j] as f64 / calls - expected;
            let deviation = (variance.max(1e-12) / calls).sqrt();
            assert!(error.abs() < 5.0 * deviation + 1e-9, "{scheme:?}, {j}: {error}, {deviation}");
            let left: f64 = shares.iter().map(|s| 10.0 * s - (10.0 * s).floor()).sum();
            let expected_variance = match scheme {
                Resampling::Systematic => least..least,
                Resampling::Stratified => least..10.0 * share * (1.0 - share),
                _ => {
                    let multinomial = fraction * (1.0 - fraction / left);
                    multinomial..multinomial
                }
            };
            let room = 0.05 * expected_variance.end + 1e-9;
            let within = expected_variance.start - room..=expected_variance.end + room;
            assert!(within.contains(&variance), "{scheme:?}, {j}: {variance}, {within:?}");
        }
    }
}

/// The positions that residual resampling draws are independent, with the fractions that are left.
#[test]
fn what_is_left_is_drawn_by_its_fractions() {
    let shares = [0.26f64, 0.33, 0.41];
    let particles = Particles::new(&shares.map(f64::ln)).unwrap();
    // of 4 positions 1, 1 and 1 are copies, and one is drawn with 0.04, 0.32 and 0.64
    let mut counts = [0u64; 3];
    for draw in 0..40_000 {
        let options = SampleOptions::default().with_seed(3).with_first_draw(draw);
        let all = particles.resample(Resampling::Residual, &options, 4).unwrap();
        assert_eq!(all[..3], [0, 1, 2]);
        counts[all[3] as usize] += 1;
    }
    let p = chi_square(&counts, &[0.04, 0.32, 0.64]);
    assert!(p > ALARM, "{p}");
}

#[test]
fn sizes_and_sums() {
    let particles = Particles::new(&[1e7, 1e7 + 0.5, 1e7 + 1.0]).unwrap();
    assert!((particles.logsumexp() - 10_000_001.680_3).abs() < 1e-4);
    let weights = [1.0, 0.5f64.exp(), 1f64.exp()];
    let (sum, squares) = (weights.iter().sum::<f64>(), weights.iter().map(|w| w * w).sum::<f64>());
    assert!((particles.effective_sample_size() - sum * sum / squares).abs() < 1e-7);
    for n in [1, 2, 1000, 1 << 17] {
        let same = Particles::new(&vec![-3.5; n]).unwrap();
        assert_eq!(same.effective_sample_size(), n as f64);
        assert!((same.logsumexp() - (n as f64).ln() + 3.5).abs() < 1e-9);
    }
    let none = Particles::default();
    assert!(none.is_empty() && none.effective_sample_size() == 0.0);
    assert_eq!(none.logsumexp(), f64::NEG_INFINITY);
}

#[test]
fn what_is_wrong_is_named() {
    let mut particles = Particles::new(&[0.0, 1.0]).unwrap();
    let plain = SampleOptions::default();
    for (log_weights, expected) in [
        (vec![0.0, f64::NAN, f64::INFINITY], Undrawable::Nan { category: 1 }),
        (vec![f64::INFINITY, 0.0], Undrawable::PositiveInfinity { category: 0 }),
        (vec![f64::NEG_INFINITY; 40], Undrawable::NothingDrawable),
    ] {
        let error = particles.weigh(&log_weights).unwrap_err();
        let Error::UndrawableRow { row: 0, reason } = error else { panic!("{error}") };
        assert_eq!(reason, expected);
        assert_eq!(
            reference::particle_weights(&log_weights).unwrap_err().to_string(),
            error.to_string()
        );
        // nothing of the particles before is left
        assert!(particles.is_empty());
        let error = particles.resample(Resampling::Systematic, &plain, 3).unwrap_err();
        assert!(matches!(error, Error::Categories { got: 0 }), "{error}");
    }
    assert!(matches!(particles.weigh(&[]), Err(Error::Categories { got: 0 })));
    particles.weigh(&[0.0; 5]).unwrap();
    let late = plain.with_first_draw(1 << 31);
    let error = particles.resample(Resampling::Systematic, &late, 3).unwrap_err();
    assert!(matches!(error, Error::Draws { .. }), "{error}");
    let ids = plain.with_row_ids(&[1, 2]);
    let error = particles.resample(Resampling::Stratified, &ids, 3).unwrap_err();
    assert!(matches!(error, Error::RowIds { expected: 3, got: 2 }), "{error}");
    let error = particles.resample(Resampling::Stratified, &plain, usize::MAX / 8).unwrap_err();
    assert!(matches!(error, Error::NoMemoryForPoints { .. }), "{error}");
}

/// Many particles of which none has a copy for certain share a position, and each has its chance of it.
#[test]
fn small_fractions_are_not_lost() {
    let n = 1 << 21;
    let mut log_weights = vec![f64::NEG_INFINITY; n];
    log_weights[0] = 0.0;
    // integer weights of 1, beside one of 2⁴¹
    log_weights[1..=n / 2].fill(-28.2);
    let weights = reference::particle_weights(&log_weights).unwrap();
    assert_eq!((weights[0], weights[1], weights[n / 2 + 1]), (1 << 41, 1, 0));
    let particles = Particles::new(&log_weights).unwrap();
    let mut last = Vec::new();
    for draw in 0..8 {
        let options = SampleOptions::default().with_first_draw(draw);
        let all = particles.resample(Resampling::Residual, &options, n).unwrap();
        assert!(all[..n - 1].iter().all(|&ancestor| ancestor == 0));
        last.push(all[n - 1]);
        assert_eq!(all, reference::resample(&weights, Resampling::Residual, &options, n));
    }
    last.sort_unstable();
    last.dedup();
    assert!(
        last.len() == 8 && last.iter().all(|&one| (1..=n as u32 / 2).contains(&one)),
        "{last:?}"
    );
}

/// Ancestors are pinned: another release gives the same.
#[test]
fn golden_ancestors() {
    let particles = Particles::new(&log_weights(12, 1)).unwrap();
    let options = SampleOptions::default().with_first_row(3);
    let all = SCHEMES.map(|scheme| particles.resample(scheme, &options, 12).unwrap());
    assert_eq!(all[0], [0, 1, 1, 1, 3, 3, 5, 7, 7, 8, 9, 11]);
    assert_eq!(all[1], [0, 0, 1, 1, 3, 3, 5, 5, 7, 8, 8, 11]);
    assert_eq!(all[2], [0, 1, 1, 3, 5, 7, 8, 1, 0, 3, 6, 8]);
}
