//! The ratio test against the reference.

use gumbel::half::bf16;
use gumbel::noise::philox::philox4x32_10;
use gumbel::{Allowed, Bias, CpuSampler, Drafts, Logits, SampleOptions, Truncation, reference};

/// Against the reference: chains of uneven length, rows of all kinds, options of rows.
#[test]
fn the_ratio_test_is_the_references() {
    let sampler = CpuSampler::new();
    for (categories, seed) in [(5, 1), (130, 2), (5000, 3)] {
        let lengths: Vec<usize> = vec![0, 3, 1, 5, 0, 2, 4];
        let offsets: Vec<usize> = (0..=lengths.len()).map(|i| lengths[..i].iter().sum()).collect();
        let (rows, all) = (offsets[7] + 7, offsets[7]);
        let number = |i: usize, j: u32| {
            let [word, ..] = philox4x32_10([i as u32, j, seed, 0], [9, 9]);
            (word >> 8) as f32 / (1 << 22) as f32 - 2.0
        };
        let target: Vec<f32> = (0..rows * categories).map(|i| 2.0 * number(i, 0)).collect();
        // rows of the drafter are like those of the target in their place
        let places = (0..7).flat_map(|i| (0..lengths[i]).map(move |j| (i, j)));
        let drafter: Vec<bf16> = places
            .flat_map(|(i, j)| {
                let first = (offsets[i] + i + j) * categories;
                (first..first + categories).map(|at| bf16::from_f32(target[at] + number(at, 1)))
            })
            .collect();
        let (ids, temperatures, mask) = (
            (0..rows as u64).map(|row| row * 77).collect::<Vec<_>>(),
            (0..rows).map(|row| [1.0, 0.6, 0.0, 1.4][row % 4]).collect::<Vec<_>>(),
            vec![!2u32; rows * categories.div_ceil(32)],
        );
        let plain = SampleOptions::default().with_seed(seed.into()).with_row_ids(&ids);
        let [categories_of, values] = [[0, 2], [1.0f32.to_bits(), 2.0f32.to_bits()]];
        let values = values.map(f32::from_bits);
        let nucleus = Truncation::new().with_top_p(0.9);
        for options in [
            plain,
            plain.with_temperatures(&temperatures).with_truncation(nucleus),
            plain
                .with_allowed(Allowed::each(&mask, categories.div_ceil(32)))
                .with_bias(Bias::shared(&categories_of, &values)),
        ] {
            // drafts are drawn from the drafter's rows with the options of the target's rows
            let none = vec![0; all];
            let shape = Drafts::chains(&offsets, &none).unwrap();
            let row_of: Vec<usize> = (0..7)
                .flat_map(|i| (0..lengths[i]).map(move |j| (i, j)))
                .map(|(i, j)| offsets[i] + i + j)
                .collect();
            assert_eq!(shape.rows(), rows);
            let ids: Vec<u64> = row_of.iter().map(|&row| ids[row]).collect();
            let temperatures: Vec<f32> = row_of.iter().map(|&row| temperatures[row]).collect();
            let drafting = match options.temperatures {
                Some(_) => options.with_temperatures(&temperatures),
                None => options,
            };
            let masks = vec![!2u32; all * categories.div_ceil(32)];
            let drafting = match options.allowed {
                Some(_) => drafting.with_allowed(Allowed::each(&masks, categories.div_ceil(32))),
                None => drafting,
            };
            let batch = Logits::from_bf16(&drafter, categories).unwrap();
            let guesses = sampler.sample_rows(batch, &drafting.with_row_ids(&ids)).unwrap();
            let drafts = Drafts::chains(&offsets, &guesses).unwrap();
            let target = Logits::new(&target, categories).unwrap();
            let got = sampler.verify_rows_by_ratio(target, batch, &drafts, &options).unwrap();
            let expected =
                reference::verify_rows_by_ratio(target, batch, &drafts, &options).unwrap();
            assert_eq!(got, expected, "{categories}, {options:?}");
            let accepted: usize = (0..7).map(|i| got.accepted(i)).sum();
            assert!(accepted > 0 && accepted < all, "{accepted} of {all}");
            // another seed is another test
            let other = options.with_seed(1234);
            let other = sampler.verify_rows_by_ratio(target, batch, &drafts, &other).unwrap();
            assert!(got != other);
        }
    }
}
