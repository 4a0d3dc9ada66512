//! Truncations on the device: the draws are the reference's, with one truncation for all rows and with cuts from buffers.

mod calls;
mod faults;

use gumbel::conformance::{Case, restricted_cases};
use gumbel::{AdapterReport, DeviceKind, GpuSampler, Share, Truncation, ValueFormat};
use libtest_mimic::Failed;

use super::super::draws::sampler;
use super::super::{Check, ensure};
use super::batch::{Batch, words};
use super::each::{half_without, temperatures, with};
use super::forms::on_device;
use super::masks::masks;
use super::{plans, shared};

use ValueFormat::{Bf16, Counts, F16, F32, F64, Weights, WeightsF64};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::small_restricted_cases", small_cases),
    ("bound::one_truncation", calls::one_truncation),
    ("bound::each_step_has_its_own_cuts", calls::each_step_has_its_own_cuts),
    ("bound::truncations_from_buffers", truncations_from_buffers),
    ("bound::cuts_out_of_range_harm_no_other_row", cuts_out_of_range),
    ("bound::truncations_that_cannot_be_bound", faults::truncations_that_cannot_be_bound),
    ("bound::faults_in_truncations_are_seen", faults::faults_in_truncations_are_seen),
    ("bound::truncations_of_nearly_flat_rows", calls::nearly_flat),
    ("bound::truncations_of_counts_at_low_temperatures", calls::counts_at_low_temperatures),
    ("bound::truncations_of_awkward_rows", truncations_of_awkward_rows),
];

/// A software adapter takes half a minute or more for each of these.
pub(crate) const LONG_CHECKS: &[(&str, Check)] = &[
    ("bound::long::restricted_cases", conformance),
    ("bound::long::restricted_cases_without_features", conformance_without_features),
    ("bound::long::truncations_of_all_formats", truncations_of_all_formats),
    ("bound::long::truncations_of_all_lengths", truncations_of_all_lengths),
    ("bound::long::truncations_and_all_else", truncations_and_all_else),
];

pub(super) const ALL: Truncation =
    Truncation::new().with_top_k(40).with_top_p(0.95).with_min_p(0.002).with_epsilon(1e-4);

/// One of each kind, and all together.
const TRUNCATIONS: [Truncation; 15] = [
    Truncation::new().with_top_k(1),
    Truncation::new().with_top_k(50),
    Truncation::new().with_top_k(2000),
    Truncation::new().with_top_p(0.9),
    Truncation::new().with_top_p(0.01),
    Truncation::new().with_top_p(f32::MIN_POSITIVE),
    Truncation::new().with_top_p(1.0 - f32::EPSILON),
    Truncation::new().with_min_p(0.05),
    Truncation::new().with_epsilon(3e-4),
    Truncation::new().with_top_p(0.5).with_at_temperature(3.0),
    // values that differ have one K
    Truncation::new().with_top_p(0.01).with_at_temperature(1e30),
    Truncation::new().with_top_p(0.5).with_epsilon(1e-3).with_share(Share::All),
    ALL,
    ALL.with_share(Share::All),
    ALL.with_share(Share::Rest),
];

/// Returns a case's batch and its restriction; `None` if a device does not read its values where they are, or if its
/// rows differ in more than buffers can say.
fn restricted(case: &Case) -> Option<Batch> {
    let options = case.options();
    let own = options.truncations;
    let as_buffers = |t: &Truncation| t.at_temperature.is_none() && t.share == Share::TopK;
    if matches!(case.batch().format(), F64 | WeightsF64)
        || own.is_some_and(|own| !own.iter().all(as_buffers))
        // adjustments.rs has these
        || options.bias.is_some()
        || options.history.is_some()
    {
        return None;
    }
    let share = |of: fn(&Truncation) -> f32| own.map(|own| own.iter().map(of).collect());
    let batch = on_device(case);
    let rows = options.row_indices.map_or(batch.rows, |indices| indices.len() as u32);
    Some(Batch {
        rows,
        temperatures: options.temperatures.map(<[_]>::to_vec),
        row_indices: options.row_indices.map(<[_]>::to_vec),
        source_rows: batch.rows,
        allowed: options
            .allowed
            .map(|allowed| (allowed.words().to_vec(), allowed.words_per_row().unwrap_or(0) as u32)),
        truncation: options.truncation,
        top_k: own.map(|own| own.iter().map(|t| t.top_k.unwrap_or(u32::MAX)).collect()),
        shares: [
            share(|t| t.top_p.unwrap_or(1.0)),
            share(|t| t.min_p.unwrap_or(0.0)),
            share(|t| t.epsilon.unwrap_or(0.0)),
        ],
        ..batch
    })
}

fn cases(gpu: &GpuSampler, work: usize) -> Result<(), Failed> {
    let (mut wrong, mut number) = (Vec::new(), 0);
    for case in restricted_cases().filter(|case| case.work() < work) {
        let Some(batch) = restricted(&case) else { continue };
        let (drawn, expected) = (batch.drawn(gpu)?, case.expected());
        let mismatches = drawn.iter().zip(&expected).filter(|(got, due)| got != due).count();
        if mismatches > 0 || drawn.len() != expected.len() {
            wrong.push(format!("{case}: {mismatches} mismatches"));
        }
        number += 1;
    }
    ensure(number > 20, || format!("only {number} cases"))?;
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

/// Those that take few seconds, planned as the adapter is.
fn small_cases(adapter: &AdapterReport) -> Result<(), Failed> {
    cases(&*shared(adapter, DeviceKind::Emulation)?, 3000)
}

fn conformance(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| cases(gpu, usize::MAX))
}

fn conformance_without_features(adapter: &AdapterReport) -> Result<(), Failed> {
    let builder = GpuSampler::builder().tune(|tuning| {
        tuning
            .with_device_kind(DeviceKind::Hardware)
            .with_int64(false)
            .with_subgroups(false)
            .with_filter(false)
    });
    cases(&sampler(adapter, builder)?, 30_000)
}

fn truncations_of_all_formats(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [F32, F16, Bf16, Weights, Counts] {
            for (rows, categories, row_stride) in [(9, 203, 203), (2, 5003, 5008)] {
                for (i, truncation) in TRUNCATIONS.into_iter().enumerate() {
                    let batch = Batch {
                        truncation,
                        temperature: [1.0, 0.7][i % 2],
                        ..Batch::normal(format, rows, categories, row_stride)
                    };
                    batch.same(gpu, &format!("{truncation:?}"))?;
                }
            }
        }
        Ok(())
    })
}

/// Rows of all lengths at which something changes, and of a language model's vocabulary.
fn truncations_of_all_lengths(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (rows, categories) in
            [(70, 1), (70, 2), (70, 9), (30, 16), (5, 1000), (3, 4096), (3, 4097), (2, 50_257)]
        {
            for truncation in TRUNCATIONS {
                let batch = Batch::normal(F32, rows, categories, categories);
                Batch { truncation, ..batch }.same(gpu, &format!("{truncation:?}"))?;
            }
        }
        for truncation in [TRUNCATIONS[1], TRUNCATIONS[3], ALL] {
            let batch = Batch::normal(Bf16, 2, 128_256, 128_256);
            Batch { truncation, ..batch }.same(gpu, &format!("{truncation:?}"))?;
        }
        Ok(())
    })
}

/// Values in all orders that might cost a search its time, many equal values, and values that cannot be drawn.
fn awkward(categories: u32) -> Vec<f32> {
    let n = categories as usize;
    let noise = |i: usize| ((i as u32).wrapping_mul(0x9e37_79b9) >> 9) as f32 / (1u32 << 23) as f32;
    let kinds: [&dyn Fn(usize) -> f32; 14] = [
        &|_| 1.5,
        &|i| (i % 2) as f32,
        &|i| i as f32 / 16.0,
        &|i| -(i as f32) / 16.0,
        &|i| if i == 7 { 20.0 } else { 3.0 * noise(i) },
        &|i| (noise(i) * 8.0).floor() - 2.0,
        &|i| if i % 3 == 0 { f32::NEG_INFINITY } else { noise(i) },
        &|i| f32::from_bits((noise(i) * 8e6) as u32 | ((i as u32 & 1) << 31)),
        &|i| if i % 2 == 0 { 0.0 } else { -0.0 },
        &|i| 3e38 * (noise(i) - 0.5),
        &|i| if i == n - 1 { f32::NAN } else { noise(i) },
        &|i| if i == n / 2 { -f32::NAN } else { noise(i) },
        &|i| if i == 0 { f32::INFINITY } else { noise(i) },
        &|_| f32::NEG_INFINITY,
    ];
    kinds.iter().flat_map(|of| (0..n).map(of)).collect()
}

fn truncations_of_awkward_rows(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for categories in [33, 4500] {
            let bits: Vec<u32> = awkward(categories).iter().map(|x| x.to_bits()).collect();
            let batch = Batch::new(F32, bits, 14, categories);
            for temperature in [1.0, 0.3, 1e6] {
                for truncation in TRUNCATIONS {
                    let batch = Batch { truncation, temperature, ..batch.clone() };
                    batch.same(gpu, &format!("{truncation:?} at {temperature}"))?;
                }
            }
        }
        Ok(())
    })
}

/// Cuts of each row, where those whose bit in `which` is set come from buffers.
fn cuts(which: u32, batch: Batch) -> Batch {
    let rows = u64::from(batch.rows);
    let random = |salt: u32| words(rows).map(move |word| word.rotate_left(7 * salt));
    let share = |word: u32, least: f32| match word % 5 {
        0 => least,
        1 => 1.0,
        _ => (word >> 8) as f32 / (1u32 << 24) as f32,
    };
    let on = |bit: u32| which >> bit & 1 == 1;
    Batch {
        top_k: on(0).then(|| {
            random(1).map(|word| if word % 7 == 0 { u32::MAX } else { 1 + word % 100 }).collect()
        }),
        shares: [
            on(1).then(|| random(2).map(|word| share(word, 1e-6)).collect()),
            on(2).then(|| random(3).map(|word| share(word, 0.0) * 0.1).collect()),
            on(3).then(|| random(4).map(|word| share(word, 0.0) * 0.01).collect()),
        ],
        ..batch
    }
}

fn truncations_from_buffers(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (rows, categories) in [(41, 131), (5, 5003)] {
            for which in 1..16 {
                // with cuts of the batch, too, which the buffers replace
                let batch = Batch::normal(F32, rows, categories, categories);
                let batch = Batch { truncation: ALL, draws: 2, ..batch };
                cuts(which, batch).same(gpu, &format!("cuts of their own: {which:04b}"))?;
            }
            // a call at temperature 0
            let batch = Batch::normal(F32, rows, categories, categories);
            cuts(15, Batch { temperature: 0.0, ..batch }).same(gpu, "greedy")?;
        }
        Ok(())
    })
}

/// With masks, gathers, seeds, temperatures and several draws; in odd places.
fn truncations_and_all_else(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (format, rows, categories, row_stride) in
            [(F16, 61, 131, 133), (F32, 6, 5003, 5005), (Weights, 6, 5003, 5003)]
        {
            for (which, draws) in [(31, 1), (4, 3), (16, 7)] {
                let batch = Batch::normal(format, rows, categories, row_stride);
                let apart = u32::div_ceil(categories, 32);
                let allowed = Some(masks(rows, categories, apart, 120));
                let batch = Batch { draws, allowed, offset: 20, slack: 5, ..with(which, batch) };
                let batch = cuts(15, batch);
                batch.same(gpu, &format!("of their own: {which:05b}"))?;
            }
        }
        let batch = Batch::normal(F32, 30, 203, 203);
        let truncation = ALL.with_at_temperature(0.5);
        let temperatures = Some(temperatures(30));
        Batch { truncation, temperatures, ..batch }.same(gpu, "cut at one temperature")
    })
}

fn cuts_out_of_range(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (categories, draws, temperature) in
            [(16, 1, 1.0), (203, 4, 1.0), (5003, 2, 1.0), (40, 1, 0.0)]
        {
            let batch = Batch::normal(F32, 24, categories, categories);
            let batch = Batch { draws, temperature, truncation: ALL, ..batch };
            let top_k = Some([0, 1, 0, u32::MAX].repeat(6));
            half_without(&Batch { top_k, ..batch.clone() }, gpu, "top-k")?;
            let every_other = |wrong: [f32; 6], right: [f32; 6]| {
                let pairs = wrong.into_iter().zip(right);
                Some(pairs.flat_map(|(wrong, right)| [wrong, right]).collect::<Vec<_>>().repeat(2))
            };
            let wrong = [0.0, -0.0, -1.0, f32::NAN, -f32::NAN, f32::NEG_INFINITY];
            let right = [1.0, f32::INFINITY, 1e-45, 0.5, 2.0, 0.999];
            let top_p = every_other(wrong, right);
            half_without(&Batch { shares: [top_p, None, None], ..batch.clone() }, gpu, "top-p")?;
            let wrong = [-1e-45, 1.0f32.next_up(), f32::NAN, -f32::NAN, f32::INFINITY, -0.5];
            let shares = every_other(wrong, [0.0, -0.0, 1.0, 1e-45, 0.5, 0.01]);
            let min_p = [None, shares.clone(), None];
            half_without(&Batch { shares: min_p, ..batch.clone() }, gpu, "min-p")?;
            half_without(&Batch { shares: [None, None, shares], ..batch }, gpu, "epsilon")?;
        }
        Ok(())
    })
}
