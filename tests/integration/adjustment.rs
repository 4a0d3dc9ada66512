//! Bias and penalties: an operation on adjusted rows is that on rows with the adjusted numbers.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use gumbel::half::f16;
use gumbel::noise::philox::philox4x32_10;
use gumbel::{
    Allowed, Batch, Bias, CpuSampler, Error, History, Logits, Method, Penalty, Relaxation,
    SampleOptions, Truncation, Undrawable, Weights, reference,
};

mod order;

/// The options of a row, as a user has them: a bias in a list, and tokens in the order in which they came.
#[derive(Clone, Default)]
struct Request {
    bias: Vec<(u32, f32)>,
    prompt: Vec<u32>,
    drawn: Vec<u32>,
    penalty: Penalty,
}

impl Request {
    /// What vLLM makes of the logits of a row, with a count for every token of the vocabulary, but in `f64`.
    fn dense(&self, logits: &[f64]) -> Vec<f64> {
        let Penalty { repetition, frequency, presence, .. } = self.penalty;
        let mut logits = logits.to_vec();
        for &(token, bias) in &self.bias {
            logits[token as usize] += f64::from(bias);
        }
        let mut counts = vec![0; logits.len()];
        self.drawn.iter().for_each(|&token| counts[token as usize] += 1);
        for (token, logit) in logits.iter_mut().enumerate() {
            let is_seen = counts[token] > 0 || self.prompt.contains(&(token as u32));
            if is_seen && *logit > 0.0 {
                *logit /= f64::from(repetition);
            } else if is_seen {
                *logit *= f64::from(repetition);
            }
            *logit -= f64::from(frequency) * f64::from(counts[token]);
            *logit -= if counts[token] > 0 { f64::from(presence) } else { 0.0 };
        }
        logits
    }

    /// The derivatives of the adjusted logits of a row by the logits.
    fn slopes(&self, logits: &[f64]) -> Vec<f64> {
        let biased = Self { penalty: Penalty::new(), ..self.clone() }.dense(logits);
        let repetition = f64::from(self.penalty.repetition);
        let is_seen = |token: &u32| self.drawn.contains(token) || self.prompt.contains(token);
        let slope = |(token, x): (u32, f64)| match is_seen(&token) {
            false => 1.0,
            true if x > 0.0 => 1.0 / repetition,
            true => repetition,
        };
        (0..).zip(biased).map(slope).collect()
    }
}

/// The requests in the form of the crate.
#[derive(Default)]
struct Sparse {
    bias: (Vec<usize>, Vec<u32>, Vec<f32>),
    history: (Vec<usize>, Vec<u32>, Vec<u32>),
    penalties: Vec<Penalty>,
}

impl Sparse {
    fn new(requests: &[Request]) -> Self {
        let mut all = Self::default();
        let Self { bias, history, penalties } = &mut all;
        (bias.0, history.0) = (vec![0], vec![0]);
        for request in requests {
            let (categories, values): (Vec<_>, Vec<_>) = request.bias.iter().copied().unzip();
            bias.1.extend(categories);
            bias.2.extend(values);
            bias.0.push(bias.1.len());
            // tokens as they come, drawn ones first: neither their order nor how they are counted matters
            history.1.extend(request.drawn.iter().chain(&request.prompt));
            history
                .2
                .extend(request.drawn.iter().map(|_| 1).chain(request.prompt.iter().map(|_| 0)));
            history.0.push(history.1.len());
            penalties.push(request.penalty);
        }
        all
    }

    fn options<'a>(&'a self, options: SampleOptions<'a>) -> SampleOptions<'a> {
        let Self { bias, history, penalties } = self;
        options
            .with_bias(Bias::each(&bias.0, &bias.1, &bias.2))
            .with_history(History::each(&history.0, &history.1, &history.2))
            .with_penalties(penalties)
    }
}

/// Words that are as good as random.
fn word(i: usize, j: usize) -> u32 {
    philox4x32_10([i as u32, j as u32, 0, 0], [5, 6])[0]
}

fn requests(rows: usize, categories: usize) -> Vec<Request> {
    let token = |i, j| word(i, j) % categories as u32;
    let penalty = |row: usize| match row % 3 {
        0 => Penalty::new().with_repetition(1.2),
        1 => Penalty::new().with_frequency(0.3).with_presence(0.9),
        _ => Penalty::new().with_repetition(0.7).with_frequency(-0.1).with_presence(0.2),
    };
    let request = |row| Request {
        bias: (0..word(row, 0) as usize % 9)
            .map(|i| (token(row, 10 + i), (word(row, 40 + i) % 2000) as f32 / 100.0 - 10.0))
            .collect(),
        prompt: (0..20).map(|i| token(row, 100 + i)).collect(),
        drawn: (0..word(row, 1) as usize % 60).map(|i| token(row, 200 + i) / 2).collect(),
        penalty: penalty(row),
    };
    (0..rows).map(request).collect()
}

/// Asserts that every operation has the same results for two batches and their options.
fn assert_same(got: (Batch<'_>, SampleOptions<'_>), expected: (Batch<'_>, SampleOptions<'_>)) {
    let sampler = CpuSampler::new();
    let both = [got, expected];
    let [got, expected] =
        both.map(|(batch, options)| sampler.sample_rows(batch, &options).unwrap());
    assert_eq!(got, expected);
    let by_cdf = |(batch, options): (Batch<'_>, SampleOptions<'_>)| {
        let options = options.with_method(Method::InverseCdf).with_draws(5);
        sampler.sample_rows(batch, &options).unwrap()
    };
    let [got, expected] = both.map(by_cdf);
    assert_eq!(got, expected);
    let [got, expected] =
        both.map(|(batch, options)| sampler.race_rows(batch, &options, 3).unwrap());
    assert_eq!(got, expected);
    let [got, expected] =
        both.map(|(batch, options)| sampler.sample_rows_scored(batch, &options).unwrap());
    assert_eq!(got, expected);
    let [got, expected] =
        both.map(|(batch, options)| sampler.logsumexp_rows(batch, &options).unwrap());
    assert_eq!(got, expected);
    let [got, expected] = both.map(|(batch, options)| sampler.cut_rows(batch, &options).unwrap());
    assert_eq!(got, expected);
    let [got, expected] =
        both.map(|(batch, options)| sampler.estimate_log_z(batch, &options).unwrap());
    assert_eq!(got, expected);
    let [got, expected] = both.map(|(batch, options)| {
        sampler.inverse_cdf(batch, &options).unwrap().sample_rows(0, 7).unwrap()
    });
    assert_eq!(got, expected);
    let [got, expected] = both.map(|(batch, options)| {
        let logits = batch.logits().unwrap();
        sampler.soften_rows(logits, &options, Relaxation::soft(0.5)).unwrap()
    });
    assert_eq!(got, expected);
}

/// Gradients by the logits are those by the adjusted logits, times the slopes; and they are what a small change of a logit
/// makes of a loss.
#[test]
fn gradients_are_by_the_logits_as_they_were() {
    let (rows, categories, soft) = (6, 40, Relaxation::soft(0.5));
    let numbers: Vec<f64> =
        (0..rows * categories).map(|i| f64::from(word(i, 7) % 4096) / 512.0 - 4.0).collect();
    let requests = requests(rows, categories);
    let sparse = Sparse::new(&requests);
    let of_rows = |with: fn(&Request, &[f64]) -> Vec<f64>| -> Vec<f64> {
        let rows = numbers.chunks(categories).zip(&requests);
        rows.flat_map(|(row, request)| with(request, row)).collect()
    };
    let (adjusted, slopes) = (of_rows(Request::dense), of_rows(Request::slopes));
    assert!([1.0, 1.2, 0.7].iter().all(|&one| slopes.iter().any(|x| (x - one).abs() < 1e-6)));
    let cotangents: Vec<f32> = (0..rows * categories).map(|i| (word(i, 9) % 9) as f32).collect();
    let options = SampleOptions::default().with_seed(3);
    let with = sparse.options(options);
    fn logits(numbers: &[f64]) -> Logits<'_> {
        Logits::from_f64(numbers, 40).unwrap()
    }

    let sampler = CpuSampler::new();
    let found = sampler.soften_rows_vjp(logits(&numbers), &with, soft, &cotangents).unwrap();
    let plain = sampler.soften_rows_vjp(logits(&adjusted), &options, soft, &cotangents).unwrap();
    let expected = plain.iter().zip(&slopes).map(|(&g, slope)| (f64::from(g) * slope) as f32);
    assert!(found.iter().copied().eq(expected));
    assert_ne!(found, plain);
    let exact = reference::soften_rows_vjp(logits(&numbers), &with, soft, &cotangents).unwrap();
    assert!(exact.iter().zip(&found).all(|(a, &b)| (a - f64::from(b)).abs() < 1e-4));

    const CHANGE: f64 = 1.0 / 256.0;
    let loss = |i: usize, change: f64| -> f64 {
        let mut changed = numbers.clone();
        changed[i] += change;
        let samples = reference::soften_rows(logits(&changed), &with, soft).unwrap();
        samples.iter().zip(&cotangents).map(|(y, &g)| y * f64::from(g)).sum()
    };
    let mut wrong_without_slopes = 0;
    for (i, &gradient) in exact.iter().enumerate() {
        let change = (loss(i, CHANGE) - loss(i, -CHANGE)) / (2.0 * CHANGE);
        assert!((gradient - change).abs() < 2e-3, "{i}: {gradient}, {change}");
        wrong_without_slopes += usize::from((f64::from(plain[i]) - change).abs() > 2e-3);
    }
    assert!(wrong_without_slopes > 5);
}

/// Against an implementation that shares no code: every operation, logits of all types, alone and with cuts and masks.
#[test]
fn every_operation_is_that_of_the_adjusted_rows() {
    for (rows, categories) in [(12, 40), (3, 1500), (2, 5000)] {
        let numbers: Vec<f64> =
            (0..rows * categories).map(|i| f64::from(word(i, 7) % 4096) / 256.0 - 8.0).collect();
        let requests = requests(rows, categories);
        let sparse = Sparse::new(&requests);
        let adjusted: Vec<f64> = numbers
            .chunks(categories)
            .zip(&requests)
            .flat_map(|(row, request)| request.dense(row))
            .collect();
        let as_f32 = |numbers: &[f64]| numbers.iter().map(|&x| x as f32).collect::<Vec<_>>();
        let singles = as_f32(&numbers);
        let halves: Vec<f16> = numbers.iter().map(|&x| f16::from_f64(x)).collect();
        assert!(halves.iter().zip(&numbers).all(|(half, &x)| half.to_f64() == x));
        let expected = as_f32(&adjusted);

        let plain = SampleOptions::default().with_seed(3);
        let mask: Vec<u32> = (0..rows * categories.div_ceil(32)).map(|i| word(i, 8) | 1).collect();
        let allowed = Allowed::each(&mask, categories.div_ceil(32));
        let nucleus = Truncation::new().with_top_p(0.8).with_top_k(30);
        for options in [
            plain,
            plain.with_temperature(0.7).with_truncation(nucleus),
            plain.with_allowed(allowed).with_truncation(Truncation::new().with_min_p(0.1)),
        ] {
            let with = sparse.options(options);
            let of_f32 = Logits::new(&expected, categories).unwrap().into();
            let batch = Logits::new(&singles, categories).unwrap().into();
            assert_same((batch, with), (of_f32, options));
            let batch = Logits::from_f16(&halves, categories).unwrap().into();
            assert_same((batch, with), (of_f32, options));
            let batch = Logits::from_f64(&numbers, categories).unwrap().into();
            let of_f64 = Logits::from_f64(&adjusted, categories).unwrap().into();
            assert_same((batch, with), (of_f64, options));
        }
    }
}

/// The comparison above sees a count that is off by one, and a bias that is off by a thousandth.
#[test]
fn a_wrong_entry_is_seen() {
    let (rows, categories) = (12, 40);
    let logits: Vec<f32> = (0..rows * categories).map(|i| (word(i, 7) % 9) as f32).collect();
    let logits = Logits::new(&logits, categories).unwrap();
    let sparse = Sparse::new(&requests(rows, categories));
    let sums = |sparse: &Sparse| {
        let options = sparse.options(SampleOptions::default());
        CpuSampler::new().logsumexp_rows(logits, &options).unwrap()
    };
    let right = sums(&sparse);
    // the history of row 1 begins with tokens that have been drawn
    let mut wrong = Sparse::new(&requests(rows, categories));
    wrong.history.2[sparse.history.0[1]] += 1;
    let differing = |wrong: &[f64]| right.iter().zip(wrong).filter(|(a, b)| a != b).count();
    assert_eq!(differing(&sums(&wrong)), 1);
    let mut wrong = Sparse::new(&requests(rows, categories));
    wrong.bias.2[0] += 0.001;
    assert_eq!(differing(&sums(&wrong)), 1);
}

/// Numbers by hand, and what stays finite.
#[test]
fn edges() {
    let log_z = |logits: &[f32], options: &SampleOptions<'_>| {
        CpuSampler::new().logsumexp_rows(Logits::new(logits, logits.len()).unwrap(), options)
    };
    let is = |logits: &[f32], options: SampleOptions<'_>, adjusted: &[f32]| {
        let [got, expected] = [log_z(logits, &options), log_z(adjusted, &SampleOptions::default())]
            .map(Result::unwrap);
        assert_eq!(got, expected, "{options:?}");
    };
    let options = SampleOptions::default();
    let biased = |category: &'static [u32], value: &'static [f32]| {
        options.with_bias(Bias::shared(category, value))
    };
    is(&[1.0, 2.0], biased(&[1], &[0.5]), &[1.0, 2.5]);
    is(&[1.0, 2.0], biased(&[1, 1], &[0.5, 0.25]), &[1.0, 2.75]);
    is(&[1.0, 2.0], biased(&[], &[]), &[1.0, 2.0]);
    is(&[1.0, 2.0], biased(&[1], &[f32::NEG_INFINITY]), &[1.0, f32::NEG_INFINITY]);
    is(&[1.0, f32::NEG_INFINITY], biased(&[1], &[100.0]), &[1.0, f32::NEG_INFINITY]);
    // what was finite stays finite
    is(&[f32::MAX, 0.0], biased(&[0], &[f32::MAX]), &[f32::MAX, 0.0]);
    is(&[f32::MIN, f32::MIN], biased(&[0], &[f32::MIN]), &[f32::MIN, f32::MIN]);

    let penalised = |category: &'static [u32], count: &'static [u32], penalty| {
        let offsets: &[usize] = if category.len() == 1 { &[0, 1] } else { &[0, 0] };
        options.with_history(History::each(offsets, category, count)).with_penalty(penalty)
    };
    let repetition = Penalty::new().with_repetition(2.0);
    is(&[3.0, 2.0], penalised(&[0], &[0], repetition), &[1.5, 2.0]);
    is(&[-3.0, 2.0], penalised(&[0], &[7], repetition), &[-6.0, 2.0]);
    is(&[0.0, 2.0], penalised(&[0], &[1], repetition), &[0.0, 2.0]);
    is(&[f32::NEG_INFINITY, 2.0], penalised(&[0], &[1], repetition), &[f32::NEG_INFINITY, 2.0]);
    let both = Penalty::new().with_frequency(0.25).with_presence(1.0);
    is(&[3.0, 2.0], penalised(&[0], &[0], both), &[3.0, 2.0]);
    is(&[3.0, 2.0], penalised(&[0], &[1], both), &[1.75, 2.0]);
    is(&[3.0, 2.0], penalised(&[0], &[4], both), &[1.0, 2.0]);
    is(&[3.0, 2.0], penalised(&[], &[], both), &[3.0, 2.0]);
    let strong = Penalty::new().with_repetition(f32::MAX).with_frequency(f32::MAX);
    is(&[-3.0, f32::MIN], penalised(&[0], &[u32::MAX], strong), &[f32::MIN, f32::MIN]);
    is(&[3.0, 2.0], penalised(&[1], &[1], Penalty::new()), &[3.0, 2.0]);
}

#[test]
fn errors() {
    let sampler = CpuSampler::new();
    let data = [0.0; 80];
    let logits = Logits::new(&data, 40).unwrap();
    let options = SampleOptions::default();
    let error =
        |options: SampleOptions<'_>| sampler.sample_rows(logits, &options).unwrap_err().to_string();
    let bias = |offsets: &[usize], categories: &[u32], values: &[f32]| {
        error(options.with_bias(Bias::each(offsets, categories, values)))
    };
    assert_eq!(bias(&[0, 0], &[], &[]), "a bias: 2 rows need an offset more than that, got 2");
    assert_eq!(bias(&[0, 1, 0], &[3], &[1.0]), "a bias: row 1 begins at 1 and ends at 0");
    let ends = "a bias: the offsets must go from 0 to 1, got";
    assert_eq!(bias(&[0, 0, 0], &[3], &[1.0]), format!("{ends} 0 to 0"));
    assert_eq!(bias(&[0, 1, 2], &[3], &[1.0]), format!("{ends} 0 to 2"));
    assert_eq!(bias(&[1, 1, 1], &[3], &[1.0]), format!("{ends} 1 to 1"));
    assert_eq!(bias(&[0, 1, 1], &[3], &[]), "a bias: 1 categories need as many values, got 0");
    let beyond = "row 1: a bias: category 40 of rows of 40, numbered from 0";
    assert_eq!(bias(&[0, 1, 2], &[3, 40], &[1.0, 1.0]), beyond);
    let nan = "row 1: a bias must be a finite number or -inf, got NaN";
    assert_eq!(bias(&[0, 1, 2], &[3, 4], &[1.0, f32::NAN]), nan);
    let shared = error(options.with_bias(Bias::shared(&[3], &[f32::INFINITY])));
    assert_eq!(shared, "a bias must be a finite number or -inf, got inf");

    let history = error(options.with_history(History::each(&[0, 0, 1], &[77], &[1])));
    assert_eq!(history, "row 1: a history: category 77 of rows of 40, numbered from 0");
    let penalty = |penalty| error(options.with_penalty(penalty));
    let new = Penalty::new();
    let above = "a repetition penalty must be a finite number above 0, got";
    assert_eq!(penalty(new.with_repetition(0.0)), format!("{above} 0"));
    assert_eq!(penalty(new.with_repetition(f32::INFINITY)), format!("{above} inf"));
    let finite = "must be a finite number, got NaN";
    assert_eq!(penalty(new.with_frequency(f32::NAN)), format!("a frequency penalty {finite}"));
    assert_eq!(penalty(new.with_presence(f32::NAN)), format!("a presence penalty {finite}"));
    let of_rows = [new, new.with_repetition(-1.0)];
    assert_eq!(error(options.with_penalties(&of_rows)), format!("row 1: {above} -1"));
    let few = error(options.with_penalties(&of_rows[..1]));
    assert_eq!(few, "2 rows need as many penalties, got 1");

    let weights = Weights::new(&[1.0, 2.0], 2).unwrap();
    let biased = options.with_bias(Bias::shared(&[0], &[1.0]));
    let refused = sampler.sample_rows(weights, &biased).unwrap_err();
    assert!(matches!(refused, Error::NeedsLogits { .. }), "{refused}");

    // a row of which nothing is left, and one that had nothing before
    let (offsets, all): (_, Vec<u32>) = ([0, 0, 40], (0..40).collect());
    let banned = options.with_bias(Bias::each(&offsets, &all, &[f32::NEG_INFINITY; 40]));
    let nothing = sampler.sample_rows(logits, &banned).unwrap_err();
    assert!(
        matches!(nothing, Error::UndrawableRow { row: 1, reason: Undrawable::NothingDrawable }),
        "{nothing}"
    );
    let nan = [0.0, f32::NAN];
    let nan = sampler.sample_rows(Logits::new(&nan, 2).unwrap(), &biased).unwrap_err();
    let reason = Undrawable::Nan { category: 1 };
    assert!(matches!(nan, Error::UndrawableRow { row: 0, reason: r } if r == reason), "{nan}");
}
