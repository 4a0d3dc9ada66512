//! Integer weights of numbers that are weights already, and the number below their sum that decides a draw.
//!
//! Logits become integer weights in [`exp`](super::exp). The rest is the same for logits and weights: the integer
//! weights are added up, [`point`] is uniform below their sum, and the draw is the first category at which the sum of
//! the weights so far exceeds the point. A category of weight 0 is never drawn.
//!
//! **Bias.** A uniform number of 64 bits falls on a category with a probability that differs from
//! weight / sum by less than 2⁻⁶⁴.

/// The integer weight of a weight in `f32` that is positive and finite, or 0 of either sign. The weight is multiplied
/// by the power of two that brings the largest weight of the row just below 2^(62 − ⌊log₂ categories⌋), and rounded to
/// the nearest integer, ties up.
///
/// `weight` and `largest` are the bits of floats, as some devices flush subnormal numbers. The sum of the integer
/// weights of a row is less than 2⁶³.
///
/// ```
/// use gumbel::noise::cdf::weight_of_f32;
/// let [third, most] = [0.75f32, 2.25].map(f32::to_bits);
/// assert_eq!(3 * weight_of_f32(third, most, 2), weight_of_f32(most, most, 2));
/// ```
#[inline(always)]
pub const fn weight_of_f32(weight: u32, largest: u32, log2_categories: u32) -> u64 {
    let (mantissa, power) = parts_of_f32(weight);
    let (most, most_power) = parts_of_f32(largest);
    // the first power of two above the largest becomes 2^(62 - log2)
    let above = most_power + 32 - most.leading_zeros() as i32;
    let shift = power - above + 62 - log2_categories as i32;
    if shift >= 0 {
        (mantissa as u64) << shift
    } else if shift > -32 {
        (((mantissa as u64) << 1 >> -shift) + 1) >> 1
    } else {
        0
    }
}

/// The mantissa of a float's magnitude as an integer, and the power of two that it is multiplied by.
#[inline(always)]
pub const fn parts_of_f32(bits: u32) -> (u32, i32) {
    let exponent = (bits >> 23 & 0xff) as i32;
    let fraction = bits & 0x7f_ffff;
    if exponent == 0 { (fraction, -149) } else { (fraction | 0x80_0000, exponent - 150) }
}

/// The integer weight of a count: the count itself. The sum of 2³² − 1 counts is less than 2⁶⁴.
#[inline(always)]
pub const fn weight_of_count(count: u32) -> u64 {
    count as u64
}

/// ⌊uniform·total / 2⁶⁴⌋: uniform below the total, if `uniform` is uniform among all 64-bit numbers.
#[inline(always)]
pub const fn point(uniform: u64, total: u64) -> u64 {
    ((uniform as u128 * total as u128) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::exp::log2_floor;

    /// Weights are exact where an integer can be, and rounded to the nearest otherwise.
    #[test]
    fn weights_of_floats() {
        let cases = [
            (1.0f32, 1.0f32),
            (1.0, 3.5),
            (f32::MIN_POSITIVE, f32::MIN_POSITIVE),
            (f32::from_bits(1), f32::from_bits(3)),
            (f32::from_bits(1), 1e-30),
            (0.3, f32::MAX),
            (1e-9, 0.7),
            (2.7e-16, 1.0),
            (0.0, 1.0),
            (-0.0, 1.0),
        ];
        for n in [1, 2, 1000, 1 << 20, u32::MAX] {
            let log2 = log2_floor(n);
            for (weight, largest) in cases {
                let above = (f64::from(largest).log2().floor() + 1.0).exp2();
                let exact = f64::from(weight) / above * 2f64.powi(62 - log2 as i32);
                let got = weight_of_f32(weight.to_bits(), largest.to_bits(), log2);
                assert_eq!(got, (exact + 0.5).floor() as u64, "{weight} of {largest}, {n}");
                assert!(got < 1 << (62 - log2), "{weight} of {largest}, {n}");
            }
        }
    }

    /// The edge of the resolution: half an integer is rounded up, less is 0.
    #[test]
    fn weights_at_the_edge() {
        let one = 1f32.to_bits();
        let edge = 2f32.powi(-62);
        assert_eq!(weight_of_f32(edge.to_bits(), one, 0), 1);
        assert_eq!(weight_of_f32(edge.to_bits() - 1, one, 0), 0);
        assert_eq!(weight_of_f32(f32::from_bits(1).to_bits(), one, 0), 0);
    }

    #[test]
    fn weights_of_counts() {
        assert_eq!([0, 7, u32::MAX].map(weight_of_count), [0, 7, (1 << 32) - 1]);
        assert!(u128::from(weight_of_count(u32::MAX)) * u128::from(u32::MAX) < 1 << 64);
    }

    #[test]
    fn points() {
        assert_eq!(point(u64::MAX, 10), 9);
        assert_eq!(point(0, 10), 0);
        assert_eq!(point(1 << 63, 10), 5);
        assert_eq!(point((1 << 63) - 1, 10), 4);
        assert_eq!(point(u64::MAX, u64::MAX), u64::MAX - 1);
    }
}
