//! Bias and penalties on the device: the draws are the reference's.

use gumbel::{
    AdapterReport, DeviceBatch, DeviceKind, Error, Penalty, Truncation, ValueFormat, wgpu,
};
use libtest_mimic::Failed;
use wgpu::BufferUsages as Usage;

use super::super::{Check, ensure};
use super::batch::{Batch, words};
use super::errors::{buffer, refused};
use super::faults::seen;
use super::lists::Lists;
use super::{plans, shared};

use ValueFormat::{Bf16, F16, F32};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::biases", biases),
    ("bound::penalties", penalties),
    ("bound::biases_and_penalties", biases_and_penalties),
    ("bound::penalties_out_of_range_harm_no_other_row", out_of_range),
    ("bound::adjustments_that_cannot_be_bound", cannot_be_bound),
    ("bound::faults_in_adjustments_are_seen", faults_are_seen),
];

/// Entries of random categories, some of them twice, for a row.
fn entries<V>(row: u32, count: u32, categories: u32, value: impl Fn(u32) -> V) -> Vec<(u32, V)> {
    let all: Vec<_> = words(u64::from(3 * (row + 1) * count)).collect();
    let of_row = all[all.len() - 3 * count as usize..].chunks_exact(3);
    of_row.map(|word| (word[0] % categories.min(1 + word[1] % 64 * 97), value(word[2]))).collect()
}

fn bias(word: u32) -> f32 {
    match word % 16 {
        0 => f32::NEG_INFINITY,
        1 => 1e30,
        2 => -1e-30,
        _ => (word >> 8) as f32 / f32::from(1u16 << 15) / 51.0 - 5.0,
    }
}

fn biased(batch: &Batch) -> Lists<f32> {
    Lists::each((0..batch.rows).map(|row| entries(row, row % 4 * 9, batch.categories, bias)))
}

fn history(batch: &Batch) -> Lists<u32> {
    let count = |word: u32| if word.is_multiple_of(7) { word } else { word % 4 };
    Lists::each((0..batch.rows).map(|row| entries(row, row % 5 * 11, batch.categories, count)))
}

const PENALTY: Penalty =
    Penalty::new().with_repetition(1.3).with_frequency(0.7).with_presence(-0.3);

/// Batches of all formats, wherever their rows lie.
fn batches() -> impl Iterator<Item = Batch> {
    let shapes = [(9, 203, 203), (7, 1, 3), (3, 5003, 5008), (5, 64, 0)];
    [F32, F16, Bf16].into_iter().flat_map(move |format| {
        shapes.map(|(rows, categories, stride)| Batch {
            draws: 3,
            first_row: 5,
            ..Batch::normal(format, rows, categories, stride)
        })
    })
}

fn biases(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for batch in batches() {
            let batch = Batch { bias: Some(biased(&batch)), ..batch };
            batch.same(gpu, "a bias for each row")?;
        }
        for batch in batches().take(4) {
            let list = Lists::shared(entries(1, 20, batch.categories, bias));
            Batch { bias: Some(list), ..batch }.same(gpu, "one bias")?;
        }
        Ok(())
    })
}

fn penalties(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for batch in batches() {
            let batch = Batch { history: Some(history(&batch)), penalty: PENALTY, ..batch };
            batch.same(gpu, "one penalty")?;
        }
        for batch in batches().take(4) {
            let own = |row: u32| match row % 3 {
                0 => Penalty::new(),
                1 => Penalty::new().with_repetition(0.3).with_frequency(-1e-3),
                _ => Penalty::new().with_repetition(3e30).with_presence(2.0),
            };
            let penalties = Some((0..batch.rows).map(own).collect());
            let batch = Batch { history: Some(history(&batch)), penalties, ..batch };
            batch.same(gpu, "a penalty for each row")?;
        }
        Ok(())
    })
}

/// With everything else that rows can have of their own.
fn biases_and_penalties(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [F32, F16] {
            for categories in [203, 5003] {
                let batch = Batch {
                    rows: 9,
                    source_rows: 4,
                    // one of them is out of range
                    row_indices: Some(vec![3, 0, 1, 1, 4, 2, 0, 3, 2]),
                    temperatures: Some(vec![1.0, 0.5, 0.0, 2.0, 1.0, 0.1, 1.0, 9.0, 1.0]),
                    seeds: Some((0..9).collect()),
                    offset: 8,
                    truncation: Truncation::new().with_top_k(30).with_top_p(0.9),
                    allowed: Some((words(157 * 9).map(|word| word | 1).collect(), 157)),
                    penalty: PENALTY,
                    draws: 2,
                    ..Batch::normal(format, 4, categories, categories + 8)
                };
                let batch =
                    Batch { bias: Some(biased(&batch)), history: Some(history(&batch)), ..batch };
                batch.same(gpu, "everything together")?;
            }
        }
        Ok(())
    })
}

/// A NaN among the biases, and a repetition penalty of 0: their rows have no draw.
fn out_of_range(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let batch = Batch::normal(F32, 6, 203, 203);
    let lists =
        |odd: f32| Lists::each((0..6).map(|row| vec![(7, if row == 2 { odd } else { 1.0 })]));
    let right = Batch { bias: Some(lists(1.0)), ..batch.clone() };
    for odd in [f32::NAN, f32::INFINITY] {
        let wrong = Batch { bias: Some(lists(odd)), ..batch.clone() };
        only_row_2_has_no_draw(&right.expected()?, &wrong.drawn(&gpu)?)?;
    }
    let history = Some(Lists::each((0..6).map(|row| vec![(row, 1)])));
    let of = |odd: Penalty| {
        let penalties = (0..6).map(|row| if row == 2 { odd } else { PENALTY }).collect();
        Batch { history: history.clone(), penalties: Some(penalties), ..batch.clone() }
    };
    for odd in [
        Penalty::new().with_repetition(0.0),
        Penalty::new().with_repetition(-1.0),
        Penalty::new().with_repetition(f32::INFINITY),
        Penalty::new().with_frequency(f32::NAN),
        Penalty::new().with_presence(f32::NEG_INFINITY),
    ] {
        only_row_2_has_no_draw(&of(PENALTY).expected()?, &of(odd).drawn(&gpu)?)?;
    }
    Ok(())
}

fn only_row_2_has_no_draw(right: &[u32], drawn: &[u32]) -> Result<(), Failed> {
    let mut expected = right.to_vec();
    expected[2] = gumbel::NO_DRAW;
    ensure(drawn == expected, || format!("{drawn:?} instead of {expected:?}"))
}

fn cannot_be_bound(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let of = |words: u64| buffer(&gpu, 4 * words, Usage::STORAGE);
    let [logits, draws, offsets, list] = [1000, 10, 11, 100].map(of);
    let batch = DeviceBatch::new(&logits, &draws, 10, 100);
    let some = batch.with_penalty(Penalty::new().with_repetition(2.0));
    gpu.bind(&some.with_bias(Some(&offsets), &list, &list).with_history(&offsets, &list, &list))?;
    refused(
        &gpu,
        batch.with_bias(Some(&of(10)), &list, &list),
        "the offsets of biases cannot be bound: 10 rows need 44 bytes, and the buffer has 40",
    )?;
    refused(
        &gpu,
        some.with_history(&of(10), &list, &list),
        "the offsets of the history cannot be bound: 10 rows need 44 bytes, and the buffer has 40",
    )?;
    refused(
        &gpu,
        batch.with_bias(None, &draws, &list),
        "the categories of biases cannot be bound: they are in the same buffer as the draws",
    )?;
    refused(
        &gpu,
        batch.with_bias(None, &list, &buffer(&gpu, 400, Usage::COPY_DST)),
        "the biases cannot be bound: the buffer lacks the usage STORAGE; it has BufferUsages(COPY_DST)",
    )?;
    refused(
        &gpu,
        batch.with_history(&offsets, &list, &list).with_penalties(&of(29)),
        "the penalties cannot be bound: 10 rows need 120 bytes, and the buffer has 116",
    )?;
    let in_one = batch.with_bias(None, &list, &list).with_log_probs(&logits);
    refused(
        &gpu,
        in_one,
        "the log-probabilities cannot be bound: they are in the same buffer as something else of the batch",
    )?;
    // whether or not there is a history
    refused(
        &gpu,
        batch.with_penalty(Penalty::new().with_frequency(f32::NAN)),
        "a frequency penalty must be a finite number, got NaN",
    )?;
    refused(
        &gpu,
        some.with_penalty(Penalty::new().with_repetition(0.0)).with_history(&offsets, &list, &list),
        "a repetition penalty must be a finite number above 0, got 0",
    )?;
    let weights = batch.with_format(ValueFormat::Weights).with_bias(None, &list, &list);
    let error = gpu.bind(&weights).err();
    ensure(matches!(error, Some(Error::NeedsLogits { .. })), || format!("{error:?}"))
}

fn faults_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let batch = |rows| Batch { draws: 300, ..Batch::normal(F32, rows, 203, 203) };
    let biased = Batch { bias: Some(biased(&batch(9))), ..batch(9) };
    let few = Lists::each((0..40).map(|_| vec![(0, 1), (1, 0), (2, 2), (3, 0)]));
    let short =
        Batch { history: Some(few), penalty: PENALTY, draws: 50, ..Batch::normal(F32, 40, 4, 4) };
    let gathered = Batch { row_indices: Some(vec![8, 0, 9, 2, 2, 1, 1, 0, 3]), ..biased.clone() };
    // in the order of their bits, these add up to 0, and from left to right to 4
    let several = Lists::shared(vec![(5, 1e30), (5, -1e30), (5, 4.0), (6, 2.0), (6, 3.0)]);
    let of_several = Batch { bias: Some(several), ..batch(9) };
    let again = Lists::each((0..9).map(|_| vec![(5, 1), (6, 2), (6, 1)]));
    let both = Batch { history: Some(again), penalty: PENALTY, ..of_several.clone() };
    type Edit = fn(String) -> String;
    let faults: [(&str, Edit, &Batch); 9] = [
        (
            "one bias of several",
            |s| s.replace("added += 1u;", "added += 1u; return x;"),
            &of_several,
        ),
        (
            "biases in the order in which they are given",
            |s| {
                s.replace(
                    "next = min(next, bias);",
                    "next = select(next, bias, next == 0xffffffffu);",
                )
            },
            &of_several,
        ),
        (
            "adjusted twice",
            |s| {
                s.replace(
                    "if bias_categories[i] == category {\n            return true;",
                    "if false {\n            return true;",
                )
            },
            &both,
        ),
        (
            "one count of several",
            |s| s.replace("found.count + min(count, ~found.count)", "count"),
            &both,
        ),
        ("a quotient for a product", |s| s.replace("if is_positive(logit) {", "if true {"), &short),
        ("presence without a draw", |s| s.replace("if count > 0u {", "if true {"), &short),
        (
            "the list of another row",
            |s| s.replace("return least;", "return max(least, 1u) - 1u;"),
            &biased,
        ),
        (
            "the row itself",
            |s| s.replace("source = row_indices[position];", "source = position;"),
            &gathered,
        ),
        (
            "a row that does not exist",
            |s| s.replace("if !is_gathered(position) {", "if false {"),
            &gathered,
        ),
    ];
    for (what, edit, batch) in faults {
        seen(adapter, edit, &[(what, batch.clone())])?;
    }
    Ok(())
}
