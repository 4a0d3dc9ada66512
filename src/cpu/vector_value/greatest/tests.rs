use super::*;
use crate::cpu::simd::{Isa, Task};
use crate::cpu::vector_value::ACCURATE_ERROR;

/// The floats of values, each of which is the greatest of its lane beside values that are never drawn.
struct GreatestFloats<'a, T>(&'a [T]);

impl<T: VectorValue> Task for GreatestFloats<'_, T> {
    /// The floats, and whether all were sound.
    type Output = (Vec<f32>, bool);

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Self::Output {
        let lanes = 2 * S::OCTETS;
        let (mut found, mut sound) = (Vec::new(), true);
        for values in self.0.chunks(4 * lanes) {
            let mut padded = [T::NEVER; 64];
            padded[..values.len()].copy_from_slice(values);
            for raw in T::load(s, &padded) {
                let raw = T::greater(s, T::nevers(s), raw);
                sound &= T::are_sound(s, [raw; 2]);
                let mut floats = [0.0; 16];
                s.store(T::floats(s, raw), &mut floats);
                found.extend(&floats[..lanes]);
            }
        }
        found.truncate(self.0.len());
        (found, sound)
    }
}

fn weights() -> Vec<Positive> {
    let bits = (0..0x7f80_0000u32).step_by(40_009).chain([1, 2, 0x7f_ffff, 0x80_0000, 0x7f7f_0000]);
    bits.map(|bits| Positive(f32::from_bits(bits))).collect()
}

fn counts() -> Vec<u32> {
    (0..u32::MAX).step_by(199_991).chain([1, 2, 3, (1 << 24) + 1, u32::MAX]).collect()
}

/// The float of a greatest weight is near its logarithm, or too large, and −∞ for 0 alone.
fn floats_are_bounds<T: VectorValue>(isa: Isa, values: &[T]) {
    let (floats, sound) = isa.run(GreatestFloats(values));
    assert!(sound, "{isa}");
    for (value, float) in values.iter().zip(floats) {
        let log2 = value.log_weight() / std::f64::consts::LN_2;
        if log2 == f64::NEG_INFINITY {
            assert_eq!(float, f32::NEG_INFINITY, "{isa}");
            continue;
        }
        let more = f64::from(float) - log2;
        assert!(more > -f64::from(ACCURATE_ERROR), "{isa}: {log2} {float}");
        assert!(!value.is_bounded() || more < f64::from(ACCURATE_ERROR), "{isa}: {log2} {float}");
    }
}

#[test]
fn floats_of_the_greatest_are_near_or_larger() {
    for isa in Isa::available() {
        floats_are_bounds(isa, &weights());
        floats_are_bounds(isa, &counts());
    }
}

/// Values with a sign, infinite ones and NaNs are noticed wherever they are.
#[test]
fn invalid_weights_are_not_sound() {
    for isa in Isa::available() {
        for weight in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, -1e-45, -0.0] {
            for at in [0, 5, 15, 16, 31, 63] {
                let mut values = [Positive(1e30); 64];
                values[at] = Positive(weight);
                assert!(!isa.run(GreatestFloats(&values)).1, "{isa}: {weight} at {at}");
            }
        }
        assert!(isa.run(GreatestFloats(&[Positive(3e38); 64])).1, "{isa}");
    }
}

/// A value reaches the bound of its own float, and one that is a quarter of a power below the bound does not.
fn values_reach_their_floats<T: VectorValue>(values: &[T]) {
    for value in values {
        let log2 = value.log_weight() / std::f64::consts::LN_2;
        if !log2.is_finite() {
            assert!(!value.reaches(T::least(f32::NEG_INFINITY)));
            assert!(!value.reaches(T::least(-3e38)));
            continue;
        }
        let float = if value.is_bounded() { value.float() } else { log2 as f32 - 1e-4 };
        assert!(value.reaches(T::least(float)), "{log2}");
        assert!(value.reaches(T::least(f32::NEG_INFINITY)), "{log2}");
        if value.is_bounded() && (2.5..31.5).contains(&float) {
            assert!(!value.reaches(T::least(float + 0.25)), "{log2}");
        }
    }
}

#[test]
fn a_value_reaches_its_own_float() {
    values_reach_their_floats(&weights());
    values_reach_their_floats(&counts());
    for (logit, reaches) in [(1.0f32, true), (0.99, false), (f32::INFINITY, true), (f32::NAN, true)]
    {
        assert_eq!(logit.reaches(f32::least(1.0)), reaches, "{logit}");
    }
    assert!(!f32::NEG_INFINITY.reaches(f32::least(f32::NEG_INFINITY)));
    assert!(f32::MIN.reaches(f32::least(f32::NEG_INFINITY)));
}
