//! The thirty settings of other samplers: the reference and the CPU engine keep what the oracle of `common::settings` keeps.

use gumbel::{CpuSampler, Logits, SampleOptions, Share, Truncation, reference};

use crate::common::settings::{chain, rows, settings};

#[test]
fn thirty_settings_of_other_projects() {
    let settings = settings();
    assert_eq!(settings.len(), 30);
    let (mut cut, mut ties) = (0, 0);
    for row in rows() {
        let wide: Vec<f64> = row.iter().map(|x| x.to_f64()).collect();
        let single: Vec<f32> = row.iter().map(|x| x.to_f32()).collect();
        for (name, steps, truncation, temperature) in &settings {
            let expected = chain(&wide, steps);
            let options = SampleOptions::default()
                .with_temperature(*temperature)
                .with_truncation(*truncation);
            let found = reference::kept_row(&single, truncation, *temperature).unwrap();
            assert_eq!(found, expected, "{name}, the reference, {} categories", row.len());
            let logits = Logits::from_bf16(&row, row.len()).unwrap();
            let engine = CpuSampler::new().cut_rows(logits, &options).unwrap()[0];
            let of_engine: Vec<bool> = wide.iter().map(|&x| x >= engine.threshold).collect();
            assert_eq!(of_engine, expected, "{name}, the engine, {} categories", row.len());
            let count = expected.iter().filter(|kept| **kept).count();
            assert_eq!(engine.kept as usize, count, "{name}");
            cut += usize::from(count < row.len());
            ties += usize::from(wide.iter().filter(|&&x| x == engine.threshold).count() > 1);
        }
    }
    // the rows are such that cuts and ties matter
    assert!(cut > 400 && ties > 200, "{cut}, {ties}");
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
