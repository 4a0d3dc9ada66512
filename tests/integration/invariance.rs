//! Properties on which a draw does not depend: the batch that it is drawn in, and a shift or scale
//! that all logits share.
//!
//! All comparisons are of whole batches, so that a single draw that depends on its surroundings
//! shows; each is made with a wrong argument too, and then fails.

use gumbel::{CpuSampler, Logits, SampleOptions};

const ROWS: usize = 300;
const CATEGORIES: usize = 100;

/// Returns rows that differ: multiples of 1/64 between −6 and 6.
fn logits() -> Vec<f32> {
    (0..ROWS * CATEGORIES).map(|i| (i * 7919 % 769) as f32 / 64.0 - 6.0).collect()
}

#[expect(clippy::unwrap_used, reason = "the calls of this file are valid")]
fn draw(logits: &[f32], categories: usize, options: SampleOptions<'_>) -> Vec<u32> {
    CpuSampler::new().sample_rows(Logits::new(logits, categories).unwrap(), &options).unwrap()
}

fn base() -> SampleOptions<'static> {
    SampleOptions::default().with_seed(3).with_temperature(1.3)
}

/// A batch drawn in pieces of rows has the draws of the whole, also across the end of the low word
/// and the end of the ids.
#[test]
fn a_batch_cut_between_rows() {
    let logits = logits();
    for first in [0u64, (1 << 32) - 150, u64::MAX - 150] {
        let options = base().with_draws(3);
        let whole = draw(&logits, CATEGORIES, options.with_first_row(first));
        let cut = |rows: usize, step: u64| -> Vec<u32> {
            let pieces = logits.chunks(rows * CATEGORIES).enumerate();
            pieces
                .flat_map(|(i, piece)| {
                    let first = first.wrapping_add(i as u64 * rows as u64 * step);
                    draw(piece, CATEGORIES, options.with_first_row(first))
                })
                .collect()
        };
        for rows in [1, 7, 64, 299] {
            assert_eq!(cut(rows, 1), whole, "pieces of {rows} rows from {first}");
            assert_ne!(cut(rows, 2), whole);
        }
    }
}

/// A row's draws may be drawn in pieces.
#[test]
fn a_batch_cut_between_draws() {
    let logits = logits();
    let whole = draw(&logits, CATEGORIES, base().with_draws(10));
    let cut = |pieces: &[(u32, u32)]| {
        let mut together = vec![Vec::new(); ROWS];
        for &(first_draw, draws) in pieces {
            let options = base().with_first_draw(first_draw).with_draws(draws);
            let drawn = draw(&logits, CATEGORIES, options);
            for (row, part) in together.iter_mut().zip(drawn.chunks(draws as usize)) {
                row.extend_from_slice(part);
            }
        }
        together.concat()
    };
    assert_eq!(cut(&[(0, 1), (1, 4), (5, 5)]), whole);
    assert_eq!(cut(&[(0, 9), (9, 1)]), whole);
    assert_ne!(cut(&[(0, 5), (4, 5)]), whole);
}

/// A row's draws depend on its id, not on its position: explicit ids act as `first_row` does, rows
/// in another order have the same draws, and rows of the same id and logits draw alike.
#[test]
fn ids_rather_than_positions() {
    let logits = logits();
    let ids: Vec<u64> = (0..ROWS as u64).map(|i| (i + 5).wrapping_mul(1 << 31)).collect();
    let drawn = draw(&logits, CATEGORIES, base().with_row_ids(&ids));

    let counted: Vec<u64> = (5..).take(ROWS).collect();
    let from = draw(&logits, CATEGORIES, base().with_first_row(5));
    assert_eq!(draw(&logits, CATEGORIES, base().with_row_ids(&counted)), from);
    assert_ne!(drawn, from);

    let reversed: Vec<f32> = logits.chunks(CATEGORIES).rev().flatten().copied().collect();
    let backwards: Vec<u64> = ids.iter().rev().copied().collect();
    let mut drawn_backwards = draw(&reversed, CATEGORIES, base().with_row_ids(&backwards));
    assert_ne!(drawn_backwards, drawn);
    drawn_backwards.reverse();
    assert_eq!(drawn_backwards, drawn);

    let row = &logits[..CATEGORIES];
    let alike = draw(&row.repeat(ROWS), CATEGORIES, base().with_row_ids(&[77; ROWS]));
    assert_eq!(alike, draw(row, CATEGORIES, base().with_first_row(77)).repeat(ROWS));
}

/// The position of the rows in memory makes no difference.
#[test]
fn strides() {
    let logits = logits();
    let whole = draw(&logits, CATEGORIES, base());
    for gap in [1, 28] {
        let mut spread = vec![f32::NAN; 3];
        for row in logits.chunks(CATEGORIES) {
            spread.extend_from_slice(row);
            spread.resize(spread.len() + gap, f32::NAN);
        }
        let strided = |from: usize| {
            let stride = CATEGORIES + gap;
            Logits::strided(&spread[from..], ROWS, CATEGORIES, stride).unwrap()
        };
        assert_eq!(CpuSampler::new().sample_rows(strided(3), &base()).unwrap(), whole);
        // starting one logit too early, there is a NaN in each row
        assert!(CpuSampler::new().sample_rows(strided(2), &base()).is_err());
    }
}

/// Categories of probability 0 after a row's last one make no difference, whatever the vector block
/// of the engine.
#[test]
fn padding() {
    let logits = logits();
    let whole = draw(&logits, CATEGORIES, base());
    for width in [101, 104, 128, 300] {
        let pad = |with: f32| {
            let rows = logits.chunks(CATEGORIES).flat_map(|row| {
                row.iter().copied().chain(std::iter::repeat_n(with, width - CATEGORIES))
            });
            draw(&rows.collect::<Vec<f32>>(), width, base())
        };
        assert_eq!(pad(f32::NEG_INFINITY), whole, "{width} categories");
        assert_ne!(pad(6.0), whole);
    }
}

/// A row shifted by a constant has the same distribution, and the same draws where the `f32` sum is
/// exact and the temperature a power of two.
#[test]
fn shifts() {
    let logits = logits();
    for temperature in [0.5, 1.0, 4.0] {
        let options = base().with_temperature(temperature);
        let drawn = draw(&logits, CATEGORIES, options);
        for shift in [0.25, -3.0, 1000.0, -65_536.0, 100_000.0] {
            let shifted: Vec<f32> = logits.iter().map(|x| x + shift).collect();
            assert!(shifted.iter().zip(&logits).all(|(y, x)| y - shift == *x), "not exact");
            assert_eq!(draw(&shifted, CATEGORIES, options), drawn, "{shift} at {temperature}");
        }
        let tilted: Vec<f32> = (0..).zip(&logits).map(|(i, x)| x + (i % 2) as f32).collect();
        assert_ne!(draw(&tilted, CATEGORIES, options), drawn);
    }
}

/// Logits and temperature may be multiplied by the same power of two.
#[test]
fn scales() {
    let logits = logits();
    let drawn = draw(&logits, CATEGORIES, base());
    for factor in [2f32.powi(-60), 0.5, 2.0, 2f32.powi(60)] {
        let scaled: Vec<f32> = logits.iter().map(|x| x * factor).collect();
        let options = base().with_temperature(1.3 * factor);
        assert_eq!(draw(&scaled, CATEGORIES, options), drawn, "{factor:e}");
        assert_ne!(draw(&logits, CATEGORIES, options), drawn);
    }
}

/// Temperature 0 is the limit of small temperatures where a row has one largest logit, and does not
/// depend on the seed.
#[test]
fn greedy_is_the_limit() {
    // 769 is prime: 100 neighbours of the sequence are all different
    let logits = logits();
    let greedy = draw(&logits, CATEGORIES, base().with_temperature(0.0));
    for (row, &draw) in logits.chunks(CATEGORIES).zip(&greedy) {
        assert!((0..).zip(row).all(|(i, &x)| x < row[draw as usize] || i == draw));
    }
    assert_eq!(draw(&logits, CATEGORIES, base().with_temperature(1e-5)), greedy);
    assert_eq!(draw(&logits, CATEGORIES, base().with_temperature(0.0).with_seed(8)), greedy);
    assert_ne!(draw(&logits, CATEGORIES, base().with_temperature(0.1)), greedy);
}
