//! Which categories truncations and masks leave, for every operation.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use gumbel::half::bf16;
use gumbel::{
    Allowed, CpuSampler, Cut, Error, Isa, Logits, Method, Relaxation, SampleOptions, Share,
    Truncation, Weights, conformance, reference,
};

mod corners;
mod doubt;
mod errors;
mod oracle;
mod short_ways;

/// The categories that are kept, as an engine's draws, cuts, sums and soft samples tell.
fn kept(logits: &[f32], options: SampleOptions<'_>) -> Vec<usize> {
    let (sampler, batch) = (CpuSampler::new(), Logits::new(logits, logits.len()).unwrap());
    // every kept category is among the first of a race, and no other
    let k = logits.len();
    let race = sampler.race_rows(batch, &options, k).unwrap();
    let mut kept: Vec<usize> = race.race(0).map(|winner| winner.category as usize).collect();
    kept.sort_unstable();

    let soft = sampler.soften_rows(batch, &options, Relaxation::soft(1e4)).unwrap();
    let in_soft: Vec<usize> = (0..k).filter(|&i| soft[i] > 0.0).collect();
    assert_eq!(in_soft, kept, "soft samples");
    let cut = sampler.cut_rows(batch, &options).unwrap()[0];
    assert_eq!(cut.kept as usize, kept.len(), "{cut:?}");
    let least = kept.iter().map(|&i| logits[i]).fold(f32::INFINITY, f32::min);
    assert_eq!(cut.threshold, f64::from(least), "{cut:?}");
    let sum: f64 = kept.iter().map(|&i| f64::from(logits[i] / options.temperature).exp()).sum();
    let found = sampler.logsumexp_rows(batch, &options).unwrap()[0];
    assert!((found - sum.ln()).abs() < 1e-5, "{found}, {}", sum.ln());
    kept
}

fn kept_by(logits: &[f32], truncation: Truncation) -> Vec<usize> {
    kept(logits, SampleOptions::default().with_truncation(truncation))
}

/// The edges of each cut, a line each.
#[test]
fn edges() {
    let new = Truncation::new;
    let all = vec![0, 1, 2, 3];
    let steps = [0.0, 3.0, 1.0, 2.0];
    // top-k
    assert_eq!(kept_by(&steps, new().with_top_k(1)), [1]);
    assert_eq!(kept_by(&steps, new().with_top_k(4)), all);
    assert_eq!(kept_by(&steps, new().with_top_k(u32::MAX)), all);
    // ties at the boundary are kept, all of them
    assert_eq!(kept_by(&[1.0, 0.0, 1.0, 1.0], new().with_top_k(2)), [0, 2, 3]);
    assert_eq!(kept_by(&[0.5; 4], new().with_top_k(1)), all);
    assert_eq!(kept_by(&[0.0, -0.0, -1.0, -1.0], new().with_top_k(1)), [0, 1]);
    // −∞ is not counted
    assert_eq!(
        kept_by(&[f32::NEG_INFINITY, 0.0, 1.0, f32::NEG_INFINITY], new().with_top_k(3)),
        [1, 2]
    );
    // top-p: the category that crosses p is kept; half and half, exactly at the boundary
    assert_eq!(kept_by(&[0.0, 0.0, -100.0, -100.0], new().with_top_p(0.5)), [0, 1]);
    assert_eq!(kept_by(&steps, new().with_top_p(f32::MIN_POSITIVE)), [1]);
    assert_eq!(kept_by(&steps, new().with_top_p(f32::from_bits(1))), [1]);
    assert_eq!(kept_by(&steps, new().with_top_p(1.0)), all);
    assert_eq!(kept_by(&steps, new().with_top_p(7.0)), all);
    assert_eq!(kept_by(&steps, new().with_top_p(0.643)), [1]);
    assert_eq!(kept_by(&steps, new().with_top_p(0.645)), [1, 3]);
    // just below 1, the last is kept if it counts at all
    assert_eq!(kept_by(&steps, new().with_top_p(1.0 - f32::EPSILON)), all);
    assert_eq!(kept_by(&[0.0, -40.0], new().with_top_p(1.0 - f32::EPSILON)), [0]);
    // min-p: at least a share of the largest
    let ln2 = std::f32::consts::LN_2;
    assert_eq!(kept_by(&[0.0, -ln2, -2.0 * ln2, -1.0], new().with_min_p(0.25)), all);
    assert_eq!(kept_by(&[0.0, -ln2, -2.0 * ln2, -1.0], new().with_min_p(0.5)), [0, 1]);
    assert_eq!(kept_by(&steps, new().with_min_p(1.0)), [1]);
    assert_eq!(kept_by(&steps, new().with_min_p(0.0)), all);
    // epsilon: the most probable is kept in any case
    assert_eq!(kept_by(&steps, new().with_epsilon(0.2)), [1, 3]);
    assert_eq!(kept_by(&steps, new().with_epsilon(1.0)), [1]);
    assert_eq!(kept_by(&steps, new().with_epsilon(0.0)), all);
    // what top-p is a share of: of the top 2, category 1 has 0.73, and of all 0.64
    let both = new().with_top_k(2).with_top_p(0.7);
    assert_eq!(kept_by(&steps, both), [1]);
    assert_eq!(kept_by(&steps, both.with_share(Share::All)), [1, 3]);
    let rest = new().with_min_p(0.3).with_top_p(0.7);
    assert_eq!(kept_by(&steps, rest), [1, 3]);
    assert_eq!(kept_by(&steps, rest.with_share(Share::Rest)), [1]);
    // the temperature of the draw, and one of the cut's own
    let hot = SampleOptions::default().with_temperature(10.0);
    let nucleus = new().with_top_p(0.6);
    assert_eq!(kept(&steps, hot.with_truncation(nucleus)), [1, 2, 3]);
    assert_eq!(kept(&steps, hot.with_truncation(nucleus.with_at_temperature(1.0))), [1]);
    // one category
    assert_eq!(kept_by(&[-7.0], new().with_top_k(1).with_top_p(0.1).with_min_p(1.0)), [0]);
}

/// What lies above a category may have exactly the share p: then the category is cut, as less is asked for.
#[test]
fn exactly_at_the_boundary() {
    let counts = Weights::from_counts(&[2, 1, 0, 1], 4).unwrap();
    let kept = |p: f32| {
        let options = SampleOptions::default().with_truncation(Truncation::new().with_top_p(p));
        let cut = CpuSampler::new().cut_rows(counts, &options).unwrap()[0];
        assert_eq!(cut, reference::cut_rows(counts, &options).unwrap()[0]);
        cut.kept
    };
    assert_eq!(kept(0.5), 1);
    assert_eq!(kept(f32::from_bits(0.5f32.to_bits() + 1)), 3);
}

/// The same seed draws the same category with and without a truncation, unless that category is cut.
#[test]
fn a_draw_stays_unless_it_is_cut() {
    let data: Vec<f32> = (0..5 * 6000).map(|i| ((i * 7919) % 1013) as f32 / 120.0).collect();
    let truncation = Truncation::new().with_top_p(0.6);
    for categories in [40, 1000, 6000] {
        let logits = Logits::new(&data[..5 * categories], categories).unwrap();
        let options = SampleOptions::default().with_draws(200);
        let sampler = CpuSampler::new();
        let free = sampler.sample_rows(logits, &options).unwrap();
        let cut_options = options.with_truncation(truncation);
        let cut = sampler.sample_rows(logits, &cut_options).unwrap();
        let cuts = sampler.cut_rows(logits, &cut_options).unwrap();
        let (mut same, mut others) = (0, 0);
        for (i, (&free, &cut)) in free.iter().zip(&cut).enumerate() {
            let row = &data[i / 200 * categories..][..categories];
            let is_kept = |draw: u32| f64::from(row[draw as usize]) >= cuts[i / 200].threshold;
            assert!(is_kept(cut));
            assert_eq!(free == cut, is_kept(free));
            same += usize::from(free == cut);
            others += usize::from(free != cut);
        }
        assert!(same > 300 && others > 100, "{same}, {others}");
    }
}

/// The cuts of all cases are the reference's, with every instruction set.
#[test]
fn cuts_are_the_references() {
    let mut seen = 0;
    for case in conformance::restricted_cases() {
        let expected = reference::cut_rows(case.batch(), &case.options()).unwrap();
        for isa in Isa::available() {
            let engine = CpuSampler::new().with_isa(isa).unwrap();
            let cuts = engine.cut_rows(case.batch(), &case.options()).unwrap();
            assert_eq!(cuts.len(), expected.len());
            for (found, expected) in cuts.iter().zip(&expected) {
                let same = found == expected || found.is_none() && expected.is_none();
                assert!(same, "{case}: {found:?}, {expected:?}");
            }
        }
        seen += expected.iter().filter(|cut| cut.share < 1.0).count();
    }
    assert!(seen > 300, "{seen}");
}

/// The draws of a cut row have the probabilities of what is kept.
#[test]
fn draws_have_the_probabilities_of_what_is_kept() {
    let logits: Vec<f32> = (0..300).map(|i| ((i * 37) % 100) as f32 / 10.0).collect();
    let truncation = Truncation::new().with_top_p(0.8).with_top_k(60);
    for method in [Method::Gumbel, Method::InverseCdf] {
        let options = SampleOptions::default()
            .with_seed(7)
            .with_draws(200_000)
            .with_method(method)
            .with_truncation(truncation);
        let kept = reference::kept_row(&logits, &truncation, 1.0).unwrap();
        let weight = |i: usize| if kept[i] { f64::from(logits[i]).exp() } else { 0.0 };
        let total: f64 = (0..300).map(weight).sum();
        let draws =
            CpuSampler::new().sample_rows(Logits::new(&logits, 300).unwrap(), &options).unwrap();
        let mut counts = vec![0.0; 300];
        draws.iter().for_each(|&draw| counts[draw as usize] += 1.0);
        let (mut chi2, mut kinds) = (0.0, 0);
        for i in 0..300 {
            let expected = 2e5 * weight(i) / total;
            assert_eq!(counts[i] > 0.0, kept[i], "category {i}");
            if kept[i] {
                chi2 += (counts[i] - expected).powi(2) / expected;
                kinds += 1;
            }
        }
        // five standard deviations
        let df = f64::from(kinds - 1);
        assert!(kinds > 20 && chi2 < df + 5.0 * (2.0 * df).sqrt(), "{method}: {chi2} of {kinds}");
    }
}

/// Log-probabilities are those of what is kept.
#[test]
fn log_probabilities_are_of_what_is_kept() {
    let logits = [0.0, 3.0, 1.0, 2.0];
    let options =
        SampleOptions::default().with_draws(50).with_truncation(Truncation::new().with_top_k(2));
    let batch = Logits::new(&logits, 4).unwrap();
    let scored = CpuSampler::new().sample_rows_scored(batch, &options).unwrap();
    let sum = (3f64.exp() + 2f64.exp()).ln();
    for (draw, log_prob) in scored.draws.iter().zip(&scored.log_probs) {
        assert!((log_prob - (f64::from(logits[*draw as usize]) - sum)).abs() < 1e-5);
    }
}

/// Draws from a kept table are those of one call.
#[test]
fn kept_tables_are_of_what_is_kept() {
    let logits: Vec<f32> = (0..3 * 700).map(|i| ((i * 37) % 101) as f32 / 12.0).collect();
    let batch = Logits::new(&logits, 700).unwrap();
    let options = SampleOptions::default()
        .with_method(Method::InverseCdf)
        .with_truncation(Truncation::new().with_top_k(9));
    let sampler = CpuSampler::new();
    let table = sampler.inverse_cdf(batch, &options).unwrap();
    let draws = table.sample_rows(5, 300).unwrap();
    let call = options.with_first_draw(5).with_draws(300);
    assert_eq!(draws, sampler.sample_rows(batch, &call).unwrap());
    assert_eq!(draws, reference::sample_rows(batch, &call).unwrap());
    let free = call.with_truncation(Truncation::new());
    assert_ne!(draws, sampler.sample_rows(batch, &free).unwrap());
}

/// Soft samples and gradients of restricted rows are the reference's: nothing, and no gradient, for what is cut.
#[test]
fn soft_samples_are_of_what_is_kept() {
    let logits: Vec<f32> = (0..4 * 90).map(|i| ((i * 37) % 101) as f32 / 12.0).collect();
    let batch = Logits::new(&logits, 90).unwrap();
    let options = SampleOptions::default()
        .with_draws(2)
        .with_temperature(0.8)
        .with_truncation(Truncation::new().with_top_p(0.9))
        .with_allowed(Allowed::shared(&[0xffff_0fff, 0x1234_5678, !0]));
    let (sampler, soft) = (CpuSampler::new(), Relaxation::soft(0.7));
    let samples = sampler.soften_rows(batch, &options, soft).unwrap();
    let expected = reference::soften_rows(batch, &options, soft).unwrap();
    let cotangents: Vec<f32> = (0..samples.len()).map(|i| (i % 7) as f32 - 3.0).collect();
    let gradients = sampler.soften_rows_vjp(batch, &options, soft, &cotangents).unwrap();
    let exact = reference::soften_rows_vjp(batch, &options, soft, &cotangents).unwrap();
    let zeros = expected.iter().filter(|&&y| y == 0.0).count();
    assert!(zeros > 100 && zeros < 700, "{zeros}");
    for (found, expected) in samples.iter().zip(&expected).chain(gradients.iter().zip(&exact)) {
        assert!((f64::from(*found) - expected).abs() < 1e-5, "{found}, {expected}");
        assert_eq!(*found == 0.0, *expected == 0.0);
    }
}

/// Weights, counts and f64 are cut by their own values.
#[test]
fn thresholds_are_values_of_the_row() {
    let sampler = CpuSampler::new();
    let options = SampleOptions::default().with_truncation(Truncation::new().with_top_k(2));
    let one = |cuts: Result<Vec<Cut>, Error>| cuts.unwrap()[0];
    let weights = Weights::new(&[0.5, 8.0, 0.0, 2.0], 4).unwrap();
    let cut = one(sampler.cut_rows(weights, &options));
    assert_eq!((cut.threshold, cut.kept, cut.share), (2.0, 2, 10.0 / 10.5));
    let counts = Weights::from_counts(&[u32::MAX, 7, u32::MAX - 1, 0], 4).unwrap();
    let cut = one(sampler.cut_rows(counts, &options));
    assert_eq!((cut.threshold, cut.kept), (f64::from(u32::MAX - 1), 2));
    let nucleus = SampleOptions::default().with_truncation(Truncation::new().with_top_p(0.3));
    for counts in [[u32::MAX, 7, u32::MAX, 0], [u32::MAX; 4]] {
        let cut = one(sampler.cut_rows(Weights::from_counts(&counts, 4).unwrap(), &nucleus));
        let largest = counts.iter().filter(|&&count| count == u32::MAX).count();
        assert_eq!((cut.threshold, cut.kept), (f64::from(u32::MAX), largest as u32));
    }
    let far = [1e15, 1e15 + 1.0, 1e15 + 0.5, 0.0];
    let cut = one(sampler.cut_rows(Logits::from_f64(&far, 4).unwrap(), &options));
    assert_eq!((cut.threshold, cut.kept), (1e15 + 0.5, 2));
    let halves = [0.1, 0.3, 0.2].map(bf16::from_f32);
    let cut = one(sampler.cut_rows(Logits::from_bf16(&halves, 3).unwrap(), &options));
    assert_eq!((cut.threshold, cut.kept), (halves[2].to_f64(), 2));
}
