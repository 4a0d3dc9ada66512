//! One race: the winner among a run of categories of one row, for one draw.
//!
//! Twin: `shaders/race.wgsl`. A block of categories is filtered at once, by code that the compiler
//! turns into vector instructions; what the filter admits, a handful in a long row, is settled
//! exactly, the most promising first so that it raises the floor for the others.

use crate::filter::{Filter, admits, floor_of};
use crate::job::Temperature;
use crate::noise::bits::{OCTET, Stream, coarse_block, noise};
use crate::noise::gumbel::gumbel;
use crate::noise::order::{Best, NEG_INFINITY, Scale, greedy_key, is_invalid, key};

/// How many octets of categories are filtered at once.
const LANES: usize = 16;

/// Who races, and by which rule.
#[derive(Clone, Copy)]
pub(super) struct Race {
    pub(super) stream: Stream,
    pub(super) temperature: Temperature,
    pub(super) filter: bool,
}

/// The winner so far, and whether a logit was seen that leaves the row without a draw.
#[derive(Clone, Copy)]
pub(super) struct Outcome {
    best: Best,
    invalid: bool,
}

impl Outcome {
    pub(super) const NONE: Self = Self { best: Best::NONE, invalid: false };

    pub(super) fn merge(self, other: Self) -> Self {
        Self { best: self.best.or(other.best), invalid: self.invalid | other.invalid }
    }

    pub(super) fn draw(self) -> Option<u32> {
        (!self.invalid && self.best != Best::NONE).then_some(self.best.category)
    }
}

impl Race {
    /// Races the categories `first..` with these logits; `first` is a multiple of eight.
    pub(super) fn run(&self, logits: &[f32], first: u32) -> Outcome {
        let mut outcome = Outcome::NONE;
        let (octets, rest) = logits.as_chunks::<OCTET>();
        let (blocks, octets) = octets.as_chunks::<LANES>();
        let mut octet = first / OCTET as u32;
        for block in blocks {
            self.block(block, octet, &mut outcome);
            octet += LANES as u32;
        }
        for &logits in octets {
            self.block(&[logits], octet, &mut outcome);
            octet += 1;
        }
        if !rest.is_empty() {
            // categories of probability 0 make the last octet a whole one
            let mut logits = [f32::NEG_INFINITY; OCTET];
            logits[..rest.len()].copy_from_slice(rest);
            self.block(&[logits], octet, &mut outcome);
        }
        outcome
    }

    #[inline(always)]
    fn block<const N: usize>(&self, logits: &[[f32; OCTET]; N], octet: u32, outcome: &mut Outcome) {
        match self.temperature {
            Temperature::Greedy => greedy(logits.as_flattened(), octet, outcome),
            Temperature::Scaled(scale) => {
                let coarse = coarse_bits::<N>(self.stream, octet);
                if self.filter {
                    self.filtered(logits, &coarse, octet, scale, outcome);
                } else {
                    for i in 0..N * OCTET {
                        self.settle(logits, &coarse, octet, i, scale, outcome);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn filtered<const N: usize>(
        &self,
        logits: &[[f32; OCTET]; N],
        coarse: &[[u16; OCTET]; N],
        octet: u32,
        scale: Scale,
        outcome: &mut Outcome,
    ) {
        let (filter, floor) = (Filter::new(scale), floor_of(outcome.best));
        let mut standings = [[0.0; OCTET]; N];
        let mut admitted = false;
        for lane in 0..N {
            for i in 0..OCTET {
                let standing = filter.standing(logits[lane][i], u32::from(coarse[lane][i]));
                standings[lane][i] = standing;
                admitted |= admits(floor, standing);
            }
        }
        if admitted {
            self.settle_admitted(logits, coarse, &standings, octet, scale, outcome);
        }
    }

    #[inline(never)]
    fn settle_admitted<const N: usize>(
        &self,
        logits: &[[f32; OCTET]; N],
        coarse: &[[u16; OCTET]; N],
        standings: &[[f32; OCTET]; N],
        octet: u32,
        scale: Scale,
        outcome: &mut Outcome,
    ) {
        let standings = standings.as_flattened();
        let (mut leader, mut highest) = (0, f32::NEG_INFINITY);
        for (i, &standing) in standings.iter().enumerate() {
            if standing > highest {
                (leader, highest) = (i, standing);
            }
        }
        self.settle(logits, coarse, octet, leader, scale, outcome);
        let floor = floor_of(outcome.best);
        for (i, &standing) in standings.iter().enumerate() {
            if i != leader && admits(floor, standing) {
                self.settle(logits, coarse, octet, i, scale, outcome);
            }
        }
    }

    /// Evaluates one category exactly.
    fn settle<const N: usize>(
        &self,
        logits: &[[f32; OCTET]; N],
        coarse: &[[u16; OCTET]; N],
        octet: u32,
        i: usize,
        scale: Scale,
        outcome: &mut Outcome,
    ) {
        let logit = logits.as_flattened()[i].to_bits();
        if is_invalid(logit) {
            outcome.invalid = true;
        } else if logit != NEG_INFINITY {
            let category = octet * OCTET as u32 + i as u32;
            let coarse = u32::from(coarse.as_flattened()[i]);
            let g = gumbel(noise(self.stream, category, coarse));
            outcome.best = outcome.best.or(Best { key: key(logit, scale, g), category });
        }
    }
}

fn greedy(logits: &[f32], octet: u32, outcome: &mut Outcome) {
    for (i, logit) in logits.iter().map(|x| x.to_bits()).enumerate() {
        let category = octet * OCTET as u32 + i as u32;
        if is_invalid(logit) {
            outcome.invalid = true;
        } else if logit != NEG_INFINITY {
            outcome.best = outcome.best.or(Best { key: greedy_key(logit), category });
        }
    }
}

/// The coarse bits of neighbouring octets, one to a lane.
#[inline(never)]
fn coarse_bits<const N: usize>(stream: Stream, octet: u32) -> [[u16; OCTET]; N] {
    let mut words = [[0u32; N]; 4];
    let [w0, w1, w2, w3] = &mut words;
    for lane in 0..N {
        let block = coarse_block(stream, octet + lane as u32);
        w0[lane] = block[0];
        w1[lane] = block[1];
        w2[lane] = block[2];
        w3[lane] = block[3];
    }
    let mut coarse = [[0; OCTET]; N];
    for (lane, octet) in coarse.iter_mut().enumerate() {
        for (pair, word) in octet.as_chunks_mut::<2>().0.iter_mut().zip(&words) {
            *pair = [word[lane] as u16, (word[lane] >> 16) as u16];
        }
    }
    coarse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::bits::coarse_block;

    fn lanes_agree<const N: usize>() {
        for seed in 0..1000 {
            let stream = Stream::new(seed << 20, seed << 40, seed as u32);
            let lanes = coarse_bits::<N>(stream, seed as u32 * 77);
            for (octet, lane) in (seed as u32 * 77..).zip(lanes) {
                let block = coarse_block(stream, octet);
                let words =
                    [0, 1, 2, 3].map(|i| u32::from(lane[2 * i + 1]) << 16 | u32::from(lane[2 * i]));
                assert_eq!(words, block, "octet {octet} of {N} lanes");
            }
        }
    }

    #[test]
    fn coarse_blocks_side_by_side_are_the_coarse_blocks() {
        lanes_agree::<1>();
        lanes_agree::<LANES>();
    }
}
