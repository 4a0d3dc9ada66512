//! Masks of allowed categories: the draws are the reference's, wherever masks and rows lie.

use gumbel::{AdapterReport, DeviceBatch, DeviceKind, GpuSampler, NO_DRAW, ValueFormat};
use libtest_mimic::Failed;

use super::super::draws::sampler;
use super::super::{Check, ensure};
use super::batch::{Batch, buffer, words};
use super::each::with;
use super::errors::refused;
use super::faults::seen;
use super::{plans, shared};

use ValueFormat::{Bf16, Counts, F16, F32, Weights};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::masks_of_all_lengths", masks_of_all_lengths),
    ("bound::what_is_not_allowed_does_not_matter", what_is_not_allowed_does_not_matter),
    ("bound::masks_that_do_not_fit", masks_that_do_not_fit),
    ("bound::faults_in_masks_are_seen", faults_in_masks_are_seen),
];

/// A software adapter takes seconds to compile each of the kernels.
pub(crate) const LONG_CHECKS: &[(&str, Check)] = &[
    ("bound::long::masks_of_all_formats", masks_of_all_formats),
    ("bound::long::masks_without_a_filter", masks_without_a_filter),
    ("bound::long::masks_of_rows_with_options_of_their_own", masks_of_rows_with_options),
];

/// Masks in which about `share` of 256 bits are 1, with words that are whole and words that are empty among them. The
/// bits after the last category are 1, which must not matter.
pub(crate) fn masks(rows: u32, categories: u32, apart: u32, share: u32) -> (Vec<u32>, u32) {
    let length = (rows - 1) * apart + categories.div_ceil(32);
    let random: Vec<u32> = words(32 * u64::from(length)).collect();
    let word = |bits: &[u32]| match bits[0] >> 24 {
        0..40 => 0,
        40..80 => u32::MAX,
        _ => (0..32).map(|i| u32::from(bits[i] % 256 < share) << i).sum(),
    };
    let mut masks: Vec<u32> = random.chunks(32).map(word).collect();
    if !categories.is_multiple_of(32) {
        let last = categories as usize / 32;
        masks.iter_mut().skip(last).step_by(apart.max(1) as usize).for_each(|word| {
            *word |= u32::MAX << (categories % 32);
        });
    }
    (masks, apart)
}

fn masks_of_all_formats(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [F32, F16, Bf16, Weights, Counts] {
            for (rows, categories, row_stride) in [(60, 203, 203), (3, 5003, 5008)] {
                for (draws, temperature, share) in [(1, 0.8, 250), (3, 1.0, 20)] {
                    let apart = u32::div_ceil(categories, 32) + 1;
                    let batch = Batch {
                        draws,
                        temperature,
                        allowed: Some(masks(rows, categories, apart, share)),
                        ..Batch::normal(format, rows, categories, row_stride)
                    };
                    batch.same(gpu, &format!("{share} of 256 are allowed"))?;
                }
            }
        }
        Ok(())
    })
}

/// Rows of all lengths at which something changes; a mask for each row, and one for all.
fn masks_of_all_lengths(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (rows, categories) in [
            (70, 1),
            (70, 9),
            (70, 16),
            (70, 31),
            (70, 32),
            (70, 33),
            (20, 1000),
            (4, 4096),
            (4, 4097),
            (2, 50_257),
        ] {
            let least = u32::div_ceil(categories, 32);
            for apart in [0, least, least + 3] {
                let batch = Batch {
                    allowed: Some(masks(rows, categories, apart, 128)),
                    ..Batch::normal(F32, rows, categories, categories)
                };
                batch.same(gpu, &format!("masks {apart} words apart"))?;
            }
        }
        for categories in [203, 5003] {
            let allowed = Some(masks(4, categories, u32::div_ceil(categories, 32), 100));
            let batch = Batch::normal(F32, 4, categories, categories);
            Batch { allowed, temperature: 0.0, ..batch }.same(gpu, "greedy")?;
        }
        let batch = Batch {
            allowed: Some(masks(1, 128_256, 4008, 243)),
            ..Batch::normal(Bf16, 1, 128_256, 128_256)
        };
        batch.same(gpu, "a row of a language model")
    })
}

fn masks_without_a_filter(adapter: &AdapterReport) -> Result<(), Failed> {
    let builder = GpuSampler::builder().tune(|tuning| tuning.with_filter(false));
    let gpu = sampler(adapter, builder)?;
    for (rows, categories) in [(30, 203), (2, 5003)] {
        let allowed = Some(masks(rows, categories, u32::div_ceil(categories, 32), 128));
        Batch { allowed, ..Batch::normal(F32, rows, categories, categories) }
            .same(&gpu, "masks")?;
    }
    Ok(())
}

/// A mask is that of the row in the batch, not that of the row that is gathered.
fn masks_of_rows_with_options(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (rows, categories) in [(61, 131), (6, 5003)] {
            for which in [4, 16, 31] {
                let batch = Batch::normal(F32, rows, categories, categories);
                let allowed = Some(masks(rows, categories, u32::div_ceil(categories, 32), 90));
                let batch = Batch { draws: 2, allowed, ..with(which, batch) };
                batch.same(gpu, &format!("of their own: {which:05b}"))?;
            }
        }
        Ok(())
    })
}

/// NaN and +∞ that are not allowed, and rows in which nothing is allowed.
fn what_is_not_allowed_does_not_matter(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (categories, draws) in [(9, 1), (203, 3), (5003, 1), (5003, 2)] {
            let (rows, apart) = (12, u32::div_ceil(categories, 32));
            let mut batch = Batch::normal(F32, rows, categories, categories);
            let mut masks = vec![u32::MAX; (rows * apart) as usize];
            for row in 0..rows {
                let at = (row * 37 + 5) % categories;
                let strange = [f32::NAN, f32::INFINITY, -f32::NAN, 1e30][row as usize % 4];
                batch.logits[(row * categories + at) as usize] = strange.to_bits();
                masks[(row * apart + at / 32) as usize] &= !(1 << (at % 32));
                if row % 4 == 3 {
                    masks[(row * apart) as usize..][..apart as usize].fill(0);
                }
            }
            let batch = Batch { draws, allowed: Some((masks, apart)), ..batch };
            batch.same(gpu, "strange values that are not allowed")?;
            let drawn = batch.drawn(gpu)?;
            for (row, draws) in drawn.chunks(draws as usize).enumerate() {
                let none = draws.iter().all(|&draw| draw == NO_DRAW);
                ensure(none == (row % 4 == 3), || format!("row {row}: {draws:?}"))?;
            }
        }
        Ok(())
    })
}

fn masks_that_do_not_fit(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let [logits, draws, masks] = [10 * 100, 10, 10 * 4].map(|n| buffer(&gpu, &vec![0u32; n]));
    let batch = DeviceBatch::new(&logits, &draws, 10, 100);
    gpu.bind(&batch.with_allowed(&masks, 4))?;
    gpu.bind(&batch.with_allowed(&masks, 0))?;
    for (masks, apart, why) in [
        (&masks, 3, "3 words for each row are given, and 100 categories need 4"),
        (
            &masks,
            5,
            "masks of 4 words for 10 rows, 5 words apart, need 196 bytes, and the buffer has 160",
        ),
        (&draws, 0, "they are in the same buffer as the draws"),
    ] {
        let words = format!("the masks cannot be bound: {why}");
        refused(&gpu, batch.with_allowed(masks, apart), &words)?;
    }
    Ok(())
}

fn faults_in_masks_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let batch = |rows, categories, apart| Batch {
        allowed: Some(masks(rows, categories, apart, 128)),
        ..Batch::normal(F32, rows, categories, categories)
    };
    let edit = |source: String| {
        source
            .replace("27u, 26u, 25u, 24u", "24u, 25u, 26u, 27u")
            .replace("(octet & 1u) * 8u", "0u")
            .replace("position * restriction.mask_stride", "0u")
    };
    let batches = [
        ("bits in another order", batch(40, 203, 0)),
        ("half a span for the other", batch(40, 5003, 0)),
        ("the mask of another row", batch(40, 3, 1)),
    ];
    seen(adapter, edit, &batches)?;

    // an emulation looks at the masks of long rows late: a NaN that is not allowed hides the others of its group, and a
    // category that is not allowed is queued with them
    let mut hiding = batch(40, 5003, 157);
    let (masks, apart) = hiding.allowed.clone().unwrap_or_default();
    for (i, bits) in hiding.logits.iter_mut().enumerate() {
        let (row, category) = (i / 5003, i % 5003);
        let is_allowed = masks[row * apart as usize + category / 32] >> (category % 32) & 1 == 1;
        if !is_allowed && category % 5 == 0 {
            *bits = f32::NAN.to_bits();
        }
    }
    let late = |source: String| source.replace("has_invalid(tops) || turn", "turn");
    seen(adapter, late, &[("a NaN that hides others", hiding)])?;
    let settled = |source: String| source.replace("is_allowed(row, category) && value", "value");
    seen(adapter, settled, &[("what is not allowed is settled", batch(40, 5003, 157))])
}
