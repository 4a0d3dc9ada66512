//! The calls that are refused, the words of the errors, and the draws that a row without a draw
//! leaves untouched.

use gumbel::{
    CpuSampler, Error, Isa, Logits, NO_DRAW, Relaxation, SampleOptions, Undrawable, Weights,
};

fn sample(
    logits: &[f32],
    categories: usize,
    options: SampleOptions<'_>,
) -> Result<Vec<u32>, Error> {
    CpuSampler::new().sample_rows(Logits::new(logits, categories)?, &options)
}

/// Compares a result with the variant and the message that it should be.
macro_rules! assert_refused {
    ($result:expr, $variant:pat $(if $guard:expr)?, $message:literal) => {
        let error = $result.map(|_| ()).expect_err($message);
        assert!(matches!(error, $variant $(if $guard)?), "{error:?}");
        assert_eq!(error.to_string(), $message);
    };
}

/// No machine has the vector instructions of two architectures.
#[test]
fn a_form_that_the_machine_lacks() {
    let foreign = if cfg!(target_arch = "aarch64") { Isa::Avx2 } else { Isa::Neon };
    assert!(!foreign.is_available());
    let error = CpuSampler::new().with_isa(foreign).expect_err("it is not there");
    assert!(matches!(error, Error::Isa { isa } if isa == foreign.name()), "{error:?}");
    assert_eq!(error.to_string(), format!("this machine has no {foreign}"));
    let form = Isa::detect();
    assert_eq!(CpuSampler::new().with_isa(form).expect("detected").isa(), form);
}

#[test]
fn shapes() {
    assert_refused!(
        Logits::new(&[], 0),
        Error::Categories { got: 0 },
        "a row must have 1 to 4294967295 categories, got 0"
    );
    assert_refused!(
        Logits::strided::<f32>(&[], 0, 1 << 32, 1),
        Error::Categories { got: 0x1_0000_0000 },
        "a row must have 1 to 4294967295 categories, got 4294967296"
    );
    assert!(Logits::new(&[], u32::MAX as usize).is_ok());
    assert_refused!(
        Logits::new(&[0.0; 7], 3),
        Error::UnevenRows { what: "logits", categories: 3, got: 7 },
        "7 logits do not divide into rows of 3 categories"
    );
    assert_refused!(
        Logits::strided(&[0.0f32; 12], 4, 3, 4),
        Error::LogitsLength {
            what: "logits",
            rows: 4,
            categories: 3,
            category_stride: 1,
            row_stride: 4,
            expected: 15,
            got: 12
        },
        "4 rows of 3 categories with a row stride of 4 need 15 logits, got 12"
    );
    assert!(Logits::strided(&[0.0f32; 15], 4, 3, 4).is_ok());
    // a size larger than all memory is no overflow
    let expected_by_rows = (usize::MAX as u128 - 1) * 2 + 1;
    assert_refused!(
        Logits::strided(&[0.0f32], usize::MAX, 1, 2),
        Error::LogitsLength { expected, .. } if expected == expected_by_rows,
        "18446744073709551615 rows of 1 categories with a row stride of 2 need \
         36893488147419103229 logits, got 1"
    );
}

/// An error speaks of what it was given: weights and counts are no logits.
#[test]
fn weights_and_counts_by_their_names() {
    assert_refused!(
        Weights::new(&[1.0, 2.0, 3.0], 2),
        Error::UnevenRows { what: "weights", .. },
        "3 weights do not divide into rows of 2 categories"
    );
    assert_refused!(
        Weights::from_counts(&[1, 2, 3], 2),
        Error::UnevenRows { what: "counts", .. },
        "3 counts do not divide into rows of 2 categories"
    );
    assert_refused!(
        Weights::strided(&[1u32, 2, 3], 2, 2, 2),
        Error::LogitsLength { what: "counts", .. },
        "2 rows of 2 categories with a row stride of 2 need 4 counts, got 3"
    );
}

/// Small numbers are written in few digits.
#[test]
fn small_numbers_in_few_digits() {
    assert_refused!(
        sample(&[0.0; 2], 2, SampleOptions::default().with_temperature(1e-40)),
        Error::Temperature { .. },
        "the temperature must be 0 (greedy) or from 7.888609e-31 to 1.2676506e30, got 1e-40"
    );
    let weights = Weights::new(&[1.0, -1e-40], 2).unwrap();
    assert_refused!(
        CpuSampler::new().sample_rows(weights, &SampleOptions::default()),
        Error::UndrawableRow { row: 0, .. },
        "row 0 has no draw: its weight of category 1 is -1e-40; a weight is 0 or positive, and finite"
    );
}

/// No rows have no draws, and this is no error, whatever the stride.
#[test]
fn zero_rows() {
    assert!(sample(&[], 5, SampleOptions::default().with_draws(3)).unwrap().is_empty());
    let none = Logits::strided::<f32>(&[], 0, 5, usize::MAX).unwrap();
    assert_eq!(none.rows(), 0);
    let ids = SampleOptions::default().with_row_ids(&[]);
    assert!(CpuSampler::new().sample_rows(none, &ids).unwrap().is_empty());
    CpuSampler::new().sample_rows_into(none, &ids, &mut []).unwrap();
}

#[test]
fn temperatures() {
    let at =
        |temperature| sample(&[0.0; 4], 2, SampleOptions::default().with_temperature(temperature));
    let (least, largest) = (2f32.powi(-100), 2f32.powi(100));
    for temperature in [0.0, -0.0, least, 1e-30, 1.0, largest] {
        assert_eq!(at(temperature).unwrap().len(), 2, "{temperature:e}");
    }
    let beyond = [least.next_down(), f32::from_bits(1), largest.next_up(), f32::MAX];
    for temperature in
        [-1.0, -f32::from_bits(1), f32::INFINITY, f32::NEG_INFINITY].into_iter().chain(beyond)
    {
        let error = at(temperature).unwrap_err();
        assert!(matches!(error, Error::Temperature { got } if got == temperature), "{error:?}");
    }
    assert_refused!(
        at(f32::NAN),
        Error::Temperature { got } if got.is_nan(),
        "the temperature must be 0 (greedy) or from 7.888609e-31 to 1.2676506e30, got NaN"
    );
}

#[test]
fn draw_numbers() {
    let last = (1 << 31) - 1;
    let draws = |first_draw, draws| {
        let options = SampleOptions::default().with_first_draw(first_draw).with_draws(draws);
        sample(&[0.0; 2], 2, options)
    };
    assert_eq!(draws(last, 1).unwrap().len(), 1);
    assert_eq!(draws(last - 9, 10).unwrap().len(), 10);
    assert_refused!(
        draws(5, 0),
        Error::Draws { first_draw: 5, draws: 0 },
        "no draws were asked for; a row has 1 to 2147483648 draws, numbered from 0"
    );
    for (first, count) in [(last, 2), (last + 1, 1), (1, 1 << 31), (u32::MAX, u32::MAX)] {
        let error = draws(first, count).unwrap_err();
        let same = matches!(error, Error::Draws { first_draw, draws } if (first_draw, draws) == (first, count));
        assert!(same, "{error:?}");
    }
}

#[test]
fn lengths() {
    let ids = |ids: &[u64]| sample(&[0.0; 6], 2, SampleOptions::default().with_row_ids(ids));
    assert_eq!(ids(&[4, 4, 4]).unwrap().len(), 3);
    assert_refused!(
        ids(&[1, 2]),
        Error::RowIds { expected: 3, got: 2 },
        "3 rows need as many row ids, got 2"
    );
    assert!(matches!(ids(&[1, 2, 3, 4]), Err(Error::RowIds { expected: 3, got: 4 })));

    let logits = Logits::new(&[0.0; 6], 2).unwrap();
    let into = |draws: &mut [u32]| {
        let options = SampleOptions::default().with_draws(2);
        CpuSampler::new().sample_rows_into(logits, &options, draws)
    };
    into(&mut [0; 6]).unwrap();
    assert_refused!(
        into(&mut [0; 3]),
        Error::DrawsLength { expected: 6, got: 3 },
        "the draws need a slice of 6 words, got 3"
    );
    assert!(matches!(into(&mut [0; 7]), Err(Error::DrawsLength { expected: 6, got: 7 })));
}

/// The draws are more than memory can address, and more than any machine has memory for.
#[test]
fn too_many_draws() {
    for (rows, draws) in [(usize::MAX, 2), (usize::MAX / 4, 3), (isize::MAX as usize / 4, 1)] {
        let logits = Logits::strided(&[0.0f32], rows, 1, 0).unwrap();
        let options = SampleOptions::default().with_draws(draws);
        let error = CpuSampler::new().sample_rows(logits, &options).unwrap_err();
        let same =
            matches!(error, Error::TooManyDraws { rows: r, draws: d } if (r, d) == (rows, draws));
        assert!(same, "{error:?}");
    }
}

/// The same of all operations, and of prepared tables in their own words: no allocation ends the process.
#[test]
fn more_rows_than_memory() {
    let rows = 1 << 60;
    let logits = Logits::strided(&[0.0f32, 1.0], rows, 2, 0).unwrap();
    let (cpu, options) = (CpuSampler::new(), SampleOptions::default());
    assert_refused!(
        cpu.estimate_log_z(logits, &options),
        Error::TooManyDraws { .. },
        "1 draws from each of 1152921504606846976 rows do not fit into memory"
    );
    assert_refused!(
        cpu.logsumexp_rows(logits, &options),
        Error::TooManyDraws { .. },
        "1 draws from each of 1152921504606846976 rows do not fit into memory"
    );
    assert_refused!(
        cpu.sample_rows_scored(logits, &options),
        Error::TooManyDraws { .. },
        "1 draws from each of 1152921504606846976 rows do not fit into memory"
    );
    assert!(cpu.cut_rows(logits, &options).is_err());
    assert!(cpu.soften_rows(logits, &options, Relaxation::soft(1.0)).is_err());
    let one = Logits::strided(&[0.0f32], 1 << 60, 1, 0).unwrap();
    assert!(cpu.race_rows(one, &options, 1).is_err() && cpu.race_rows(one, &options, 7).is_err());
}

/// Prepared tables hold the sums of all rows, and their error says so. The rows overlap.
#[test]
fn tables_larger_than_memory() {
    let (rows, data) = (1 << 23, vec![0.0f32; 1 << 24]);
    let logits = Logits::strided(&data, rows, rows, 1).unwrap();
    assert_refused!(
        CpuSampler::new().inverse_cdf(logits, &SampleOptions::default()),
        Error::NoMemoryForSums { bytes, .. } if bytes == 8 << 46,
        "the sums of rows of 8388608 categories need 562949953421312 bytes, which are not to be had; try Method::Gumbel, \
         which needs none"
    );
}

/// Rows 2, 5 and 8 have no draw. The first of them is named with the reason and the category, at
/// temperature 0 too and wherever in a long row it is; the other rows' draws are those of a batch
/// without faults.
#[test]
fn rows_without_a_draw() {
    // eight threads get so few draws each that long rows are divided among them
    let [alone, many] =
        [1, 8].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap());
    for categories in [1, 7, 8, 100, 131, 40_000] {
        let bad = categories - 1;
        let clean: Vec<f32> =
            (0..10 * categories).map(|i| (i * 7919 % 769) as f32 / 100.0).collect();
        let row = |row: usize| row * categories..(row + 1) * categories;
        let negative_nan = f32::from_bits(0xff80_0001);
        let faults = [
            (f32::NAN, Undrawable::Nan { category: bad }, "its logit of category {} is NaN"),
            (negative_nan, Undrawable::Nan { category: bad }, "its logit of category {} is NaN"),
            (
                f32::INFINITY,
                Undrawable::PositiveInfinity { category: bad },
                "its logit of category {} is +infinity",
            ),
            (f32::NEG_INFINITY, Undrawable::NothingDrawable, "all its logits are -infinity"),
        ];
        for (value, reason, words) in faults {
            let mut logits = clean.clone();
            if value == f32::NEG_INFINITY {
                logits[row(2)].fill(value);
            }
            logits[row(2)][bad] = value;
            logits[row(5)][categories / 2] = f32::NAN;
            logits[row(8)].fill(f32::NEG_INFINITY);
            let words = format!("row 2 has no draw: {}", words.replace("{}", &bad.to_string()));
            for (temperature, pool) in [(0.0, &alone), (1.0, &alone), (0.0, &many), (1.0, &many)] {
                pool.install(|| check(&logits, &clean, categories, temperature, reason, &words));
            }
        }
    }
}

/// Checks that row 2 is named with the expected reason, and that all draws are those of the clean
/// rows, or none.
#[expect(clippy::expect_used, reason = "a test that is called by another one")]
fn check(
    logits: &[f32],
    clean: &[f32],
    categories: usize,
    temperature: f32,
    expected: Undrawable,
    words: &str,
) {
    let what = format!("{categories} categories at temperature {temperature}: {words}");
    let options = SampleOptions::default().with_draws(2).with_temperature(temperature);
    let mut draws = sample(clean, categories, options).expect("nothing is wrong with it");
    for row in [2, 5, 8] {
        draws[2 * row..2 * row + 2].fill(NO_DRAW);
    }
    let batch = Logits::new(logits, categories).expect("the clean rows' shape");

    let mut into = [NO_DRAW - 1; 20];
    let error = CpuSampler::new().sample_rows_into(batch, &options, &mut into).expect_err(words);
    assert_eq!(error.to_string(), words, "{what}");
    let same = matches!(error, Error::UndrawableRow { row: 2, reason } if reason == expected);
    assert!(same, "{what}: {error:?}");
    assert_eq!(into, draws[..], "{what}");

    let error = sample(logits, categories, options).expect_err(words);
    assert_eq!(error.to_string(), words, "{what}");

    let with_sentinels = sample(logits, categories, options.with_sentinels(true));
    assert_eq!(with_sentinels.expect("sentinels were asked for"), draws, "{what}");
}

/// Of several faults in a row, the first category with a NaN or +∞ is named.
#[test]
fn the_first_fault_of_a_row() {
    let logits = [0.0, f32::NEG_INFINITY, f32::INFINITY, f32::NAN];
    assert_refused!(
        sample(&logits, 4, SampleOptions::default()),
        Error::UndrawableRow { row: 0, reason: Undrawable::PositiveInfinity { category: 2 } },
        "row 0 has no draw: its logit of category 2 is +infinity"
    );
}
