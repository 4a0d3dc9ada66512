//! Rows that are copied: rows of `f64`, and rows whose values do not lie side by side.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use crate::common::per_row::agree_on;
use gumbel::half::{bf16, f16};
use gumbel::{
    Batch, CpuSampler, Error, Isa, Logit, Logits, Method, Relaxation, SampleOptions, Undrawable,
    ValueFormat, Weights,
};

/// Draws enough for shares within half a per cent.
const MANY: u32 = 400_000;

fn shares(batch: impl Into<Batch<'static>>, method: Method) -> Vec<f64> {
    let batch = batch.into();
    let options = SampleOptions::default().with_draws(MANY).with_method(method);
    let draws = CpuSampler::new().sample_rows(batch, &options).unwrap();
    let share = |c| draws.iter().filter(|&&draw| draw == c).count() as f64 / f64::from(MANY);
    (0..batch.categories() as u32).map(share).collect()
}

/// Whether shares of [`MANY`] draws are those of these probabilities: within five standard deviations.
fn fit(shares: &[f64], probabilities: &[f64]) -> bool {
    shares
        .iter()
        .zip(probabilities)
        .all(|(share, p)| (share - p).abs() <= 5.0 * (p * (1.0 - p) / f64::from(MANY)).sqrt())
}

const SHIFTED: [f64; 3] = [1e7, 1e7 + 0.5, 1e7 + 1.0];
const OF_SHIFTED: [f64; 3] = [0.186_324, 0.307_196, 0.506_480];

#[test]
fn logits_far_from_0_are_told_apart() {
    for method in [Method::Gumbel, Method::InverseCdf] {
        let found = shares(Logits::from_f64(&SHIFTED, 3).unwrap(), method);
        assert!(fit(&found, &OF_SHIFTED), "{method}: {found:?}");
        const FAR: [f64; 2] = [-1e15, -1e15 + 1.0];
        let found = shares(Logits::from_f64(&FAR, 2).unwrap(), method);
        assert!(fit(&found, &[0.268_941, 0.731_059]), "{method}: {found:?}");
    }
    let (logits, options) = (Logits::from_f64(&SHIFTED, 3).unwrap(), SampleOptions::default());
    let sums = CpuSampler::new().logsumexp_rows(logits, &options).unwrap();
    assert!((sums[0] - 10_000_001.680_269).abs() < 1e-5, "{sums:?}");
    let scored = CpuSampler::new().sample_rows_scored(logits, &options).unwrap();
    let expected = OF_SHIFTED[scored.draws[0] as usize].ln();
    assert!((scored.log_probs[0] - expected).abs() < 1e-5, "{scored:?}");
    assert_eq!(scored.logsumexps, sums);
}

/// The fault that double precision mends: the same logits in single precision.
#[test]
fn single_precision_is_seen() {
    const NARROW: [f32; 3] = [SHIFTED[0] as f32, SHIFTED[1] as f32, SHIFTED[2] as f32];
    let found = shares(Logits::new(&NARROW, 3).unwrap(), Method::Gumbel);
    assert!(!fit(&found, &OF_SHIFTED), "{found:?}");
}

#[test]
fn weights_of_any_size_are_told_apart() {
    const SMALL: [f64; 2] = [1e-300, 3e-300];
    const APART: [f64; 3] = [1e-60, 0.0, 3e-60];
    const HUGE: [f64; 2] = [1e308, 1.5e308];
    for method in [Method::Gumbel, Method::InverseCdf] {
        let share = |weights: &'static [f64]| {
            shares(Weights::from_f64(weights, weights.len()).unwrap(), method)
        };
        assert!(fit(&share(&SMALL), &[0.25, 0.75]));
        assert!(fit(&share(&APART), &[0.25, 0.0, 0.75]));
        assert!(fit(&share(&HUGE), &[0.4, 0.6]));
    }
}

/// The probabilities of two weights with this ratio at temperature 100, where their 100th roots count.
fn root_of(ratio: f64) -> [f64; 2] {
    let root = ratio.powf(0.01);
    [1.0 / (1.0 + root), root / (1.0 + root)]
}

/// Weights so far below the largest that no draw at temperature 1 sees them, as numbers: 0.201, 0.148 and 0.387 at
/// temperature 100. In the second place of a race one is three times as frequent as the other.
#[test]
fn the_smallest_weights_count_in_full() {
    const FAR: [([f64; 3], f64); 3] = [
        ([1.0, 1e-60, 3e-60], 0.200_76),
        ([2e200, 2e124, 6e124], 0.148_05),
        ([1.9e-300, 1.9e-300 * 1e-20, 1.9e-300 * 3e-20], 0.386_86),
    ];
    let warm = SampleOptions::default().with_draws(MANY).with_temperature(100.0);
    for (weights, expected) in &FAR {
        let pair = Weights::from_f64(&weights[..2], 2).unwrap();
        assert!((root_of(weights[1] / weights[0])[1] - expected).abs() < 1e-5);
        for method in [Method::Gumbel, Method::InverseCdf] {
            let draws = CpuSampler::new().sample_rows(pair, &warm.with_method(method)).unwrap();
            let share = draws.iter().filter(|&&draw| draw == 1).count() as f64 / f64::from(MANY);
            assert!(
                fit(&[1.0 - share, share], &[1.0 - expected, *expected]),
                "{weights:?} {share}"
            );
        }
        let scored = CpuSampler::new().sample_rows_scored(pair, &warm.with_draws(9)).unwrap();
        for (draw, log_prob) in scored.draws.iter().zip(&scored.log_probs) {
            let expected = root_of(weights[1] / weights[0])[*draw as usize].ln();
            assert!((log_prob - expected).abs() < 1e-6, "{weights:?}: {log_prob}");
        }
        let three = Weights::from_f64(weights, 3).unwrap();
        let options = SampleOptions::default().with_draws(MANY);
        let race = CpuSampler::new().race_rows(three, &options, 3).unwrap();
        let second = |of| race.categories().chunks(3).filter(|won| won[1] == of).count();
        let share = |of| second(of) as f64 / f64::from(MANY);
        assert!(fit(&[share(0), share(1), share(2)], &[0.0, 0.25, 0.75]), "{weights:?}");
        // of the later of two alarms with rates λ and 3λ, −ln t is γ + ln λ + ln 3 − ln 4 on average
        let mean = race.perturbed_logits().skip(2).step_by(3).sum::<f64>() / f64::from(MANY);
        let off = mean - (0.577_216 + weights[1].ln() + 0.75f64.ln());
        assert!(off.abs() < 0.01, "{weights:?}: {off}");
    }
}

/// The limit that is documented: smaller weights count as 2⁻²⁷⁵ of the largest, here of a power of two.
#[test]
fn weights_below_the_limit_count_as_the_smallest() {
    let warm = SampleOptions::default().with_draws(MANY).with_temperature(100.0);
    for small in [1e-90, 1e-300, f64::from_bits(1)] {
        let weights = [1.0, small];
        let weights = Weights::from_f64(&weights, 2).unwrap();
        let draws = CpuSampler::new().sample_rows(weights, &warm).unwrap();
        let share = draws.iter().filter(|&&draw| draw == 1).count() as f64 / f64::from(MANY);
        let expected = root_of(2f64.powi(-275));
        assert!(fit(&[1.0 - share, share], &expected), "{small:e}: {share}");
        assert!((expected[1] - 0.129_413).abs() < 1e-5);
    }
}

/// Weights of f32 draw the same as numbers of f64, but where two keys are within a rounding of each other: that shift of all
/// keys by the same does not matter.
#[test]
fn weights_of_f32_draw_the_same_in_f64() {
    let weight = |i: usize| ((i * 7919 % 1013) as f32 / 37.0 - 14.0).exp();
    let single: Vec<f32> = (0..200 * 300).map(weight).collect();
    let double: Vec<f64> = single.iter().copied().map(f64::from).collect();
    let cpu = CpuSampler::new();
    for (method, temperature) in
        [(Method::Gumbel, 1.0), (Method::Gumbel, 0.7), (Method::InverseCdf, 1.0)]
    {
        let options = SampleOptions::default().with_draws(1000).with_method(method);
        let options = options.with_temperature(temperature);
        let narrow = cpu.sample_rows(Weights::new(&single, 300).unwrap(), &options).unwrap();
        let wide = cpu.sample_rows(Weights::from_f64(&double, 300).unwrap(), &options).unwrap();
        let other = narrow.iter().zip(&wide).filter(|(a, b)| a != b).count();
        println!("{other} of {} draws, {method} at {temperature}", narrow.len());
        assert!(other <= if method == Method::Gumbel { 2 } else { 0 }, "{other}");
    }
}

/// No logit is further below the largest than the range of an f32, as no temperature makes a difference of it: beside the
/// largest the least f64, which some take for −∞, is never drawn, and alone always.
#[test]
fn logits_beyond_the_range_of_f32_count_as_its_least() {
    for temperature in [1.0, 2f32.powi(100)] {
        let options = SampleOptions::default().with_draws(10_000).with_temperature(temperature);
        let draws = |logits: &[f64]| {
            CpuSampler::new().sample_rows(Logits::from_f64(logits, 2).unwrap(), &options).unwrap()
        };
        assert!(draws(&[f64::MIN, 0.0]).iter().all(|&draw| draw == 1));
        assert!(draws(&[f64::MIN, f64::NEG_INFINITY]).iter().all(|&draw| draw == 0));
        // -1e39 and -1e300 count as the same beside 0: the first three places tell
        let logits = Logits::from_f64(&[0.0, -1e39, -1e300], 3).unwrap();
        let race = CpuSampler::new().race_rows(logits, &options, 3).unwrap();
        let second = race.categories().chunks(3).filter(|won| won[1] == 1).count();
        assert!((4_750..5_250).contains(&second), "{second}");
    }
}

/// The first alarm rings after 1/Σλ on average, whatever the rates are.
#[test]
fn times_are_those_of_the_rates_as_they_are() {
    let options = SampleOptions::default().with_draws(10_000);
    for rate in [1e-200, 1.0, 1e200] {
        let rates = [rate, 3.0 * rate];
        let weights = Weights::from_f64(&rates, 2).unwrap();
        let race = CpuSampler::new().race_rows(weights, &options, 1).unwrap();
        let mean = race.times().map(|time| time * rate).sum::<f64>() / 1e4;
        assert!((mean - 0.25).abs() < 0.0125, "{rate:e}: {mean}");
        let log_z = CpuSampler::new().estimate_log_z(weights, &options).unwrap()[0];
        let off = log_z.estimate - (4.0 * rate).ln();
        assert!(off.abs() < 5.0 * log_z.standard_error, "{rate:e}: {log_z:?}");
    }
    // 1e9 and its perturbed logit
    let logits = Logits::from_f64(&[1e9, 1e9 - 1.0], 2).unwrap();
    let race = CpuSampler::new().race_rows(logits, &options, 1).unwrap();
    let mean = race.perturbed_logits().sum::<f64>() / 1e4;
    assert!((mean - (1e9 + 0.313_262 + 0.577_216)).abs() < 0.07, "{mean}");
}

/// Every operation on a batch of f64 is that on its relative rows, bit for bit, except for what is added to keys and sums.
#[test]
fn a_batch_of_f64_is_its_relative_rows() {
    let (rows, categories) = (37, 211);
    let logit = |i: usize| (i * 7919 % 1013) as f64 / 37.0 - 1e6 * (i / categories) as f64;
    let double: Vec<f64> = (0..rows * categories).map(logit).collect();
    let wide = Logits::from_f64(&double, categories).unwrap();
    let single: Vec<f32> =
        (0..rows).flat_map(|row| wide.row_f32(row).unwrap().into_owned()).collect();
    let narrow = Logits::new(&single, categories).unwrap();
    let cotangents: Vec<f32> = (0..rows * categories).map(|i| (i % 7) as f32 - 3.0).collect();
    let relaxation = Relaxation::soft(0.5);
    let options = SampleOptions::default().with_seed(3).with_temperature(0.5);
    for isa in Isa::available() {
        let cpu = CpuSampler::new().with_isa(isa).unwrap();
        let draws = |logits| cpu.sample_rows(logits, &options).unwrap();
        assert_eq!(draws(wide), draws(narrow));
        let soften = |logits| cpu.soften_rows(logits, &options, relaxation).unwrap();
        assert_eq!(soften(wide), soften(narrow));
        let vjp = |logits| cpu.soften_rows_vjp(logits, &options, relaxation, &cotangents).unwrap();
        assert_eq!(vjp(wide), vjp(narrow));
        let scored = |logits| cpu.sample_rows_scored(logits, &options).unwrap();
        assert_eq!(scored(wide).log_probs, scored(narrow).log_probs);
        let race = |logits| cpu.race_rows(logits, &options, 3).unwrap();
        let cdf = |logits| cpu.inverse_cdf(logits, &options).unwrap().sample_rows(5, 7).unwrap();
        assert_eq!(cdf(wide), cdf(narrow));
        let (race, of_relative) = (race(wide), race(narrow));
        assert_eq!(race.categories(), of_relative.categories());
        let most = |row: usize| {
            let row = &double[row * categories..][..categories];
            row.iter().copied().fold(f64::NEG_INFINITY, f64::max) * 2.0
        };
        let logits = race.perturbed_logits().zip(of_relative.perturbed_logits());
        for (i, (absolute, relative)) in logits.enumerate() {
            assert!((absolute - most(i / 3) - relative).abs() <= 2f64.powi(-24));
        }
        let sums = |logits| cpu.logsumexp_rows(logits, &options).unwrap();
        for (row, (absolute, relative)) in sums(wide).iter().zip(sums(narrow)).enumerate() {
            assert_eq!(*absolute, relative + most(row));
        }
    }
}

/// Rows of f64 with temperatures and other options of their own, whose keys and sums are shifted by as much as each row
/// and its temperature say.
#[test]
fn options_of_rows() {
    agree_on(&CpuSampler::new(), 0.0, |logit| f64::from(logit) * 3.0 - 1e6).unwrap();
}

/// A row as a distribution of the crate rand is copied once.
#[test]
fn a_row_for_generators() {
    use gumbel::{GumbelRow, PhiloxRng};
    use rand::Rng;
    use rand::distr::Distribution;
    let data = [0.0, 0.0, 0.0, 1e9, 1e9 + 0.5, 1e9 + 1.0];
    let logits = Logits::from_f64(&data, 3).unwrap();
    let row = GumbelRow::new(logits, 1, &SampleOptions::default()).unwrap();
    let (mut rng, mut seeds) = (PhiloxRng::new(5), PhiloxRng::new(5));
    let one = Logits::from_f64(&data[3..], 3).unwrap();
    for _ in 0..100 {
        let options = SampleOptions::default().with_seed(seeds.next_u64());
        let expected = CpuSampler::new().sample_rows(one, &options).unwrap()[0];
        assert_eq!(row.sample(&mut rng), expected);
    }
}

/// A column-major batch of any type is the row-major one.
#[test]
fn columns_are_rows() {
    fn check<T: Logit>(from: fn(f32) -> T) {
        let (rows, categories) = (67, 131);
        let value = |row: usize, category: usize| from(((row * 31 + category * 17) % 97) as f32);
        let by_rows: Vec<T> = (0..rows)
            .flat_map(|row| (0..categories).map(move |c| (row, c)))
            .map(|(r, c)| value(r, c))
            .collect();
        let by_columns: Vec<T> = (0..categories)
            .flat_map(|c| (0..rows).map(move |r| (r, c)))
            .map(|(r, c)| value(r, c))
            .collect();
        let dense = Logits::strided(&by_rows, rows, categories, categories).unwrap();
        let columns = Logits::with_strides(&by_columns, rows, categories, 1, rows).unwrap();
        assert_eq!((columns.row_stride(), columns.category_stride()), (1, rows));
        let options = SampleOptions::default().with_draws(3).with_sentinels(true);
        let draws = |logits| CpuSampler::new().sample_rows(logits, &options).unwrap();
        assert_eq!(draws(columns), draws(dense));
        assert_eq!(columns.row_f32(66).unwrap(), dense.row_f32(66).unwrap());
        // one column for all categories, and one value for all rows
        let same = Logits::with_strides(&by_rows[..2], 2, categories, 1, 0).unwrap();
        let row = same.row_f32(1).unwrap();
        assert!(row.iter().all(|&x| x == row[0]));
        assert!(draws(same).iter().all(|&draw| (draw as usize) < categories));
    }
    check(|x| x);
    check(f64::from);
    check(f16::from_f32);
    check(bf16::from_f32);
}

#[test]
fn what_is_wrong_with_a_row_is_said_in_the_words_of_its_values() {
    let (cpu, options) = (CpuSampler::new(), SampleOptions::default());
    let refused = |batch: Batch<'_>| {
        let drawn = cpu.sample_rows(batch, &options).unwrap_err().to_string();
        let kept = cpu.inverse_cdf(batch, &options).unwrap_err().to_string();
        let sums = cpu.logsumexp_rows(batch, &options).unwrap_err().to_string();
        assert_eq!((&drawn, &drawn), (&kept, &sums));
        drawn
    };
    let logits = |data: &[f64]| refused(Logits::from_f64(data, 2).unwrap().into());
    assert_eq!(
        logits(&[0.0, 1.0, 2.0, f64::INFINITY]),
        "row 1 has no draw: its logit of category 1 is +infinity"
    );
    assert_eq!(
        logits(&[f64::NAN, f64::INFINITY]),
        "row 0 has no draw: its logit of category 0 is NaN"
    );
    assert_eq!(logits(&[f64::NEG_INFINITY; 2]), "row 0 has no draw: all its logits are -infinity");
    let weights = |data: &[f64]| refused(Weights::from_f64(data, 2).unwrap().into());
    assert_eq!(
        weights(&[1.0, -1e-320]),
        "row 0 has no draw: its weight of category 1 is -1e-320; a weight is 0 or positive, and finite"
    );
    assert_eq!(weights(&[0.0, -0.0]), "row 0 has no draw: all its weights are 0");
    // a column-major batch, and the row that is wrong in it
    let columns = Logits::with_strides(&[0.0f32, f32::NAN, 1.0, 2.0], 2, 2, 1, 2).unwrap();
    let error = cpu.sample_rows(columns, &options).unwrap_err();
    let reason = Undrawable::Nan { category: 0 };
    assert!(matches!(error, Error::UndrawableRow { row: 1, reason: found } if found == reason));
}

#[test]
fn strides_beyond_the_data_are_refused() {
    let data = [0.0f64; 12];
    assert!(Logits::with_strides(&data, 3, 4, 1, 3).is_ok());
    assert_eq!(
        Logits::with_strides(&data, 3, 4, 2, 3).unwrap_err().to_string(),
        "3 rows of 4 categories with a row stride of 2 and a category stride of 3 need 14 logits, got 12"
    );
    let far = Weights::with_strides(&data, usize::MAX, 5, usize::MAX, usize::MAX);
    assert!(matches!(far, Err(Error::LogitsLength { what: "weights", .. })), "{far:?}");
    assert!(Logits::with_strides(&data, 0, 5, 1 << 40, 1 << 40).is_ok());
}

#[test]
fn formats_of_f64() {
    let logits = Batch::from(Logits::from_f64(&[0.0], 1).unwrap());
    assert_eq!((logits.format(), logits.format().bytes()), (ValueFormat::F64, 8));
    assert_eq!(logits.format().to_string(), "f64");
    assert_eq!(logits.bytes_of_row(0), Some(&0f64.to_ne_bytes()[..]));
    let weights = Batch::from(Weights::from_f64(&[0.5], 1).unwrap());
    assert_eq!(
        (weights.format(), weights.format().to_string().as_str()),
        (ValueFormat::WeightsF64, "f64 weights")
    );
    assert!(weights.logits().is_none() && logits.logits().is_some());
    let spread = Batch::from(Logits::with_strides(&[0.0f32; 4], 2, 2, 1, 2).unwrap());
    assert_eq!(spread.bytes_of_row(0), None);
}

/// With one row for a billion there is one copy, and rows that overlap are not all copied at once.
#[test]
fn copies_take_little_memory() {
    let (cpu, options) = (CpuSampler::new(), SampleOptions::default());
    let data: Vec<f64> = (0..1 << 16).map(|i| f64::from(i % 7)).collect();
    let one = Logits::strided(&data, 1 << 20, 2, 0).unwrap();
    assert_eq!(cpu.sample_rows(one, &options).unwrap().len(), 1 << 20);
    // 2^15 windows of 2^15: 4 GiB of copies if they were there together
    let windows = Logits::strided(&data, 1 << 15, 1 << 15, 1).unwrap();
    let greedy = options.with_temperature(0.0);
    let indices: Vec<u32> = (0..1 << 15).rev().step_by(512).collect();
    let draws = cpu.sample_rows(windows, &greedy.with_row_indices(&indices)).unwrap();
    assert!(draws.iter().zip(&indices).all(|(draw, index)| (draw + index) % 7 == 6));
}
