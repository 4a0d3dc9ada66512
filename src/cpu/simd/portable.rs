//! Plain loops, which the compiler turns into whatever vectors the target has.

use std::array::from_fn;

use super::{MANTISSA, ONE, Simd, Task};
use crate::noise::bits::OCTET;

const OCTETS: usize = 4;
const LANES: usize = 2 * OCTETS;

/// Instructions that every machine of the target has.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Simd for Portable {
    const OCTETS: usize = OCTETS;
    /// The high halves of the lanes mean nothing.
    type Words = [u64; OCTETS];
    type Floats = [f32; LANES];
    type Ints = [i32; LANES];
    /// All bits of a lane are set if it had a NaN.
    type NanFlags = [u32; LANES];

    // not inlined: where another instruction set is used, the arrays of this one need no stack
    #[inline(never)]
    fn run<T: Task>(self, task: T) -> T::Output {
        task.run(self)
    }

    #[inline(always)]
    fn words(self, words: &[u32]) -> Self::Words {
        from_fn(|i| u64::from(words[i]))
    }
    #[inline(always)]
    fn all_words(self, word: u32) -> Self::Words {
        [u64::from(word); OCTETS]
    }
    #[inline(always)]
    fn store_words(self, words: Self::Words, to: &mut [u32]) {
        for (to, word) in to[..OCTETS].iter_mut().zip(words) {
            *to = word as u32;
        }
    }
    #[inline(always)]
    fn add_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        from_fn(|i| a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    fn mul_wide(self, a: Self::Words, b: u32) -> (Self::Words, Self::Words) {
        let product: Self::Words = from_fn(|i| (a[i] & 0xffff_ffff) * u64::from(b));
        (product, product.map(|p| p >> 32))
    }
    #[inline(always)]
    fn xor(self, a: Self::Words, b: Self::Words, c: Self::Words) -> Self::Words {
        from_fn(|i| a[i] ^ b[i] ^ c[i])
    }
    #[inline(always)]
    fn store_pairs(self, low: Self::Words, high: Self::Words, to: &mut [u64]) {
        for (i, to) in to[..OCTETS].iter_mut().enumerate() {
            *to = high[i] << 32 | low[i] & 0xffff_ffff;
        }
    }
    #[inline(always)]
    fn halves(self, words: [Self::Words; 4]) -> [Self::Ints; 4] {
        from_fn(|octet| from_fn(|i| (words[i / 2][octet] as u32 >> (16 * (i % 2)) & 0xffff) as i32))
    }
    #[inline(always)]
    fn block_words(self, words: [Self::Words; 4]) -> [Self::Ints; 2] {
        from_fn(|k| from_fn(|i| words[i % 4][2 * k + i / 4] as i32))
    }

    #[inline(always)]
    fn floats(self, floats: &[f32]) -> Self::Floats {
        from_fn(|i| floats[i])
    }
    #[inline(always)]
    fn all(self, float: f32) -> Self::Floats {
        [float; LANES]
    }
    #[inline(always)]
    fn store(self, floats: Self::Floats, to: &mut [f32]) {
        to[..LANES].copy_from_slice(&floats);
    }
    #[inline(always)]
    fn ints(self, ints: &[i32]) -> Self::Ints {
        from_fn(|i| ints[i])
    }
    #[inline(always)]
    fn store_ints(self, ints: Self::Ints, to: &mut [i32]) {
        to[..LANES].copy_from_slice(&ints);
    }
    #[inline(always)]
    fn mul_add(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    fn mul_sub(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        from_fn(|i| a[i] * b[i] - c[i])
    }
    #[inline(always)]
    fn sub(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    fn larger(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn to_floats(self, a: Self::Ints) -> Self::Floats {
        a.map(|a| a as f32)
    }
    #[inline(always)]
    fn bits(self, a: Self::Floats) -> Self::Ints {
        a.map(|a| a.to_bits() as i32)
    }
    #[inline(always)]
    fn mantissas(self, bits: Self::Ints) -> Self::Floats {
        bits.map(|bits| f32::from_bits((bits & MANTISSA | ONE) as u32))
    }
    #[inline(always)]
    fn power_of_two(self, n: Self::Ints) -> Self::Floats {
        from_fn(|i| f32::from_bits(((n[i] << 23) + ONE) as u32))
    }
    #[inline(always)]
    fn all_ints(self, a: i32) -> Self::Ints {
        [a; LANES]
    }
    #[inline(always)]
    fn halved(self, a: Self::Ints) -> Self::Ints {
        from_fn(|i| (a[i] as u32 >> 1) as i32)
    }
    #[inline(always)]
    fn shift_right<const N: u32>(self, a: Self::Ints) -> Self::Ints {
        from_fn(|i| (a[i] as u32 >> N) as i32)
    }
    #[inline(always)]
    fn larger_words(self, a: Self::Ints, b: Self::Ints) -> Self::Ints {
        from_fn(|i| (a[i] as u32).max(b[i] as u32) as i32)
    }
    #[inline(always)]
    fn sub_ints(self, a: Self::Ints, b: Self::Ints) -> Self::Ints {
        from_fn(|i| a[i].wrapping_sub(b[i]))
    }
    #[inline(always)]
    fn no_nans(self) -> Self::NanFlags {
        [0; LANES]
    }
    #[inline(always)]
    fn flag_nans(self, flags: Self::NanFlags, a: Self::Floats, b: Self::Floats) -> Self::NanFlags {
        from_fn(|i| flags[i] | if a[i].is_nan() | b[i].is_nan() { u32::MAX } else { 0 })
    }
    #[inline(always)]
    fn is_nan_free(self, flags: Self::NanFlags) -> bool {
        flags == [0; LANES]
    }
    #[inline(always)]
    fn add_from(
        self,
        sum: Self::Floats,
        x: Self::Floats,
        a: Self::Floats,
        bound: Self::Floats,
    ) -> Self::Floats {
        from_fn(|i| if a[i] >= bound[i] { sum[i] + x[i] } else { sum[i] })
    }
    #[inline(always)]
    fn all_below(self, a: [Self::Floats; 4], bound: Self::Floats) -> bool {
        let mut below = [true; LANES];
        for a in a {
            for i in 0..LANES {
                below[i] &= a[i] < bound[i];
            }
        }
        below == [true; LANES]
    }
    #[inline(always)]
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "a NaN is not below the bound")]
    fn not_below(self, a: &[f32; OCTET], bound: f32) -> u8 {
        a.iter().enumerate().fold(0, |mask, (i, &a)| mask | u8::from(!(a < bound)) << i)
    }
}
