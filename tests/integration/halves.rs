//! Logits of f16 and bf16: their effects, other than draws, that users see.

use gumbel::half::{bf16, f16};
use gumbel::{CpuSampler, Error, Logit, Logits, NO_DRAW, SampleOptions, Undrawable, ValueFormat};

/// Returns the errors of an engine and of the reference for one batch.
#[expect(clippy::unwrap_used, reason = "a test may fail where it stands")]
fn errors(logits: Logits<'_>) -> [String; 2] {
    let options = SampleOptions::default();
    let errors = [
        CpuSampler::new().sample_rows(logits, &options),
        gumbel::reference::sample_rows(logits, &options),
    ];
    errors.map(|result| result.unwrap_err().to_string())
}

#[test]
fn formats_have_names_and_sizes() {
    let of = [
        (ValueFormat::F32, "f32", 4, <f32 as Logit>::FORMAT),
        (ValueFormat::F16, "f16", 2, <f16 as Logit>::FORMAT),
        (ValueFormat::Bf16, "bf16", 2, <bf16 as Logit>::FORMAT),
    ];
    for (format, name, bytes, of_type) in of {
        assert_eq!((format.to_string().as_str(), format.bytes()), (name, bytes));
        assert_eq!(format, of_type);
    }
    assert_eq!(Logits::new(&[0.0], 1).unwrap().format(), ValueFormat::F32);
    assert_eq!(Logits::from_f16(&[], 1).unwrap().format(), ValueFormat::F16);
    assert_eq!(Logits::from_bf16(&[], 1).unwrap().format(), ValueFormat::Bf16);
}

/// A shape is refused as the same shape of f32 would be.
#[test]
fn shapes_are_checked() {
    let halves = [f16::ZERO; 7];
    let refused = Logits::from_f16(&halves, 3);
    assert!(
        matches!(refused, Err(Error::UnevenRows { what: "logits", categories: 3, got: 7 })),
        "{refused:?}"
    );
    let refused = Logits::from_bf16(&[], 0);
    assert!(matches!(refused, Err(Error::Categories { got: 0 })), "{refused:?}");
    let refused = Logits::strided(&halves, 3, 2, 3);
    assert!(matches!(refused, Err(Error::LogitsLength { expected: 8, got: 7, .. })), "{refused:?}");
    let rows = Logits::strided(&halves, 3, 1, 3).unwrap();
    assert_eq!((rows.rows(), rows.categories(), rows.row_stride()), (3, 1, 3));
}

#[test]
fn rows_are_read_as_f32() {
    let numbers = [1.5, -0.0, f32::NEG_INFINITY, 0.25, f32::INFINITY, -3.0];
    let halves = numbers.map(f16::from_f32);
    let rows = Logits::from_f16(&halves, 3).unwrap();
    assert_eq!(*rows.row_f32(0).unwrap(), numbers[..3]);
    assert_eq!(*rows.row_f32(1).unwrap(), numbers[3..]);
    let halves = numbers.map(bf16::from_f32);
    assert_eq!(*Logits::strided(&halves, 4, 3, 1).unwrap().row_f32(3).unwrap(), numbers[3..]);
    // logits of f32 are not copied
    let row = Logits::new(&numbers, 6).unwrap().row_f32(0).unwrap();
    assert!(matches!(row, std::borrow::Cow::Borrowed(_)));
}

#[test]
#[should_panic(expected = "a row of bf16 was asked for as f32")]
fn a_row_of_halves_is_not_one_of_f32() {
    Logits::from_bf16(&[bf16::ONE], 1).unwrap().row(0);
}

/// Errors name row and category, whichever part of a row the fault is in, and no other row is
/// harmed.
#[test]
fn a_row_without_a_draw_is_named() {
    fn check<T: Logit>(zero: T, bad: [(T, &str); 4], masked: T) {
        for categories in [3, 300, 5000, 200_001] {
            for (bad, words) in &bad {
                let mut data = vec![zero; 3 * categories];
                data[2 * categories - 1] = *bad;
                data[2 * categories..].fill(masked);
                let logits = Logits::strided(&data, 3, categories, categories).unwrap();
                let expected = format!(
                    "row 1 has no draw: its logit of category {} is {words}",
                    categories - 1
                );
                assert_eq!(errors(logits), [&*expected, &*expected]);
                let options = SampleOptions::default().with_sentinels(true);
                let draws = CpuSampler::new().sample_rows(logits, &options).unwrap();
                assert!(draws[0] < categories as u32);
                assert_eq!(draws[1..], [NO_DRAW; 2]);
            }
            let data = vec![masked; categories];
            let logits = Logits::strided(&data, 1, categories, categories).unwrap();
            let error = CpuSampler::new().sample_rows(logits, &SampleOptions::default());
            let reason = Undrawable::NothingDrawable;
            assert!(
                matches!(error, Err(Error::UndrawableRow { row: 0, reason: r }) if r == reason),
                "{error:?}"
            );
        }
    }
    let (nan, infinity) = ("NaN", "+infinity");
    let h = f16::from_bits;
    let bad = [(h(0x7e00), nan), (h(0xfc01), nan), (h(0x7fff), nan), (h(0x7c00), infinity)];
    check(f16::ZERO, bad, h(0xfc00));
    let b = bf16::from_bits;
    let bad = [(b(0x7fc0), nan), (b(0xff81), nan), (b(0x7fff), nan), (b(0x7f80), infinity)];
    check(bf16::ZERO, bad, b(0xff80));
}
