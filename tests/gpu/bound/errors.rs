//! A caller's mistakes are errors with words that help, and no mistake gets to the device.

use gumbel::{AdapterReport, DeviceBatch, DeviceKind, Error, GpuSampler, ValueFormat, wgpu};
use libtest_mimic::Failed;
use wgpu::BufferUsages as Usage;

use super::super::{Check, ensure};
use super::batch::Batch;
use super::shared;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::wrong_numbers", wrong_numbers),
    ("bound::logits_that_do_not_fit", logits_that_do_not_fit),
    ("bound::draws_that_do_not_fit", draws_that_do_not_fit),
    ("bound::parameters_that_do_not_fit", parameters_that_do_not_fit),
    ("bound::no_rows_at_all", no_rows_at_all),
    ("bound::draws_beyond_the_last", draws_beyond_the_last),
    ("bound::another_device", another_device),
];

pub(crate) fn buffer(gpu: &GpuSampler, size: u64, usage: Usage) -> wgpu::Buffer {
    gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size,
        usage,
        mapped_at_creation: false,
    })
}

/// Checks that the batch is refused with an error that contains these words.
pub(crate) fn refused(gpu: &GpuSampler, batch: DeviceBatch<'_>, words: &str) -> Result<(), Failed> {
    match gpu.bind(&batch) {
        Ok(_) => Err(format!("bound, and not refused: {words}").into()),
        Err(error) => {
            let got = error.to_string();
            ensure(got == words, || format!("\"{got}\" instead of \"{words}\" ({error:?})"))
        }
    }
}

fn wrong_numbers(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let logits = buffer(&gpu, 4000, Usage::STORAGE);
    let draws = buffer(&gpu, 400, Usage::STORAGE);
    let batch = DeviceBatch::new(&logits, &draws, 10, 100);
    gpu.bind(&batch)?;
    refused(
        &gpu,
        DeviceBatch::new(&logits, &draws, 10, 0),
        "a row must have 1 to 4294967295 categories, got 0",
    )?;
    let error = gpu.bind(&batch.with_draws(0)).err();
    let no_draws = Some(Error::Draws { first_draw: 0, draws: 0 });
    ensure(format!("{error:?}") == format!("{no_draws:?}"), || format!("{error:?}"))?;
    let error = gpu.bind(&batch.with_draws((1 << 31) + 1)).err();
    ensure(matches!(error, Some(Error::Draws { .. })), || format!("{error:?}"))?;
    for temperature in [-1.0, f32::NAN, f32::INFINITY, 1e-40, 1e31] {
        let error = gpu.bind(&batch.with_temperature(temperature)).err();
        let same = |got: f32| got.to_bits() == temperature.to_bits();
        let named = matches!(error, Some(Error::Temperature { got }) if same(got));
        ensure(named, || format!("{temperature}: {error:?}"))?;
    }
    Ok(())
}

fn logits_that_do_not_fit(adapter: &AdapterReport) -> Result<(), Failed> {
    let (f32, bf16) = (ValueFormat::F32, ValueFormat::Bf16);
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let draws = buffer(&gpu, 400, Usage::STORAGE);
    let logits = buffer(&gpu, 4000, Usage::STORAGE);
    let batch = DeviceBatch::new(&logits, &draws, 10, 100);
    refused(
        &gpu,
        DeviceBatch::new(&buffer(&gpu, 3996, Usage::STORAGE), &draws, 10, 100),
        &format!(
            "the logits cannot be bound: 10 rows of 100 {f32} with a row stride of 100 from \
             byte 0 on need 4000 bytes, and the buffer has 3996"
        ),
    )?;
    refused(
        &gpu,
        batch.with_format(bf16).with_logits_offset(2002),
        &format!(
            "the logits cannot be bound: 10 rows of 100 {bf16} with a row stride of 100 from \
             byte 2002 on need 4002 bytes, and the buffer has 4000"
        ),
    )?;
    refused(
        &gpu,
        batch.with_row_stride(101),
        &format!(
            "the logits cannot be bound: 10 rows of 100 {f32} with a row stride of 101 from \
             byte 0 on need 4036 bytes, and the buffer has 4000"
        ),
    )?;
    // 2^66 bytes: no number on the way to the answer may wrap
    let error = gpu.bind(&DeviceBatch::new(&logits, &draws, u32::MAX, 1).with_row_stride(u32::MAX));
    let needs = error.as_ref().err().map(Error::to_string).unwrap_or_default();
    ensure(needs.contains("need 73786976243298598924 bytes"), || needs)?;
    let error = gpu.bind(&batch.with_logits_offset(u64::MAX - 3)).err();
    ensure(matches!(error, Some(Error::DeviceBuffer { .. })), || format!("{error:?}"))?;
    refused(
        &gpu,
        batch.with_logits_offset(6),
        "the logits cannot be bound: they start at byte 6, which is no multiple of a logit's 4 \
         bytes",
    )?;
    for format in [ValueFormat::F64, ValueFormat::WeightsF64] {
        refused(
            &gpu,
            batch.with_format(format),
            &format!(
                "the logits cannot be bound: they are {format}, which devices do not read; a batch in the host's memory \
                 may be of f64"
            ),
        )?;
    }
    refused(
        &gpu,
        batch.with_format(ValueFormat::F16).with_logits_offset(7),
        "the logits cannot be bound: they start at byte 7, which is no multiple of a logit's 2 \
         bytes",
    )?;
    refused(
        &gpu,
        DeviceBatch::new(&buffer(&gpu, 4000, Usage::COPY_DST), &draws, 10, 100),
        "the logits cannot be bound: the buffer lacks the usage STORAGE; it has \
         BufferUsages(COPY_DST)",
    )?;
    refused(
        &gpu,
        DeviceBatch::new(&draws, &draws, 1, 10),
        "the logits cannot be bound: they are in the same buffer as the draws",
    )?;
    // three halves: the last of them is in a word of which the buffer has only half
    refused(
        &gpu,
        DeviceBatch::new(&buffer(&gpu, 6, Usage::STORAGE), &draws, 1, 3)
            .with_format(ValueFormat::F16),
        "the logits cannot be bound: the last logit is alone in its word, and the buffer ends \
         within that at byte 6: its size must be a multiple of 4",
    )?;
    refused(
        &gpu,
        batch.with_row_indices(&buffer(&gpu, 40, Usage::STORAGE), 0),
        "the logits cannot be bound: there are no rows to gather from",
    )?;
    refused(
        &gpu,
        batch.with_row_indices(&buffer(&gpu, 40, Usage::STORAGE), 11),
        &format!(
            "the logits cannot be bound: 11 rows of 100 {f32} with a row stride of 100 from \
             byte 0 on need 4400 bytes, and the buffer has 4000"
        ),
    )
}

fn draws_that_do_not_fit(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let logits = buffer(&gpu, 4000, Usage::STORAGE);
    let draws = buffer(&gpu, 400, Usage::STORAGE);
    let batch = DeviceBatch::new(&logits, &draws, 10, 100);
    gpu.bind(&batch.with_draws(10))?;
    refused(
        &gpu,
        batch.with_draws(11),
        "the draws cannot be bound: 10 rows with 11 draws each from byte 0 on need 440 bytes, and \
         the buffer has 400",
    )?;
    refused(
        &gpu,
        DeviceBatch::new(&logits, &buffer(&gpu, 36, Usage::STORAGE), 10, 100),
        "the draws cannot be bound: 10 rows with 1 draws each from byte 0 on need 40 bytes, and the \
         buffer has 36",
    )?;
    refused(
        &gpu,
        DeviceBatch::new(&logits, &buffer(&gpu, 40, Usage::COPY_DST | Usage::COPY_SRC), 10, 100),
        "the draws cannot be bound: the buffer lacks the usage STORAGE; it has \
         BufferUsages(COPY_SRC | COPY_DST)",
    )?;
    let alignment = gpu.device().limits().min_storage_buffer_offset_alignment;
    refused(
        &gpu,
        batch.with_draws_offset(2),
        &format!(
            "the draws cannot be bound: they start at byte 2, and the device binds at multiples of \
             {alignment}"
        ),
    )?;
    let offset = 400u64.next_multiple_of(alignment.into());
    refused(
        &gpu,
        batch.with_draws_offset(offset),
        &format!(
            "the draws cannot be bound: 10 rows with 1 draws each from byte {offset} on need {} \
             bytes, and the buffer has 400",
            offset + 40
        ),
    )
}

fn parameters_that_do_not_fit(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let logits = buffer(&gpu, 4000, Usage::STORAGE);
    let draws = buffer(&gpu, 400, Usage::STORAGE);
    let batch = DeviceBatch::new(&logits, &draws, 10, 100);
    type With = for<'a> fn(DeviceBatch<'a>, &'a wgpu::Buffer) -> DeviceBatch<'a>;
    let parameters: [(&str, u64, With); 5] = [
        ("the row ids", 8, |batch, buffer| batch.with_row_ids(buffer)),
        ("the seeds", 8, |batch, buffer| batch.with_seeds(buffer)),
        ("the temperatures", 4, |batch, buffer| batch.with_temperatures(buffer)),
        ("the first draws", 4, |batch, buffer| batch.with_first_draws(buffer)),
        ("the row indices", 4, |batch, buffer| batch.with_row_indices(buffer, 10)),
    ];
    for (what, bytes, with) in parameters {
        let needed = 10 * bytes;
        gpu.bind(&with(batch, &buffer(&gpu, needed, Usage::STORAGE)))?;
        // only the bytes that the rows need are bound
        gpu.bind(&with(batch, &buffer(&gpu, needed + 3, Usage::STORAGE)))?;
        let short = needed - 1;
        refused(
            &gpu,
            with(batch, &buffer(&gpu, short, Usage::STORAGE)),
            &format!(
                "{what} cannot be bound: 10 rows need {needed} bytes, and the buffer has {short}"
            ),
        )?;
        refused(
            &gpu,
            with(batch, &buffer(&gpu, needed, Usage::UNIFORM)),
            &format!(
                "{what} cannot be bound: the buffer lacks the usage STORAGE; it has \
                 BufferUsages(UNIFORM)"
            ),
        )?;
        // without this check, a buffer that is read and written in one dispatch would fail when the
        // commands are finished, far away from the mistake
        refused(
            &gpu,
            with(batch, &draws),
            &format!("{what} cannot be bound: they are in the same buffer as the draws"),
        )?;
    }
    // one buffer may be bound several times if it is only read
    let shared = buffer(&gpu, 80, Usage::STORAGE);
    let batch = batch.with_row_ids(&shared).with_seeds(&shared).with_temperatures(&logits);
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    gpu.bind(&batch)?.encode(&mut encoder, 0)?;
    gpu.queue().submit([encoder.finish()]);
    Ok(())
}

/// No rows give no draws, whatever the buffers are; mistakes in the numbers are errors even so.
fn no_rows_at_all(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let empty = buffer(&gpu, 0, Usage::STORAGE);
    let batch = DeviceBatch::new(&empty, &empty, 0, 100).with_row_indices(&empty, 0);
    let bound = gpu.bind(&batch)?;
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder, 0)?;
    bound.encode_in(&mut encoder.begin_compute_pass(&Default::default()), 1)?;
    let beyond = bound.encode(&mut encoder, 1 << 31).err();
    ensure(matches!(beyond, Some(Error::Draws { .. })), || format!("{beyond:?}"))?;
    gpu.queue().submit([encoder.finish()]);
    gpu.device().poll(wgpu::PollType::wait_indefinitely())?;
    refused(
        &gpu,
        DeviceBatch::new(&empty, &empty, 0, 0),
        "a row must have 1 to 4294967295 categories, got 0",
    )
}

fn draws_beyond_the_last(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let logits = buffer(&gpu, 4000, Usage::STORAGE);
    let draws = buffer(&gpu, 400, Usage::STORAGE);
    let bound = gpu.bind(&DeviceBatch::new(&logits, &draws, 10, 100).with_draws(10))?;
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder, (1 << 31) - 10)?;
    for first in [(1 << 31) - 9, 1 << 31, u32::MAX] {
        let in_pass =
            bound.encode_in(&mut encoder.begin_compute_pass(&Default::default()), first).err();
        for error in [bound.encode(&mut encoder, first).err(), in_pass] {
            let named = matches!(
                error,
                Some(Error::Draws { first_draw, draws: 10 }) if first_draw == first
            );
            ensure(named, || format!("{error:?}"))?;
        }
    }
    gpu.queue().submit([encoder.finish()]);
    gpu.device().poll(wgpu::PollType::wait_indefinitely())?;
    Ok(())
}

/// wgpu reports the error.
fn another_device(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let other = shared(adapter, DeviceKind::Hardware)?;
    let logits = buffer(&gpu, 4000, Usage::STORAGE);
    let draws = buffer(&other, 400, Usage::STORAGE);
    let error = gpu.bind(&DeviceBatch::new(&logits, &draws, 10, 100)).err();
    ensure(matches!(error, Some(Error::Gpu { .. })), || format!("{error:?}"))?;
    Batch::normal(ValueFormat::F32, 10, 100, 100).same(&gpu, "afterwards")
}
