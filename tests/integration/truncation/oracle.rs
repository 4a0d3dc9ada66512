//! The thirty settings of other samplers: the reference and the CPU engine keep what the oracle of `common::settings` keeps.

use gumbel::half::bf16;
use gumbel::{Allowed, CpuSampler, Logits, SampleOptions, Share, Truncation, reference};

use crate::common::settings::{chain, rows, settings};

/// Allows about half of a row's categories, and none of the largest.
fn mask(row: &[bf16]) -> Vec<u32> {
    let most = row.iter().map(|x| x.to_f32()).fold(f32::NEG_INFINITY, f32::max);
    let allows = |i: usize| {
        row[i].to_f32() < most
            && (i as u32).wrapping_mul(0x85eb_ca6b).rotate_left(7).is_multiple_of(2)
    };
    let mut words = vec![0; row.len().div_ceil(32)];
    (0..row.len()).for_each(|i| words[i / 32] |= u32::from(allows(i)) << (i % 32));
    words
}

#[test]
fn thirty_settings_of_other_projects() {
    let settings = settings();
    assert_eq!(settings.len(), 30);
    for masked in [false, true] {
        let (mut cut, mut ties) = (0, 0);
        // of long rows the reference takes its time
        for row in rows().into_iter().filter(|row| !masked || row.len() < 5000) {
            let mask = if masked { mask(&row) } else { vec![!0; row.len().div_ceil(32)] };
            let is_allowed = |i: usize| mask[i / 32] >> (i % 32) & 1 == 1;
            let value = |i: usize| if is_allowed(i) { row[i] } else { bf16::NEG_INFINITY };
            let wide: Vec<f64> = (0..row.len()).map(|i| value(i).to_f64()).collect();
            let single: Vec<f32> = (0..row.len()).map(|i| value(i).to_f32()).collect();
            for (name, steps, truncation, temperature) in &settings {
                let name = format!("{name}, {} categories, masked: {masked}", row.len());
                let expected = chain(&wide, steps);
                let mut options = SampleOptions::default()
                    .with_temperature(*temperature)
                    .with_truncation(*truncation);
                let found = reference::kept_row(&single, truncation, *temperature).unwrap();
                assert_eq!(found, expected, "{name}, the reference");
                // the engine is given the mask, and the logits that it takes away
                let logits = Logits::from_bf16(&row, row.len()).unwrap();
                options.allowed = masked.then(|| Allowed::shared(&mask));
                let engine = CpuSampler::new().cut_rows(logits, &options).unwrap()[0];
                let of_engine: Vec<bool> = wide.iter().map(|&x| x >= engine.threshold).collect();
                assert_eq!(of_engine, expected, "{name}, the engine");
                let count = expected.iter().filter(|kept| **kept).count();
                assert_eq!(engine.kept as usize, count, "{name}");
                cut += usize::from(count < wide.iter().filter(|x| x.is_finite()).count());
                ties += usize::from(wide.iter().filter(|&&x| x == engine.threshold).count() > 1);
            }
        }
        // the rows are such that cuts and ties matter
        let least = if masked { (250, 150) } else { (400, 200) };
        assert!(cut > least.0 && ties > least.1, "{cut}, {ties}, masked: {masked}");
    }
}

/// The oracle itself would see a boundary that is moved by one category, and one share taken for another.
#[test]
fn a_wrong_setting_is_seen() {
    let differ = |a: Truncation, b: Truncation| {
        rows()
            .iter()
            .filter(|row| {
                let single: Vec<f32> = row.iter().map(|x| x.to_f32()).collect();
                let kept = |truncation| reference::kept_row(&single, truncation, 1.0).unwrap();
                kept(&a) != kept(&b)
            })
            .count()
    };
    let new = Truncation::new;
    assert!(differ(new().with_top_k(50), new().with_top_k(90)) > 4);
    assert!(differ(new().with_top_p(0.9), new().with_top_p(0.92)) > 4);
    let both = new().with_top_k(50).with_top_p(0.9);
    assert!(differ(both, both.with_share(Share::All)) > 4);
    let temperature = new().with_top_p(0.9).with_at_temperature(0.8);
    assert!(differ(new().with_top_p(0.9), temperature) > 4);
}
