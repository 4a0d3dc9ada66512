//! Temperature 0: the largest logit of a row.

use super::exact::Outcome;
use super::simd::{Simd, Task};
use crate::noise::order::{Best, NEG_INFINITY, greedy_key, is_invalid};

/// How many logits are compared before anyone asks which it was.
const BLOCK: usize = 256;

/// The largest of the logits of categories `first ..`.
pub(super) struct Greedy<'a> {
    pub(super) logits: &'a [f32],
    pub(super) first: u32,
}

impl Task for Greedy<'_> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Outcome {
        let mut outcome = Outcome::NONE;
        let mut most = i32::MIN;
        for (i, block) in self.logits.chunks(BLOCK).enumerate() {
            let first = self.first + (i * BLOCK) as u32;
            let (mut highest, mut invalid) = (i32::MIN, false);
            for logit in block.iter().map(|x| x.to_bits()) {
                invalid |= is_invalid(logit);
                // the order of the floats; both zeros are 0
                let magnitude = (logit & 0x7fff_ffff) as i32;
                let ordered = if (logit as i32) < 0 { -magnitude } else { magnitude };
                highest = if ordered > highest { ordered } else { highest };
            }
            outcome.invalid |= invalid;
            if highest > most {
                most = highest;
                outcome.best = largest(block, first).or(outcome.best);
            }
        }
        outcome
    }
}

#[inline(never)]
fn largest(logits: &[f32], first: u32) -> Best {
    let logits = logits.iter().map(|x| x.to_bits()).enumerate();
    logits
        .filter(|&(_, logit)| !is_invalid(logit) && logit != NEG_INFINITY)
        .map(|(i, logit)| Best { key: greedy_key(logit), category: first + i as u32 })
        .fold(Best::NONE, Best::or)
}
