//! Devices that lack what a batch needs, or have less of it than the adapter.

use gumbel::{
    AdapterReport, CpuSampler, DeviceBatch, DeviceKind, GpuSampler, Logits, SampleOptions,
    ValueFormat, wgpu,
};
use libtest_mimic::Failed;
use wgpu::BufferUsages as Usage;

use super::super::draws::sampler;
use super::super::{Check, Need, device, ensure};
use super::batch::Batch;
use super::errors::{buffer, refused};
use super::lists::Lists;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::a_device_without_immediates", a_device_without_immediates),
    ("bound::a_device_with_few_buffers", a_device_with_few_buffers),
    ("bound::more_than_a_device_binds", more_than_a_device_binds),
    ("bound::chunks_as_large_as_can_be", chunks_as_large_as_can_be),
    ("bound::more_than_a_device_dispatches", more_than_a_device_dispatches),
];

/// Where the limit is high, a batch that exceeds it is too large for a test.
pub(crate) const NEEDS: &[(&str, Need)] = &[("bound::more_than_a_device_dispatches", |adapter| {
    (adapter.limits.max_compute_workgroups_per_dimension > 1 << 20)
        .then_some("it dispatches more than 2^20 workgroups at once")
})];

fn a_device_without_immediates(adapter: &AdapterReport) -> Result<(), Failed> {
    let (device, queue) = device(adapter, wgpu::Features::empty())?;
    let gpu = GpuSampler::builder().build_with_device(device, queue)?;
    let logits = buffer(&gpu, 4000, Usage::STORAGE);
    let draws = buffer(&gpu, 400, Usage::STORAGE);
    let bound = gpu.bind(&DeviceBatch::new(&logits, &draws, 10, 100))?;
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    let refused = bound.encode(&mut encoder, 0).err().map(|error| error.to_string());
    let words = "the device was made without IMMEDIATES with a max_immediate_size of 4 or more, which is needed for \
                 drawing from logits on the device with a number that is given when encoding (encode_from reads the \
                 number from a buffer instead); ask for it when making the device";
    ensure(refused.as_deref() == Some(words), || format!("{refused:?}"))
}

/// Returns a sampler on a device with other limits than the adapter's.
fn limited(
    adapter: &AdapterReport,
    change: impl FnOnce(&mut wgpu::Limits),
) -> Result<GpuSampler, Failed> {
    let mut limits = adapter.limits.clone();
    change(&mut limits);
    let descriptor = wgpu::DeviceDescriptor {
        required_features: wgpu::Features::IMMEDIATES,
        required_limits: limits,
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.adapter().request_device(&descriptor))?;
    Ok(GpuSampler::builder().build_with_device(device, queue)?)
}

/// Row ids need no more buffers than the plain kernels do.
fn a_device_with_few_buffers(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = limited(adapter, |limits| limits.max_storage_buffers_per_shader_stage = 7)?;
    let batch = Batch::normal(ValueFormat::F16, 10, 100, 100);
    Batch { row_ids: Some(vec![3; 10]), ..batch }.same(&gpu, "with row ids")?;
    let [logits, draws] = [4000, 400].map(|size| buffer(&gpu, size, Usage::STORAGE));
    let seeds = buffer(&gpu, 80, Usage::STORAGE);
    refused(
        &gpu,
        DeviceBatch::new(&logits, &draws, 10, 100).with_seeds(&seeds),
        "the device was made without max_storage_buffers_per_shader_stage of 8 or more, which is \
         needed for seeds, temperatures, first draws or row indices from a buffer; ask for it when \
         making the device",
    )?;
    refused(
        &gpu,
        DeviceBatch::new(&logits, &draws, 10, 100).with_bias(None, &seeds, &seeds),
        "the device was made without max_storage_buffers_per_shader_stage of 8 or more, which is \
         needed for bias or penalties of rows on the device; ask for it when making the device",
    )?;
    // rows that are gathered and adjusted need no more than 8
    let gpu = limited(adapter, |limits| limits.max_storage_buffers_per_shader_stage = 8)?;
    let bias = Some(Lists::shared(vec![(3, 1.0), (7, f32::NEG_INFINITY)]));
    let row_indices = Some(vec![3, 3, 0, 9, 1, 2, 7, 8, 5, 6]);
    let batch = Batch { bias, row_indices, ..Batch::normal(ValueFormat::F16, 10, 100, 100) };
    batch.same(&gpu, "gathered and biased")
}

/// If a part of a large buffer is needed, only that part is bound.
fn more_than_a_device_binds(adapter: &AdapterReport) -> Result<(), Failed> {
    let most = 1 << 16;
    let gpu = limited(adapter, |limits| limits.max_storage_buffer_binding_size = most)?;
    let [logits, draws, seeds] =
        [(); 3].map(|()| buffer(&gpu, 1 << 20, Usage::STORAGE | Usage::COPY_SRC));
    let batch = |rows, categories| DeviceBatch::new(&logits, &draws, rows, categories);
    let bound = gpu.bind(&batch(1 << 13, 2).with_seeds(&seeds).with_row_ids(&seeds))?;
    let biases = buffer(&gpu, 1 << 10, Usage::STORAGE);
    refused(
        &gpu,
        batch(1 << 12, 2).with_bias(None, &seeds, &seeds),
        "the categories of biases cannot be bound: 1048576 bytes are to be bound, and the device binds 65536 at most; \
         bind fewer entries at a time",
    )?;
    refused(
        &gpu,
        batch(1 << 12, 2).with_bias(None, &biases, &biases),
        "the logits cannot be bound: adjusted copies of 4096 rows of 2 categories need 131072 bytes, and the device binds \
         65536 at most; bind fewer rows at a time",
    )?;
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder, 0)?;
    gpu.queue().submit([encoder.finish()]);
    // the far end of a buffer that could not be bound as a whole
    gpu.bind(&batch(1, 1000).with_logits_offset((1 << 20) - 4000))?;
    refused(
        &gpu,
        batch(1 << 13, 3),
        "the logits cannot be bound: 98304 bytes are to be bound, and the device binds 65536 at \
         most; bind fewer rows at a time",
    )?;
    refused(
        &gpu,
        batch(1, 100).with_draws((1 << 14) + 1),
        "the draws cannot be bound: 65540 bytes are to be bound, and the device binds 65536 at \
         most; bind fewer rows or draws at a time",
    )?;
    refused(
        &gpu,
        batch((1 << 13) + 1, 1).with_seeds(&seeds),
        "the seeds cannot be bound: 65544 bytes are to be bound, and the device binds 65536 at \
         most; bind fewer rows at a time",
    )?;
    // on hardware, rows are cut into parts
    let gpu = GpuSampler::builder()
        .tune(|tuning| tuning.with_device_kind(DeviceKind::Hardware))
        .build_with_device(gpu.device().clone(), gpu.queue().clone())?;
    // a plan that holds logits for several draws would need 192,000 bytes for the outcomes of its parts; so none is
    // held
    let held = Batch::normal(ValueFormat::F32, 4, 4000, 4000);
    Batch { draws: 1000, draws_offset: 0, ..held }.same(&gpu, "too many parts to hold logits")?;
    // an invocation of such a small workgroup may take no more half-spans than these parts have, so
    // fewer parts are no way out
    let gpu = GpuSampler::builder()
        .tune(|tuning| tuning.with_device_kind(DeviceKind::Hardware).with_workgroup_size(1))
        .build_with_device(gpu.device().clone(), gpu.queue().clone())?;
    refused(
        &gpu,
        batch(1, 30_000).with_format(ValueFormat::F16).with_draws(2000),
        "the draws cannot be bound: the outcomes of 1 rows with 2000 draws each, in 4 parts, need \
         160000 bytes, and the device binds 65536 at most; bind fewer rows or draws at a time",
    )
}

/// The chunk is as large as the device has memory for: row ids and logits are in one buffer.
fn chunks_as_large_as_can_be(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = limited(adapter, |limits| {
        limits.max_buffer_size = 1 << 20;
        limits.max_storage_buffer_binding_size = 1 << 19;
    })?;
    let builder = GpuSampler::builder().with_chunk_bytes(u64::MAX);
    let gpu = builder.build_with_device(gpu.device().clone(), gpu.queue().clone())?;
    let ids: Vec<u64> = (0..100_000).map(|id| id << 20).collect();
    let data: Vec<f32> = (0..200_000).map(|i| (i % 7) as f32).collect();
    let options = SampleOptions::default().with_row_ids(&ids);
    let logits = Logits::new(&data, 2)?;
    let expected = CpuSampler::new().sample_rows(logits, &options)?;
    ensure(gpu.sample_rows(logits, &options)? == expected, || "other draws".to_owned())
}

fn more_than_a_device_dispatches(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(
        adapter,
        GpuSampler::builder().tune(|tuning| tuning.with_workgroups(1).with_workgroup_size(1)),
    )?;
    let most = gpu.device().limits().max_compute_workgroups_per_dimension;
    let [logits, draws] =
        [400, 4 * (u64::from(most) + 1)].map(|size| buffer(&gpu, size, Usage::STORAGE));
    let batch = |rows| DeviceBatch::new(&logits, &draws, rows, 100).with_row_stride(0);
    gpu.bind(&batch(most))?;
    refused(
        &gpu,
        batch(most + 1),
        &format!(
            "the draws cannot be bound: {} rows with 1 draws each need more workgroups than the \
             device dispatches at once; bind fewer rows or draws at a time",
            most + 1
        ),
    )
}
