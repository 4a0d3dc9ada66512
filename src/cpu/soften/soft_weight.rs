//! The weights of soft samples, without a branch.

use crate::cpu::lanes::TO_INTEGER;

/// 2ʳ for r from −½ to ½, highest power first: the Taylor polynomial, whose error is 5·10⁻⁹.
const EXP2: [f32; 8] = [
    1.525_273_4e-5,
    1.540_353_1e-4,
    1.333_355_8e-3,
    9.618_129e-3,
    5.550_411e-2,
    2.402_265e-1,
    6.931_472e-1,
    1.0,
];

/// 2^(−gap·fall), the weight of a category whose key is `gap` units below the largest. The weight of the
/// largest is 1, and none is more; the weight is 0 where gap·fall rounds to more than 126.
#[inline(always)]
pub(super) fn soft_weight(gap: u64, fall: f64) -> f32 {
    let x = gap as f64 * fall;
    // not f64::min, of which the compiler makes more than an instruction
    let x = if x < 200.0 { x } else { 200.0 };
    let integer = TO_INTEGER - x;
    let rest = ((TO_INTEGER - integer) - x) as f32;
    let power = integer.to_bits().wrapping_sub(TO_INTEGER.to_bits()) as i32;
    let fraction = EXP2[1..].iter().fold(EXP2[0], |sum, &word| sum * rest + word);
    let whole = f32::from_bits(((power + 127) as u32) << 23);
    if power >= -126 { fraction * whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::philox::philox4x32_10;

    fn words() -> impl Iterator<Item = u64> {
        let random = (0..200_000).map(|i| philox4x32_10([i, 0, 0, 9], [3, 4]));
        let random = random.map(|[a, b, c, _]| (u64::from(a) << 32 | u64::from(b)) >> (c % 64));
        let edges = (0..64).flat_map(|i| [1 << i, (1 << i) - 1, !(1 << i), u64::MAX << i]);
        random.chain(edges)
    }

    #[test]
    fn weights_are_powers_of_two() {
        let mut worst = 0f64;
        for v in words() {
            for fall in [1e-9, 8.6e-8, 1e-3, 2f64.powi(76), 2f64.powi(-124)] {
                let (got, expected) = (soft_weight(v, fall), (-(v as f64) * fall).exp2());
                assert!(got <= 1.0);
                if expected >= f64::from(f32::MIN_POSITIVE) {
                    worst = worst.max((f64::from(got) - expected).abs() / expected);
                } else {
                    assert!(got <= 2.0 * f32::MIN_POSITIVE);
                }
            }
        }
        assert!(worst < 1.5e-7, "{worst:e}");
        assert_eq!(soft_weight(0, f64::MAX), 1.0);
        assert_eq!(soft_weight(1, 1e300), 0.0);
    }
}
