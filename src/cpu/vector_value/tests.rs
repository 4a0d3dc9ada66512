use super::*;
use crate::cpu::simd::{Isa, Task};

/// The accurate floats of values, or the rough ones.
struct Floats<'a, T> {
    values: &'a [T],
    rough: bool,
}

impl<T: VectorValue> Task for Floats<'_, T> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Vec<f32> {
        let (lanes, tile) = (2 * S::OCTETS, S::OCTETS * OCTET);
        let mut values = self.values.to_vec();
        values.resize(values.len().next_multiple_of(tile), T::NEVER);
        let mut found = vec![0.0; values.len()];
        for at in (0..values.len()).step_by(tile) {
            let tile = &values[at..at + tile];
            let vectors = if self.rough { T::rough(s, tile) } else { T::accurate(s, tile) };
            for (i, vector) in vectors.into_iter().enumerate() {
                s.store(vector, &mut found[at + i * lanes..]);
            }
        }
        found.truncate(self.values.len());
        found
    }
}

fn isas() -> impl Iterator<Item = Isa> {
    Isa::available()
}

/// Every half becomes the float that the crate `half` makes of it, with every instruction set.
fn halves_are_exact<T: VectorValue + Widen>(from_bits: fn(u16) -> T) {
    let halves: Vec<_> = (0..=u16::MAX).map(from_bits).collect();
    for isa in isas() {
        let floats = isa.run(Floats { values: &halves, rough: false });
        for (half, float) in halves.iter().zip(floats) {
            let expected = half.widen();
            let same = float.to_bits() == expected.to_bits();
            assert!(same || float.is_nan() && expected.is_nan(), "{isa}: {expected}");
        }
    }
}

#[test]
fn every_f16_is_the_same_number() {
    halves_are_exact(f16::from_bits);
}

#[test]
fn every_bf16_is_the_same_number() {
    halves_are_exact(bf16::from_bits);
}

/// The largest errors of logarithms with any instruction set, in powers: of the accurate ones, and by how
/// much the rough ones are too small and too large.
fn errors<T: VectorValue>(values: &[T], number: fn(T) -> f64) -> [f64; 3] {
    let mut worst = [0f64; 3];
    let unit = f64::from(T::rough_slope(Scale::ONE) / T::slope(Scale::ONE));
    for isa in isas() {
        let accurate = isa.run(Floats { values, rough: false });
        let rough = isa.run(Floats { values, rough: true });
        for ((&value, accurate), rough) in values.iter().zip(accurate).zip(rough) {
            let log2 = number(value).log2();
            let rough = f64::from(rough) * unit;
            worst[1] = worst[1].max(log2 - rough);
            if value.is_bounded() {
                worst[0] = worst[0].max((f64::from(accurate) - log2).abs());
                worst[0] = worst[0].max((f64::from(value.float()) - log2).abs());
                worst[2] = worst[2].max(rough - log2);
            }
        }
    }
    println!("{worst:?}");
    worst
}

#[test]
fn logarithms_of_weights_are_as_near_as_is_said() {
    let bits = (1..0x7f80_0000u32).step_by(8191).chain([0x7f7f_ffff, 0x80_0000, 0x7f_ffff]);
    let weights: Vec<_> = bits.map(|bits| Positive(f32::from_bits(bits))).collect();
    let [accurate, low, high] = errors(&weights, |weight| f64::from(weight.0));
    // (rough ones are up to 2^29 units, of which a float holds 24 bits)
    assert!(accurate < f64::from(ACCURATE_ERROR) && low < f64::from(ROUGH) && high < 1e-5);
    // the smallest constants that would do are not much smaller
    assert!(accurate > f64::from(ACCURATE_ERROR) / 2.0 && low > f64::from(ROUGH) - 0.001);
}

#[test]
fn logarithms_of_counts_are_as_near_as_is_said() {
    let counts: Vec<_> = (1..u32::MAX).step_by(99_991).chain([u32::MAX]).chain(1..1000).collect();
    let [accurate, low, high] = errors(&counts, f64::from);
    assert!(accurate < f64::from(ACCURATE_ERROR) && low < f64::from(ROUGH) && high < 1e-5);
}

/// A count of 0 is never drawn, wherever it is; and counts as floats are rounded once.
#[test]
fn counts_of_zero_are_never_and_the_rest_is_rounded_once() {
    let counts: Vec<u32> =
        (0..64).chain((0..3000u32).map(|i| i.wrapping_mul(2_654_435_761))).collect();
    for isa in isas() {
        for at in 0..64 {
            let mut some = [1u32; 64];
            some[at] = 0;
            let accurate = isa.run(Floats { values: &some, rough: false });
            assert_eq!(accurate[at], f32::NEG_INFINITY, "{isa}");
            assert!(accurate.iter().enumerate().all(|(i, &x)| i == at || x.abs() < ACCURATE_ERROR));
        }
        for (count, float) in counts.iter().zip(isa.run(AsFloats(&counts))) {
            assert_eq!(float.to_bits(), (*count as f32).to_bits(), "{isa}: {count}");
        }
    }
}

/// Counts as floats.
struct AsFloats<'a>(&'a [u32]);

impl Task for AsFloats<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Vec<f32> {
        let lanes = 2 * S::OCTETS;
        let mut counts = self.0.to_vec();
        counts.resize(counts.len().next_multiple_of(lanes), 0);
        let mut found = vec![0.0; counts.len()];
        for (counts, to) in counts.chunks(lanes).zip(found.chunks_mut(lanes)) {
            s.store(s.floats_of_counts(counts), to);
        }
        found
    }
}

/// A single zero among normal weights becomes −∞, wherever it is, and any other weight that is not normal is
/// noticed.
#[test]
fn zeros_are_never_and_the_rest_is_noticed() {
    for isa in isas() {
        for at in 0..64 {
            let mut weights = [Positive(1.0); 64];
            weights[at] = Positive(0.0);
            let accurate = isa.run(Floats { values: &weights, rough: false });
            assert_eq!(accurate[at], f32::NEG_INFINITY, "{isa}");
            assert!(accurate.iter().enumerate().all(|(i, &x)| i == at || x.abs() < ACCURATE_ERROR));
            for weight in
                [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, -1e-45, 1e-45]
            {
                weights[at] = Positive(weight);
                let [bounded, valid] = isa.run(Checks { values: &weights });
                assert!(!bounded, "{isa}: {weight}");
                assert_eq!(valid, weight == 1e-45, "{isa}: {weight}");
            }
            weights[at] = Positive(f32::MIN_POSITIVE);
            assert_eq!(isa.run(Checks { values: &weights }), [true; 2]);
        }
    }
}

/// A check of whether all values are bounded, and whether all are valid, by their rough floats.
struct Checks<'a> {
    values: &'a [Positive; 64],
}

impl Task for Checks<'_> {
    type Output = [bool; 2];

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [bool; 2] {
        let mut all = [true; 2];
        for tile in self.values.chunks(S::OCTETS * OCTET) {
            let accurate = Positive::accurate(s, tile);
            all[0] &= Positive::all_bounded(s, tile, accurate);
            all[1] &= Positive::all_valid(s, Positive::rough(s, tile));
        }
        all
    }
}
