use std::f32::consts::LOG2_E;

use super::*;
use crate::noise::groups::{first_alarm, later_alarm};
use crate::noise::gumbel::gumbel;
use crate::noise::order::{Best, key};
use crate::noise::philox::philox4x32_10;

/// Counts the categories that the filter wrongly discards: logits of every magnitude, each against a best key that the
/// category just reaches with its luckiest fine bits.
fn wrongly_discarded(raise: impl Fn(f32) -> f32) -> usize {
    let mut wrong = 0;
    for i in 0..2_000_000u32 {
        let [a, b, c, d] = philox4x32_10([i, 0, 0, 0], [9, 9]);
        // exponents up to 2^35, and any finite number at all
        let logit =
            f32::from_bits(if i % 8 == 0 { a } else { a & 0x807f_ffff | (92 + b % 71) << 23 });
        let temperature = f32::from_bits(c & 0x7f_ffff | (127 - 6 + c % 13) << 23);
        let scale =
            if i % 2 == 0 { Scale::ONE } else { Scale::from_temperature(temperature).unwrap() };
        if !logit.is_finite() {
            continue;
        }
        let coarse = (d & 0xffff) >> (d >> 28);
        // the largest G with these coarse bits: all fine bits 0
        let most = key(logit.to_bits(), scale, gumbel(u64::from(coarse) << 48));
        let best = most;
        wrong += usize::from(!passes(
            raise(cutoff_of(best)),
            Filter::new(scale, LOG2_E).upper_score(logit, coarse),
        ));
    }
    wrong
}

#[test]
fn never_discards_a_category_that_can_win() {
    assert_eq!(wrongly_discarded(|cutoff| cutoff), 0);
}

/// The check above sees a filter that discards a hundredth of a power of two too much, and one without the slack.
#[test]
fn the_check_sees_a_tight_filter() {
    assert!(wrongly_discarded(|cutoff| cutoff + POWER * 0.01) > 0);
    let without_slack = |cutoff: f32| {
        cutoff + (cutoff + 143.0 * POWER).abs() * 2f32.powi(-20) + POWER * 2f32.powi(-10)
    };
    assert!(wrongly_discarded(without_slack) > 0);
}

#[test]
fn discards_nearly_everything_that_cannot_win() {
    // the best of 2^17 flat categories has a key of about 12
    let best = 12 << 24;
    let filter = Filter::new(Scale::ONE, LOG2_E);
    let passing =
        (0..1u32 << 16).filter(|&c| passes(cutoff_of(best), filter.upper_score(0.0, c))).count();
    assert!(passing <= 1, "{passing} of 65536");
}

#[test]
fn an_open_filter_admits_every_finite_logit() {
    for temperature in [Scale::MIN_TEMPERATURE, 0.5, 1.0, Scale::MAX_TEMPERATURE] {
        let filter = Filter::new(Scale::from_temperature(temperature).unwrap(), LOG2_E);
        for logit in [f32::MIN, -1.0, 0.0, f32::MAX] {
            for coarse in [0, 0xffff] {
                let upper_score = filter.upper_score(logit, coarse);
                assert!(passes(cutoff_of(Best::NONE.key), upper_score), "{logit} at {temperature}");
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

/// The upper score of the greatest logit with the least coarse bits therefore bounds those of eight categories.
#[test]
fn an_upper_score_grows_with_the_logit_and_falls_with_the_coarse_bits() {
    for i in 0..1_000_000u32 {
        let [a, b, c, d] = philox4x32_10([i, 2, 0, 0], [9, 9]);
        let near = if i % 2 == 0 { a ^ (d % 64) } else { b };
        let [less, more] = [a, near].map(f32::from_bits);
        if less > more || less.is_nan() || more.is_nan() {
            continue;
        }
        let temperature = if i % 3 == 0 { 0.7 } else { Scale::MAX_TEMPERATURE };
        let filter = Filter::new(Scale::from_temperature(temperature).unwrap(), LOG2_E);
        let (most, least) = ((c & 0xffff).max(c >> 16), (c & 0xffff).min(c >> 16));
        assert!(
            filter.upper_score(less, most) <= filter.upper_score(more, least),
            "{less} {more} {c:#x}"
        );
    }
}

#[test]
fn an_invalid_logit_is_always_admitted() {
    let filter = Filter::new(Scale::ONE, LOG2_E);
    let cutoff = cutoff_of(100 << 24);
    for logit in [f32::NAN, -f32::NAN, f32::INFINITY] {
        assert!(passes(cutoff, filter.upper_score(logit, 0xffff)));
    }
    assert!(!passes(cutoff, filter.upper_score(f32::NEG_INFINITY, 0)));
}

/// Counts the sure cutoffs that are higher than the cutoff of the key with the unluckiest fine bits.
fn cutoffs_too_high(raise: impl Fn(f32) -> f32) -> usize {
    let mut wrong = 0;
    for i in 0..2_000_000u32 {
        let [a, b, c, d] = philox4x32_10([i, 1, 0, 0], [9, 9]);
        let logit = f32::from_bits(match i % 8 {
            0 => a,
            1 => 0,
            _ => a & 0x807f_ffff | (92 + b % 71) << 23,
        });
        let temperature = f32::from_bits(c & 0x7f_ffff | (127 - 6 + c % 13) << 23);
        let scale =
            if i % 2 == 0 { Scale::ONE } else { Scale::from_temperature(temperature).unwrap() };
        if !logit.is_finite() {
            continue;
        }
        // all coarse bits in turn, and elsewhere the few near 0 more often
        let coarse = if i % 8 == 1 { i / 8 % (1 << 16) } else { (d & 0xffff) >> (d >> 28) };
        let least = key(logit.to_bits(), scale, gumbel(u64::from(coarse) << 48 | 0xffff_ffff_ffff));
        wrong += usize::from(
            raise(Filter::new(scale, LOG2_E).sure_cutoff(logit, coarse)) > cutoff_of(least),
        );
    }
    wrong
}

#[test]
fn a_sure_cutoff_is_reached() {
    assert_eq!(cutoffs_too_high(|cutoff| cutoff), 0);
}

/// The check above sees cutoffs that are a fifth of a power of two too high.
#[test]
fn the_check_sees_a_cutoff_that_is_too_high() {
    assert!(cutoffs_too_high(|cutoff| cutoff + POWER * 0.2) > 0);
}

/// A sure cutoff is useful: it lies less than half a power of two below the key's own cutoff, if the coarse bits are a
/// small number.
#[test]
fn a_sure_cutoff_is_near() {
    for coarse in 8..4096 {
        let least = key(0, Scale::ONE, gumbel(u64::from(coarse) << 48 | 0xffff_ffff_ffff));
        let sure = Filter::new(Scale::ONE, LOG2_E).sure_cutoff(0.0, coarse);
        assert!(sure > cutoff_of(least) - POWER * 0.5, "{coarse}");
    }
}

/// A member of a group: its logit, the leading bits of the first alarm, and the high word of its own noise.
struct Member {
    logit: f32,
    scale: Scale,
    leading_bits: u32,
    own: Option<u32>,
}

impl Member {
    /// Members of all magnitudes, of which every other one rings first.
    fn all() -> impl Iterator<Item = Self> {
        (0..2_000_000u32).filter_map(|i| {
            let [a, b, c, d] = philox4x32_10([i, 3, 0, 0], [9, 9]);
            let logit = f32::from_bits(match i % 8 {
                0 => a,
                1 => 0,
                _ => a & 0x807f_ffff | (92 + b % 71) << 23,
            });
            let temperature = f32::from_bits(c & 0x7f_ffff | (127 - 6 + c % 13) << 23);
            let scale =
                if i % 4 < 2 { Scale::ONE } else { Scale::from_temperature(temperature).unwrap() };
            let leading_bits = (d >> 4) >> (c >> 27).min(28);
            let own = (i % 2 == 0).then_some(b.rotate_left(7) >> (a >> 27));
            logit.is_finite().then_some(Self { logit, scale, leading_bits, own })
        })
    }

    /// The key with these further bits of the alarms.
    fn key(&self, further: u32) -> i64 {
        let p = first_alarm(u64::from(self.leading_bits) << 32 | u64::from(further));
        let v = match self.own {
            None => p,
            Some(own) => later_alarm(p, u64::from(own) << 32 | u64::from(further)),
        };
        key(self.logit.to_bits(), self.scale, gumbel(v))
    }

    fn least_noise(&self) -> f32 {
        least_noise(self.leading_bits, self.own.unwrap_or(0))
    }
}

/// Counts the members of groups that the filter wrongly discards, each against a best key that it just reaches, and those
/// whose sure cutoffs are higher than the cutoff of the key with the unluckiest further bits.
fn wrong_in_groups(raise: impl Fn(f32) -> f32) -> (usize, usize) {
    let (mut discarded, mut too_high) = (0, 0);
    for member in Member::all() {
        let (filter, noise) = (Filter::new(member.scale, LOG2_E), member.least_noise());
        let most = member.key(0);
        let score = filter.upper_score_in_group(member.logit, noise);
        discarded += usize::from(!passes(raise(cutoff_of(most)), score));
        let sure = filter.sure_cutoff_in_group(member.logit, most_noise(noise));
        too_high += usize::from(raise(sure) > cutoff_of(member.key(u32::MAX)));
    }
    (discarded, too_high)
}

#[test]
fn members_of_groups_keep_their_bounds() {
    assert_eq!(wrong_in_groups(|cutoff| cutoff), (0, 0));
}

#[test]
fn the_check_sees_bounds_of_members_that_are_too_tight() {
    let (discarded, too_high) = wrong_in_groups(|cutoff| cutoff + POWER * 0.2);
    assert!(discarded > 0 && too_high > 0);
    assert!(wrong_in_groups(|cutoff| cutoff + POWER * 0.01).0 > 0);
}

/// A sure cutoff of a first alarm is useful, as that of coarse bits is.
#[test]
fn a_sure_cutoff_in_a_group_is_near() {
    for leading_bits in (8..1 << 24).step_by(1001) {
        let member = Member { logit: 0.0, scale: Scale::ONE, leading_bits, own: None };
        let filter = Filter::new(Scale::ONE, LOG2_E);
        let sure = filter.sure_cutoff_in_group(0.0, most_noise(member.least_noise()));
        assert!(sure > cutoff_of(member.key(u32::MAX)) - POWER * 0.6, "{leading_bits}");
    }
}
