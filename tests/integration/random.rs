//! The crate rand in both directions: seeds from its generators, gumbel's Philox among them, and rows as its
//! distributions.

use std::convert::Infallible;

use gumbel::conformance::{self, Case};
use gumbel::noise::bits::{Stream, coarse_block, uniform_bits, uniform_block};
use gumbel::noise::groups::{further_block, group_block, member_counter, own_noise};
use gumbel::noise::philox::{MULTIPLIERS, ROUNDS, WEYL, philox4x32_10};
use gumbel::{
    Allowed, Bias, CpuSampler, Error, GumbelRow, History, Logits, Method, NO_DRAW, Penalty,
    PhiloxRng, RowIds, SampleOptions, Sequence, Truncation, Undrawable, Weights,
};
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng, TryRng};
use rand_distr::weighted::WeightedAliasIndex;

use crate::common::statistics::{ALARM, chi_square, counts};

const SEED: u64 = 0xfedc_ba98_7654_3210;
const STREAM: u64 = 0x0123_4567_89ab_cdef;

/// The counter of a block, as the documentation of [`PhiloxRng`] states it.
fn counter(stream: u64, block: u64) -> [u32; 4] {
    let first = (1 << 31) + (block % (1 << 31)) as u32;
    [first, stream as u32, (stream >> 32) as u32, 2 * (block >> 31) as u32]
}

/// `rand_philox` at this counter.
fn theirs(seed: u64, counter: [u32; 4]) -> rand_philox::Philox {
    let number = counter.iter().rev().fold(0u128, |sum, &word| sum << 32 | u128::from(word));
    rand_philox::Philox::new([seed as u32, (seed >> 32) as u32], number)
}

/// The words, the `u64`s and the bytes are those of `rand_philox`, from any block on, up to the next multiple of 2³¹
/// blocks. There the generator goes on at another counter.
#[test]
fn the_words_are_those_of_rand_philox() {
    let blocks = [0, 1, 5, (1 << 31) - 40, 1 << 31, (7 << 31) + 3, (1 << 62) - 40];
    for (seed, stream) in [(0, 0), (SEED, STREAM), (u64::MAX, u64::MAX)] {
        for block in blocks {
            let ours = || {
                let mut rng = PhiloxRng::new(seed).with_stream(stream);
                rng.set_word_pos(4 * block);
                rng
            };
            let theirs = || theirs(seed, counter(stream, block));
            let (mut a, mut b) = (ours(), theirs());
            assert!((0..160).all(|_| Rng::next_u32(&mut a) == b.next_u32()), "{block}");
            let (mut a, mut b) = (ours(), theirs());
            // words and bytes in turn, so that numbers begin at any word of a block
            for i in 0..20 {
                assert_eq!(Rng::next_u64(&mut a), b.next_u64(), "{block}");
                let (mut some, mut same) = ([0; 13], [0; 13]);
                a.fill_bytes(&mut some[..i % 14]);
                Rng::fill_bytes(&mut b, &mut same[..i % 14]);
                assert_eq!(some, same, "{block}");
            }
        }
    }
    // the comparison notices another counter
    let (mut a, mut b) = (PhiloxRng::new(SEED), theirs(SEED, [0; 4]));
    assert_ne!(Rng::next_u64(&mut a), b.next_u64());
    // 40 blocks further, counter 3 goes on
    let mut rng = PhiloxRng::new(SEED).with_stream(STREAM);
    rng.set_word_pos(4 * ((1 << 31) - 1));
    rng.fill_bytes(&mut [0; 16]);
    assert_eq!(rng.next_u32(), theirs(SEED, counter(STREAM, 1 << 31)).next_u32());
}

/// The counter and the key of a Philox block are known from its words and its key: Philox is a bijection.
fn counter_of(mut words: [u32; 4], seed: u64) -> [u32; 4] {
    let key = [seed as u32, (seed >> 32) as u32];
    // the reciprocals modulo 2³², by Newton's iteration
    let inverse = MULTIPLIERS
        .map(|m| (0..5).fold(m, |x, _| x.wrapping_mul(2u32.wrapping_sub(m.wrapping_mul(x)))));
    for round in (0..ROUNDS).rev() {
        let key: [u32; 2] =
            std::array::from_fn(|i| key[i].wrapping_add(WEYL[i].wrapping_mul(round)));
        let [first, low1, second, low0] = words;
        let (c0, c2) = (low0.wrapping_mul(inverse[0]), low1.wrapping_mul(inverse[1]));
        let high = |m: u32, c: u32| ((u64::from(m) * u64::from(c)) >> 32) as u32;
        let c1 = first ^ high(MULTIPLIERS[1], c2) ^ key[0];
        let c3 = second ^ high(MULTIPLIERS[0], c0) ^ key[1];
        words = [c0, c1, c2, c3];
    }
    words
}

/// No word of the generator is a word of the noise of draws, as the counters of the blocks show: those of draws have a
/// first word below 2³¹ or an odd last word, and those of the generator have neither.
#[test]
fn no_draw_uses_the_words_of_the_generator() {
    let known = philox4x32_10([1, 2, 3, 4], [5, 6]);
    assert_eq!(counter_of(known, 6 << 32 | 5), [1, 2, 3, 4]);
    let of_draws = |[first, _, _, last]: [u32; 4]| first < 1 << 31 || last % 2 == 1;
    for draw in [0, 1, 2, 3, (1 << 31) - 2, (1 << 31) - 1] {
        let stream = Stream::new(SEED, STREAM, draw);
        for octet in [0, 1, u32::MAX / 8] {
            assert!(of_draws(counter_of(coarse_block(stream, octet), SEED)));
        }
        for quad in [0, 1, u32::MAX / 64] {
            assert!(of_draws(counter_of(group_block(stream, quad), SEED)));
            assert!(of_draws(counter_of(further_block(stream, quad), SEED)));
        }
        for category in [0, 31, 4096, u32::MAX - 16, u32::MAX - 1] {
            let [low, high] = [STREAM as u32, (STREAM >> 32) as u32];
            let counter = [member_counter(category), low, high, draw << 1 | 1];
            let block = philox4x32_10(counter, [SEED as u32, (SEED >> 32) as u32]);
            let own = own_noise(stream, category);
            let at = if category & 16 == 0 { 0 } else { 2 };
            assert_eq!([own as u32, (own >> 32) as u32], block[at..at + 2], "{category}");
            assert!(of_draws(counter));
        }
        assert!(of_draws(counter_of(uniform_block(stream), SEED)));
    }
    let mut rng = PhiloxRng::new(SEED).with_stream(STREAM);
    for shift in 0..62 {
        for block in [1 << shift, (1 << shift) - 1, (1 << 62) - 1 - (1 << shift)] {
            rng.set_word_pos(4 * block);
            let found = counter_of(std::array::from_fn(|_| rng.next_u32()), SEED);
            assert_eq!(found, counter(STREAM, block));
            assert!(!of_draws(found), "{block}: {found:?}");
        }
    }
}

/// The words are a promise: a change of any of these is Value-breaking. The values are from an implementation in Python's
/// integers, which gives Random123's known answers.
#[test]
fn golden_words() {
    let words = |mut rng: PhiloxRng| [(); 4].map(|()| rng.next_u32());
    assert_eq!(words(PhiloxRng::new(0)), philox4x32_10([1 << 31, 0, 0, 0], [0, 0]));
    assert_eq!(words(PhiloxRng::new(42)), GOLDEN[0]);
    let mut rng = PhiloxRng::new(SEED).with_stream(STREAM);
    assert_eq!(words(rng.clone()), GOLDEN[1]);
    rng.set_word_pos((1 << 33) - 2);
    assert_eq!(words(rng), GOLDEN[2]);
}

const GOLDEN: [[u32; 4]; 3] = [
    [0x2bf9e5db, 0x301fd9f6, 0x61846bef, 0xea0c0d74],
    [0x5ea6ff34, 0xbeab3100, 0x741c66e1, 0xb4478feb],
    [0xdda3f9a3, 0xb688885d, 0x05325de5, 0x0990ecd8],
];

/// Every word can be reached from every word, also across the end of a stream, and the position is the number of the
/// next word.
#[test]
fn words_have_positions() {
    let start = u64::MAX - 20;
    let mut rng = PhiloxRng::new(SEED);
    rng.set_word_pos(start);
    let words: Vec<u32> = (0..60).map(|_| rng.next_u32()).collect();
    assert_eq!(rng.word_pos(), 39);
    let mut first = PhiloxRng::new(SEED);
    assert_eq!((0..39).map(|_| first.next_u32()).collect::<Vec<_>>(), words[21..]);
    for at in 0..60 {
        for before in [0, 1, 5, 30] {
            rng.set_word_pos(start.wrapping_add(before));
            rng.next_u32();
            rng.set_word_pos(start.wrapping_add(at));
            assert_eq!(rng.word_pos(), start.wrapping_add(at));
            assert_eq!(rng.next_u32(), words[at as usize]);
            assert_eq!(rng.word_pos(), start.wrapping_add(at + 1));
        }
    }
    // a generator is what it gives next, whatever it has computed already
    let mut there = PhiloxRng::new(SEED);
    there.set_word_pos(3);
    let mut read = PhiloxRng::new(SEED);
    read.next_u64();
    read.next_u32();
    assert_eq!(there, read);
    read.next_u32();
    assert_ne!(there, read);
    assert_eq!(
        format!("{read:?}"),
        format!("PhiloxRng {{ seed: {SEED}, stream: 0, word_pos: 4 }}")
    );
}

#[test]
fn seeds_of_the_generator() {
    let bytes: [u8; 16] = std::array::from_fn(|i| i as u8 + 1);
    let rng = PhiloxRng::from_seed(bytes);
    assert_eq!((rng.seed(), rng.stream()), (0x0807_0605_0403_0201, 0x100f_0e0d_0c0b_0a09));
    assert_eq!(PhiloxRng::seed_from_u64(SEED), PhiloxRng::new(SEED));
    let [mut a, mut b] = [1, 1].map(SmallRng::seed_from_u64);
    assert_eq!(PhiloxRng::from_rng(&mut a).seed(), b.next_u64());
}

/// A seed is one `u64` of a generator, and the system's seeds differ: two are equal by chance once in 2⁶⁴ times.
#[test]
fn seeds_from_generators_and_from_the_system() {
    let options = SampleOptions::default().with_temperature(0.5);
    let (mut rng, mut same) = (SmallRng::seed_from_u64(3), SmallRng::seed_from_u64(3));
    assert_eq!(options.with_seed_from_rng(&mut rng), options.with_seed(same.next_u64()));
    assert_eq!(Sequence::from_rng(&mut rng), Sequence::new(same.next_u64()));
    let dynamic: &mut dyn Rng = &mut rng;
    assert_eq!(Sequence::from_rng(dynamic).seed(), same.next_u64());

    let seeds = [
        options.with_system_seed().unwrap().seed,
        options.with_system_seed().unwrap().seed,
        Sequence::from_system().unwrap().seed(),
        Sequence::from_system().unwrap().seed(),
    ];
    for (i, seed) in seeds.iter().enumerate() {
        assert!(!seeds[..i].contains(seed), "{seeds:?}");
    }
}

/// A generator that gives one number again and again.
struct Always(u64);

impl TryRng for Always {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0 as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(self.0 as u8);
        Ok(())
    }
}

fn small_cases() -> impl Iterator<Item = Case> {
    conformance::cases().filter(|case| case.batch().rows() * case.batch().categories() < 20_000)
}

/// A row of tables gives the draw of its uniform number: for the uniform number of a draw of these tables, that draw. On
/// all awkward batches, of all types of values. Of a row without a draw it gives the sentinel. The comparison notices a
/// uniform number whose halves are exchanged.
#[test]
fn rows_of_tables_give_the_draws_of_their_uniform_numbers() {
    let (mut compared, mut seen) = (0, 0);
    for case in small_cases() {
        let (batch, options) = (case.batch(), case.options());
        let cdf = CpuSampler::new().inverse_cdf(batch, &options).unwrap();
        let expected = cdf.sample_rows(options.first_draw, options.draws).unwrap();
        for (race, expected) in expected.into_iter().enumerate() {
            let row = race / options.draws as usize;
            let number = options.first_draw + (race % options.draws as usize) as u32;
            let id = match options.row_ids {
                RowIds::Consecutive(first) => first.wrapping_add(row as u64),
                RowIds::Each(ids) => ids[row],
            };
            let block = uniform_block(Stream::new(options.seed, id, number));
            let uniform = uniform_bits(block, number);
            let distribution = cdf.row(row).unwrap();
            assert_eq!(distribution.sample(&mut Always(uniform)), expected, "{case}, row {row}");
            seen +=
                usize::from(distribution.sample(&mut Always(uniform.rotate_left(32))) != expected);
            compared += 1;
        }
    }
    assert!(compared > 1000 && seen > compared / 3, "{compared}, {seen}");
}

/// A row by Gumbel noise gives the draw under the seed that the generator gives. The comparison notices another seed.
#[test]
fn rows_by_gumbel_noise_give_the_draws_of_their_seeds() {
    let (mut compared, mut seen, mut adjusted) = (0, 0, 0);
    for case in small_cases() {
        let (batch, mut options) = (case.batch(), case.options());
        let mut like = SampleOptions::default()
            .with_sentinels(true)
            .with_temperature(options.temperature)
            .with_seed(SEED);
        // some of the cases with restrictions, which a row has of its own
        let each = batch.categories().div_ceil(32);
        let masks: Vec<u32> =
            (0..batch.rows() * each).map(|i| (i as u32).wrapping_mul(0x9e37_79b9) | 1).collect();
        let truncations: Vec<Truncation> =
            (0..batch.rows() as u32).map(|row| Truncation::new().with_top_k(2 + row % 3)).collect();
        if batch.categories() % 2 == 1 {
            for options in [&mut options, &mut like] {
                options.truncations = Some(&truncations);
                options.allowed = Some(Allowed::each(&masks, each));
            }
        }
        // and some of those with logits with a bias and a penalty for each row
        let rows = batch.rows();
        let offsets: Vec<usize> = (0..=rows).collect();
        let categories: Vec<u32> = (0..rows).map(|row| (row % batch.categories()) as u32).collect();
        let (biases, counts) = (vec![1.5; rows], vec![2; rows]);
        let penalties: Vec<Penalty> =
            (0..rows).map(|row| Penalty::new().with_frequency(row as f32 % 3.0)).collect();
        if batch.logits().is_some() && batch.rows() % 2 == 1 {
            for options in [&mut options, &mut like] {
                options.bias = Some(Bias::each(&offsets, &categories, &biases));
                options.history = Some(History::each(&offsets, &categories, &counts));
                options.penalties = Some(&penalties);
            }
            adjusted += 1;
        }
        // all rows with the same id, as each is drawn from alone
        let ids = vec![0; batch.rows()];
        let expected = CpuSampler::new().sample_rows(batch, &like.with_row_ids(&ids)).unwrap();
        for (row, expected) in expected.into_iter().enumerate() {
            let Ok(distribution) = GumbelRow::new(batch, row, &options) else {
                assert_eq!(expected, NO_DRAW, "{case}, row {row}");
                continue;
            };
            assert_eq!(distribution.sample(&mut Always(SEED)), expected, "{case}, row {row}");
            seen += usize::from(distribution.sample(&mut Always(SEED ^ 1)) != expected);
            compared += 1;
        }
    }
    assert!(adjusted > 5, "{adjusted}");
    assert!(compared > 1000 && seen > compared / 3, "{compared}, {seen}");
}

/// Chi-square over 200 categories, a third of them impossible, with two generators, beside the distributions of rand and
/// rand_distr; false alarms: 10⁻⁶ each. The test notices probabilities that are off by 3 %, up and down in turn.
#[test]
fn frequencies_fit() {
    let weights: Vec<f32> =
        (0..200).map(|i| if i % 3 == 0 { 0.0 } else { 1.0 + (i * 37 % 50) as f32 }).collect();
    let total: f32 = weights.iter().sum();
    let right: Vec<f64> = weights.iter().map(|w| f64::from(w / total)).collect();
    let mut wrong = right.clone();
    wrong.iter_mut().enumerate().for_each(|(i, p)| *p *= 0.97 + 0.06 * (i % 2) as f64);

    let batch = Weights::new(&weights, 200).unwrap();
    let options = SampleOptions::default();
    let cdf = CpuSampler::new().inverse_cdf(batch, &options).unwrap().row(0).unwrap();
    let race = GumbelRow::new(batch, 0, &options).unwrap();
    let index = WeightedIndex::new(&weights).unwrap().map(|i| i as u32);
    let alias = WeightedAliasIndex::new(weights.clone()).unwrap().map(|i| i as u32);
    let fit = |draws: Vec<u32>| {
        assert!(draws.iter().all(|&draw| draw % 3 != 0));
        let counts = counts(draws, 200);
        let [p, alarm] = [&right, &wrong].map(|probabilities| chi_square(&counts, probabilities));
        assert!(p > ALARM && alarm < ALARM, "{p:e}, {alarm:e}");
    };
    const DRAWS: usize = 1_000_000;
    let (mut philox, mut small) = (PhiloxRng::new(1), SmallRng::seed_from_u64(2));
    fit((&cdf).sample_iter(&mut philox).take(DRAWS).collect());
    fit((&cdf).sample_iter(&mut small).take(DRAWS).collect());
    fit((&race).sample_iter(&mut philox).take(DRAWS).collect());
    fit((&race).sample_iter(&mut small).take(DRAWS).collect());
    fit(index.sample_iter(&mut philox).take(DRAWS).collect());
    fit((0..DRAWS).map(|_| philox.sample(&alias)).collect());
}

#[test]
fn rows_that_are_not_there() {
    let data = [0.0, 1.0, f32::NAN, 0.0, f32::NEG_INFINITY, f32::NEG_INFINITY];
    let logits = Logits::new(&data, 2).unwrap();
    let options = SampleOptions::default();
    let row = |row, options: &SampleOptions<'_>| GumbelRow::new(logits, row, options).map(|_| ());
    row(0, &options.with_draws(0).with_row_ids(&[]).with_method(Method::InverseCdf)).unwrap();
    let nan = Undrawable::Nan { category: 0 };
    assert!(
        matches!(row(1, &options), Err(Error::UndrawableRow { row: 1, reason }) if reason == nan)
    );
    let error = row(2, &options.with_sentinels(true)).unwrap_err();
    assert_eq!(error.to_string(), "row 2 has no draw: all its logits are -infinity");
    assert!(matches!(row(3, &options), Err(Error::NoRow { row: 3, rows: 3 })));
    let error = row(0, &options.with_temperature(-1.0)).unwrap_err();
    assert!(matches!(error, Error::Temperature { .. }));

    let cdf = CpuSampler::new().inverse_cdf(logits, &options.with_sentinels(true)).unwrap();
    assert!(cdf.row(0).unwrap().sample(&mut Always(7)) < 2);
    for without in [1, 2] {
        assert_eq!(cdf.row(without).unwrap().sample(&mut Always(7)), NO_DRAW);
    }
    assert!(matches!(cdf.row(3), Err(Error::NoRow { row: 3, rows: 3 })));
    let none = CpuSampler::new().inverse_cdf(Logits::new(&[], 2).unwrap(), &options).unwrap();
    assert!(matches!(none.row(0), Err(Error::NoRow { row: 0, rows: 0 })));
    // a row outlives the tables it comes from
    let kept = cdf.row(0).unwrap();
    drop(cdf);
    assert!(kept.clone().sample(&mut Always(7)) < 2);
}
