//! Draws by inverse CDF: the engine's are the reference's, on awkward batches, with all instruction
//! sets and on any number of threads; a prepared table gives the same draws; and they have the
//! right frequencies.

use crate::common::statistics::{ALARM, chi_square, counts};
use gumbel::conformance::{self, Case};
use gumbel::noise::bits::{Stream, uniform_bits, uniform_block};
use gumbel::reference::{Temperature, weighted_draw, weights};
use gumbel::{
    CpuSampler, Error, Isa, Logits, Method, NO_DRAW, Relaxation, SampleOptions, Undrawable,
    Weights, reference,
};

#[expect(clippy::unwrap_used, reason = "a pool of a few threads can be had")]
fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn engines() -> impl Iterator<Item = CpuSampler> {
    let isas = Isa::available();
    isas.filter_map(|isa| CpuSampler::new().with_isa(isa).ok())
}

/// Returns options to draw from a case by inverse CDF, `draws` times as often as the case does.
fn options(case: &Case, draws: u32) -> SampleOptions<'_> {
    let options = case.options().with_method(Method::InverseCdf);
    let most = (1 << 31) - options.first_draw;
    options.with_draws((options.draws * draws).min(most))
}

/// Returns the cases, each with few draws, and those that are not too large with more draws too.
fn cases() -> impl Iterator<Item = (Case, u32)> {
    conformance::cases().flat_map(|case| {
        let work = case.batch().rows() * case.batch().categories();
        let many = (work < 10_000).then(|| (case.clone(), 7));
        [(case, 1)].into_iter().chain(many)
    })
}

/// All cases of the conformance suite, on 1, 2 and 7 threads.
#[test]
fn every_case_on_any_number_of_threads() {
    let pools = [1, 2, 7].map(pool);
    for (case, draws) in cases() {
        let (logits, options) = (case.batch(), options(&case, draws));
        let expected = reference::sample_rows(logits, &options).unwrap();
        for engine in engines() {
            for pool in &pools {
                let drawn = pool.install(|| engine.sample_rows(logits, &options)).unwrap();
                assert!(drawn == expected, "{case}, {draws} times, {pool:?}, {engine:?}");
                let prepared = pool.install(|| engine.inverse_cdf(logits, &options)).unwrap();
                let drawn =
                    pool.install(|| prepared.sample_rows(options.first_draw, options.draws));
                assert!(drawn.unwrap() == expected, "prepared: {case}, {draws} times, {engine:?}");
            }
        }
    }
}

fn inverse() -> SampleOptions<'static> {
    SampleOptions::default().with_method(Method::InverseCdf)
}

#[expect(clippy::unwrap_used, reason = "a row is a whole number of rows")]
fn row(data: &[f32]) -> Logits<'_> {
    Logits::new(data, data.len()).unwrap()
}

/// The comparison above notices an engine that uses another seed, and one that uses another draw
/// number.
#[test]
fn faults_are_seen() {
    let mut seen = [0; 2];
    for case in conformance::cases().filter(|case| case.batch().categories() <= 256) {
        let (logits, options) = (case.batch(), options(&case, 1));
        let expected = reference::sample_rows(logits, &options).unwrap();
        let others =
            [options.with_seed(options.seed ^ 1), options.with_first_draw(options.first_draw ^ 1)];
        for (seen, others) in seen.iter_mut().zip(others) {
            // no draw follows the last of all draws
            let drawn = CpuSampler::new().sample_rows(logits, &others);
            *seen += usize::from(drawn.is_ok_and(|drawn| drawn != expected));
        }
    }
    assert!(seen.iter().all(|&seen| seen > 50), "{seen:?}");
}

/// The draws are a promise: a change of any of these is Value-breaking. The values are from an
/// implementation in Python's integers.
#[test]
fn golden_draws() {
    let ramp: Vec<f32> = (0..1000).map(|i| (i * 7919 % 1009) as f32 / 128.0).collect();
    let options = inverse().with_seed(42).with_first_row(7).with_draws(8);
    let draw = |options| CpuSampler::new().sample_rows(row(&ramp), &options).unwrap();
    assert_eq!(draw(options), GOLDEN[0]);
    assert_eq!(draw(options.with_first_draw(3)), GOLDEN[1]);
    assert_eq!(draw(options.with_temperature(0.5)), GOLDEN[2]);
    let few = weights(&[0.0, 1.0, -20.0, f32::NEG_INFINITY], Temperature::new(0.7).unwrap());
    assert_eq!(few.unwrap(), GOLDEN_WEIGHTS);
    let stream = Stream::new(42, 7, 3);
    assert_eq!(uniform_bits(uniform_block(stream), 3), GOLDEN_UNIFORM);
}

const GOLDEN: [[u32; 8]; 3] = [
    [587, 291, 917, 462, 562, 832, 574, 198],
    [462, 562, 832, 574, 198, 60, 101, 36],
    [587, 291, 911, 462, 561, 831, 574, 198],
];
const GOLDEN_WEIGHTS: [u64; 4] = [276298824127873024, 1152921504606846976, 107886, 0];
const GOLDEN_UNIFORM: u64 = 8488728229174224034;

/// Draws made in two calls are those of one, wherever the draws are divided; so are those of
/// prepared tables.
#[test]
fn calls_can_be_cut() {
    let data: Vec<f32> = (0..3 * 70).map(|i| (i % 17) as f32 / 4.0).collect();
    let logits = Logits::new(&data, 70).unwrap();
    let prepared = CpuSampler::new().inverse_cdf(logits, &inverse()).unwrap();
    let whole = CpuSampler::new().sample_rows(logits, &inverse().with_draws(100)).unwrap();
    for cut in [1, 2, 31, 32, 33, 99] {
        let first = CpuSampler::new().sample_rows(logits, &inverse().with_draws(cut)).unwrap();
        let options = inverse().with_first_draw(cut).with_draws(100 - cut);
        let second = CpuSampler::new().sample_rows(logits, &options).unwrap();
        assert_eq!(prepared.sample_rows(cut, 100 - cut).unwrap(), second);
        for r in 0..3 {
            let cut = cut as usize;
            let joined = [&first[r * cut..][..cut], &second[r * (100 - cut)..][..100 - cut]];
            assert_eq!(joined.concat(), whole[100 * r..][..100]);
        }
    }
}

/// Chi-square over a row of 1,000 categories of which some are masked: 10⁶ draws of one row, and one
/// draw of each of 10⁶ rows; false alarms: 10⁻⁶ each.
#[test]
fn frequencies_fit() {
    let mut data: Vec<f32> = (0..1000).map(|i| (i * 7919 % 1009) as f32 / 200.0).collect();
    data.iter_mut().step_by(7).for_each(|x| *x = f32::NEG_INFINITY);
    let weights: Vec<f64> = data.iter().map(|&x| f64::from(x).exp()).collect();
    let total: f64 = weights.iter().sum();
    let fit =
        |draws: Vec<u32>, probabilities: &[f64]| chi_square(&counts(draws, 1000), probabilities);
    let mut probabilities: Vec<f64> = weights.iter().map(|w| w / total).collect();
    let many = inverse().with_seed(11).with_draws(1_000_000);
    let p = fit(CpuSampler::new().sample_rows(row(&data), &many).unwrap(), &probabilities);
    assert!(p > ALARM, "{p:e}");
    let rows = Logits::strided(&data, 1_000_000, 1000, 0).unwrap();
    let drawn = CpuSampler::new().sample_rows(rows, &inverse().with_seed(12)).unwrap();
    let p = fit(drawn.clone(), &probabilities);
    assert!(p > ALARM, "{p:e}");
    // the test notices probabilities that are off by 3 %, up and down in turn
    probabilities.iter_mut().enumerate().for_each(|(i, p)| *p *= 0.97 + 0.06 * (i % 2) as f64);
    assert!(fit(drawn, &probabilities) < ALARM);
}

/// Integer weights against f64. Their error is at most 2⁻³⁰ of themselves, plus half an integer,
/// plus the effect of rounding a logit to a multiple of 2⁻²⁴.
#[test]
fn weights_are_exponentials() {
    for temperature in [0.3f32, 1.0, 7.0] {
        for n in [3usize, 1000, 70_000] {
            let data: Vec<f32> = (0..n).map(|i| ((i * 7919 % 10_007) as f32) / -333.0).collect();
            let scale = f64::from(1.0 / temperature);
            let got = weights(&data, Temperature::new(temperature).unwrap()).unwrap();
            let most = 2f64.powi(62 - n.ilog2() as i32);
            assert_eq!(got[0] as f64, most);
            for (&got, &x) in got.iter().zip(&data) {
                let exact = (f64::from(x) * scale).exp() * most;
                let slack = 0.5 + exact * (2f64.powi(-30) + 2f64.powi(-25)) * 1.01;
                assert!((got as f64 - exact).abs() < slack, "{got}, {exact}, {x}");
            }
        }
    }
}

/// A category just above the resolution is in the table and one just below is not.
#[test]
fn the_edge_of_the_resolution() {
    let edge = -54.0 * std::f32::consts::LN_2;
    let mut data = vec![f32::NEG_INFINITY; 1000];
    data[0] = 0.0;
    for (logit, weight) in [(edge + 1e-4, 1), (edge - 1e-4, 0)] {
        data[999] = logit;
        assert_eq!(weights(&data, Temperature::new(1.0).unwrap()).unwrap()[999], weight);
    }
}

/// A draw is the first category whose sum exceeds the point: this holds at both ends, and a weight
/// of 0 is never drawn.
#[test]
fn weights_of_zero_are_never_drawn() {
    let mut data = vec![f32::NEG_INFINITY; 300];
    for at in [0, 131, 299] {
        data.fill(f32::NEG_INFINITY);
        data[at] = -3.0;
        let draws = CpuSampler::new().sample_rows(row(&data), &inverse().with_draws(1000)).unwrap();
        assert!(draws.iter().all(|&draw| draw as usize == at));
        assert_eq!(weighted_draw(&vec![0; at], Stream::new(0, 0, 0)), None);
    }
}

/// A row without a draw is named, or gets the sentinel, and harms no other row.
#[test]
fn rows_without_a_draw() {
    let mut data = vec![0.5f32; 5 * 40];
    data[40 + 13] = f32::NAN;
    data[80..120].fill(f32::NEG_INFINITY);
    data[160] = f32::INFINITY;
    let logits = Logits::new(&data, 40).unwrap();
    let engine = CpuSampler::new();
    let nan = Undrawable::Nan { category: 13 };
    for options in [inverse(), inverse().with_draws(3), inverse().with_temperature(0.0)] {
        for error in
            [engine.sample_rows(logits, &options).err(), engine.inverse_cdf(logits, &options).err()]
        {
            assert!(
                matches!(error, Some(Error::UndrawableRow { row: 1, reason }) if reason == nan),
                "{error:?}"
            );
        }
        let options = options.with_sentinels(true);
        let prepared = engine.inverse_cdf(logits, &options).unwrap();
        let drawn = engine.sample_rows(logits, &options).unwrap();
        for draws in [drawn, prepared.sample_rows(0, options.draws).unwrap()] {
            let rows: Vec<_> = draws
                .chunks(options.draws as usize)
                .map(|row| row.iter().all(|&draw| draw == NO_DRAW))
                .collect();
            assert_eq!(rows, [false, true, true, false, true]);
        }
    }
}

/// Calls with sizes that make no sense are refused.
#[test]
fn errors_of_kept_tables() {
    let data = [0.0; 6];
    let prepared =
        CpuSampler::new().inverse_cdf(Logits::new(&data, 3).unwrap(), &inverse()).unwrap();
    assert_eq!((prepared.rows(), prepared.categories()), (2, 3));
    let error = prepared.sample_rows_into(0, &mut [0; 5]);
    assert!(matches!(error, Err(Error::DrawsLength { expected: 4, got: 5 })), "{error:?}");
    for (first, draws) in [(0, 0), (1 << 31, 1), ((1 << 31) - 2, 3)] {
        let error = prepared.sample_rows(first, draws);
        assert!(matches!(error, Err(Error::Draws { .. })), "{error:?}");
    }
    let none = CpuSampler::new().inverse_cdf(Logits::new(&[], 3).unwrap(), &inverse()).unwrap();
    assert_eq!(none.sample_rows(0, 5).unwrap(), [0; 0]);
}

/// Auto is one method or the other, by shape alone; and the default draws are those of Gumbel
/// noise, as ever.
#[test]
fn auto_is_a_function_of_the_shape() {
    let data: Vec<f32> = (0..100).map(|i| (i % 13) as f32).collect();
    let draw = |method, draws| {
        let options = SampleOptions::default().with_method(method).with_draws(draws);
        CpuSampler::new().sample_rows(row(&data), &options).unwrap()
    };
    let edge = Method::MANY_DRAWS;
    assert_eq!(draw(Method::Auto, edge - 1), draw(Method::Gumbel, edge - 1));
    assert_eq!(draw(Method::Auto, edge), draw(Method::InverseCdf, edge));
    assert_ne!(draw(Method::Gumbel, edge), draw(Method::InverseCdf, edge));
    assert_eq!(Method::Auto.resolve(Method::MOST_CATEGORIES + 1, 1 << 20), Method::Gumbel);
    assert_eq!(SampleOptions::default().method, Method::Gumbel);
}

/// At temperature 1 weights are added up as they are: a draw depends on their ratios only, exactly.
#[test]
fn weights_and_counts_are_added_up_as_they_are() {
    let counts: Vec<u32> = (0..300).map(|i| i * 7919 % 1009).collect();
    let exact: Vec<u64> = counts.iter().map(|&count| count.into()).collect();
    // 2⁻¹⁴⁰ is subnormal for the smaller ones
    let tiny: Vec<f32> = counts.iter().map(|&count| count as f32 * 2f32.powi(-140)).collect();
    let huge: Vec<f32> = counts.iter().map(|&count| count as f32 * 2f32.powi(117)).collect();
    let options = inverse().with_draws(20_000).with_seed(5);
    let draw = |batch: Weights<'_>| CpuSampler::new().sample_rows(batch, &options).unwrap();
    let expected: Vec<_> =
        (0..20_000).filter_map(|i| weighted_draw(&exact, Stream::new(5, 0, i))).collect();
    assert_eq!(draw(Weights::from_counts(&counts, 300).unwrap()), expected);
    for weights in [tiny, huge] {
        assert_eq!(draw(Weights::new(&weights, 300).unwrap()), expected);
    }
    // one of the counts is larger by 1, which the draws show
    let mut other = exact;
    other[77] += 1;
    let others = (0..20_000).filter_map(|i| weighted_draw(&other, Stream::new(5, 0, i)));
    assert!(others.ne(expected.iter().copied()));
}

/// Draws have their log-probabilities by either method.
#[test]
fn draws_are_scored() {
    let data: Vec<f32> = (0..100).map(|i| (i % 13) as f32).collect();
    let (engine, options) = (CpuSampler::new(), inverse().with_draws(500));
    let scored = engine.sample_rows_scored(row(&data), &options).unwrap();
    assert_eq!(scored.draws, engine.sample_rows(row(&data), &options).unwrap());
    let sum = data.iter().map(|&x| f64::from(x).exp()).sum::<f64>().ln();
    assert!((scored.logsumexps[0] - sum).abs() < 1e-5);
    for (&draw, log_prob) in scored.draws.iter().zip(scored.log_probs) {
        assert!((log_prob - (f64::from(data[draw as usize]) - sum)).abs() < 1e-5);
    }
}

/// Operations on Gumbel noise are refused for draws without it.
#[test]
fn races_need_noise() {
    let (engine, logits) = (CpuSampler::new(), row(&[0.0, 1.0]));
    let auto = SampleOptions::default().with_method(Method::Auto).with_draws(Method::MANY_DRAWS);
    for options in [inverse(), auto] {
        let errors = [
            engine.race_rows(logits, &options, 1).err(),
            reference::race_rows(logits, &options, 2).err(),
            engine.estimate_log_z(logits, &options).err(),
            engine.soften_rows(logits, &options, Relaxation::soft(1.0)).err(),
        ];
        for error in errors {
            let error = error.expect("it is refused");
            assert!(matches!(error, Error::NeedsGumbel { .. }), "{error:?}");
        }
    }
    let error = engine.race_rows(logits, &inverse(), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a race needs Method::Gumbel, but the options ask for an inverse CDF (or for Method::Auto, \
         which is that for so many draws)"
    );
    assert!(engine.race_rows(logits, &auto.with_draws(1), 1).is_ok());
}
