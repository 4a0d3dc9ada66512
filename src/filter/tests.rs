use super::*;
use crate::noise::gumbel::gumbel;
use crate::noise::order::key;
use crate::noise::philox::philox4x32_10;

/// Logits of every magnitude beside a best key that some fine bits of the category just reach:
/// how many such categories the filter discards.
fn wrongly_discarded(margin: impl Fn(Filter, f32, u32) -> f32) -> usize {
    let mut wrong = 0;
    for i in 0..2_000_000u32 {
        let [a, b, c, d] = philox4x32_10([i, 0, 0, 0], [9, 9]);
        // exponents up to 2^35, and any finite number at all
        let logit = f32::from_bits(if i % 8 == 0 { a } else { a & 0x807f_ffff | (92 + b % 71) << 23 });
        let temperature = f32::from_bits(c & 0x7f_ffff | (127 - 6 + c % 13) << 23);
        let scale =
            if i % 2 == 0 { Scale::ONE } else { Scale::from_temperature(temperature).unwrap() };
        if !logit.is_finite() {
            continue;
        }
        let coarse = (d & 0xffff) >> (d >> 28);
        // the largest G with these coarse bits: all fine bits 0
        let most = key(logit.to_bits(), scale, gumbel(u64::from(coarse) << 48));
        let best = Best { key: most, category: 0 };
        wrong += usize::from(margin(Filter::new(scale, best), logit, coarse) < 0.0);
    }
    wrong
}

#[test]
fn never_discards_a_category_that_can_win() {
    assert_eq!(wrongly_discarded(Filter::margin), 0);
}

/// The check above sees a filter that discards a thousandth of a power of two too much, and one
/// without the slack.
#[test]
fn the_check_sees_a_tight_filter() {
    assert!(wrongly_discarded(|f, logit, coarse| f.margin(logit, coarse) - POWER * 0.01) > 0);
    assert!(
        wrongly_discarded(|f, logit, coarse| {
            let floor = f.floor + 143.0 * POWER;
            f.margin(logit, coarse) - floor.abs() * 2f32.powi(-20) - POWER * 2f32.powi(-10)
        }) > 0
    );
}

#[test]
fn discards_nearly_everything_that_cannot_win() {
    // the best of 2^17 flat categories has a key of about 12
    let best = Best { key: 12 << 24, category: 0 };
    let filter = Filter::new(Scale::ONE, best);
    let admitted = (0..1u32 << 16).filter(|&coarse| Filter::admits(filter.margin(0.0, coarse))).count();
    assert!(admitted <= 1, "{admitted} of 65536");
}

#[test]
fn an_open_filter_admits_every_finite_logit() {
    for temperature in [Scale::MIN_TEMPERATURE, 0.5, 1.0, Scale::MAX_TEMPERATURE] {
        let filter = Filter::new(Scale::from_temperature(temperature).unwrap(), Best::NONE);
        for logit in [f32::MIN, -1.0, 0.0, f32::MAX] {
            for coarse in [0, 0xffff] {
                assert!(Filter::admits(filter.margin(logit, coarse)), "{logit} at {temperature}");
            }
        }
    }
}

#[test]
fn the_leading_bits_are_no_more_than_the_logarithm() {
    for coarse in 1..1u32 << 16 {
        let low = f64::from(log2_low(coarse)) / 2f64.powi(23) - 127.0;
        let exact = f64::from(coarse).log2();
        assert!(low <= exact + 2f64.powi(-17) && low > exact - 0.0861, "{coarse}");
    }
}

#[test]
fn an_invalid_logit_is_always_admitted() {
    let filter = Filter::new(Scale::ONE, Best { key: 100 << 24, category: 0 });
    for logit in [f32::NAN, -f32::NAN, f32::INFINITY] {
        assert!(Filter::admits(filter.margin(logit, 0xffff)));
    }
    assert!(!Filter::admits(filter.margin(f32::NEG_INFINITY, 0)));
}
