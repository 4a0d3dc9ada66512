//! The short ways to a draw from a restricted row lead to the draw.

use gumbel::half::bf16;
use gumbel::{Allowed, CpuSampler, Logits, SampleOptions, Share, Truncation};

/// Rows of all kinds that the short ways to a draw may take in different ways.
fn kinds(categories: usize) -> Vec<Vec<f32>> {
    let word =
        |i: usize| (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(13).wrapping_mul(0x85eb_ca6b);
    let normal = |i: usize| {
        let bytes: u32 = word(i).to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
        (bytes as f32 - 510.0) / 49.0
    };
    let row = |value: &dyn Fn(usize) -> f32| (0..categories).map(value).collect::<Vec<f32>>();
    vec![
        row(&normal),
        row(&|i| normal(i + 7777).round()),
        row(&|_| 0.25),
        row(&|i| (i % 2) as f32),
        row(&|i| i as f32 / -700.0),
        row(&|i| i as f32 / 70.0),
        row(&|i| if i == 77 { 30.0 } else { normal(i) }),
        row(&|i| if i % 3 == 0 { f32::NEG_INFINITY } else { 1e6 + normal(i) }),
        row(&|i| if i % 100 == 5 { normal(i) } else { f32::NEG_INFINITY }),
        row(&|i| normal(i) * 1e9),
        row(&|i| if i + 2 == categories { f32::NAN } else { normal(i) }),
        row(&|i| if i == 1 { -f32::NAN } else { normal(i) }),
        row(&|i| if i == categories / 2 { f32::INFINITY } else { normal(i) }),
        row(&|_| f32::NEG_INFINITY),
    ]
}

/// Top-k lists some categories more than it keeps. Where these are nearly as probable as those it keeps, they often win the
/// race of all that are listed, and are not the draw.
#[test]
fn what_is_listed_beside_the_k_largest_is_not_drawn() {
    const CATEGORIES: usize = 20_000;
    let new = Truncation::new;
    let k = new().with_top_k(50);
    let truncations = [
        k,
        new().with_top_k(20),
        k.with_min_p(0.98),
        k.with_top_p(0.6),
        k.with_top_p(0.002).with_share(Share::All),
        k.with_min_p(0.98).with_top_p(0.9).with_share(Share::Rest),
        k.with_epsilon(1.165e-4),
    ];
    let hash = |i: usize| (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(13) ^ i as u32;
    let share = |i: usize| f64::from(hash(i).wrapping_mul(0x85eb_ca6b)) / 4_294_967_296.0;
    // the 60 largest lie within 0.05
    let data: Vec<f32> = (0..CATEGORIES).map(|i| share(i).powi(9) as f32).collect();
    let data = data.repeat(200);
    let logits = Logits::new(&data, CATEGORIES).unwrap();
    for truncation in truncations {
        let options = SampleOptions::default().with_truncation(truncation);
        let plainly = CpuSampler::new().with_filter(false);
        let expected = plainly.sample_rows(logits, &options).unwrap();
        let draws = CpuSampler::new().sample_rows(logits, &options).unwrap();
        assert_eq!(draws, expected, "{truncation:?}");
    }
}

/// However a draw is found, it is the same: with the short ways, and without them.
#[test]
fn the_short_ways_lead_to_the_same_draws() {
    let new = Truncation::new;
    let all = new().with_top_k(40).with_top_p(0.9).with_min_p(0.01);
    let truncations = [
        new(),
        new().with_top_k(1),
        new().with_top_k(50),
        new().with_top_k(300),
        new().with_top_k(20).with_at_temperature(1e7),
        new().with_top_p(0.9),
        new().with_top_p(0.2),
        new().with_top_p(1e-4),
        new().with_top_p(0.7).with_at_temperature(2.0),
        new().with_top_p(0.7).with_at_temperature(1e7),
        new().with_min_p(0.05),
        new().with_min_p(1e-4),
        new().with_min_p(0.5).with_at_temperature(1e7),
        new().with_epsilon(1e-3),
        new().with_epsilon(0.3),
        new().with_top_p(0.8).with_epsilon(1e-4),
        new().with_top_p(0.8).with_epsilon(1e-3).with_share(Share::Rest),
        new().with_top_p(0.8).with_min_p(0.01),
        new().with_top_p(0.6).with_min_p(1e-4).with_share(Share::Rest),
        new().with_top_p(0.5).with_min_p(0.3),
        new().with_top_p(0.02).with_min_p(0.2).with_at_temperature(0.5),
        new().with_top_p(0.9).with_min_p(0.4).with_share(Share::Rest),
        new().with_top_p(0.9).with_min_p(0.2).with_epsilon(1e-3),
        new().with_top_p(0.9).with_min_p(0.3).with_epsilon(1e-3).with_share(Share::Rest),
        new().with_min_p(0.1).with_epsilon(1e-3),
        all,
        all.with_share(Share::All),
        all.with_share(Share::Rest).with_epsilon(1e-3),
        new().with_top_k(100).with_epsilon(2e-3),
        new().with_top_k(50).with_min_p(0.3).with_top_p(0.6).with_share(Share::Rest),
    ];
    let mut fewer = 0;
    for categories in [512, 1000, 4096, 4097, 9001] {
        let words = categories / 32 + 1;
        let mask = |share: u32| {
            let word = |i: usize| {
                (0..32)
                    .map(|j| {
                        let hash = ((32 * i + j) as u32).wrapping_mul(0x9e37_79b9) >> 16;
                        u32::from(hash % 100 < share) << j
                    })
                    .sum()
            };
            (0..words).map(word).collect::<Vec<u32>>()
        };
        let masks = [mask(1), mask(50), mask(95)];
        // a row for each truncation
        for row in kinds(categories) {
            let data = row.repeat(truncations.len());
            let halves: Vec<bf16> = data.iter().map(|&x| bf16::from_f32(x)).collect();
            let singles = Logits::new(&data, categories).unwrap();
            let halves = Logits::from_bf16(&halves, categories).unwrap();
            for (seed, logits) in [singles, halves].into_iter().cycle().take(6).enumerate() {
                for mask in [None, Some(&masks[0]), Some(&masks[1]), Some(&masks[2])] {
                    let mut options = SampleOptions::default()
                        .with_seed(seed as u64)
                        .with_temperature([1.0, 0.0, 0.6][seed / 2])
                        .with_sentinels(true)
                        .with_truncations(&truncations);
                    options.allowed = mask.map(|mask| Allowed::shared(mask));
                    let plainly = CpuSampler::new().with_filter(false);
                    let expected = plainly.sample_rows(logits, &options).unwrap();
                    let draws = CpuSampler::new().sample_rows(logits, &options).unwrap();
                    assert_eq!(draws, expected, "{categories}, {seed}, {mask:?}: {:?}", &row[..9]);
                    fewer += draws.iter().filter(|&&draw| draw != draws[0]).count();
                }
            }
        }
    }
    assert!(fewer > 1000, "truncations make a difference: {fewer}");
}
