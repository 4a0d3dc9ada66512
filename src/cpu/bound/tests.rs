use super::*;
use crate::cpu::simd::{Isa, Task};
use crate::filter::{Filter, cutoff_at, from_key, passes};
use crate::noise::bits::{Stream, coarse_block};
use crate::noise::gumbel::gumbel;
use crate::noise::order::{Scale, key};
use crate::noise::philox::philox4x32_10;

fn isas() -> impl Iterator<Item = Isa> {
    Isa::available()
}

/// The results of a function of logits and coarse bits, in the order of both.
struct Each<'a, F> {
    logits: &'a [f32],
    coarse: &'a [i32],
    slope: f32,
    function: F,
}

enum Function {
    Upper,
    UpperScore,
}

impl Task for Each<'_, Function> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Vec<f32> {
        let lanes = 2 * S::OCTETS;
        assert_eq!(self.logits.len() % (4 * lanes), 0);
        let mut found = vec![0.0; self.logits.len()];
        for at in (0..found.len()).step_by(4 * lanes) {
            let logits = f32::accurate(s, &self.logits[at..]);
            let ints = |i: usize| s.ints(&self.coarse[at + i * lanes..]);
            let coarse = [ints(0), ints(1), ints(2), ints(3)];
            let values = match self.function {
                Function::Upper => uppers(s, logits, coarse, self.slope),
                Function::UpperScore => upper_scores(s, logits, coarse, self.slope),
            };
            for (i, value) in values.into_iter().enumerate() {
                s.store(value, &mut found[at + i * lanes..]);
            }
        }
        found
    }
}

/// The results of a function for a logit of 0 and all coarse bits.
fn of_every_coarse(isa: Isa, function: Function) -> Vec<f32> {
    let coarse: Vec<_> = (0..1 << 16).collect();
    let logits = vec![0.0; 1 << 16];
    isa.run(Each { logits: &logits, coarse: &coarse, slope: 1.0, function })
}

/// For all coarse bits, the upper end is g to within the error, and G stays within the interval below the
/// upper end.
#[test]
fn bounds_hold_for_every_coarse() {
    for isa in isas() {
        let upper = of_every_coarse(isa, Function::Upper);
        let mut worst = 0f64;
        for coarse in 0..1i32 << 16 {
            let upper = f64::from(upper[coarse as usize]);
            let most = f64::from(from_key(i64::from(gumbel((coarse as u64) << 48))));
            let least =
                f64::from(from_key(i64::from(gumbel(((coarse as u64 + 1) << 48).wrapping_sub(1)))));
            if coarse > 0 {
                worst = worst.max((upper - most).abs());
            }
            assert!(most <= upper + f64::from(ERROR), "{isa}: {coarse}");
            let low = upper - f64::from(interval(coarse)) - f64::from(ERROR);
            assert!(least >= low, "{isa}: {coarse}: {least} < {low}");
        }
        println!("{isa}: upper is within {} of g", worst / f64::from(POWER));
        // the error is tight: half of it would be seen
        assert!(worst > f64::from(ERROR) / 2.0, "{isa}");
    }
}

/// For all coarse bits, `least` is no more than the least G with these bits, and not much less.
#[test]
fn the_least_holds_for_every_coarse() {
    for isa in isas() {
        let upper_scores = of_every_coarse(isa, Function::UpperScore);
        for coarse in 0..1i32 << 16 {
            let least = least(upper_scores[coarse as usize], coarse, 0.0).unwrap();
            let g = from_key(i64::from(gumbel(((coarse as u64 + 1) << 48).wrapping_sub(1))));
            assert!(least <= g, "{isa}: {coarse}: {least} > {g}");
            let loose = if coarse < 1 << 15 { 0.5 } else { 2.0 };
            if (4..60_000).contains(&coarse) {
                assert!(least > g - loose * POWER, "{isa}: {coarse}: {least} << {g}");
            }
        }
    }
}

#[test]
fn narrow_is_near() {
    for coarse in (0..1 << 16).filter(|&coarse| is_narrow(coarse)) {
        let most = NEAR_RANGE;
        let down = most - threshold_at(most, 0.0).unwrap() + interval(coarse);
        assert!(down <= NEAR, "{coarse}");
    }
}

struct Blocks {
    keys: RoundKeys,
    stream: Stream,
    octet: u32,
}

impl Task for Blocks {
    type Output = Vec<[i32; OCTET]>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Self::Output {
        let Stream { row, draw, .. } = self.stream;
        let mut lanes = [self.octet; 16];
        (0..).zip(&mut lanes).for_each(|(i, lane)| *lane += i);
        let counter = |at: usize| {
            [
                s.words(&lanes[at..]),
                s.all_words(row[0]),
                s.all_words(row[1]),
                s.all_words(draw << 1),
            ]
        };
        let mut found = vec![[0; OCTET]; 2 * S::OCTETS];
        let tiles = coarse(s, [counter(0), counter(S::OCTETS)], &self.keys);
        for (i, ints) in tiles.into_iter().flatten().enumerate() {
            s.store_ints(ints, &mut found.as_flattened_mut()[2 * S::OCTETS * i..]);
        }
        found
    }
}

/// With every instruction set, blocks side by side are the contract's blocks, in the order of the categories.
#[test]
fn blocks_side_by_side_are_the_blocks() {
    for isa in isas() {
        for seed in 0..1000u64 {
            let stream = Stream::new(seed << 20 | seed, !(seed << 40), seed as u32);
            let octet = seed as u32 * 4_190_011;
            let keys = RoundKeys::new(seed << 20 | seed);
            for (octet, block) in (octet..).zip(isa.run(Blocks { keys, stream, octet })) {
                let words = [0, 1, 2, 3].map(|i| (block[2 * i] | block[2 * i + 1] << 16) as u32);
                assert_eq!(words, coarse_block(stream, octet), "{isa}, octet {octet}");
            }
        }
    }
}

/// Compares logits of every magnitude with the highest key that the coarse bits of each leave open, and
/// counts the logits that the filter discards, and those that a threshold discards. `raise` raises both
/// bounds.
fn wrongly_discarded(isa: Isa, raise: f32) -> [usize; 2] {
    let mut wrong = [0; 2];
    for call in 0..64u32 {
        let [temperature, ..] = philox4x32_10([call, 1, 0, 0], [9, 9]);
        let temperature =
            f32::from_bits(temperature & 0x7f_ffff | (127 - 6 + (temperature >> 24) % 13) << 23);
        let scale =
            if call % 2 == 0 { Scale::ONE } else { Scale::from_temperature(temperature).unwrap() };
        let slope = Filter::new(scale, std::f32::consts::LOG2_E).slope;
        let (logits, coarse): (Vec<_>, Vec<_>) = (0..1u32 << 13)
            .map(|i| {
                let [a, b, c, d] = philox4x32_10([i, call, 1, 0], [9, 9]);
                // exponents up to 2^29
                let logit = f32::from_bits(a & 0x807f_ffff | (87 + b % 70) << 23);
                (logit, ((c & 0xffff) >> (d % 16)) as i32)
            })
            .unzip();
        let run = |function| isa.run(Each { logits: &logits, coarse: &coarse, slope, function });
        let (upper_scores, uppers) = (run(Function::UpperScore), run(Function::Upper));
        for i in 0..logits.len() {
            // the largest G with these coarse bits: all fine bits 0
            let most = gumbel((coarse[i] as u64) << 48);
            let most = from_key(key(logits[i].to_bits(), scale, most));
            if most.abs() >= RANGE {
                continue;
            }
            wrong[0] += usize::from(!passes(cutoff_at(most) + raise, upper_scores[i]));
            let threshold = threshold_at(most, 0.0).unwrap() + raise;
            wrong[1] += usize::from(!passes(threshold, uppers[i]));
        }
    }
    wrong
}

#[test]
fn nothing_that_can_win_is_discarded() {
    for isa in isas() {
        assert_eq!(wrongly_discarded(isa, 0.0), [0, 0], "{isa}");
    }
}

/// The check above sees a filter and a threshold that are too tight.
#[test]
fn the_check_sees_tight_bounds() {
    for isa in isas() {
        let [filter, threshold] = wrongly_discarded(isa, POWER / 128.0);
        assert!(filter > 0 && threshold > 0, "{isa}: {filter}, {threshold}");
    }
}
