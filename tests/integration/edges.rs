//! Calls at the edges of what makes sense, and sums that depend on nothing but their row.

use gumbel::{CpuSampler, Logits, SampleOptions, reference};

/// A race of no rows gives no categories, whatever k is.
#[test]
fn no_rows_and_all_places() {
    let none = Logits::new(&[], 3).unwrap();
    let options = SampleOptions::default();
    for places in [1, 2, 1 << 48, usize::MAX] {
        let top_k = CpuSampler::new().race_rows(none, &options, places).unwrap();
        assert!(top_k.categories().is_empty() && top_k.keys().is_empty());
    }
    assert!(CpuSampler::new().estimate_log_z(none, &options).unwrap().is_empty());
}

/// One category has all places but the first empty, however many they are: also more than 2¹⁶, of which the product with the
/// number of races that a thread is given at once is beyond 32 bits.
#[test]
fn one_category_and_many_places() {
    let row = Logits::new(&[0.5, f32::NEG_INFINITY], 1).unwrap();
    let options = SampleOptions::default().with_sentinels(true);
    for places in [65_535, 65_536, 65_537, 1 << 17] {
        let top_k = CpuSampler::new().race_rows(row, &options, places).unwrap();
        assert_eq!(top_k, reference::race_rows(row, &options, places).unwrap(), "{places}");
        assert_eq!(top_k.race(0).map(|won| won.category).collect::<Vec<_>>(), [0]);
        assert_eq!((top_k.race(1).count(), top_k.categories().len()), (0, 2 * places));
    }
}

/// The options for the number of draws do not matter to logsumexp and to prepared tables.
#[test]
fn what_is_not_asked_of_options() {
    let row = Logits::new(&[0.0, 1.0, 2.0], 3).unwrap();
    let engine = CpuSampler::new();
    let sums = engine.logsumexp_rows(row, &SampleOptions::default()).unwrap();
    let prepared = engine.inverse_cdf(row, &SampleOptions::default()).unwrap();
    for (first, draws) in [(0, 0), (u32::MAX, 7), (1 << 31, 1)] {
        let options = SampleOptions::default().with_first_draw(first).with_draws(draws);
        assert_eq!(engine.logsumexp_rows(row, &options).unwrap(), sums);
        let other = engine.inverse_cdf(row, &options).unwrap();
        assert_eq!(other.sample_rows(0, 9).unwrap(), prepared.sample_rows(0, 9).unwrap());
    }
}

/// Roughly normal numbers.
fn numbers(count: u32) -> Vec<f32> {
    let number = |i: u32| i.wrapping_mul(2_654_435_761).rotate_left(9) as f32 / 2f32.powi(29) - 4.0;
    (0..count).map(number).collect()
}

/// A sum is the same bit for bit on any number of threads, and beside rows that have none.
#[test]
fn a_sum_depends_on_its_row_alone() {
    let options = SampleOptions::default().with_sentinels(true);
    let long = numbers(1_000_003);
    let sums = [1, 2, 7].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let long = Logits::new(&long, long.len()).unwrap();
        pool.install(|| CpuSampler::new().logsumexp_rows(long, &options).unwrap()[0].to_bits())
    });
    assert_eq!(sums, [sums[0]; 3]);

    for categories in [5, 16, 27, 100, 256, 300] {
        let mut data = numbers(64 * categories);
        let each = categories as usize;
        let sum = |data: &[f32]| {
            let rows = Logits::new(data, each).unwrap();
            CpuSampler::new().logsumexp_rows(rows, &options).unwrap()
        };
        let sound = sum(&data);
        for row in [3, 17, 40] {
            data[row * each + row % each] = [f32::NAN, f32::INFINITY][row % 2];
        }
        for (row, (sound, beside)) in sound.iter().zip(sum(&data)).enumerate() {
            match row {
                3 | 17 | 40 => assert!(beside.is_nan(), "{categories}: {row}"),
                _ => assert_eq!(beside.to_bits(), sound.to_bits(), "{categories}: {row}"),
            }
        }
        // the row alone has the same sum
        for (row, sound) in sound.iter().enumerate().filter(|(row, _)| ![3, 17, 40].contains(row)) {
            let alone = sum(&data[row * each..][..each])[0];
            assert_eq!(alone.to_bits(), sound.to_bits(), "{categories}: {row}");
        }
    }
}
