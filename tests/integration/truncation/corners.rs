//! Cuts where a mask takes the largest logit away, at temperature 0, and of rows with invalid values. What is expected was
//! computed by hand.

use gumbel::{
    Allowed, CpuSampler, Error, Isa, Logits, Method, NO_DRAW, SampleOptions, Share, Truncation,
    Undrawable, reference,
};

use super::kept;

/// Allows categories 0, 2 and 3.
const MASK: [u32; 1] = [0b1101];
/// Of what the mask allows, e⁰, e¹ and e² have 0.090, 0.245 and 0.665 of the probability; of all, with e³, they have 0.032,
/// 0.087 and 0.237.
const STEPS: [f32; 4] = [0.0, 3.0, 1.0, 2.0];

fn masked() -> SampleOptions<'static> {
    SampleOptions::default().with_allowed(Allowed::shared(&MASK))
}

/// Every cut is of what the mask allows.
#[test]
fn cuts_are_of_what_is_allowed() {
    let new = Truncation::new;
    let kept_by = |truncation| kept(&STEPS, masked().with_truncation(truncation));
    assert_eq!(kept_by(new().with_top_k(1)), [3]);
    assert_eq!(kept_by(new().with_top_k(2)), [2, 3]);
    assert_eq!(kept_by(new().with_top_k(3)), [0, 2, 3]);
    // the largest that is allowed is e²: e¹ has 0.368 of it, and e⁰ 0.135
    assert_eq!(kept_by(new().with_min_p(0.37)), [3]);
    assert_eq!(kept_by(new().with_min_p(0.36)), [2, 3]);
    assert_eq!(kept_by(new().with_min_p(0.136)), [2, 3]);
    assert_eq!(kept_by(new().with_min_p(0.135)), [0, 2, 3]);
    assert_eq!(kept_by(new().with_top_p(0.665)), [3]);
    assert_eq!(kept_by(new().with_top_p(0.666)), [2, 3]);
    assert_eq!(kept_by(new().with_top_p(0.909)), [2, 3]);
    assert_eq!(kept_by(new().with_top_p(0.911)), [0, 2, 3]);
    assert_eq!(kept_by(new().with_epsilon(0.246)), [3]);
    assert_eq!(kept_by(new().with_epsilon(0.244)), [2, 3]);
    assert_eq!(kept_by(new().with_epsilon(0.091)), [2, 3]);
    assert_eq!(kept_by(new().with_epsilon(0.089)), [0, 2, 3]);
    // of e¹ and e², the larger has 0.731; of e⁰ too, 0.665
    let both = new().with_top_k(2).with_top_p(0.7);
    assert_eq!(kept_by(both), [3]);
    assert_eq!(kept_by(both.with_share(Share::All)), [2, 3]);
    let rest = new().with_min_p(0.3).with_top_p(0.7);
    assert_eq!(kept_by(rest.with_share(Share::Rest)), [3]);
    assert_eq!(kept_by(rest), [2, 3]);
    // without the mask, all of these keep category 1
    assert_eq!(kept(&STEPS, SampleOptions::default().with_truncation(rest)), [1, 3]);
}

/// The mask comes first, then the temperature, then the cut.
#[test]
fn the_order_is_mask_temperature_cut() {
    let nucleus = Truncation::new().with_top_p(0.55);
    // at temperature 2 what is allowed has 0.186, 0.307 and 0.506: two are kept. Cut before the mask, categories 1 (0.455) and 3 (0.276)
    // would be, of which the mask leaves one; cut before the temperature, category 3 alone
    let hot = masked().with_temperature(2.0);
    assert_eq!(kept(&STEPS, hot.with_truncation(nucleus)), [2, 3]);
    assert_eq!(kept(&STEPS, hot.with_truncation(nucleus.with_at_temperature(1.0))), [3]);
    let unmasked = SampleOptions::default().with_temperature(2.0);
    assert_eq!(kept(&STEPS, unmasked.with_truncation(nucleus)), [1, 3]);
}

/// At temperature 0 the draw is the largest that is allowed, the first of equal ones, whatever is cut.
#[test]
fn temperature_0_draws_the_largest_that_is_allowed() {
    let new = Truncation::new;
    let cuts = [
        new(),
        new().with_top_k(1),
        new().with_top_p(f32::MIN_POSITIVE),
        new().with_min_p(1.0),
        new().with_epsilon(1.0),
        new().with_top_k(2).with_top_p(0.5).with_min_p(0.1).with_share(Share::Rest),
    ];
    for method in [Method::Gumbel, Method::InverseCdf] {
        for truncation in cuts {
            let options = masked().with_temperature(0.0).with_method(method);
            let options = options.with_truncation(truncation);
            let draw = |logits: &[f32], options: &SampleOptions<'_>| {
                let logits = Logits::new(logits, 4).unwrap();
                let draws = CpuSampler::new().sample_rows(logits, options).unwrap();
                assert_eq!(draws, reference::sample_rows(logits, options).unwrap());
                draws[0]
            };
            assert_eq!(draw(&STEPS, &options), 3, "{truncation:?}");
            assert_eq!(draw(&[1.0, 3.0, 2.0, 2.0], &options), 2, "{truncation:?}");
            assert_eq!(draw(&[-0.0, 3.0, 0.0, 0.0], &options), 0, "{truncation:?}");
            let mut unmasked = options;
            unmasked.allowed = None;
            assert_eq!(draw(&STEPS, &unmasked), 1, "{truncation:?}");
        }
    }
}

/// `cut_rows` at temperature 0 cuts as at temperature 1, if the cut has no temperature of its own.
#[test]
fn temperature_0_cuts_as_1_does() {
    let cut = |options: SampleOptions<'_>, truncation: Truncation| {
        let (logits, options) =
            (Logits::new(&STEPS, 4).unwrap(), options.with_truncation(truncation));
        let cut = CpuSampler::new().cut_rows(logits, &options).unwrap()[0];
        assert_eq!(cut, reference::cut_rows(logits, &options).unwrap()[0]);
        (cut.threshold, cut.kept)
    };
    let (greedy, plain) = (masked().with_temperature(0.0), masked());
    let new = Truncation::new;
    for (truncation, expected) in [
        (new().with_top_k(1), (2.0, 1)),
        (new().with_top_p(0.665), (2.0, 1)),
        (new().with_top_p(0.666), (1.0, 2)),
        (new().with_min_p(0.36), (1.0, 2)),
        (new().with_epsilon(0.091), (1.0, 2)),
    ] {
        assert_eq!(cut(greedy, truncation), expected, "{truncation:?}");
        assert_eq!(cut(plain, truncation), expected, "{truncation:?}");
    }
    let hot = new().with_top_p(0.55).with_at_temperature(2.0);
    assert_eq!(cut(greedy, hot), (1.0, 2));
    assert_eq!(cut(plain, new().with_top_p(0.55)), (2.0, 1));
}

/// All cuts, and those of several together that engines take in ways of their own.
fn cuts() -> [Truncation; 9] {
    let new = Truncation::new;
    let both = new().with_min_p(0.01).with_top_p(0.9);
    [
        new(),
        new().with_top_k(3),
        new().with_top_p(0.9),
        new().with_min_p(0.1),
        new().with_epsilon(0.01),
        both,
        both.with_share(Share::Rest),
        both.with_epsilon(1e-3),
        both.with_top_k(40),
    ]
}

/// A row of a few large logits and many small ones, with one value at a place.
fn row(categories: usize, at: usize, value: f32) -> Vec<f32> {
    let logit = |i: usize| if i % 50 == 1 { (i % 7) as f32 } else { -((i % 13) as f32) };
    (0..categories).map(|i| if i == at { value } else { logit(i) }).collect()
}

/// A NaN or +∞ that is allowed is an error that names its row and its category, however the row is cut.
#[test]
fn an_invalid_value_is_named() {
    for categories in [8usize, 600, 5000] {
        for (value, at) in [(f32::NAN, 3), (f32::INFINITY, 3), (f32::NAN, categories - 1)] {
            let data = [row(categories, 0, 0.5), row(categories, at, value)].concat();
            let logits = Logits::new(&data, categories).unwrap();
            let words = vec![!0u32; categories.div_ceil(32)];
            let expected = match value.is_nan() {
                true => Undrawable::Nan { category: at },
                false => Undrawable::PositiveInfinity { category: at },
            };
            for truncation in cuts() {
                for temperature in [1.0, 0.0] {
                    let plain = SampleOptions::default()
                        .with_temperature(temperature)
                        .with_truncation(truncation);
                    for options in [plain, plain.with_allowed(Allowed::shared(&words))] {
                        let sampler = CpuSampler::new();
                        let draws = sampler.sample_rows(logits, &options).map(drop);
                        let cuts = sampler.cut_rows(logits, &options).map(drop);
                        for result in [draws, cuts] {
                            let is_named = matches!(
                                &result,
                                Err(Error::UndrawableRow { row: 1, reason }) if *reason == expected
                            );
                            assert!(is_named, "{result:?}, {categories}, {options:?}");
                        }
                        let options = options.with_sentinels(true);
                        let draws = sampler.sample_rows(logits, &options).unwrap();
                        assert!(draws[0] != NO_DRAW && draws[1] == NO_DRAW, "{options:?}");
                        let cuts = sampler.cut_rows(logits, &options).unwrap();
                        assert!(cuts[0].kept > 0 && cuts[1].is_none(), "{options:?}");
                    }
                }
            }
        }
    }
}

/// What the mask does not allow may be NaN or +∞: draws and cuts are those with −∞ in its place.
#[test]
fn an_invalid_value_that_is_masked_is_harmless() {
    // by hand: e⁰, e¹ and e² are left, as above
    for value in [f32::NAN, -f32::NAN, f32::INFINITY] {
        let steps = [0.0, value, 1.0, 2.0];
        let kept_by = |truncation| kept(&steps, masked().with_truncation(truncation));
        assert_eq!(kept_by(Truncation::new().with_top_k(2)), [2, 3]);
        assert_eq!(kept_by(Truncation::new().with_min_p(0.37)), [3]);
        assert_eq!(kept_by(Truncation::new().with_top_p(0.911)), [0, 2, 3]);
        assert_eq!(kept_by(Truncation::new().with_epsilon(0.244)), [2, 3]);
    }
    let at = 51;
    for categories in [600usize, 5000] {
        let mut words = vec![!0u32; categories.div_ceil(32)];
        words[at / 32] &= !(1 << (at % 32));
        for value in [f32::NAN, f32::INFINITY] {
            let data = row(categories, at, value).repeat(20);
            let plain = row(categories, at, f32::NEG_INFINITY).repeat(20);
            let [logits, expected] =
                [&data, &plain].map(|data| Logits::new(data, categories).unwrap());
            for truncation in cuts() {
                for temperature in [1.0, 0.0] {
                    let options = SampleOptions::default()
                        .with_temperature(temperature)
                        .with_truncation(truncation);
                    let with = options.with_allowed(Allowed::shared(&words));
                    for isa in Isa::available() {
                        let sampler = CpuSampler::new().with_isa(isa).unwrap();
                        assert_eq!(
                            sampler.sample_rows(logits, &with).unwrap(),
                            sampler.sample_rows(expected, &options).unwrap(),
                            "{isa}, {with:?}"
                        );
                        assert_eq!(
                            sampler.cut_rows(logits, &with).unwrap(),
                            sampler.cut_rows(expected, &options).unwrap(),
                            "{isa}, {with:?}"
                        );
                    }
                }
            }
        }
    }
}
