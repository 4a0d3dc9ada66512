//! The time at which an alarm rang, exp(−key), by products and sums that are the same on every machine.
//!
//! The exponential functions of two machines' libraries may differ in the last bit. The function here has no branch and
//! no call, so that the compiler can vectorise it.

use crate::noise::gumbel::UNIT;

/// Keys further from 0 than this have a time of 0 or +∞.
const BEYOND: f64 = (750 * UNIT) as f64;
/// 1.5·2⁵²: added to a float and subtracted again, it rounds the float to the nearest integer.
const NEAREST: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts. The first has 33 bits, so that its product with a power is exact.
const LN2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
/// 1/n!, from n = 13 down to 0: the next term is below 10⁻¹⁷ for half a power of two.
const TERMS: [f64; 14] = {
    let mut terms = [1.0; 14];
    let mut n = 1;
    while n < 14 {
        terms[13 - n] = terms[14 - n] / n as f64;
        n += 1;
    }
    terms
};

/// exp(−key·2⁻²⁴), within 2 units in the last place; +∞ for the key of an entry without a category.
#[inline]
pub(super) fn time(key: i64) -> f64 {
    // cut off as a float, exactly: SSE2, for which x86-64 is compiled, compares no 64-bit integers
    let units = -(key as f64).clamp(-BEYOND, BEYOND);
    let x = units * (1.0 / UNIT as f64);
    let nearest = x * std::f64::consts::LOG2_E + NEAREST;
    let power = nearest - NEAREST;
    let rest = x - power * LN2[0] - power * LN2[1];
    let factor = TERMS[1..].iter().fold(TERMS[0], |sum, &term| sum * rest + term);
    // 2^power in two factors, as the power may be beyond the range of a float's exponent
    let power = nearest.to_bits().wrapping_sub(NEAREST.to_bits()) as i64;
    let half = power >> 1;
    let two_to = |n: i64| f64::from_bits(((n + 1023) as u64) << 52);
    factor * two_to(half) * two_to(power - half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::order::Best;

    #[test]
    fn times_are_exponentials_of_keys() {
        let step = 104_729;
        let mut before = f64::INFINITY;
        for key in (-720 * UNIT..750 * UNIT).step_by(step) {
            let exact = (-(key as f64) / UNIT as f64).exp();
            let time = time(key);
            assert!(time <= before, "{key}");
            assert_eq!(time.is_infinite(), exact.is_infinite(), "{key}: {time} {exact}");
            // of subnormal numbers the last place is 2^-1074
            let place = (exact * f64::EPSILON).max(f64::from_bits(1));
            assert!((time - exact).abs() <= 2.0 * place || time == exact, "{key}: {time} {exact}");
            before = time;
        }
        assert_eq!(before, 0.0);
        assert_eq!(time(0), 1.0);
        assert_eq!((time(Best::NONE.key), time(i64::MAX)), (f64::INFINITY, 0.0));
    }

    /// The times are the same bits on every machine.
    #[test]
    fn golden_times() {
        let bits = [-700, -3, -1, 1, 20, 741].map(|n| time(n * (UNIT - 12_345)).to_bits());
        assert_eq!(bits, GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        9_151_785_210_911_062_456,
        4_626_334_327_452_485_413,
        4_613_298_943_001_844_351,
        4_600_303_624_937_225_070,
        4_477_131_876_001_404_260,
        54,
    ];
}
