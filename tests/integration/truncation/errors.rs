//! What truncations and masks are refused, and in which words.

use gumbel::{Allowed, CpuSampler, Error, Logits, NO_DRAW, SampleOptions, Truncation, Undrawable};

#[test]
fn errors() {
    let sampler = CpuSampler::new();
    let data = [0.0; 80];
    let logits = Logits::new(&data, 40).unwrap();
    let error = |options: SampleOptions<'_>| sampler.sample_rows(logits, &options).unwrap_err();
    let options = SampleOptions::default();
    let of = |truncation| error(options.with_truncation(truncation)).to_string();
    let new = Truncation::new;
    assert_eq!(of(new().with_top_k(0)), "top-k must be 1 or more, got 0");
    let top_p = "top-p must be above 0 (and cuts nothing from 1 on), got ";
    assert_eq!(of(new().with_top_p(0.0)), format!("{top_p}0"));
    assert_eq!(of(new().with_top_p(-0.1)), format!("{top_p}-0.1"));
    assert_eq!(of(new().with_top_p(f32::NAN)), format!("{top_p}NaN"));
    assert_eq!(of(new().with_min_p(1.5)), "min-p must be from 0 to 1, got 1.5");
    assert_eq!(of(new().with_epsilon(-1.0)), "epsilon must be from 0 to 1, got -1");
    let of_cut = "the temperature of a cut must be from 7.9e-31 (2^-100) to 1.3e30 (2^100), got ";
    assert_eq!(of(new().with_top_k(3).with_at_temperature(-1.0)), format!("{of_cut}-1"));
    assert_eq!(of(new().with_top_k(3).with_at_temperature(0.0)), format!("{of_cut}0"));

    let of_rows = [new(), new().with_top_p(-1.0)];
    let second = error(options.with_truncations(&of_rows)).to_string();
    assert_eq!(second, format!("row 1: {top_p}-1"));
    let few = error(options.with_truncations(&of_rows[..1])).to_string();
    assert_eq!(few, "2 rows need as many truncations, got 1");

    let mask =
        |words: &[u32], each| error(options.with_allowed(Allowed::each(words, each))).to_string();
    let needs = "masks for 2 rows of 40 categories, a bit for each, at";
    assert_eq!(
        mask(&[1; 2], 1),
        format!("{needs} 1 words a row, need 4 words, got 2; a row needs at least 2")
    );
    assert_eq!(
        mask(&[1; 5], 2),
        format!("{needs} 2 words a row, need 4 words, got 5; a row needs at least 2")
    );
    let shared = error(options.with_allowed(Allowed::shared(&[1])));
    assert!(matches!(shared, Error::Allowed { rows: 1, expected: 2, got: 1, .. }), "{shared}");

    // row 1 has nothing left
    let words = [1, 0, 0, !0xff];
    let masked = options.with_allowed(Allowed::each(&words, 2));
    let nothing = error(masked);
    let reason = Undrawable::NothingAllowed;
    assert!(
        matches!(nothing, Error::UndrawableRow { row: 1, reason: r } if r == reason),
        "{nothing}"
    );
    assert_eq!(
        nothing.to_string(),
        "row 1 has no draw: none of its categories that are allowed can be drawn"
    );
    let draws = sampler.sample_rows(logits, &masked.with_sentinels(true)).unwrap();
    assert_eq!(draws, [0, NO_DRAW]);
    let cuts = sampler.cut_rows(logits, &masked.with_sentinels(true)).unwrap();
    assert_eq!((cuts[0].kept, cuts[1].kept), (1, 0));
    assert!(cuts[1].threshold.is_nan() && cuts[1].share.is_nan());
    let into = sampler.cut_rows_into(logits, &options, &mut cuts.clone()[..1]).unwrap_err();
    assert!(into.to_string().starts_with("the cuts need a slice of 2"), "{into}");
}
