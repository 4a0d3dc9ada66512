use half::f16;

use super::draws::Arena;
use super::logarithms::{NARROW, exponentials, is_narrow, log2};
use super::maxima::{Flaws, OfValues, categories};
use super::opening::upper_scores;
use super::*;
use crate::cpu::bound::{RoundKeys, sequence};
use crate::cpu::simd::{Aligned, Isa, Simd, Task};
use crate::noise::groups::{GROUP_BLOCKS, MEMBERS, category_of, group_of};
use crate::noise::philox::philox4x32_10;
use crate::options::Positive;

fn isas() -> impl Iterator<Item = Isa> {
    Isa::available()
}

/// A race of the top k, and all that it found.
struct TopK<'a, T> {
    row: &'a [T],
    scale: Scale,
    stream: Stream,
    seed: u64,
    k: usize,
}

/// What is read off a race after its pass.
struct Found {
    scored: Vec<(f32, u32)>,
    winners: Vec<Best>,
    error: f32,
}

impl<T: VectorValue> Task for TopK<'_, T> {
    type Output = Found;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Found {
        let Self { row, scale, stream, seed, k } = self;
        let mut arena = Arena::new(scale, row, 0, k);
        arena.run(s, stream, row, &RoundKeys::new(seed));
        let scored = arena.race.ranking.candidates().to_vec();
        let error = arena.race.error;
        Found { scored, winners: arena.race.top_k().to_vec(), error }
    }
}

/// Roughly normal numbers.
fn normal(count: usize, id: u32) -> Vec<f32> {
    let words = (0..count as u32).map(|i| philox4x32_10([i, id, 0, 0], [7, 7])[0]);
    words.map(|word| word.to_le_bytes().iter().map(|&x| f32::from(x) / 49.0).sum()).collect()
}

/// The largest error of the scores of a row's categories, all of which are scored if k is the row's length, in powers;
/// and how many there are.
fn worst_score<T: VectorValue>(isa: Isa, row: &[T], scale: Scale, seed: u64) -> (f32, usize) {
    let stream = Stream::new(seed, 3, 4);
    let Found { scored, error, .. } = isa.run(TopK { row, scale, stream, seed, k: row.len() });
    let mut worst = 0f32;
    for &(score, category) in &scored {
        let key = from_key(evaluate_in_group(stream, scale, category, row[category as usize]).key);
        let off = (score - key).abs() - score.abs() / (1 << 20) as f32 - (error - ERROR);
        worst = worst.max(off / POWER);
    }
    (worst, scored.len())
}

/// The scores of all categories are within the error that the proof gives, with every instruction set.
#[test]
fn scores_are_as_near_as_is_said() {
    for isa in isas() {
        let (mut worst, mut count) = (0f32, 0);
        for (id, temperature) in [(0, 1.0), (1, 0.01), (2, 30.0), (3, 1e-5)] {
            let scale = Scale::from_temperature(temperature).unwrap();
            let logits = normal(20_011, id);
            let halves: Vec<_> = logits.iter().map(|&x| f16::from_f32(x)).collect();
            let weights: Vec<_> = logits.iter().map(|x| Positive(x.exp())).collect();
            let counts: Vec<_> = weights.iter().map(|x| (x.0 / 99.0) as u32 + 1).collect();
            let seed = id.into();
            for (one, scored) in [
                worst_score(isa, &logits, scale, seed),
                worst_score(isa, &halves, scale, seed),
                worst_score(isa, &weights, scale, seed),
                worst_score(isa, &counts, scale, seed),
            ] {
                worst = worst.max(one);
                // nearly all bits are narrow
                assert!(scored > 19_900, "{isa}: {scored}");
                count += scored;
            }
        }
        println!("{isa}: {count} scores are within {worst} powers");
        // such an error is rare; the test below has the rarest bits
        assert!(worst < 0.0097 && worst > 0.0009, "{isa}: {worst}");
        const { assert!(0.0097 * POWER < ERROR) }
    }
}

/// Times of alarms, as computed and by their definition, and their logarithms.
struct Times<'a>(&'a [u32]);

impl Task for Times<'_> {
    type Output = [f64; 2];

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> [f64; 2] {
        let mut worst = [0f64; 2];
        for bits in self.0.as_chunks().0 {
            for (time, &bits) in exponentials(bits).into_iter().zip(bits) {
                let log = f64::from(log2(time));
                worst[1] = worst[1].max((log - f64::from(time).log2()).abs());
                let at = |bits: u32| -(-f64::from(bits) / 2f64.powi(28)).ln_1p();
                worst[0] = worst[0].max((f64::from(time) / at(bits) - 1.0).abs());
                // and the same for all u with these bits, in powers
                for end in [bits, bits + 1] {
                    let off = (log - at(end).log2()).abs();
                    assert!(off < 0.0097, "{bits}: {off}");
                }
            }
        }
        worst
    }
}

/// The logarithms of the times of alarms are as near as is said, for narrow bits of every size.
#[test]
fn times_are_as_near_as_is_said() {
    let last = (1 << 28) - NARROW;
    let low = NARROW..NARROW + 100_000;
    let high = last - 100_000..last;
    let others = (0..1_000_000u32).map(|i| {
        let word = i.wrapping_mul(2_654_435_761) >> 4;
        let word = word >> (i % 20);
        (if i % 3 == 0 { (1 << 28) - 1 - word } else { word }).clamp(NARROW, last - 1)
    });
    let bits: Vec<_> = low.chain(high).chain(others).collect();
    assert!(bits.iter().all(|&bits| is_narrow(bits)));
    for isa in isas() {
        let [time, log] = isa.run(Times(&bits));
        println!("{isa}: {time} of a time, {log} powers of a logarithm");
        assert!(time < 1.0 / 512.0 && log < 1.0 / 1024.0);
        assert!(time > 1.0 / 2048.0 && log > 1.0 / 2048.0);
    }
}

/// The upper scores of a row's groups.
struct UpperScores<'a, T> {
    row: &'a [T],
    scale: Scale,
    stream: Stream,
    seed: u64,
}

impl<T: VectorValue> Task for UpperScores<'_, T> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Vec<f32> {
        let Self { row, scale, stream, seed } = self;
        assert!(row.len().is_multiple_of(2 * categories::<S>()));
        let Stream { row: id, draw, .. } = stream;
        let rest = [s.all_words(id[0]), s.all_words(id[1]), s.all_words(draw << 1)];
        let mut flaws = Flaws::none(s);
        let mut found = Vec::new();
        for unit in 0..row.len() / categories::<S>() {
            let first = GROUP_BLOCKS + (unit * S::OCTETS) as u32;
            let counter = [sequence(s, first), rest[0], rest[1], rest[2]];
            let (scores, _) = upper_scores(
                s,
                (OfValues(row), unit),
                [counter],
                s.all(T::slope(scale)),
                &RoundKeys::new(seed),
                &mut flaws,
            );
            for scores in scores[0] {
                let Aligned(to) = &mut Aligned([0.0; 16]);
                s.store(scores, to);
                found.extend(&to[..2 * S::OCTETS]);
            }
        }
        assert!(!flaws.are_some(s));
        found
    }
}

/// Counts the categories whose groups would be out against the category's own key, if cutoffs were higher by `more`.
fn wrongly_out<T: VectorValue>(isa: Isa, row: &[T], scale: Scale, more: f32) -> usize {
    let (seed, mut wrong) = (11, 0);
    let stream = Stream::new(seed, 5, 6);
    let upper_scores = isa.run(UpperScores { row, scale, stream, seed });
    for (category, &value) in (0..).zip(row) {
        if value.chance() != Chance::Some {
            continue;
        }
        let mut race = Race::new(stream, scale, row, 0, 0);
        race.raise_to_key(evaluate_in_group(stream, scale, category, value).key);
        // (the threshold leaves the error of scores over, which the cutoff does not need)
        let cutoff = race.cutoff + ERROR + more;
        wrong += usize::from(upper_scores[group_of(category) as usize] < cutoff);
    }
    wrong
}

/// No group is out that has the winner, with every instruction set; and the check sees a cutoff that is too high by a
/// 64th of a power.
#[test]
fn no_group_with_the_winner_is_out() {
    let mut seen = 0;
    for isa in isas() {
        for (id, temperature) in [(0, 1.0), (1, 0.01), (2, 30.0)] {
            let scale = Scale::from_temperature(temperature).unwrap();
            let mut logits = normal(32_768, id);
            // the winner has to be the group's greatest value and its first member
            for (i, logit) in logits.iter_mut().enumerate() {
                *logit += if i / MEMBERS % MEMBERS == i % 7 { 20.0 } else { 0.0 };
            }
            let weights: Vec<_> = logits.iter().map(|x| Positive(x.exp())).collect();
            let counts: Vec<_> = weights.iter().map(|x| (x.0 / 1e3) as u32).collect();
            assert_eq!(wrongly_out(isa, &logits, scale, 0.0), 0, "{isa}");
            assert_eq!(wrongly_out(isa, &weights, scale, 0.0), 0, "{isa}");
            assert_eq!(wrongly_out(isa, &counts, scale, 0.0), 0, "{isa}");
        }
        // the bound is close where the first member is the greatest, and u is small and near a power of two
        let level = vec![0.5f32; 1 << 18];
        assert_eq!(wrongly_out(isa, &level, Scale::ONE, 0.0), 0, "{isa}");
        seen += wrongly_out(isa, &level, Scale::ONE, POWER / 64.0);
    }
    assert!(seen > 0);
}

/// The top k have the largest exact keys, also where more categories are nearly equal than there is memory for.
#[test]
fn the_top_k_are_those_with_the_largest_keys() {
    for (k, jitter) in [(1, 0.0), (10, 1.0), (300, 3.0), (5000, 1.0), (20, 1e-4), (5, 0.0)] {
        let (seed, scale) = (k as u64, Scale::ONE);
        let stream = Stream::new(seed, 3, 4);
        let g = |category| evaluate_in_group(stream, scale, category, 0f32).key as f32;
        // with little jitter, keys are nearly equal
        let row: Vec<f32> = normal(9000, k as u32)
            .iter()
            .enumerate()
            .map(|(i, x)| if jitter < 1.0 { x * jitter - g(i as u32) / 2f32.powi(24) } else { *x })
            .collect();
        let mut expected: Vec<_> =
            (0..).zip(&row).map(|(c, &x)| evaluate_in_group(stream, scale, c, x)).collect();
        expected.sort_by_key(|best| (std::cmp::Reverse(best.key), best.category));
        for isa in isas() {
            let Found { winners, .. } = isa.run(TopK { row: &row, scale, stream, seed, k });
            assert_eq!(winners, expected[..k], "{isa}, {k}, {jitter}");
        }
    }
}

/// The draw of a row of logits.
struct Draw<'a> {
    row: &'a [f32],
    stream: Stream,
    seed: u64,
}

impl Task for Draw<'_> {
    type Output = Option<u32>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Option<u32> {
        let mut arena = Arena::new(Scale::ONE, self.row, 0, 0);
        arena.run(s, self.stream, self.row, &RoundKeys::new(self.seed));
        arena.race.draw()
    }
}

/// A member that rings hardly later than the first one of its group wins by a thousandth of a power against a first
/// member, which has set the threshold before.
#[test]
fn no_member_is_passed_over_that_rings_with_the_first_one() {
    let (seed, categories) = (5, 4352u32);
    let stream = Stream::new(seed, 1, 0);
    let g = |category| evaluate_in_group(stream, Scale::ONE, category, 0f32).key;
    let first = |group: u32| {
        let members = (0..MEMBERS as u32).map(|member| category_of(group, member));
        members.max_by_key(|&category| g(category)).unwrap()
    };
    let rival = first(3);
    let (unit, mut row) = ((1 << 24) as f32, vec![f32::NEG_INFINITY; categories as usize]);
    let mut races = 0;
    for member in (0..categories).filter(|&category| group_of(category) != 3) {
        let lead = g(first(group_of(member))) - g(member);
        if lead == 0 || lead as f32 > 0.06 * unit {
            continue;
        }
        row[rival as usize] = (g(member) - g(rival)) as f32 / unit - 7e-4;
        row[member as usize] = 0.0;
        for isa in isas() {
            let drawn = isa.run(Draw { row: &row, stream, seed });
            assert_eq!(drawn, Some(member), "{isa}");
        }
        row[member as usize] = f32::NEG_INFINITY;
        races += 1;
    }
    assert!(races > 10, "{races}");
}
