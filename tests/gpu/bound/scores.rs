//! Log-probabilities and the logarithms of sums in the caller's buffers: those of the CPU, within the documented errors.

use gumbel::{
    AdapterReport, CpuSampler, DeviceBatch, DeviceKind, Error, GpuSampler, LogProbsOf, Truncation,
    ValueFormat, wgpu,
};
use libtest_mimic::Failed;

use super::super::draws::sampler;
use super::super::{Check, ensure};
use super::batch::{Batch, buffer, read};
use super::each::with;
use super::masks::masks;
use super::{plans, shared};

use ValueFormat::{Bf16, Counts, F16, F32, Weights};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::scores_of_all_formats", scores_of_all_formats),
    ("bound::scores_of_rows_with_options_of_their_own", scores_of_rows_with_options),
    ("bound::scores_of_what_is_kept", scores_of_what_is_kept),
    ("bound::scores_of_rows_without_a_draw", scores_of_rows_without_a_draw),
    ("bound::scores_that_cannot_be_bound", scores_that_cannot_be_bound),
    ("bound::faults_in_scores_are_seen", faults_in_scores_are_seen),
];

/// A float that no engine writes here.
const UNWRITTEN: f32 = 12345.0;

/// What the CPU says of a batch: for each draw its log-probability, and for each row the logarithm of its sum.
fn expected(batch: &Batch) -> Result<[Vec<f64>; 2], Failed> {
    let (cpu, draws) = (CpuSampler::new(), batch.draws as usize);
    let (mut log_probs, mut logsumexps) = (Vec::new(), Vec::new());
    for row in 0..batch.rows as usize {
        let scored = match batch.options_of(row) {
            None => None,
            Some((source, options)) => {
                let score = |row: gumbel::Batch<'_>| cpu.sample_rows_scored(row, &options).ok();
                batch.with_row(source, score)?
            }
        };
        match scored {
            Some(scored) => {
                log_probs.extend(scored.log_probs);
                logsumexps.extend(scored.logsumexps);
            }
            None => {
                log_probs.extend(vec![f64::NAN; draws]);
                logsumexps.push(f64::NAN);
            }
        }
    }
    Ok([log_probs, logsumexps])
}

/// The promised error of a number: that of sums, and that of rounding it and what it was made of.
fn tolerance(expected: f64) -> f64 {
    2e-5 + 4e-7 * expected.abs()
}

/// How many of these numbers are not the expected ones.
fn wrong(found: &[u32], expected: &[f64]) -> usize {
    let is_right = |(bits, expected): (&u32, &f64)| {
        let found = f64::from(f32::from_bits(*bits));
        found.is_nan() && expected.is_nan() || (found - expected).abs() <= tolerance(*expected)
    };
    let right = found.iter().zip(expected).filter(|&pair| is_right(pair)).count();
    found.len().max(expected.len()) - right
}

/// The numbers of log-probabilities and of sums that are not the CPU's, and whether the draws are the reference's.
fn mismatches(batch: &Batch, gpu: &GpuSampler) -> Result<([usize; 2], bool), Failed> {
    let races = (batch.rows * batch.draws) as usize;
    let lengths = [races, batch.rows as usize];
    // with room after the last, which nobody writes to
    let buffers = lengths.map(|n| buffer(gpu, &vec![UNWRITTEN; n + 5]));
    let [log_probs, logsumexps] = buffers.each_ref();
    let drawn = batch.drawn_with_scores(gpu, [Some(log_probs), Some(logsumexps)])?;
    let expected = expected(batch)?;
    let mut both = [0; 2];
    for (i, buffer) in buffers.iter().enumerate() {
        let words = read(gpu, buffer)?;
        let (found, after) = words.split_at(lengths[i]);
        ensure(after.iter().all(|word| *word == UNWRITTEN.to_bits()), || {
            format!("something was written after the last of {}", lengths[i])
        })?;
        both[i] = wrong(found, &expected[i]);
    }
    Ok((both, drawn == batch.expected()?))
}

fn same(batch: &Batch, gpu: &GpuSampler, what: &str) -> Result<(), Failed> {
    let ([log_probs, logsumexps], same) = mismatches(batch, gpu)?;
    ensure(log_probs == 0 && logsumexps == 0 && same, || {
        let Batch { rows, categories, format, draws, .. } = batch;
        format!(
            "{what}: {rows} rows of {categories} {format}, {draws} draws: {log_probs} log-probabilities and \
             {logsumexps} sums are wrong; the draws are right: {same}"
        )
    })
}

fn scores_of_all_formats(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [F32, F16, Bf16, Weights, Counts] {
            // alone, in teams, and rows in parts; with several draws, too
            for (rows, categories, draws) in
                [(70, 9, 1), (41, 203, 3), (2, 5003, 1), (1, 40_000, 70)]
            {
                let temperature = [0.7, 1.0][rows as usize % 2];
                let batch = Batch::normal(format, rows, categories, categories + 1);
                same(&Batch { draws, temperature, ..batch }, gpu, "scores")?;
            }
        }
        Ok(())
    })
}

fn scores_of_rows_with_options(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (rows, categories, draws) in [(61, 131, 1), (6, 5003, 2)] {
            for which in [4, 16, 31] {
                // some temperatures are 0, and where rows have first draws of their own, half of them have no such draws
                let first_draw = if which == 31 { 1 << 30 } else { 0 };
                let batch = Batch::normal(F32, rows, categories, categories);
                let batch = Batch { draws, first_draw, ..batch };
                same(&with(which, batch), gpu, &format!("of their own: {which:05b}"))?;
            }
        }
        Ok(())
    })
}

fn scores_of_what_is_kept(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    for (rows, categories) in [(41, 203), (3, 5003)] {
        let batch = Batch { draws: 2, ..Batch::normal(F32, rows, categories, categories) };
        let apart = categories.div_ceil(32);
        let allowed = Some(masks(rows, categories, apart, 100));
        same(&Batch { allowed: allowed.clone(), ..batch.clone() }, &gpu, "masks")?;
        for truncation in [
            Truncation::new().with_top_k(3),
            Truncation::new().with_top_p(0.7),
            Truncation::new().with_min_p(0.1).with_epsilon(0.01),
        ] {
            let batch = Batch { truncation, ..batch.clone() };
            same(&batch, &gpu, &format!("{truncation:?}"))?;
            let of_all = Batch { log_probs_of: LogProbsOf::Allowed, ..batch.clone() };
            same(&of_all, &gpu, &format!("of all: {truncation:?}"))?;
            same(&Batch { allowed: allowed.clone(), ..of_all }, &gpu, "of all that is allowed")?;
            same(&Batch { allowed: allowed.clone(), ..batch }, &gpu, "masks and cuts")?;
        }
    }
    Ok(())
}

fn scores_of_rows_without_a_draw(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for categories in [9, 203, 5003] {
            let mut batch = Batch::normal(F32, 8, categories, categories);
            let row = |i: u32| (i * categories) as usize;
            batch.logits[row(1) + 3] = f32::NAN.to_bits();
            batch.logits[row(2) + 4] = f32::INFINITY.to_bits();
            batch.logits[row(3)..row(4)].fill(f32::NEG_INFINITY.to_bits());
            // large logits, of which f32 has few digits left; and the largest and the least that there are
            batch.logits[row(4)..row(5)].iter_mut().for_each(|bits| {
                *bits = (f32::from_bits(*bits) + 3e4).to_bits();
            });
            batch.logits[row(5)] = f32::MAX.to_bits();
            batch.logits[row(6)..row(7)].fill(f32::MIN.to_bits());
            same(&Batch { draws: 2, ..batch }, gpu, "rows without a draw")?;
        }
        Ok(())
    })
}

fn scores_that_cannot_be_bound(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let [logits, draws, small, enough] =
        [10 * 100, 20, 9, 20].map(|n| buffer(&gpu, &vec![0u32; n]));
    let batch = DeviceBatch::new(&logits, &draws, 10, 100).with_draws(2);
    let plain = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 80,
        usage: wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let small_sums = "the logarithms of sums cannot be bound: 10 rows with 2 draws each need 40 bytes, and the buffer has 36";
    let twice = "the log-probabilities cannot be bound: they are in the same buffer as something else of the batch";
    let usage = "the log-probabilities cannot be bound: the buffer lacks the usage STORAGE; it has BufferUsages(COPY_DST)";
    for (batch, words) in [
        (
            batch.with_log_probs(&small),
            "the log-probabilities cannot be bound: 10 rows with 2 draws each need 80 bytes, and the buffer has 36",
        ),
        (batch.with_logsumexps(&small), small_sums),
        (batch.with_log_probs(&draws), twice),
        (batch.with_log_probs(&logits), twice),
        (batch.with_log_probs(&enough).with_logsumexps(&enough), twice),
        (batch.with_log_probs(&plain), usage),
    ] {
        super::errors::refused(&gpu, batch, words)?;
    }
    let greedy = batch.with_log_probs(&enough).with_temperature(0.0);
    let error = gpu.bind(&greedy).err();
    ensure(matches!(error, Some(Error::NoNoise { .. })), || format!("{error:?}"))
}

fn faults_in_scores_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let right = shared(adapter, DeviceKind::Emulation)?;
    let edit = |source: String| {
        source
            .replace("part < run.parts; part++", "part < max(run.parts, 2u) - 1u; part++")
            .replace("log_of(sum.most) * inverse + rest", "log_of(sum.most) + rest")
            .replace("vec4<u32>(value_in_row(row.values, drawn))", "vec4<u32>(sum.most)")
            .replace("let exists = drawn < run.categories", "let exists = row.valid")
    };
    let builder =
        GpuSampler::builder().tune(|tuning| tuning.with_device_kind(DeviceKind::Emulation));
    let faulty = sampler(adapter, builder.with_shader_edit(edit))?;
    let normal = Batch::normal(F32, 30, 40, 40);
    let batches = [
        ("the last part is left out", Batch::normal(F32, 1, 100_000, 100_000), [true, true]),
        ("all draws are the most probable", normal.clone(), [true, false]),
        (
            "rows without such draws have sums",
            with(8, Batch { first_draw: 1 << 30, ..normal.clone() }),
            [true, true],
        ),
        ("the temperature is left out", Batch { temperature: 3.0, ..normal }, [true, true]),
    ];
    for (fault, batch, seen) in batches {
        same(&batch, &right, fault)?;
        let (found, _) = mismatches(&batch, &faulty)?;
        ensure(found.map(|n| n > 0) == seen, || format!("{fault}: {found:?}"))?;
    }
    Ok(())
}
