//! The CPU engine gives the reference's bytes for random batches, with every instruction set of
//! this machine, on one thread and on several.
//!
//! The batches are the same in every run. `PROPTEST_RNG_SEED=7` gives others, `PROPTEST_CASES=2560`
//! ten times as many.

mod batch;
mod faults;
mod restriction;

use std::sync::{Arc, LazyLock};

use gumbel::half::{bf16, f16};
use gumbel::{CpuSampler, Isa, NO_DRAW, Share, reference};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestCaseResult, TestRunner};

use batch::{Batch, batches, long_rows};
use faults::{FAULTS, Fault};
use restriction::{Restriction, restricted_batches};

/// An engine for every instruction set of this machine, on one thread and on three.
#[expect(clippy::unwrap_used, reason = "the instruction sets are there, and so are a few threads")]
static ENGINES: LazyLock<Vec<(CpuSampler, usize)>> = LazyLock::new(|| {
    let mut engines = Vec::new();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let pool = Arc::new(pool);
        for isa in Isa::available() {
            let engine = CpuSampler::new().with_isa(isa).unwrap().with_pool(pool.clone());
            engines.push((engine, threads));
        }
    }
    engines
});

/// Returns a configuration of `cases` cases, if `PROPTEST_CASES` has its usual value of 256, and of
/// proportionally more or fewer otherwise.
fn config(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: (u64::from(cases) * u64::from(usual.cases) / 256).max(1) as u32,
        rng_seed: match usual.rng_seed {
            // a fixed seed, so that a commit passes or fails whenever it is tested
            RngSeed::Random => RngSeed::Fixed(1),
            fixed => fixed,
        },
        // the printed batch is enough to make it again
        failure_persistence: None,
        ..usual
    }
}

/// Checks that every engine's draws are the reference's.
fn holds(batch: &Batch) -> TestCaseResult {
    let data = batch.data();
    compare(batch, batch.logits(&data).into(), batch.logits(&data).into())
}

/// Checks the same for halves: the reference gets their values in `f32`.
fn holds_of_halves(batch: &Batch) -> TestCaseResult {
    let data = batch.data();
    let halves: Vec<_> = data.iter().map(|&x| f16::from_f32(x)).collect();
    let singles: Vec<_> = halves.iter().map(|x| x.to_f32()).collect();
    compare(batch, batch.logits_of(&halves).into(), batch.logits(&singles).into())?;
    let halves: Vec<_> = data.iter().map(|&x| bf16::from_f32(x)).collect();
    let singles: Vec<_> = halves.iter().map(|x| x.to_f32()).collect();
    compare(batch, batch.logits_of(&halves).into(), batch.logits(&singles).into())
}

/// Checks the same for weights and for counts that have these logits.
fn holds_of_weights(batch: &Batch) -> TestCaseResult {
    let batch = batch.of_weights();
    let data = batch.weights();
    let weights = batch.weights_of(&data);
    compare(&batch, weights.into(), weights.into())?;
    let data = batch.counts();
    let counts = batch.weights_of(&data);
    compare(&batch, counts.into(), counts.into())
}

/// Checks that every engine's draws from `logits` are the reference's from `same`.
fn compare(batch: &Batch, logits: gumbel::Batch<'_>, same: gumbel::Batch<'_>) -> TestCaseResult {
    let options = batch.options();
    let expected = reference::sample_rows(same, &options);
    let expected = expected.map_err(|error| TestCaseError::fail(error.to_string()))?;
    for (engine, threads) in &*ENGINES {
        // a word that is neither a draw nor the sentinel
        let mut draws = vec![NO_DRAW - 1; expected.len()];
        let done = engine.sample_rows_into(logits, &options, &mut draws);
        prop_assert!(done.is_ok(), "{done:?}");
        let wrong = draws.iter().zip(&expected).position(|(got, expected)| got != expected);
        if let Some(at) = wrong {
            let (isa, got, expected) = (engine.isa(), draws[at], expected[at]);
            let format = logits.format();
            let wrong =
                format!("{isa} on {threads} threads, {format}: draw {at} is {got}, not {expected}");
            return Err(TestCaseError::fail(wrong));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(2048))]

    #[test]
    fn random_batches(batch in batches()) {
        holds(&batch)?;
    }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn rows_that_are_cut_among_threads(batch in long_rows()) {
        holds(&batch)?;
    }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn random_batches_of_halves(batch in batches()) {
        holds_of_halves(&batch)?;
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn rows_of_halves_that_are_cut_among_threads(batch in long_rows()) {
        holds_of_halves(&batch)?;
    }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn random_batches_of_weights(batch in batches()) {
        holds_of_weights(&batch)?;
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn rows_of_weights_that_are_cut_among_threads(batch in long_rows()) {
        holds_of_weights(&batch)?;
    }
}

proptest! {
    #![proptest_config(config(384))]

    #[test]
    fn random_restricted_batches(batch in restricted_batches()) {
        holds(&batch)?;
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn random_restricted_batches_of_halves_and_weights(batch in restricted_batches()) {
        holds_of_halves(&batch)?;
        holds_of_weights(&batch)?;
    }
}

/// In the restricted batches, each part of a restriction changes draws, and so do other shares and numbers of what is kept.
#[test]
fn the_restricted_batches_tell_faults() {
    type Edit = fn(&mut Restriction);
    let edits: [(&str, Edit); 9] = [
        ("no mask", |of| of.mask = None),
        ("no bias", |of| of.bias = None),
        ("no history", |of| of.history = None),
        ("k + 1", |of| of.truncation.top_k = of.truncation.top_k.map(|k| k.saturating_add(1))),
        ("p of something else", |of| {
            of.truncation.share = match of.truncation.share {
                Share::All => Share::Rest,
                _ => Share::All,
            };
        }),
        ("a larger p", |of| of.truncation.top_p = of.truncation.top_p.map(|p| p * 1.5)),
        ("no min-p", |of| of.truncation.min_p = None),
        ("no epsilon", |of| of.truncation.epsilon = None),
        ("at the draw's temperature", |of| of.truncation.at_temperature = None),
    ];
    let mut runner = TestRunner::new(config(256));
    let mut seen = edits.map(|(name, _)| (name, 0));
    for _ in 0..1000 {
        let batch = restricted_batches().new_tree(&mut runner).unwrap().current();
        let data = batch.data();
        // what engines draw is the reference's, as the tests above see, and takes less time
        let draws = |batch: &Batch| {
            CpuSampler::new().sample_rows(batch.logits(&data), &batch.options()).unwrap()
        };
        let expected = draws(&batch);
        for ((_, count), (_, edit)) in seen.iter_mut().zip(edits) {
            let mut other = batch.clone();
            edit(&mut other.restriction);
            *count += u32::from(draws(&other) != expected);
        }
    }
    println!("of 1000 batches show it: {seen:?}");
    assert!(seen.iter().all(|&(_, count)| count >= 4), "{seen:?}");
}

/// In the batches of weights, a logarithm in `f32` changes draws, and so does a count that is
/// larger by one.
#[test]
fn the_batches_of_weights_tell_faults() {
    let mut runner = TestRunner::new(config(256));
    let mut seen = [0; 2];
    for _ in 0..400 {
        let batch = batches().new_tree(&mut runner).unwrap().current().of_weights();
        let draws = |batch_of: gumbel::Batch<'_>| {
            reference::sample_rows(batch_of, &batch.options()).unwrap()
        };
        let weights = batch.weights();
        let logits: Vec<f32> = weights.iter().map(|weight| weight.ln()).collect();
        let expected = draws(batch.weights_of(&weights).into());
        seen[0] += u32::from(draws(batch.logits(&logits).into()) != expected);
        let counts = batch.counts();
        let more: Vec<u32> = counts.iter().map(|count| count.saturating_add(1)).collect();
        let expected = draws(batch.weights_of(&counts).into());
        seen[1] += u32::from(draws(batch.weights_of(&more).into()) != expected);
    }
    println!("of 400 batches show it: {seen:?}");
    assert!(seen.iter().all(|&count| count >= 4), "{seen:?}");
}

/// The batches are such that mistakes change draws.
#[test]
fn the_batches_tell_faults() {
    let mut runner = TestRunner::new(config(256));
    let mut seen = FAULTS.map(|fault| (fault, 0));
    for _ in 0..400 {
        let batch = batches().new_tree(&mut runner).unwrap().current();
        let data = batch.data();
        let expected = reference::sample_rows(batch.logits(&data), &batch.options()).unwrap();
        assert_eq!(faults::draws(&batch, &data, Fault::None), expected, "{batch:?}");
        for (fault, count) in &mut seen {
            *count += u32::from(faults::draws(&batch, &data, *fault) != expected);
        }
    }
    println!("of 400 batches show it: {seen:?}");
    assert!(seen.iter().all(|&(_, count)| count >= 4), "{seen:?}");
}
