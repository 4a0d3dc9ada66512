//! Vector operations that the library's interface does not have.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "a token exists only where its instructions do, which is all that they ask for"
)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::array::from_fn;

use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

/// The type that records whether a NaN has occurred.
pub trait NanFlags: Copy {
    /// A flag for each lane.
    type NanFlags: Copy;
    /// Flags of lanes without a NaN.
    fn no_nans(self) -> Self::NanFlags;
    /// Whether no flag is set.
    fn is_nan_free(self, flags: Self::NanFlags) -> bool;
}

/// The operations on vectors; the parameters are the associated types of [`Simd`](super::Simd).
pub trait Additions<Words, Ints, Floats>: NanFlags {
    /// All words of blocks, one block after the other.
    fn block_words(self, words: [Words; 4]) -> [Ints; 2];
    /// a / 2ᴺ, as unsigned words, rounded down.
    fn shift_right<const N: u32>(self, a: Ints) -> Ints;
    /// Sets the flag of each lane in which `a` or `b` is NaN.
    fn flag_nans(self, flags: Self::NanFlags, a: Floats, b: Floats) -> Self::NanFlags;
}

#[cfg(target_arch = "x86_64")]
impl NanFlags for Avx512 {
    /// A bit is clear if its lane had a NaN.
    type NanFlags = __mmask16;
    #[inline(always)]
    fn no_nans(self) -> __mmask16 {
        0xffff
    }
    #[inline(always)]
    fn is_nan_free(self, flags: __mmask16) -> bool {
        flags == 0xffff
    }
}

#[cfg(target_arch = "x86_64")]
impl Additions<__m512i, __m512i, __m512> for Avx512 {
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
    fn shift_right<const N: u32>(self, a: __m512i) -> __m512i {
        unsafe { _mm512_srli_epi32::<N>(a) }
    }
    #[inline(always)]
    fn flag_nans(self, flags: __mmask16, a: __m512, b: __m512) -> __mmask16 {
        unsafe { _mm512_mask_cmp_ps_mask::<_CMP_ORD_Q>(flags, a, b) }
    }
}

#[cfg(target_arch = "x86_64")]
impl NanFlags for Avx2 {
    /// All bits of a lane are set if it had a NaN.
    type NanFlags = __m256;
    #[inline(always)]
    fn no_nans(self) -> __m256 {
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    fn is_nan_free(self, flags: __m256) -> bool {
        unsafe { _mm256_testz_si256(_mm256_castps_si256(flags), _mm256_castps_si256(flags)) == 1 }
    }
}

#[cfg(target_arch = "x86_64")]
impl Additions<__m256i, __m256i, __m256> for Avx2 {
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
    fn shift_right<const N: u32>(self, a: __m256i) -> __m256i {
        unsafe { _mm256_srl_epi32(a, _mm_cvtsi32_si128(N as i32)) }
    }
    #[inline(always)]
    fn flag_nans(self, flags: __m256, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_or_ps(flags, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, b)) }
    }
}

impl NanFlags for Portable {
    type NanFlags = [u32; 8];
    #[inline(always)]
    fn no_nans(self) -> [u32; 8] {
        [0; 8]
    }
    #[inline(always)]
    fn is_nan_free(self, flags: [u32; 8]) -> bool {
        flags == [0; 8]
    }
}

impl Additions<[u64; 4], [i32; 8], [f32; 8]> for Portable {
    #[inline(always)]
    fn block_words(self, words: [[u64; 4]; 4]) -> [[i32; 8]; 2] {
        from_fn(|k| from_fn(|i| words[i % 4][2 * k + i / 4] as i32))
    }
    #[inline(always)]
    fn shift_right<const N: u32>(self, a: [i32; 8]) -> [i32; 8] {
        from_fn(|i| (a[i] as u32 >> N) as i32)
    }
    #[inline(always)]
    fn flag_nans(self, flags: [u32; 8], a: [f32; 8], b: [f32; 8]) -> [u32; 8] {
        from_fn(|i| flags[i] | if a[i].is_nan() | b[i].is_nan() { u32::MAX } else { 0 })
    }
}
