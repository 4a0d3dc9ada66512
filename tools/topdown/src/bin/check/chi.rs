//! Draws against softmax.

use gumbel::Isa;
use gumbel_topdown::noise::bits::Stream;
use gumbel_topdown::noise::order::Scale;
use gumbel_topdown::race::{self, Draws};
use gumbel_topdown::random::Rng;
use gumbel_topdown::reference;
use rayon::prelude::*;

/// Categories, standard deviation of the logits, draws.
const CASES: [(usize, f64, usize); 7] = [
    (16, 0.0, 3_000_000),
    (256, 2.0, 1_000_000),
    (300, 1.0, 1_000_000),
    (1000, 2.0, 1_000_000),
    (5000, 3.0, 1_000_000),
    (20_000, 0.0, 1_000_000),
    (128_256, 2.0, 200_000),
];

/// Whether no chi-square is 5 standard deviations off.
pub(crate) fn check() -> bool {
    let mut random = Rng(0x1234567);
    let mut passed = true;
    for (n, sd, draws) in CASES {
        let row: Vec<f32> = (0..n).map(|_| (sd * random.normal()) as f32).collect();
        let mut out = vec![0u32; draws];
        // by the reference where that is quick
        let engine = if n <= 300 {
            out.par_iter_mut().enumerate().for_each(|(d, out)| {
                let stream = Stream::new(7, 9, d as u32);
                *out = reference::draw(&row, stream, Scale::ONE).unwrap_or(0);
            });
            "reference"
        } else {
            let rows = Draws {
                data: &row,
                categories: n,
                seed: 7,
                first_row: 9,
                scale: Scale::ONE,
                draws,
                out: &mut out,
            };
            race::draw(Isa::detect(), rows);
            "engine"
        };
        let total: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
        let mut count = vec![0f64; n];
        for &category in &out {
            count[category as usize] += 1.0;
        }
        // categories that are expected less than 20 times are taken together
        let (mut chi, mut terms, mut rare, mut rare_expected) = (0.0, 0, 0.0, 0.0);
        for i in 0..n {
            let expected = draws as f64 * f64::from(row[i]).exp() / total;
            if expected < 20.0 {
                rare += count[i];
                rare_expected += expected;
            } else {
                chi += (count[i] - expected).powi(2) / expected;
                terms += 1;
            }
        }
        if rare_expected > 20.0 {
            chi += (rare - rare_expected).powi(2) / rare_expected;
            terms += 1;
        }
        let freedom = f64::from(terms - 1);
        let z = (chi - freedom) / (2.0 * freedom).sqrt();
        println!(
            "{engine}, {n} categories, sd {sd}: {draws} draws, chi2 {chi:.1} of {freedom}, z {z:.2}"
        );
        passed &= z.abs() < 5.0;
    }
    passed
}
