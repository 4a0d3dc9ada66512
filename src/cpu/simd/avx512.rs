//! AVX-512: eight octets side by side, a word in the low half of each 64-bit lane.

#![expect(
    clippy::undocumented_unsafe_blocks,
    unsafe_code,
    reason = "an Avx512 exists only where the instructions do, which is all that they ask for"
)]

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::{MANTISSA, ONE, Simd, Task};
use crate::noise::bits::OCTET;

/// A machine with AVX-512 F, BW, DQ and VL.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt"))
        .then_some(Self(()))
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
fn enabled<T: Task>(s: Avx512, task: T) -> T::Output {
    task.run(s)
}

/// The order in which 16-bit halves of the words `[w0 w1]` and `[w2 w3]` of each octet become the categories
/// `16·n ..`: an index for each half of a 32-bit lane, of which the upper one is masked away.
const fn order(n: usize) -> [u16; 32] {
    let mut order = [0; 32];
    let mut i = 0;
    while i < 16 {
        let (octet, half) = (2 * n + i / 8, i % 8);
        // 4 halves of each octet in the first table, the others in the second
        order[2 * i] = (32 * (half / 4) + 4 * octet + half % 4) as u16;
        i += 1;
    }
    order
}
static ORDERS: [[u16; 32]; 4] = [order(0), order(1), order(2), order(3)];

impl Simd for Avx512 {
    const OCTETS: usize = 8;
    /// The high halves of the lanes mean nothing.
    type Words = __m512i;
    type Floats = __m512;
    type Ints = __m512i;
    /// A bit is clear if its lane had a NaN.
    type NanFlags = __mmask16;

    #[inline(always)]
    fn run<T: Task>(self, task: T) -> T::Output {
        unsafe { enabled(self, task) }
    }

    #[inline(always)]
    fn words(self, words: &[u32]) -> __m512i {
        let words = &words[..8];
        unsafe { _mm512_cvtepu32_epi64(_mm256_loadu_si256(words.as_ptr().cast())) }
    }
    #[inline(always)]
    fn all_words(self, word: u32) -> __m512i {
        unsafe { _mm512_set1_epi32(word as i32) }
    }
    #[inline(always)]
    fn store_words(self, words: __m512i, to: &mut [u32]) {
        let to = &mut to[..8];
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm512_cvtepi64_epi32(words)) }
    }
    #[inline(always)]
    fn add_words(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi64(a, b) }
    }
    #[inline(always)]
    fn mul_wide(self, a: __m512i, b: u32) -> (__m512i, __m512i) {
        unsafe {
            let product = _mm512_mul_epu32(a, _mm512_set1_epi64(i64::from(b)));
            (product, _mm512_srli_epi64::<32>(product))
        }
    }
    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        unsafe { _mm512_ternarylogic_epi32::<0b1001_0110>(a, b, c) }
    }
    #[inline(always)]
    fn store_pairs(self, low: __m512i, high: __m512i, to: &mut [u64]) {
        let to = &mut to[..8];
        unsafe {
            // the low halves of `high` into the high ones of `low`
            let pairs = _mm512_mask_shuffle_epi32::<0b1010_0000>(low, 0xaaaa, high);
            _mm512_storeu_si512(to.as_mut_ptr().cast(), pairs);
        }
    }
    #[inline(always)]
    fn halves(self, [w0, w1, w2, w3]: [__m512i; 4]) -> [__m512i; 4] {
        unsafe {
            // the low halves of w1 and w3 into the high ones of w0 and w2
            let a = _mm512_mask_shuffle_epi32::<0b1010_0000>(w0, 0xaaaa, w1);
            let b = _mm512_mask_shuffle_epi32::<0b1010_0000>(w2, 0xaaaa, w3);
            let pick = |n: usize| {
                let order = _mm512_loadu_si512(ORDERS[n].as_ptr().cast());
                _mm512_maskz_permutex2var_epi16(0x5555_5555, a, order, b)
            };
            [pick(0), pick(1), pick(2), pick(3)]
        }
    }
    #[inline(always)]
    fn block_words(self, [w0, w1, w2, w3]: [__m512i; 4]) -> [__m512i; 2] {
        unsafe {
            let a = _mm512_mask_shuffle_epi32::<0b1010_0000>(w0, 0xaaaa, w1);
            let b = _mm512_mask_shuffle_epi32::<0b1010_0000>(w2, 0xaaaa, w3);
            let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            [_mm512_permutex2var_epi64(a, low, b), _mm512_permutex2var_epi64(a, high, b)]
        }
    }

    #[inline(always)]
    fn floats(self, floats: &[f32]) -> __m512 {
        let floats = &floats[..16];
        unsafe { _mm512_loadu_ps(floats.as_ptr()) }
    }
    #[inline(always)]
    fn floats_of_f16(self, halves: &[f16]) -> __m512 {
        let halves = &halves[..16];
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(halves.as_ptr().cast())) }
    }
    #[inline(always)]
    fn floats_of_bf16(self, halves: &[bf16]) -> __m512 {
        let halves = &halves[..16];
        unsafe {
            let words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(halves.as_ptr().cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(words))
        }
    }
    #[inline(always)]
    fn floats_of_counts(self, counts: &[u32]) -> __m512 {
        let counts = &counts[..16];
        unsafe { _mm512_cvtepu32_ps(_mm512_loadu_si512(counts.as_ptr().cast())) }
    }
    #[inline(always)]
    fn all(self, float: f32) -> __m512 {
        unsafe { _mm512_set1_ps(float) }
    }
    #[inline(always)]
    fn store(self, floats: __m512, to: &mut [f32]) {
        let to = &mut to[..16];
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), floats) }
    }
    #[inline(always)]
    fn ints(self, ints: &[i32]) -> __m512i {
        let ints = &ints[..16];
        unsafe { _mm512_loadu_si512(ints.as_ptr().cast()) }
    }
    #[inline(always)]
    fn store_ints(self, ints: __m512i, to: &mut [i32]) {
        let to = &mut to[..16];
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), ints) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn mul_sub(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmsub_ps(a, b, c) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn larger(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    fn to_floats(self, a: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(a) }
    }
    #[inline(always)]
    fn bits(self, a: __m512) -> __m512i {
        unsafe { _mm512_castps_si512(a) }
    }
    #[inline(always)]
    fn mantissas(self, bits: __m512i) -> __m512 {
        unsafe {
            let (mask, one) = (_mm512_set1_epi32(MANTISSA), _mm512_set1_epi32(ONE));
            _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0b1111_1000>(one, bits, mask))
        }
    }
    #[inline(always)]
    fn power_of_two(self, n: __m512i) -> __m512 {
        unsafe {
            let exponent = _mm512_slli_epi32::<23>(n);
            _mm512_castsi512_ps(_mm512_add_epi32(exponent, _mm512_set1_epi32(ONE)))
        }
    }
    #[inline(always)]
    fn all_ints(self, a: i32) -> __m512i {
        unsafe { _mm512_set1_epi32(a) }
    }
    #[inline(always)]
    fn halved(self, a: __m512i) -> __m512i {
        unsafe { _mm512_srli_epi32::<1>(a) }
    }
    #[inline(always)]
    fn shift_right<const N: u32>(self, a: __m512i) -> __m512i {
        unsafe { _mm512_srli_epi32::<N>(a) }
    }
    #[inline(always)]
    fn larger_words(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_max_epu32(a, b) }
    }
    #[inline(always)]
    fn sub_ints(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn no_nans(self) -> __mmask16 {
        0xffff
    }
    #[inline(always)]
    fn flag_nans(self, flags: __mmask16, a: __m512, b: __m512) -> __mmask16 {
        unsafe { _mm512_mask_cmp_ps_mask::<_CMP_ORD_Q>(flags, a, b) }
    }
    #[inline(always)]
    fn is_nan_free(self, flags: __mmask16) -> bool {
        flags == 0xffff
    }
    #[inline(always)]
    fn prefetch<T>(self, values: &[T]) {
        for line in values.chunks(64 / size_of::<T>().clamp(1, 64)) {
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
    }
    #[inline(always)]
    fn add_from(self, sum: __m512, x: __m512, a: __m512, bound: __m512) -> __m512 {
        unsafe { _mm512_mask_add_ps(sum, _mm512_cmp_ps_mask::<_CMP_GE_OQ>(a, bound), sum, x) }
    }
    #[inline(always)]
    fn all_below(self, [a, b, c, d]: [__m512; 4], bound: __m512) -> bool {
        unsafe {
            let ab = _mm512_mask_cmp_ps_mask::<_CMP_LT_OQ>(
                _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, bound),
                b,
                bound,
            );
            let cd = _mm512_mask_cmp_ps_mask::<_CMP_LT_OQ>(
                _mm512_cmp_ps_mask::<_CMP_LT_OQ>(c, bound),
                d,
                bound,
            );
            ab & cd == 0xffff
        }
    }
    #[inline(always)]
    fn not_below(self, a: &[f32; OCTET], bound: f32) -> u8 {
        unsafe {
            let a = _mm256_loadu_ps(a.as_ptr());
            _mm256_cmp_ps_mask::<_CMP_NLT_UQ>(a, _mm256_set1_ps(bound))
        }
    }
}
