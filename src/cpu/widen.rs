//! From halves to `f32`: every half is one, so nothing is rounded.

use half::{bf16, f16};

use super::simd::{Simd, Task, widen};
use crate::options::Known;

/// A type of logits that is converted on the way.
pub(super) trait Half: Known {
    /// The numbers that some halves are.
    fn convert<S: Simd>(s: S, halves: &[Self], to: &mut [f32]);
}

impl Half for f16 {
    #[inline(always)]
    fn convert<S: Simd>(s: S, halves: &[Self], to: &mut [f32]) {
        let lanes = 2 * S::OCTETS;
        let whole = halves.len() / lanes * lanes;
        let (vectors, rest) = halves.split_at(whole);
        let (to, to_rest) = to.split_at_mut(whole);
        for (to, halves) in to.chunks_exact_mut(lanes).zip(vectors.chunks_exact(lanes)) {
            s.store(s.floats_of_f16(halves), to);
        }
        for (to, &half) in to_rest.iter_mut().zip(rest) {
            *to = widen(half);
        }
    }
}

impl Half for bf16 {
    #[inline(always)]
    fn convert<S: Simd>(_: S, halves: &[Self], to: &mut [f32]) {
        for (to, half) in to.iter_mut().zip(halves) {
            *to = f32::from_bits(u32::from(half.to_bits()) << 16);
        }
    }
}

/// Converts halves; there may be more room than they need.
pub(super) struct Widen<'a, T> {
    pub(super) halves: &'a [T],
    pub(super) to: &'a mut [f32],
}

impl<T: Half> Task for Widen<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        T::convert(s, self.halves, &mut self.to[..self.halves.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::CpuForm;

    /// Every half, in every form, wherever a vector begins: what the crate `half` makes of it.
    fn all_are_exact<T: Half>(from_bits: fn(u16) -> T) {
        let halves: Vec<_> = (0..=u16::MAX).map(from_bits).collect();
        for form in CpuForm::ALL.into_iter().filter(|form| form.is_available()) {
            for from in [0, 1, 15, 65_519] {
                let mut floats = vec![0.5; halves.len() - from + 1];
                form.run(Widen { halves: &halves[from..], to: &mut floats });
                assert_eq!(floats.pop(), Some(0.5), "{form}");
                for (half, float) in halves[from..].iter().zip(floats) {
                    let expected = half.widen();
                    let same = float.to_bits() == expected.to_bits();
                    assert!(same || float.is_nan() && expected.is_nan(), "{form}: {expected}");
                }
            }
        }
    }

    #[test]
    fn every_f16_is_the_same_number() {
        all_are_exact(f16::from_bits);
    }

    #[test]
    fn every_bf16_is_the_same_number() {
        all_are_exact(bf16::from_bits);
    }
}
