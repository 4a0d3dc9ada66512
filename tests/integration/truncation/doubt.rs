//! Rows whose draws lie so near the boundary of top-p that sums in floats leave a doubt. `what_sums_cannot_tell_is_a_doubt` in
//! `src/cpu/restrict/tally.rs` has the doubt itself.

use gumbel::{CpuSampler, Isa, Logits, SampleOptions, Share, Truncation, reference};

/// How far p lies from what is above the boundary: far less than a float's sum tells, and far more than an integer's.
const NEAR: f64 = 8e-6;

/// A row of classes of so many categories, each with a logit; a hash gives every category a class.
fn row(categories: usize, classes: &[(usize, f32)]) -> Vec<f32> {
    let mut row: Vec<f32> = classes.iter().flat_map(|&(count, logit)| vec![logit; count]).collect();
    assert_eq!(row.len(), categories);
    for i in (1..categories).rev() {
        let hash = (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(13).wrapping_mul(0x85eb_ca6b);
        row.swap(i, hash as usize % (i + 1));
    }
    row
}

/// The probability of classes.
fn sum(classes: &[(usize, f32)]) -> f64 {
    classes.iter().map(|&(count, logit)| count as f64 * f64::from(logit).exp()).sum()
}

/// The draws of a row at the boundary, with each of the truncations of which the first two differ in nothing but p: by the short
/// ways of each instruction set, without them, and by the reference.
fn draws(row: &[f32], truncations: &[Truncation]) -> Vec<u32> {
    let data = row.repeat(truncations.len());
    let logits = Logits::new(&data, row.len()).unwrap();
    // the same noise for each truncation
    let ids = vec![5; truncations.len()];
    let mut all = vec![];
    for seed in 0..6 {
        let options = SampleOptions::default()
            .with_seed(seed)
            .with_row_ids(&ids)
            .with_truncations(truncations);
        let plainly = CpuSampler::new().with_filter(false);
        let expected = plainly.sample_rows(logits, &options).unwrap();
        if row.len() < 1000 && seed == 0 {
            assert_eq!(expected, reference::sample_rows(logits, &options).unwrap());
        }
        for isa in Isa::available() {
            let engine = CpuSampler::new().with_isa(isa).unwrap();
            let found = engine.sample_rows(logits, &options).unwrap();
            assert_eq!(found, expected, "{isa}, {seed}, {} categories", row.len());
        }
        all.extend(expected);
    }
    all
}

#[test]
fn doubtful_draws_are_those_of_exact_sums() {
    let new = Truncation::new;
    let (mut cut, mut kept) = (0, 0);
    for categories in [600, 5000] {
        for i in 0..40 {
            // the second class is drawn about as often as the first, and the third is what min-p cuts
            let distance = 0.2 + i as f32 / 33.0;
            let larger = categories / 10 + i;
            let smaller = (larger as f32 * distance.exp()) as usize + i;
            let rest = categories - larger - smaller;
            let classes = [(larger, 2.0), (smaller, 2.0 - distance), (rest, -3.0)];
            let row = row(categories, &classes);
            let of_all = sum(&classes[..1]) / sum(&classes);
            let of_rest = sum(&classes[..1]) / sum(&classes[..2]);
            let p = |share: f64, change: f64| new().with_top_p((share + change) as f32);
            // a pair for each way: cut, and kept
            let pairs = [-NEAR, NEAR].map(|change| {
                [
                    p(of_all, change),
                    p(of_all, change).with_min_p(0.03),
                    p(of_all, change).with_min_p(0.03).with_share(Share::All),
                    p(of_rest, change).with_min_p(0.03).with_share(Share::Rest),
                    p(of_all, change).with_epsilon(1e-9),
                ]
            });
            let truncations = pairs.concat();
            for draws in draws(&row, &truncations).chunks(truncations.len()) {
                let (of_cut, of_kept) = draws.split_at(pairs[0].len());
                // what is less probable is cut, or kept, by so little
                assert!(of_cut.iter().all(|&draw| row[draw as usize] == 2.0), "{i}, {draws:?}");
                cut += of_cut.len();
                kept += of_kept.iter().filter(|&&draw| row[draw as usize] < 2.0).count();
            }
        }
    }
    assert!(kept * 3 > cut && kept < cut, "{kept} of {cut}");
}
