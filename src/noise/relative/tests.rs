use super::*;

/// A finite number as an integer times a power of two.
fn parts(x: f64) -> (i128, i32) {
    let bits = x.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, (bits & ((1 << 52) - 1)) as i128);
    let (mantissa, power) =
        if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    (if x < 0.0 { -mantissa } else { mantissa }, power)
}

/// Whether an f32 is within half a unit in the last place, and a little for the first of two roundings, of mantissa ·
/// 2^power.
fn is_nearest(single: f32, mantissa: i128, power: i32) -> bool {
    if single == 0.0 {
        return mantissa == 0;
    }
    let (found, found_power) = parts(single.into());
    let shift = power - found_power;
    // both in the units of the finer one
    let (found, exact, unit) = if shift >= 0 {
        (found, mantissa << shift, 1i128)
    } else {
        (found << -shift, mantissa, 1i128 << -shift)
    };
    // an f32 as an f64 has 29 bits below its last place
    let ulp = unit * (1 << 29);
    (found - exact).abs() <= ulp / 2 + unit
}

fn words() -> impl Iterator<Item = u64> {
    (0..200_000u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i << 40)
}

/// Differences of logits that are near each other, by integers.
#[test]
fn a_relative_logit_is_the_rounded_difference() {
    for (i, word) in words().enumerate() {
        let scale = 2f64.powi((i % 60) as i32 - 30);
        let largest = (word as f64 / 2f64.powi(60) - 8.0) * scale;
        let logit = largest - (word.rotate_left(23) as f64 / 2f64.powi(61)) * scale;
        let ((a, a_power), (b, b_power)) = (parts(logit), parts(largest));
        let power = a_power.min(b_power);
        if a_power.max(b_power) - power > 60 {
            continue;
        }
        let difference = (a << (a_power - power)) - (b << (b_power - power));
        let relative = relative_logit(logit, largest);
        assert!(is_nearest(relative, difference, power), "{logit} {largest} {relative}");
    }
}

#[test]
fn the_check_sees_a_wrong_rounding() {
    let (mantissa, power) = parts(-0.75);
    assert!(is_nearest(-0.75, mantissa, power));
    for wrong in [-0.75f32.next_up(), -0.75f32.next_down()] {
        assert!(!is_nearest(wrong, mantissa, power));
    }
}

#[test]
fn logits_keep_their_chances() {
    assert_eq!(relative_logit(f64::MIN, f64::MIN), 0.0);
    assert_eq!(relative_logit(f64::MIN, f64::MAX), f32::MIN);
    assert_eq!(relative_logit(-1e39, 0.0), f32::MIN);
    assert_eq!(relative_logit(f64::NEG_INFINITY, f64::MAX), f32::NEG_INFINITY);
    // nothing can be drawn
    assert_eq!(relative_logit(f64::NEG_INFINITY, f64::NEG_INFINITY), f32::NEG_INFINITY);
    for invalid in [f64::NAN, f64::INFINITY] {
        assert!(relative_logit(invalid, f64::INFINITY).is_nan(), "{invalid}");
        assert!(relative_logit(invalid, 0.0).is_nan() || invalid == f64::INFINITY);
    }
}

/// Where the largest weight of a relative row lies: from 2^126 to 2^127, to which it may be rounded.
const NEAR_THE_END: std::ops::RangeInclusive<f32> =
    f32::from_bits((127 + 126) << 23)..=f32::from_bits((127 + 127) << 23);

/// A product with a power of two changes the exponent alone.
#[test]
fn a_relative_weight_is_the_rounded_multiple() {
    for word in words() {
        let largest = f64::from_bits(word >> 1);
        if largest == 0.0 || !largest.is_finite() {
            continue;
        }
        let power = power_of(largest);
        let weight = largest * ((word % 1000) as f64 / 1000.0);
        let relative = power.relative_weight(weight);
        assert!(NEAR_THE_END.contains(&power.relative_weight(largest)), "{largest:e}");
        if relative > 1e-30 {
            let (mantissa, exponent) = parts(weight);
            assert!(is_nearest(relative, mantissa, exponent - power.exponent), "{weight:e}");
        }
    }
}

#[test]
fn weights_keep_their_chances() {
    let least = f64::from_bits(1);
    let least_normal = f64::MIN_POSITIVE;
    for (largest, exponent) in [
        (least, -1074),
        (least_normal / 2.0, -1023),
        (least_normal, -1022),
        (1.0, 0),
        (f64::MAX, 1023),
    ] {
        let power = power_of(largest);
        assert!(NEAR_THE_END.contains(&power.relative_weight(largest)), "{largest:e}");
        assert!(power.relative_weight(least) > 0.0, "{largest:e}");
        assert_eq!([0.0, -0.0].map(|zero| power.relative_weight(zero)), [0.0, 0.0]);
        for invalid in [-least, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert!(power.relative_weight(invalid).is_nan(), "{invalid}");
        }
        assert_eq!(power.ln(), f64::from(exponent - 126) * 2f64.ln(), "{largest:e}");
    }
}

/// The limits that the documentation states, whatever the largest weight is.
#[test]
fn small_weights_keep_their_bits_down_to_the_limits() {
    for largest in [2f64.powi(-700), 1e-200, 0.3, 1.0, 2f64.powi(52) - 1.0, 1e300, f64::MAX] {
        let power = power_of(largest);
        let most = f64::from(power.relative_weight(largest));
        for word in words().take(10_000) {
            // from 2^-252 to 1
            let ratio = 2f64.powf(-252.0 * (word >> 11) as f64 / 2f64.powi(53));
            let relative = f64::from(power.relative_weight(largest * ratio));
            assert!(
                (relative / most / ratio - 1.0).abs() < 1.01 * 2f64.powi(-23),
                "{largest:e} {ratio:e}"
            );
        }
        let smallest = power.relative_weight(largest * 2f64.powi(-277));
        assert_eq!(smallest, f32::from_bits(1), "{largest:e}");
        assert_eq!(power.relative_weight(largest * 1e-100), smallest, "{largest:e}");
    }
    // fewer bits between the two: 32.03 units are 32
    let few = power_of(1.0).relative_weight(2f64.powi(-270) * 1.001);
    assert_eq!(few, f32::from_bits(32));
}

#[test]
fn keys_are_shifted_by_units_or_codes() {
    let half = Scale::from_temperature(0.5).unwrap_or(Scale::ONE);
    assert_eq!(key_shift(1.5, Scale::ONE), 3 * UNIT / 2);
    assert_eq!(key_shift(-1e7 - 0.5, half), -(20_000_001 * UNIT));
    for huge in [3e9f32, -1e30, f32::MAX] {
        assert_eq!(key_shift(huge.into(), Scale::ONE), fixed(huge.to_bits(), Scale::ONE));
    }
    assert_eq!(key_shift(1e300, Scale::ONE), fixed(f32::MAX.to_bits(), Scale::ONE));
    assert_eq!(shifted_key(i64::MIN + 1, -5), i64::MIN + 1);
    assert_eq!(shifted_key(7, -5), 2);
}
