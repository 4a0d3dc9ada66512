use super::*;
use crate::noise::gumbel::UNIT;

fn scale(temperature: f32) -> Scale {
    Scale::from_temperature(temperature).unwrap()
}

/// logit·reciprocal in units, by other exact arithmetic: i128 and Euclidean division. `None` where
/// `fixed` counts codes.
fn plain(logit: f32, scale: Scale) -> Option<i64> {
    let parts = |x: f32| {
        let (bits, mut power) = (x.abs().to_bits(), -149);
        let mut mantissa = i128::from(bits & 0x7f_ffff);
        if bits >> 23 != 0 {
            mantissa += 1 << 23;
            power = (bits >> 23) as i32 - 150;
        }
        (if x.is_sign_negative() { -mantissa } else { mantissa }, power)
    };
    let ((a, p), (b, q)) = (parts(logit), parts(scale.reciprocal()));
    let (product, power) = (a * b, p + q + 24);
    if power >= 0 {
        let units = product.checked_mul(1i128.checked_shl(power as u32)?)?;
        return (units.abs() < 1 << 55).then_some(units as i64);
    }
    if power < -100 {
        return Some(0);
    }
    let divisor = 1i128 << -power;
    let (floor, rest) = (product.div_euclid(divisor), product.rem_euclid(divisor));
    let units = match (2 * rest).cmp(&divisor) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + (floor & 1),
    };
    (units.abs() < 1 << 55).then_some(units as i64)
}

fn random_words() -> impl Iterator<Item = [u32; 4]> {
    (0..1_000_000).map(|i| crate::noise::philox::philox4x32_10([i, 7, 0, 0], [1, 2]))
}

#[test]
fn fixed_is_the_rounded_product_below_the_codes() {
    let mut checked = 0;
    for [a, b, c, _] in random_words() {
        // exponents from -40 to 40, and any at all
        let near = a & 0x807f_ffff | (127 - 40 + b % 81) << 23;
        let temperature = f32::from_bits(c & 0x7f_ffff | (127 - 20 + c % 41) << 23);
        for logit in [near, a, a & 0x807f_ffff] {
            if f32::from_bits(logit).is_finite() {
                let s = if c % 3 == 0 { Scale::ONE } else { scale(temperature) };
                if let Some(expected) = plain(f32::from_bits(logit), s) {
                    assert_eq!(fixed(logit, s), expected, "{logit:#x} at {s:?}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 1_000_000);
}

#[test]
fn ties_go_to_even() {
    let half = 2f32.powi(-25);
    for (logit, units) in [(half, 0), (3.0 * half, 2), (5.0 * half, 2), (7.0 * half, 4)] {
        assert_eq!(fixed(logit.to_bits(), Scale::ONE), units);
        assert_eq!(fixed((-logit).to_bits(), Scale::ONE), -units);
    }
    assert_eq!(fixed(1f32.to_bits(), Scale::ONE), UNIT);
    assert_eq!(fixed((-0f32).to_bits(), Scale::ONE), 0);
}

/// From 2³¹ on, neighbouring logits stay further apart than the noise is wide, at any temperature.
#[test]
fn large_logits_keep_their_order_and_distance() {
    let width = 49 * UNIT;
    for [a, b, ..] in random_words() {
        let s = scale(f32::from_bits(b & 0x7f_ffff | (127 - 99 + b % 199) << 23));
        let logit = a & 0x7fff_ffff;
        let next = logit + 1;
        if !f32::from_bits(next).is_finite() {
            continue;
        }
        let (low, high) = (fixed(logit, s), fixed(next, s));
        assert!(low <= high, "{logit:#x} at {s:?}");
        if f64::from(f32::from_bits(logit)) * f64::from(s.reciprocal()) >= 2f64.powi(31) {
            assert!(high - low > width, "{logit:#x} at {s:?}");
        }
        assert_eq!(fixed(logit | 1 << 31, s), -low);
    }
    let largest = fixed(f32::MAX.to_bits(), scale(Scale::MIN_TEMPERATURE));
    assert!(largest > 1 << 62 && largest < i64::MAX - (1 << 55));
}

#[test]
fn validity_is_read_from_the_bits() {
    for bits in [f32::NAN.to_bits(), 0xffc0_0000, 0x7f80_0001, 0xff80_0001, 0x7f80_0000, u32::MAX] {
        assert!(is_invalid(bits), "{bits:#x}");
    }
    for value in [f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0, -0.0, 1e-45] {
        assert!(!is_invalid(value.to_bits()), "{value}");
    }
}

#[test]
fn greedy_keys_are_in_the_order_of_the_values() {
    for [a, b, ..] in random_words() {
        let (x, y) = (f32::from_bits(a), f32::from_bits(b));
        if let Some(order) = x.partial_cmp(&y) {
            assert_eq!(greedy_key(a).cmp(&greedy_key(b)), order);
        }
    }
    assert_eq!(greedy_key((-0f32).to_bits()), greedy_key(0));
}

#[test]
fn ties_go_to_the_lowest_category() {
    let [a, b] = [3, 5].map(|category| Best { key: 1, category });
    assert!(a.beats(b) && !b.beats(a) && !a.beats(a));
    assert_eq!(a.or(b), a);
    assert_eq!(b.or(a), a);
    assert!(a.beats(Best::NONE));
    assert_eq!(Best::NONE.or(a), a);
}

#[test]
fn temperatures_outside_the_range_have_no_scale() {
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-31, 2e30] {
        assert_eq!(Scale::from_temperature(bad), None, "{bad}");
    }
    assert_eq!(Scale::from_temperature(1.0), Some(Scale::ONE));
}
