//! The ratio test of speculative decoding, in integers (Leviathan et al. 2023, arXiv:2211.17192; Chen et al. 2023,
//! arXiv:2302.01318).
//!
//! A drafter draws category x with probability q(x), and the target wants p. Draft x is accepted with probability min(1,
//! p(x)/q(x)), and if it is not, a category is drawn in proportion to the *residual*, max(p − q, 0). Then the outcome has
//! distribution p.
//!
//! Here p(x) = w/W and q(x) = v/V with [integer weights](super::exp::weight) and their sums, all below 2⁶³. With a
//! uniform number u of 64 bits, x is accepted if u/2⁶⁴ · v/V < w/W, that is ⌊u·v·W / 2⁶⁴⌋ < w·V: exact integers, the
//! same on every machine. The residual of a category is w·V − v·W, or 0 if that is negative.
//!
//! The noise is a block of its own: no draw of any method has a bit of it. So a draft may be drawn with
//! the same seed, row and number as the verification.

use super::bits::Stream;
use super::philox::philox4x32_10;

/// The counter word 0 of the blocks of verification. Words 0 from 2³² − 16 on are those of no group's member.
const CATEGORY: u32 = u32::MAX - 1;

/// The two uniform numbers of the verification of a draw: that of the test, and that of the residual.
///
/// ```
/// use gumbel::noise::{bits::{Stream, uniform_bits, uniform_block}, verification::uniform_numbers};
/// let stream = Stream::new(7, 3, 5);
/// let [test, residual] = uniform_numbers(stream);
/// assert!(test != residual && test != uniform_bits(uniform_block(stream), 5));
/// ```
pub const fn uniform_numbers(stream: Stream) -> [u64; 2] {
    let counter = [CATEGORY, stream.row[0], stream.row[1], (stream.draw << 1) | 1];
    let [a, b, c, d] = philox4x32_10(counter, stream.key);
    [(b as u64) << 32 | a as u64, (d as u64) << 32 | c as u64]
}

/// The weight of a category under a distribution, and the sum of all weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odds {
    /// The weight of the category.
    pub weight: u64,
    /// The sum of all weights, below 2⁶³.
    pub total: u64,
}

impl Odds {
    /// The probability under `self` times the sum of `other`, and of `self`.
    const fn times(self, other: Self) -> u128 {
        self.weight as u128 * other.total as u128
    }
}

/// Whether the test accepts a draft.
///
/// ```
/// use gumbel::noise::verification::{Odds, accepts};
/// let (target, draft) = (Odds { weight: 1, total: 4 }, Odds { weight: 1, total: 2 });
/// assert!(accepts((1 << 63) - 1, target, draft) && !accepts(1 << 63, target, draft));
/// assert!(accepts(u64::MAX, draft, target));
/// ```
pub const fn accepts(uniform: u64, target: Odds, draft: Odds) -> bool {
    share_of(uniform, draft.times(target)) < target.times(draft)
}

/// The residual of a category.
///
/// ```
/// use gumbel::noise::verification::{Odds, residual};
/// let (likely, unlikely) = (Odds { weight: 3, total: 4 }, Odds { weight: 1, total: 2 });
/// assert_eq!((residual(likely, unlikely), residual(unlikely, likely)), (3 * 2 - 4, 0));
/// ```
pub const fn residual(target: Odds, draft: Odds) -> u128 {
    target.times(draft).saturating_sub(draft.times(target))
}

/// ⌊uniform·total / 2⁶⁴⌋: the category at which the sum of the residuals so far exceeds this is drawn. The total is
/// below 2¹²⁷.
pub const fn share_of(uniform: u64, total: u128) -> u128 {
    let (high, low) = ((total >> 64) as u64, total as u64);
    uniform as u128 * high as u128 + ((uniform as u128 * low as u128) >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 2¹⁶ uniform numbers evenly apart, so many are accepted as the ratio says.
    #[test]
    fn the_ratio_is_the_share_that_is_accepted() {
        let accepted = |target: [u64; 2], draft: [u64; 2]| {
            let [target, draft] = [target, draft].map(|[weight, total]| Odds { weight, total });
            (0..1u64 << 16).filter(|i| accepts(i << 48 | 1 << 47, target, draft)).count()
        };
        assert_eq!(accepted([1, 4], [1, 2]), 1 << 15);
        assert_eq!(accepted([3 << 60, 7 << 60], [(1 << 62) - 1, (1 << 62) - 1]), (3 << 16) / 7 + 1);
        assert_eq!(accepted([1, 2], [1, 2]), 1 << 16);
        assert_eq!(accepted([1, 2], [0, 2]), 1 << 16);
        assert_eq!(accepted([0, 2], [1, 2]), 0);
        assert_eq!(accepted([(1 << 63) - 1; 2], [(1 << 63) - 1; 2]), 1 << 16);
    }

    /// Against fractions in f64.
    #[test]
    fn shares_are_products() {
        for uniform in [0, 1, 1 << 20, u64::MAX / 3, u64::MAX] {
            for total in [0u128, 1, 1 << 63, (1 << 64) + 12345, (1 << 126) + (1 << 80) + 77] {
                let exact = uniform as f64 * total as f64 / 2f64.powi(64);
                let got = share_of(uniform, total) as f64;
                assert!((got - exact).abs() <= 1.0 + exact * 1e-15, "{uniform} of {total}: {got}");
            }
        }
    }
}
