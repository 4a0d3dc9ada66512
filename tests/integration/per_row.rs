//! Rows with seeds, temperatures and first draws of their own, and rows that are gathered.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use gumbel::conformance::{self, Case, SumTolerance};
use gumbel::engine::Blocking;
use gumbel::{
    CpuSampler, Error, GumbelRow, Isa, Logits, Method, NO_DRAW, Relaxation, SampleOptions, Sampler,
    Weights, reference,
};

use crate::common::per_row::agree;

/// Engines with all instruction sets, and one without the filter.
fn engines() -> impl Iterator<Item = CpuSampler> {
    let isas = Isa::available().map(|isa| CpuSampler::new().with_isa(isa).unwrap());
    isas.chain([CpuSampler::new().with_filter(false)])
}

#[test]
fn every_engine_agrees_with_the_reference() {
    let mut compared = 0;
    let others = conformance::copied_cases().chain(conformance::restricted_cases());
    for case in conformance::per_row_cases().chain(others) {
        let (expected, cdf) = (case.expected(), case.expected_inverse_cdf().unwrap());
        let races = [1, 3].map(|k| case.expected_race(k).unwrap());
        let sums = case.expected_logsumexp().unwrap();
        let scored = case.expected_scores().unwrap();
        for engine in engines() {
            assert_eq!(case.mismatches(&engine, &expected).unwrap(), 0, "{case}, {}", engine.isa());
            assert_eq!(case.inverse_cdf_mismatches(&engine, &cdf).unwrap(), 0, "{case}");
            for race in &races {
                assert_eq!(case.race_mismatches(&engine, race).unwrap(), 0, "{case}");
            }
            let error = case.logsumexp_error(&engine, SumTolerance::CPU, &sums).unwrap();
            assert!(error <= 1.0, "{case}: {error}");
            let log_probs = SumTolerance::CPU_LOG_PROBS;
            let error = case.log_probs_error(&engine, log_probs, &scored).unwrap();
            assert!(error <= 1.0, "{case}: {error}");
            compared += expected.len();
        }
    }
    assert!(compared > 10_000, "{compared}");
}

#[test]
fn a_call_gives_what_the_calls_for_its_rows_give() {
    agree(&CpuSampler::new(), 0.0).unwrap();
    let either: Sampler = CpuSampler::new().into();
    agree(&either, 0.0).unwrap();
    for isa in Isa::available() {
        agree(&CpuSampler::new().with_isa(isa).unwrap(), 0.0).unwrap();
    }
}

/// Each of the options decides draws, and of its row alone: draws change in a row whose option is changed, and in no
/// other.
#[test]
fn another_option_of_a_row_changes_the_draws_of_that_row() {
    let data: Vec<f32> = (0..4 * 97).map(|i| (i * 31 % 17) as f32 / 8.0).collect();
    let logits = Logits::new(&data, 97).unwrap();
    let plain = SampleOptions::default().with_draws(200);
    let draws =
        |options: SampleOptions<'_>| CpuSampler::new().sample_rows(logits, &options).unwrap();
    let (seeds, temperatures, firsts, rows) =
        ([1, 2, 3, 4], [1.0, 0.5, 2.0, 0.0], [0, 0, 7, 7], [3, 1, 1, 0]);
    let own = plain
        .with_seeds(&seeds)
        .with_temperatures(&temperatures)
        .with_first_draws(&firsts)
        .with_row_indices(&rows);
    let before = draws(own);
    for changed in [
        draws(own.with_seeds(&[1, 9, 3, 4])),
        draws(own.with_temperatures(&[1.0, 5.0, 2.0, 0.0])),
        draws(own.with_first_draws(&[0, 1000, 7, 7])),
        draws(own.with_row_indices(&[3, 2, 1, 0])),
    ] {
        for (row, (before, after)) in before.chunks(200).zip(changed.chunks(200)).enumerate() {
            assert_eq!(before != after, row == 1, "row {row}");
        }
    }
}

/// Compares a result with the message that it should be.
fn refused<T>(result: Result<T, Error>, message: &str) {
    assert_eq!(result.map(|_| ()).unwrap_err().to_string(), message);
}

#[test]
fn wrong_options_of_rows_are_refused() {
    let logits = Logits::new(&[0.0; 6], 2).unwrap();
    let plain = SampleOptions::default();
    let sampler = CpuSampler::new();
    let draw = |options: SampleOptions<'_>| sampler.sample_rows(logits, &options);
    refused(draw(plain.with_seeds(&[1, 2])), "3 rows need as many seeds, got 2");
    refused(draw(plain.with_temperatures(&[1.0; 4])), "3 rows need as many temperatures, got 4");
    refused(draw(plain.with_first_draws(&[])), "3 rows need as many first draws, got 0");
    // gathered rows are the rows of the call
    let two = plain.with_row_indices(&[0, 2]);
    refused(draw(two.with_seeds(&[1, 2, 3])), "2 rows need as many seeds, got 3");
    refused(draw(two.with_row_ids(&[1, 2, 3])), "2 rows need as many row ids, got 3");
    refused(
        draw(plain.with_row_indices(&[0, 2, 3])),
        "row index 2 is 3, but there are 3 rows to draw from, numbered from 0",
    );
    let range = "the temperature must be 0 (greedy) or from";
    let error = draw(plain.with_temperatures(&[1.0, -1.0, f32::NAN])).unwrap_err().to_string();
    assert!(error.starts_with(&format!("row 1: {range}")) && error.ends_with("got -1"), "{error}");
    let error = draw(plain.with_temperatures(&[1.0, 0.0, f32::NAN])).unwrap_err().to_string();
    assert!(error.starts_with("row 2: ") && error.ends_with("got NaN"), "{error}");
    refused(
        draw(plain.with_first_draws(&[0, 1 << 31, 0])),
        "row 1: 1 draws from number 2147483648 on were asked for; a row has 1 to 2147483648 draws, numbered \
         from 0",
    );
    let late = plain.with_first_draw(7).with_first_draws(&[0, 0, u32::MAX]);
    assert!(
        draw(late).unwrap_err().to_string().starts_with("row 2: 1 draws from number 4294967295 on")
    );
    // an operation that needs noise names the first greedy row
    let greedy = plain.with_temperatures(&[1.0, 0.5, 0.0]);
    assert!(draw(greedy).is_ok());
    for error in [
        sampler.race_rows(logits, &greedy, 1).map(|_| ()).unwrap_err(),
        sampler.estimate_log_z(logits, &greedy).map(|_| ()).unwrap_err(),
        sampler.logsumexp_rows(logits, &greedy).map(|_| ()).unwrap_err(),
        sampler.sample_rows_scored(logits, &greedy).map(|_| ()).unwrap_err(),
        sampler.soften_rows(logits, &greedy, Relaxation::soft(1.0)).map(|_| ()).unwrap_err(),
    ] {
        assert!(matches!(error, Error::OfRow { row: 2, .. }), "{error}");
        assert!(error.to_string().contains("greedy"), "{error}");
    }
    refused(
        sampler.inverse_cdf(logits, &greedy),
        "a kept inverse CDF takes one seed, one temperature and one first draw for all rows",
    );
    let weights = Weights::new(&[1.0; 4], 2).unwrap();
    let cold = sampler.sample_rows(weights, &plain.with_temperatures(&[1.0, 1e-7])).unwrap_err();
    assert!(matches!(cold, Error::OfRow { row: 1, .. }), "{cold}");
}

/// An undrawable row is named by its position in the call, and the draws of the others are written.
#[test]
fn an_undrawable_row_among_gathered_ones() {
    let data = [0.0, 1.0, f32::NAN, 0.0, 2.0, 0.0];
    let logits = Logits::new(&data, 2).unwrap();
    let options =
        SampleOptions::default().with_row_indices(&[2, 0, 1, 0]).with_seeds(&[1, 2, 3, 4]);
    let mut draws = [7; 4];
    let error = CpuSampler::new().sample_rows_into(logits, &options, &mut draws).unwrap_err();
    assert!(matches!(error, Error::UndrawableRow { row: 2, .. }), "{error}");
    assert_eq!(draws[2], NO_DRAW);
    let others = options.with_sentinels(true);
    assert_eq!(draws.to_vec(), reference::sample_rows(logits, &others).unwrap());
    assert!(draws.iter().all(|&draw| draw < 2 || draw == NO_DRAW));
}

/// Of many draws from few rows, `Auto` takes the inverse CDF: it counts the draws that a row of the batch has.
#[test]
fn auto_counts_how_often_rows_are_gathered() {
    let data: Vec<f32> = (0..30).map(|i| i as f32 / 8.0).collect();
    let logits = Logits::new(&data, 10).unwrap();
    let often: Vec<u32> = (0..48).map(|i| i % 3).collect();
    let auto = SampleOptions::default().with_method(Method::Auto);
    let draws =
        |options: SampleOptions<'_>| CpuSampler::new().sample_rows(logits, &options).unwrap();
    let by = |method, rows| draws(auto.with_method(method).with_row_indices(rows));
    assert_eq!(draws(auto.with_row_indices(&often)), by(Method::InverseCdf, &often));
    assert_eq!(draws(auto.with_row_indices(&often[..45])), by(Method::Gumbel, &often[..45]));
    assert_ne!(by(Method::Gumbel, &often), by(Method::InverseCdf, &often));
}

/// A row as a distribution has the row's temperature.
#[test]
#[cfg(feature = "rand")]
fn a_row_alone_has_its_temperature() {
    use rand::distr::Distribution;
    let logits = Logits::new(&[0.0, 1.0, 0.0, 1.0], 2).unwrap();
    let options = SampleOptions::default().with_temperatures(&[1e30, 0.0]);
    let rng = &mut gumbel::PhiloxRng::new(3);
    let mut zeros = |row| {
        let row = GumbelRow::new(logits, row, &options).unwrap();
        (0..100).filter(|_| row.sample(&mut *rng) == 0).count()
    };
    assert!((30..70).contains(&zeros(0)));
    assert_eq!(zeros(1), 0);
}

/// The comparisons of this file see an engine that takes the options of the first row for all rows.
#[test]
fn the_options_of_the_first_row_for_all_are_seen() {
    let (mut seen, mut all) = (0, 0);
    for case in conformance::per_row_cases().filter(|case| case.work() > 500) {
        let options = case.options();
        let mut same = options;
        same.seed = options.seeds.map_or(options.seed, |seeds| seeds[0]);
        same.temperature = options.temperatures.map_or(1.0, |all| all[0]);
        same.first_draw += options.first_draws.map_or(0, |all| all[0]);
        (same.seeds, same.temperatures, same.first_draws) = (None, None, None);
        if options.seeds.is_none() && options.first_draws.is_none() {
            continue;
        }
        let wrong = CpuSampler::new().sample_rows(case.batch(), &same).unwrap();
        seen += usize::from(differ(&wrong, &case));
        all += 1;
    }
    assert!(seen == all && all > 10, "{seen} of {all}");
}

fn differ(draws: &[u32], case: &Case) -> bool {
    *draws != case.expected()
}

/// Row ids given one by one are those of the call's rows, not of the batch's.
#[test]
fn ids_belong_to_the_rows_of_the_call() {
    let logits = Logits::new(&[0.0; 8], 4).unwrap();
    let options = SampleOptions::default().with_draws(50).with_row_indices(&[1, 1, 1]);
    fn draws<E: Blocking>(on: &Sampler<E>, logits: Logits<'_>, of: SampleOptions<'_>) -> Vec<u32> {
        on.sample_rows(logits, &of).unwrap()
    }
    let cpu = CpuSampler::new();
    let all = draws(&cpu, logits, options);
    assert!(all[..50] != all[50..100] && all[50..100] != all[100..]);
    let ids = options.with_row_ids(&[4, 4, 5]);
    let all = draws(&cpu, logits, ids);
    assert!(all[..50] == all[50..100] && all[50..100] != all[100..]);
}
