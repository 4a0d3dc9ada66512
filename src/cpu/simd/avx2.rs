//! AVX2 and FMA: four octets side by side, a word in the low half of each 64-bit lane.

#![expect(
    clippy::undocumented_unsafe_blocks,
    unsafe_code,
    reason = "an Avx2 exists only where the instructions do, which is all that they ask for"
)]

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::{MANTISSA, ONE, Simd, Task};
use crate::noise::bits::OCTET;

/// A machine with AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt"))
        .then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
fn enabled<T: Task>(s: Avx2, task: T) -> T::Output {
    task.run(s)
}

impl Simd for Avx2 {
    const OCTETS: usize = 4;
    /// The high halves of the lanes mean nothing.
    type Words = __m256i;
    type Floats = __m256;
    type Ints = __m256i;
    /// All bits of a lane are set if it had a NaN.
    type NanFlags = __m256;

    #[inline(always)]
    fn run<T: Task>(self, task: T) -> T::Output {
        unsafe { enabled(self, task) }
    }

    #[inline(always)]
    fn words(self, words: &[u32]) -> __m256i {
        let words = &words[..4];
        unsafe { _mm256_cvtepu32_epi64(_mm_loadu_si128(words.as_ptr().cast())) }
    }
    #[inline(always)]
    fn all_words(self, word: u32) -> __m256i {
        unsafe { _mm256_set1_epi32(word as i32) }
    }
    #[inline(always)]
    fn store_words(self, words: __m256i, to: &mut [u32]) {
        let to = &mut to[..4];
        unsafe {
            let order = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
            let low = _mm256_permutevar8x32_epi32(words, order);
            _mm_storeu_si128(to.as_mut_ptr().cast(), _mm256_castsi256_si128(low));
        }
    }
    #[inline(always)]
    fn add_words(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi64(a, b) }
    }
    #[inline(always)]
    fn mul_wide(self, a: __m256i, b: u32) -> (__m256i, __m256i) {
        unsafe {
            let product = _mm256_mul_epu32(a, _mm256_set1_epi64x(i64::from(b)));
            (product, _mm256_srli_epi64::<32>(product))
        }
    }
    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i, c: __m256i) -> __m256i {
        unsafe { _mm256_xor_si256(_mm256_xor_si256(a, b), c) }
    }
    #[inline(always)]
    fn store_pairs(self, low: __m256i, high: __m256i, to: &mut [u64]) {
        let to = &mut to[..4];
        unsafe {
            let pairs = _mm256_blend_epi32::<0b1010_1010>(low, _mm256_slli_epi64::<32>(high));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), pairs);
        }
    }
    #[inline(always)]
    fn halves(self, [w0, w1, w2, w3]: [__m256i; 4]) -> [__m256i; 4] {
        unsafe {
            // the low halves of w1 and w3 into the high ones of w0 and w2
            let a = _mm256_blend_epi32::<0b1010_1010>(w0, _mm256_slli_epi64::<32>(w1));
            let b = _mm256_blend_epi32::<0b1010_1010>(w2, _mm256_slli_epi64::<32>(w3));
            // an octet to each half of a register
            let even = _mm256_unpacklo_epi64(a, b);
            let odd = _mm256_unpackhi_epi64(a, b);
            [
                _mm256_cvtepu16_epi32(_mm256_castsi256_si128(even)),
                _mm256_cvtepu16_epi32(_mm256_castsi256_si128(odd)),
                _mm256_cvtepu16_epi32(_mm256_extracti128_si256::<1>(even)),
                _mm256_cvtepu16_epi32(_mm256_extracti128_si256::<1>(odd)),
            ]
        }
    }
    #[inline(always)]
    fn block_words(self, [w0, w1, w2, w3]: [__m256i; 4]) -> [__m256i; 2] {
        unsafe {
            let a = _mm256_blend_epi32::<0b1010_1010>(w0, _mm256_slli_epi64::<32>(w1));
            let b = _mm256_blend_epi32::<0b1010_1010>(w2, _mm256_slli_epi64::<32>(w3));
            let (even, odd) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
            [
                _mm256_permute2x128_si256::<0x20>(even, odd),
                _mm256_permute2x128_si256::<0x31>(even, odd),
            ]
        }
    }

    #[inline(always)]
    fn floats(self, floats: &[f32]) -> __m256 {
        let floats = &floats[..8];
        unsafe { _mm256_loadu_ps(floats.as_ptr()) }
    }
    #[inline(always)]
    fn floats_of_f16(self, halves: &[f16]) -> __m256 {
        let halves = &halves[..8];
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(halves.as_ptr().cast())) }
    }
    #[inline(always)]
    fn floats_of_bf16(self, halves: &[bf16]) -> __m256 {
        let halves = &halves[..8];
        unsafe {
            let words = _mm256_cvtepu16_epi32(_mm_loadu_si128(halves.as_ptr().cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(words))
        }
    }
    #[inline(always)]
    fn floats_of_counts(self, counts: &[u32]) -> __m256 {
        let counts = &counts[..8];
        unsafe {
            let counts = _mm256_loadu_si256(counts.as_ptr().cast());
            // the halves as 2²³ + low and 2³⁹ + 2¹⁶·high, exactly; only their sum is rounded
            let low = _mm256_blend_epi16::<0b1010_1010>(counts, _mm256_set1_epi32(0x4b00_0000));
            let high = _mm256_srli_epi32::<16>(counts);
            let high = _mm256_blend_epi16::<0b1010_1010>(high, _mm256_set1_epi32(0x5300_0000));
            // less 2³⁹ + 2²³
            let both = _mm256_castsi256_ps(_mm256_set1_epi32(0x5300_0080));
            let high = _mm256_sub_ps(_mm256_castsi256_ps(high), both);
            _mm256_add_ps(_mm256_castsi256_ps(low), high)
        }
    }
    #[inline(always)]
    fn all(self, float: f32) -> __m256 {
        unsafe { _mm256_set1_ps(float) }
    }
    #[inline(always)]
    fn store(self, floats: __m256, to: &mut [f32]) {
        let to = &mut to[..8];
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), floats) }
    }
    #[inline(always)]
    fn ints(self, ints: &[i32]) -> __m256i {
        let ints = &ints[..8];
        unsafe { _mm256_loadu_si256(ints.as_ptr().cast()) }
    }
    #[inline(always)]
    fn store_ints(self, ints: __m256i, to: &mut [i32]) {
        let to = &mut to[..8];
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), ints) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn mul_sub(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmsub_ps(a, b, c) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn larger(self, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    fn to_floats(self, a: __m256i) -> __m256 {
        unsafe { _mm256_cvtepi32_ps(a) }
    }
    #[inline(always)]
    fn bits(self, a: __m256) -> __m256i {
        unsafe { _mm256_castps_si256(a) }
    }
    #[inline(always)]
    fn mantissas(self, bits: __m256i) -> __m256 {
        unsafe {
            let mantissa = _mm256_and_si256(bits, _mm256_set1_epi32(MANTISSA));
            _mm256_castsi256_ps(_mm256_or_si256(mantissa, _mm256_set1_epi32(ONE)))
        }
    }
    #[inline(always)]
    fn power_of_two(self, n: __m256i) -> __m256 {
        unsafe {
            let exponent = _mm256_slli_epi32::<23>(n);
            _mm256_castsi256_ps(_mm256_add_epi32(exponent, _mm256_set1_epi32(ONE)))
        }
    }
    #[inline(always)]
    fn all_ints(self, a: i32) -> __m256i {
        unsafe { _mm256_set1_epi32(a) }
    }
    #[inline(always)]
    fn halved(self, a: __m256i) -> __m256i {
        unsafe { _mm256_srli_epi32::<1>(a) }
    }
    #[inline(always)]
    fn shift_right<const N: u32>(self, a: __m256i) -> __m256i {
        // the compiler makes an immediate of the count
        unsafe { _mm256_srl_epi32(a, _mm_cvtsi32_si128(N as i32)) }
    }
    #[inline(always)]
    fn larger_words(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_max_epu32(a, b) }
    }
    #[inline(always)]
    fn sub_ints(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn no_nans(self) -> __m256 {
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    fn flag_nans(self, flags: __m256, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_or_ps(flags, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, b)) }
    }
    #[inline(always)]
    fn is_nan_free(self, flags: __m256) -> bool {
        unsafe { _mm256_testz_ps(flags, flags) == 1 }
    }
    #[inline(always)]
    fn prefetch<T>(self, values: &[T]) {
        for line in values.chunks(64 / size_of::<T>().clamp(1, 64)) {
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
    }
    #[inline(always)]
    fn add_from(self, sum: __m256, x: __m256, a: __m256, bound: __m256) -> __m256 {
        unsafe { _mm256_add_ps(sum, _mm256_and_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(a, bound), x)) }
    }
    #[inline(always)]
    fn all_below(self, [a, b, c, d]: [__m256; 4], bound: __m256) -> bool {
        unsafe {
            let a = _mm256_cmp_ps::<_CMP_NLT_UQ>(a, bound);
            let b = _mm256_cmp_ps::<_CMP_NLT_UQ>(b, bound);
            let c = _mm256_cmp_ps::<_CMP_NLT_UQ>(c, bound);
            let d = _mm256_cmp_ps::<_CMP_NLT_UQ>(d, bound);
            let any = _mm256_or_ps(_mm256_or_ps(a, b), _mm256_or_ps(c, d));
            _mm256_testz_ps(any, any) == 1
        }
    }
    #[inline(always)]
    fn not_below(self, a: &[f32; OCTET], bound: f32) -> u8 {
        unsafe {
            let a = _mm256_loadu_ps(a.as_ptr());
            let not_below = _mm256_cmp_ps::<_CMP_NLT_UQ>(a, _mm256_set1_ps(bound));
            _mm256_movemask_ps(not_below) as u8
        }
    }
}
