//! The categories of a race that may still win.

use super::bound::{interval, not_below, threshold_at, upper};
use super::simd::Simd;
use crate::noise::bits::OCTET;

/// The most candidates that are kept before they are evaluated.
pub(super) const CANDIDATES: usize = 16;

/// Categories that may still win.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Candidates {
    pub(super) count: usize,
    pub(super) category: [u32; CANDIDATES],
    pub(super) coarse: [i32; CANDIDATES],
    /// The logit of each, or the binary logarithm of its weight.
    pub(super) float: [f32; CANDIDATES],
    pub(super) upper_score: [[f32; OCTET]; CANDIDATES / OCTET],
}

impl Candidates {
    pub(super) const NONE: Self = Self {
        count: 0,
        category: [0; CANDIDATES],
        coarse: [0; CANDIDATES],
        float: [0.0; CANDIDATES],
        upper_score: [[0.0; OCTET]; CANDIDATES / OCTET],
    };

    #[inline(always)]
    pub(super) fn push(&mut self, category: u32, float: f32, coarse: i32, upper_score: f32) {
        self.category[self.count] = category;
        self.coarse[self.count] = coarse;
        self.float[self.count] = float;
        self.upper_score.as_flattened_mut()[self.count] = upper_score;
        self.count += 1;
    }

    #[inline(always)]
    pub(super) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let count = std::mem::take(&mut self.count);
        for i in 0..count {
            if keep(i) {
                let upper_score = self.upper_score.as_flattened()[i];
                self.push(self.category[i], self.float[i], self.coarse[i], upper_score);
            }
        }
    }

    /// A mask of the candidates whose upper scores still reach the cutoff: a bit for each candidate.
    #[inline(always)]
    pub(super) fn not_below<S: Simd>(&self, s: S, cutoff: f32) -> u64 {
        not_below(s, &self.upper_score, cutoff) & ((1 << self.count) - 1)
    }

    /// The upper ends of the candidates' keys. Entries beyond the last candidate mean nothing.
    #[inline(always)]
    pub(super) fn upper<S: Simd>(&self, s: S, slope: f32) -> [f32; CANDIDATES] {
        let mut found = [0.0; CANDIDATES];
        let mut at = 0;
        while at < self.count {
            let (floats, coarse) = (s.floats(&self.float[at..]), s.ints(&self.coarse[at..]));
            s.store(upper(s, floats, s.all(slope), coarse), &mut found[at..]);
            at += 2 * S::OCTETS;
        }
        found
    }

    /// The least upper end with which a candidate can win against the one that has the highest; `None` and
    /// `off` are as for [`threshold_at`].
    #[inline(always)]
    pub(super) fn threshold(&self, upper: &[f32; CANDIDATES], off: f32) -> Option<f32> {
        let (mut argmax, mut most) = (0, f32::NEG_INFINITY);
        for (i, &upper) in upper[..self.count].iter().enumerate() {
            if upper > most {
                (argmax, most) = (i, upper);
            }
        }
        threshold_at(most, off).map(|threshold| threshold - interval(self.coarse[argmax]))
    }
}
