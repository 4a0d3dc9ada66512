//! The three forms of each operation give the same results, on any engine.

use gumbel::engine::Blocking;
use gumbel::{
    Cut, Drafts, Error, LogZ, Logits, Relaxation, SampleOptions, Sampler, Shard, Truncation,
    Weights,
};

/// Compares the three forms of every operation with each other.
///
/// # Errors
/// The engine's errors.
///
/// # Panics
/// If two forms differ, or if a slice of a wrong length is accepted.
pub(crate) fn agree<E: Blocking>(sampler: &Sampler<E>) -> Result<(), Error> {
    let data: Vec<f32> = (0..7 * 50).map(|i| (i * 7919 % 101) as f32 / 16.0).collect();
    let logits = Logits::new(&data, 50)?;
    let weights = Weights::new(&data[..49 * 7], 49)?;
    let options = SampleOptions::default().with_draws(3).with_seed(5).with_first_draw(9);
    fn wait<T>(future: impl Future<Output = T>) -> T {
        pollster::block_on(future)
    }

    let mut draws = vec![7; 21];
    sampler.sample_rows_into(weights, &options, &mut draws)?;
    assert_eq!(draws, sampler.sample_rows(weights, &options)?);
    assert_eq!(draws, wait(sampler.sample_rows_async(weights, &options))?);
    wrong_length(&[0, 20, 22], |n| sampler.sample_rows_into(weights, &options, &mut vec![0; n]));

    for k in [1, 2, 4] {
        let race = sampler.race_rows(logits, &options, k)?;
        let (mut categories, mut keys) = (vec![7; 21 * k], vec![7; 21 * k]);
        sampler.race_rows_into(logits, &options, &mut categories, &mut keys)?;
        assert_eq!((&categories[..], &keys[..]), (race.categories(), race.keys()));
        assert_eq!(race, wait(sampler.race_rows_async(logits, &options, k))?);
    }
    wrong_length(&[0, 20, 22], |n| {
        sampler.race_rows_into(logits, &options, &mut vec![0; n], &mut vec![0; n])
    });
    wrong_length(&[0, 20, 42], |n| {
        sampler.race_rows_into(logits, &options, &mut [0; 21], &mut vec![0; n])
    });

    let mut sums = vec![7.0; 7];
    sampler.logsumexp_rows_into(logits, &options, &mut sums)?;
    assert_eq!(sums, sampler.logsumexp_rows(logits, &options)?);
    assert_eq!(sums, wait(sampler.logsumexp_rows_async(logits, &options))?);
    wrong_length(&[0, 6, 8], |n| sampler.logsumexp_rows_into(logits, &options, &mut vec![0.0; n]));

    let scored = sampler.sample_rows_scored(logits, &options)?;
    let (mut log_probs, mut logsumexps) = (vec![7.0; 21], vec![7.0; 7]);
    let (probs, of_rows) = (&mut log_probs, &mut logsumexps);
    sampler.sample_rows_scored_into(logits, &options, &mut draws, probs, of_rows)?;
    assert_eq!((&draws, &log_probs), (&scored.draws, &scored.log_probs));
    assert_eq!(logsumexps, scored.logsumexps);
    assert_eq!(scored, wait(sampler.sample_rows_scored_async(logits, &options))?);
    for (draws, probs, rows) in [(20, 21, 7), (21, 22, 7), (21, 21, 6)] {
        let mut of = (vec![0; draws], vec![0.0; probs], vec![0.0; rows]);
        wrong_length(&[0], |_| {
            let (draws, probs, rows) = &mut of;
            sampler.sample_rows_scored_into(logits, &options, draws, probs, rows)
        });
    }

    let mut estimates = vec![LogZ::default(); 7];
    sampler.estimate_log_z_into(logits, &options, &mut estimates)?;
    assert_eq!(estimates, sampler.estimate_log_z(logits, &options)?);
    assert_eq!(estimates, wait(sampler.estimate_log_z_async(logits, &options))?);
    wrong_length(&[0, 6, 8], |n| {
        sampler.estimate_log_z_into(logits, &options, &mut vec![LogZ::default(); n])
    });

    let nucleus = options.with_truncation(Truncation::new().with_top_p(0.7));
    let mut cuts = vec![Cut::default(); 7];
    sampler.cut_rows_into(weights, &nucleus, &mut cuts)?;
    assert!(cuts.iter().all(|cut| cut.kept < 49));
    assert_eq!(cuts, sampler.cut_rows(weights, &nucleus)?);
    assert_eq!(cuts, wait(sampler.cut_rows_async(weights, &nucleus))?);
    wrong_length(&[0, 6, 8], |n| {
        sampler.cut_rows_into(weights, &nucleus, &mut vec![Cut::default(); n])
    });

    // one request with a guess for each row but the last; the drafter's rows are the target's
    let once = options.with_draws(1);
    let guesses = &sampler.sample_rows(logits, &once)?[..6];
    let (offsets, drafter) = ([0, 6], Logits::new(&data[..6 * 50], 50)?);
    let drafts = Drafts::chains(&offsets, guesses)?;
    let verified = sampler.verify_rows(logits, &drafts, &once)?;
    assert_eq!(verified, wait(sampler.verify_rows_async(logits, &drafts, &once))?);
    let by_ratio = sampler.verify_rows_by_ratio(logits, drafter, &drafts, &once)?;
    let future = sampler.verify_rows_by_ratio_async(logits, drafter, &drafts, &once);
    assert_eq!((by_ratio, 6), (wait(future)?, verified.accepted(0)));
    let shard = Shard::new(7, 99)?;
    for once in [once, once.with_truncation(Truncation::new().with_top_p(0.7))] {
        let told = sampler.sample_shard(logits, shard, &once)?;
        assert_eq!(told, wait(sampler.sample_shard_async(logits, shard, &once))?);
    }

    for relaxation in [Relaxation::soft(0.5), Relaxation::straight_through(0.5)] {
        let mut samples = vec![7.0; 21 * 50];
        sampler.soften_rows_into(logits, &options, relaxation, &mut samples)?;
        assert_eq!(samples, sampler.soften_rows(logits, &options, relaxation)?);
        assert_eq!(samples, wait(sampler.soften_rows_async(logits, &options, relaxation))?);
        wrong_length(&[0, 1049, 1051], |n| {
            sampler.soften_rows_into(logits, &options, relaxation, &mut vec![0.0; n])
        });
        let mut gradients = vec![7.0; 7 * 50];
        let vjp_into = |cotangents: &[f32], to: &mut [f32]| {
            sampler.soften_rows_vjp_into(logits, &options, relaxation, cotangents, to)
        };
        vjp_into(&samples, &mut gradients)?;
        assert_eq!(gradients, sampler.soften_rows_vjp(logits, &options, relaxation, &samples)?);
        let future = sampler.soften_rows_vjp_async(logits, &options, relaxation, &samples);
        assert_eq!(gradients, wait(future)?);
        wrong_length(&[0, 349, 351], |n| vjp_into(&samples, &mut vec![0.0; n]));
        wrong_length(&[0, 1049, 1051], |n| vjp_into(&vec![0.0; n], &mut [0.0; 350]));
    }

    let cdf = sampler.inverse_cdf(logits, &options)?;
    let draws = cdf.sample_rows(9, 3)?;
    let mut into = vec![7; 21];
    cdf.sample_rows_into(9, &mut into)?;
    assert_eq!(draws, into);
    assert_eq!(draws, wait(cdf.sample_rows_async(9, 3))?);
    let of_future = wait(sampler.inverse_cdf_async(logits, &options))?;
    assert_eq!(draws, of_future.sample_rows(9, 3)?);
    wrong_length(&[0, 20, 22], |n| cdf.sample_rows_into(9, &mut vec![0; n]));
    Ok(())
}

/// Checks that slices of these lengths are refused, with an error about lengths.
fn wrong_length(lengths: &[usize], mut call: impl FnMut(usize) -> Result<(), Error>) {
    for &n in lengths {
        let refused = call(n);
        let as_expected = matches!(
            refused,
            Err(Error::DrawsLength { .. } | Error::FloatsLength { .. } | Error::Draws { .. })
        );
        assert!(as_expected, "{n}: {refused:?}");
    }
}
