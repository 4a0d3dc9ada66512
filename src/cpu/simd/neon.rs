//! NEON: four octets side by side, a word in each 32-bit lane.

#![expect(
    clippy::undocumented_unsafe_blocks,
    unsafe_code,
    reason = "every AArch64 has NEON, and its instructions ask for nothing else"
)]

use std::arch::aarch64::*;

use super::{MANTISSA, ONE, Simd, Task};
use crate::noise::bits::OCTET;

/// An AArch64 machine; every one has NEON.
#[derive(Clone, Copy)]
pub(super) struct Neon(());

impl Neon {
    #[inline]
    pub(super) const fn new() -> Self {
        Self(())
    }
}

/// Two vectors, where other instruction sets have one of twice the size.
type Floats = [float32x4_t; 2];
type Ints = [int32x4_t; 2];

/// The four words of each of four blocks, a block to a register.
#[inline(always)]
fn transposed([w0, w1, w2, w3]: [uint32x4_t; 4]) -> [uint64x2_t; 4] {
    unsafe {
        let wide = |a| vreinterpretq_u64_u32(a);
        let (a, b) = (wide(vtrn1q_u32(w0, w1)), wide(vtrn1q_u32(w2, w3)));
        let (c, d) = (wide(vtrn2q_u32(w0, w1)), wide(vtrn2q_u32(w2, w3)));
        [vtrn1q_u64(a, b), vtrn1q_u64(c, d), vtrn2q_u64(a, b), vtrn2q_u64(c, d)]
    }
}

impl Simd for Neon {
    const OCTETS: usize = 4;
    type Words = uint32x4_t;
    type Floats = Floats;
    type Ints = Ints;
    /// All bits of a lane are clear if it had a NaN.
    type NanFlags = uint32x4_t;

    #[inline(always)]
    fn run<T: Task>(self, task: T) -> T::Output {
        // NEON is part of the target: there is nothing to enable
        task.run(self)
    }

    #[inline(always)]
    fn words(self, words: &[u32]) -> uint32x4_t {
        let words = &words[..4];
        unsafe { vld1q_u32(words.as_ptr()) }
    }
    #[inline(always)]
    fn all_words(self, word: u32) -> uint32x4_t {
        unsafe { vdupq_n_u32(word) }
    }
    #[inline(always)]
    fn store_words(self, words: uint32x4_t, to: &mut [u32]) {
        let to = &mut to[..4];
        unsafe { vst1q_u32(to.as_mut_ptr(), words) }
    }
    #[inline(always)]
    fn add_words(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
        unsafe { vaddq_u32(a, b) }
    }
    #[inline(always)]
    fn mul_wide(self, a: uint32x4_t, b: u32) -> (uint32x4_t, uint32x4_t) {
        unsafe {
            let b = vdupq_n_u32(b);
            let low = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(b)));
            let high = vreinterpretq_u32_u64(vmull_high_u32(a, b));
            (vuzp1q_u32(low, high), vuzp2q_u32(low, high))
        }
    }
    #[inline(always)]
    fn xor(self, a: uint32x4_t, b: uint32x4_t, c: uint32x4_t) -> uint32x4_t {
        unsafe { veorq_u32(veorq_u32(a, b), c) }
    }
    #[inline(always)]
    fn store_pairs(self, low: uint32x4_t, high: uint32x4_t, to: &mut [u64]) {
        let to = &mut to[..4];
        unsafe {
            vst1q_u64(to.as_mut_ptr(), vreinterpretq_u64_u32(vzip1q_u32(low, high)));
            vst1q_u64(to[2..].as_mut_ptr(), vreinterpretq_u64_u32(vzip2q_u32(low, high)));
        }
    }
    #[inline(always)]
    fn halves(self, words: [uint32x4_t; 4]) -> [Ints; 4] {
        transposed(words).map(|octet| unsafe {
            let halves = vreinterpretq_u16_u64(octet);
            [
                vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(halves))),
                vreinterpretq_s32_u32(vmovl_high_u16(halves)),
            ]
        })
    }
    #[inline(always)]
    fn block_words(self, words: [uint32x4_t; 4]) -> [Ints; 2] {
        let [a, b, c, d] = transposed(words);
        unsafe {
            let word = |a| vreinterpretq_s32_u64(a);
            [[word(a), word(b)], [word(c), word(d)]]
        }
    }

    #[inline(always)]
    fn floats(self, floats: &[f32]) -> Floats {
        let floats = &floats[..8];
        unsafe { [vld1q_f32(floats.as_ptr()), vld1q_f32(floats[4..].as_ptr())] }
    }
    #[inline(always)]
    fn all(self, float: f32) -> Floats {
        unsafe { [vdupq_n_f32(float); 2] }
    }
    #[inline(always)]
    fn store(self, [a, b]: Floats, to: &mut [f32]) {
        let to = &mut to[..8];
        unsafe {
            vst1q_f32(to.as_mut_ptr(), a);
            vst1q_f32(to[4..].as_mut_ptr(), b);
        }
    }
    #[inline(always)]
    fn ints(self, ints: &[i32]) -> Ints {
        let ints = &ints[..8];
        unsafe { [vld1q_s32(ints.as_ptr()), vld1q_s32(ints[4..].as_ptr())] }
    }
    #[inline(always)]
    fn store_ints(self, [a, b]: Ints, to: &mut [i32]) {
        let to = &mut to[..8];
        unsafe {
            vst1q_s32(to.as_mut_ptr(), a);
            vst1q_s32(to[4..].as_mut_ptr(), b);
        }
    }
    #[inline(always)]
    fn mul_add(self, a: Floats, b: Floats, c: Floats) -> Floats {
        unsafe { [vfmaq_f32(c[0], a[0], b[0]), vfmaq_f32(c[1], a[1], b[1])] }
    }
    #[inline(always)]
    fn mul_sub(self, a: Floats, b: Floats, c: Floats) -> Floats {
        unsafe { [vnegq_f32(vfmsq_f32(c[0], a[0], b[0])), vnegq_f32(vfmsq_f32(c[1], a[1], b[1]))] }
    }
    #[inline(always)]
    fn sub(self, a: Floats, b: Floats) -> Floats {
        unsafe { [vsubq_f32(a[0], b[0]), vsubq_f32(a[1], b[1])] }
    }
    #[inline(always)]
    fn larger(self, a: Floats, b: Floats) -> Floats {
        unsafe { [vmaxq_f32(a[0], b[0]), vmaxq_f32(a[1], b[1])] }
    }
    #[inline(always)]
    fn to_floats(self, a: Ints) -> Floats {
        unsafe { [vcvtq_f32_s32(a[0]), vcvtq_f32_s32(a[1])] }
    }
    #[inline(always)]
    fn bits(self, a: Floats) -> Ints {
        unsafe { [vreinterpretq_s32_f32(a[0]), vreinterpretq_s32_f32(a[1])] }
    }
    #[inline(always)]
    fn mantissas(self, bits: Ints) -> Floats {
        unsafe {
            let one = |bits| {
                let mantissa = vandq_s32(bits, vdupq_n_s32(MANTISSA));
                vreinterpretq_f32_s32(vorrq_s32(mantissa, vdupq_n_s32(ONE)))
            };
            [one(bits[0]), one(bits[1])]
        }
    }
    #[inline(always)]
    fn power_of_two(self, n: Ints) -> Floats {
        unsafe {
            let power =
                |n| vreinterpretq_f32_s32(vaddq_s32(vshlq_n_s32::<23>(n), vdupq_n_s32(ONE)));
            [power(n[0]), power(n[1])]
        }
    }
    #[inline(always)]
    fn all_ints(self, a: i32) -> Ints {
        unsafe { [vdupq_n_s32(a); 2] }
    }
    #[inline(always)]
    fn halved(self, a: Ints) -> Ints {
        unsafe {
            let half = |a| vreinterpretq_s32_u32(vshrq_n_u32::<1>(vreinterpretq_u32_s32(a)));
            [half(a[0]), half(a[1])]
        }
    }
    #[inline(always)]
    fn shift_right<const N: u32>(self, a: Ints) -> Ints {
        unsafe {
            // a shift to the left by a negative count
            let count = vdupq_n_s32(-(N as i32));
            let shift = |a| vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), count));
            [shift(a[0]), shift(a[1])]
        }
    }
    #[inline(always)]
    fn larger_words(self, a: Ints, b: Ints) -> Ints {
        unsafe {
            let word = |a| vreinterpretq_u32_s32(a);
            let larger = |a, b| vreinterpretq_s32_u32(vmaxq_u32(word(a), word(b)));
            [larger(a[0], b[0]), larger(a[1], b[1])]
        }
    }
    #[inline(always)]
    fn sub_ints(self, a: Ints, b: Ints) -> Ints {
        unsafe { [vsubq_s32(a[0], b[0]), vsubq_s32(a[1], b[1])] }
    }
    #[inline(always)]
    fn no_nans(self) -> uint32x4_t {
        unsafe { vdupq_n_u32(!0) }
    }
    #[inline(always)]
    fn flag_nans(self, flags: uint32x4_t, a: Floats, b: Floats) -> uint32x4_t {
        unsafe {
            let mut flags = flags;
            for x in [a[0], a[1], b[0], b[1]] {
                flags = vandq_u32(flags, vceqq_f32(x, x));
            }
            flags
        }
    }
    #[inline(always)]
    fn is_nan_free(self, flags: uint32x4_t) -> bool {
        unsafe { vminvq_u32(flags) != 0 }
    }
    #[inline(always)]
    fn add_from(self, sum: Floats, x: Floats, a: Floats, bound: Floats) -> Floats {
        unsafe {
            let kept = |x: float32x4_t, a: float32x4_t, bound: float32x4_t| {
                vreinterpretq_f32_u32(vandq_u32(vcgeq_f32(a, bound), vreinterpretq_u32_f32(x)))
            };
            let (low, high) = (kept(x[0], a[0], bound[0]), kept(x[1], a[1], bound[1]));
            [vaddq_f32(sum[0], low), vaddq_f32(sum[1], high)]
        }
    }
    #[inline(always)]
    fn all_below(self, a: [Floats; 4], bound: Floats) -> bool {
        unsafe {
            let mut below = vdupq_n_u32(!0);
            for [low, high] in a {
                below = vandq_u32(below, vcltq_f32(low, bound[0]));
                below = vandq_u32(below, vcltq_f32(high, bound[1]));
            }
            vminvq_u32(below) != 0
        }
    }
    #[inline(always)]
    fn not_below(self, a: &[f32; OCTET], bound: f32) -> u8 {
        unsafe {
            let bound = vdupq_n_f32(bound);
            let low = vcltq_f32(vld1q_f32(a.as_ptr()), bound);
            let high = vcltq_f32(vld1q_f32(a[4..].as_ptr()), bound);
            // a bit for each lane
            let low = vaddvq_u32(vandq_u32(low, vld1q_u32([1, 2, 4, 8].as_ptr())));
            let high = vaddvq_u32(vandq_u32(high, vld1q_u32([16, 32, 64, 128].as_ptr())));
            !((low | high) as u8)
        }
    }
}
