//! WebAssembly's vectors of 128 bits: four octets side by side, a word in each 32-bit lane.

use std::arch::wasm32::*;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::{MANTISSA, ONE, Simd, Task};
use crate::noise::bits::OCTET;

/// A module that is compiled with `simd128`: an engine that lacks these vectors does not load the module at all.
#[derive(Clone, Copy)]
pub(super) struct Simd128(());

impl Simd128 {
    #[inline]
    pub(super) const fn new() -> Self {
        Self(())
    }
}

/// Two vectors, where other instruction sets have one of twice the size.
type Two = [v128; 2];

/// Applies an instruction to both vectors. The instructions are no `Fn`s themselves.
#[inline(always)]
fn both(a: Two, b: Two, f: impl Fn(v128, v128) -> v128) -> Two {
    [f(a[0], b[0]), f(a[1], b[1])]
}

/// Loads 16 bytes, which may begin anywhere.
#[inline(always)]
fn load<T: bytemuck::Pod>(values: &[T]) -> v128 {
    bytemuck::pod_read_unaligned(bytemuck::cast_slice(&values[..16 / size_of::<T>()]))
}

/// Stores four lanes.
#[inline(always)]
fn store<T: bytemuck::Pod>(lanes: v128, to: &mut [T]) {
    to[..4].copy_from_slice(&bytemuck::cast::<v128, [T; 4]>(lanes));
}

/// The four words of each of four blocks, a block to a vector.
#[inline(always)]
fn transposed([w0, w1, w2, w3]: [v128; 4]) -> [v128; 4] {
    let a = u32x4_shuffle::<0, 4, 1, 5>(w0, w1);
    let b = u32x4_shuffle::<0, 4, 1, 5>(w2, w3);
    let c = u32x4_shuffle::<2, 6, 3, 7>(w0, w1);
    let d = u32x4_shuffle::<2, 6, 3, 7>(w2, w3);
    [
        u64x2_shuffle::<0, 2>(a, b),
        u64x2_shuffle::<1, 3>(a, b),
        u64x2_shuffle::<0, 2>(c, d),
        u64x2_shuffle::<1, 3>(c, d),
    ]
}

/// Halves as floats, from their bits in 32-bit lanes. The computation is that of [`widen`](super::widen).
#[inline(always)]
fn widen(half: v128) -> v128 {
    const BIAS: u32 = 127 - 15;
    const INFINITY: u32 = 0x7c00 << 13;
    let sign = u32x4_shl(v128_and(half, u32x4_splat(0x8000)), 16);
    let magnitude = u32x4_shl(v128_and(half, u32x4_splat(0x7fff)), 13);
    let normal = u32x4_add(magnitude, u32x4_splat(BIAS << 23));
    let subnormal =
        f32x4_sub(u32x4_add(normal, u32x4_splat(1 << 23)), u32x4_splat((BIAS + 1) << 23));
    let infinite = u32x4_add(normal, u32x4_splat(BIAS << 23));
    // signed comparisons, as magnitudes are below 2^31
    let is_infinite = i32x4_gt(magnitude, u32x4_splat(INFINITY - 1));
    let is_subnormal = i32x4_lt(magnitude, u32x4_splat(1 << 23));
    let finite = v128_bitselect(subnormal, normal, is_subnormal);
    v128_or(sign, v128_bitselect(infinite, finite, is_infinite))
}

impl Simd for Simd128 {
    const OCTETS: usize = 4;
    type Words = v128;
    type Floats = Two;
    type Ints = Two;
    /// All bits of a lane are clear if it had a NaN.
    type NanFlags = v128;

    // The whole module is compiled for these vectors: there is nothing to enable. Not inlined, so that a task which
    // others run is compiled once, as elsewhere, and a module stays small.
    #[inline(never)]
    fn run<T: Task>(self, task: T) -> T::Output {
        task.run(self)
    }

    #[inline(always)]
    fn words(self, words: &[u32]) -> v128 {
        load(words)
    }
    #[inline(always)]
    fn all_words(self, word: u32) -> v128 {
        u32x4_splat(word)
    }
    #[inline(always)]
    fn store_words(self, words: v128, to: &mut [u32]) {
        store(words, to);
    }
    #[inline(always)]
    fn add_words(self, a: v128, b: v128) -> v128 {
        u32x4_add(a, b)
    }
    #[inline(always)]
    fn mul_wide(self, a: v128, b: u32) -> (v128, v128) {
        let b = u32x4_splat(b);
        let low = u64x2_extmul_low_u32x4(a, b);
        let high = u64x2_extmul_high_u32x4(a, b);
        (u32x4_shuffle::<0, 2, 4, 6>(low, high), u32x4_shuffle::<1, 3, 5, 7>(low, high))
    }
    #[inline(always)]
    fn xor(self, a: v128, b: v128, c: v128) -> v128 {
        v128_xor(v128_xor(a, b), c)
    }
    #[inline(always)]
    fn store_pairs(self, low: v128, high: v128, to: &mut [u64]) {
        let pairs =
            [u32x4_shuffle::<0, 4, 1, 5>(low, high), u32x4_shuffle::<2, 6, 3, 7>(low, high)];
        to[..4].copy_from_slice(&bytemuck::cast::<Two, [u64; 4]>(pairs));
    }
    #[inline(always)]
    fn halves(self, words: [v128; 4]) -> [Two; 4] {
        transposed(words)
            .map(|octet| [u32x4_extend_low_u16x8(octet), u32x4_extend_high_u16x8(octet)])
    }
    #[inline(always)]
    fn block_words(self, words: [v128; 4]) -> [Two; 2] {
        let [a, b, c, d] = transposed(words);
        [[a, b], [c, d]]
    }

    #[inline(always)]
    fn floats(self, floats: &[f32]) -> Two {
        let floats = &floats[..8];
        [load(floats), load(&floats[4..])]
    }
    #[inline(always)]
    fn floats_of_f16(self, halves: &[f16]) -> Two {
        let halves = load(halves.reinterpret_cast());
        [u32x4_extend_low_u16x8(halves), u32x4_extend_high_u16x8(halves)].map(widen)
    }
    #[inline(always)]
    fn floats_of_bf16(self, halves: &[bf16]) -> Two {
        let halves = load(halves.reinterpret_cast());
        [u32x4_extend_low_u16x8(halves), u32x4_extend_high_u16x8(halves)]
            .map(|halves| u32x4_shl(halves, 16))
    }
    #[inline(always)]
    fn floats_of_counts(self, counts: &[u32]) -> Two {
        let counts = &counts[..8];
        [f32x4_convert_u32x4(load(counts)), f32x4_convert_u32x4(load(&counts[4..]))]
    }
    #[inline(always)]
    fn all(self, float: f32) -> Two {
        [f32x4_splat(float); 2]
    }
    #[inline(always)]
    fn store(self, floats: Two, to: &mut [f32]) {
        to[..8].copy_from_slice(&bytemuck::cast::<Two, [f32; 8]>(floats));
    }
    #[inline(always)]
    fn ints(self, ints: &[i32]) -> Two {
        let ints = &ints[..8];
        [load(ints), load(&ints[4..])]
    }
    #[inline(always)]
    fn store_ints(self, ints: Two, to: &mut [i32]) {
        to[..8].copy_from_slice(&bytemuck::cast::<Two, [i32; 8]>(ints));
    }
    #[inline(always)]
    fn mul_add(self, a: Two, b: Two, c: Two) -> Two {
        both(both(a, b, |a, b| f32x4_mul(a, b)), c, |a, b| f32x4_add(a, b))
    }
    #[inline(always)]
    fn mul_sub(self, a: Two, b: Two, c: Two) -> Two {
        both(both(a, b, |a, b| f32x4_mul(a, b)), c, |a, b| f32x4_sub(a, b))
    }
    #[inline(always)]
    fn sub(self, a: Two, b: Two) -> Two {
        both(a, b, |a, b| f32x4_sub(a, b))
    }
    #[inline(always)]
    fn larger(self, a: Two, b: Two) -> Two {
        // one instruction on every machine, where f32x4_max, which treats NaNs and zeros alike everywhere, is several
        both(a, b, |a, b| f32x4_pmax(a, b))
    }
    #[inline(always)]
    fn to_floats(self, a: Two) -> Two {
        a.map(|a| f32x4_convert_i32x4(a))
    }
    #[inline(always)]
    fn bits(self, a: Two) -> Two {
        a
    }
    #[inline(always)]
    fn mantissas(self, bits: Two) -> Two {
        bits.map(|bits| v128_or(v128_and(bits, i32x4_splat(MANTISSA)), i32x4_splat(ONE)))
    }
    #[inline(always)]
    fn power_of_two(self, n: Two) -> Two {
        n.map(|n| i32x4_add(i32x4_shl(n, 23), i32x4_splat(ONE)))
    }
    #[inline(always)]
    fn all_ints(self, a: i32) -> Two {
        [i32x4_splat(a); 2]
    }
    #[inline(always)]
    fn halved(self, a: Two) -> Two {
        self.shift_right::<1>(a)
    }
    #[inline(always)]
    fn shift_right<const N: u32>(self, a: Two) -> Two {
        a.map(|a| u32x4_shr(a, N))
    }
    #[inline(always)]
    fn larger_words(self, a: Two, b: Two) -> Two {
        both(a, b, |a, b| u32x4_max(a, b))
    }
    #[inline(always)]
    fn sub_ints(self, a: Two, b: Two) -> Two {
        both(a, b, |a, b| i32x4_sub(a, b))
    }
    #[inline(always)]
    fn no_nans(self) -> v128 {
        u32x4_splat(!0)
    }
    #[inline(always)]
    fn flag_nans(self, flags: v128, a: Two, b: Two) -> v128 {
        [a[0], a[1], b[0], b[1]].into_iter().fold(flags, |flags, x| v128_and(flags, f32x4_eq(x, x)))
    }
    #[inline(always)]
    fn is_nan_free(self, flags: v128) -> bool {
        u32x4_all_true(flags)
    }
    #[inline(always)]
    fn add_from(self, sum: Two, x: Two, a: Two, bound: Two) -> Two {
        let kept = both(x, both(a, bound, |a, bound| f32x4_ge(a, bound)), |x, ge| v128_and(x, ge));
        both(sum, kept, |sum, x| f32x4_add(sum, x))
    }
    #[inline(always)]
    fn all_below(self, a: [Two; 4], bound: Two) -> bool {
        let below = a.map(|a| {
            let [low, high] = both(a, bound, |a, bound| f32x4_lt(a, bound));
            v128_and(low, high)
        });
        let [a, b, c, d] = below;
        u32x4_all_true(v128_and(v128_and(a, b), v128_and(c, d)))
    }
    #[inline(always)]
    fn not_below(self, a: &[f32; OCTET], bound: f32) -> u8 {
        let [low, high] = both(self.floats(a), self.all(bound), |a, b| f32x4_lt(a, b));
        !(u32x4_bitmask(low) | u32x4_bitmask(high) << 4)
    }
    #[inline(always)]
    fn max(self, octets: &[[f32; OCTET]]) -> f32 {
        // f32x4_pmax keeps its first operand where the second is a NaN
        let mut most = self.all(f32::NEG_INFINITY);
        for octet in octets {
            most = self.larger(most, self.floats(octet));
        }
        let most = f32x4_pmax(most[0], most[1]);
        let most = f32x4_pmax(most, u32x4_shuffle::<2, 3, 0, 1>(most, most));
        let most = f32x4_pmax(most, u32x4_shuffle::<1, 0, 3, 2>(most, most));
        f32x4_extract_lane::<0>(most)
    }
}
