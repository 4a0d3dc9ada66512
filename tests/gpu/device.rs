//! Devices that are lost, too slow, or shared with others: each fault is an error of its own, no
//! call hangs or panics, and another sampler draws afterwards. Faults that are the same on every
//! adapter are tested on wgpu's noop backend, in `src/gpu/guard/tests.rs` and
//! `tests/integration/noop.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gumbel::{
    AdapterReport, CpuSampler, Error, GpuSampler, GpuSamplerBuilder, Logits, SampleOptions, wgpu,
};
use libtest_mimic::Failed;

use super::faults::replaced;
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("device::lost_before_a_sampler_is_built", lost_before_a_sampler_is_built),
    ("device::lost_between_calls", lost_between_calls),
    ("device::lost_during_a_call", lost_during_a_call),
    ("device::too_slow", too_slow),
    ("device::polled_by_another_thread", polled_by_another_thread),
    ("device::a_refused_shader", a_refused_shader),
];

/// More time than any test takes that does not hang, even on a slow adapter and a busy machine.
const TOO_LONG: Duration = Duration::from_secs(120);

/// A device that counts the errors that nobody catches, instead of panicking.
struct Watched {
    device: wgpu::Device,
    queue: wgpu::Queue,
    escaped: Arc<AtomicUsize>,
    since: Instant,
}

impl Watched {
    fn new(adapter: &AdapterReport) -> Result<Self, Failed> {
        let (device, queue) =
            super::device(adapter, adapter.features & wgpu::Features::SHADER_INT64)?;
        let escaped = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&escaped);
        device.on_uncaptured_error(Arc::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        }));
        Ok(Self { device, queue, escaped, since: Instant::now() })
    }

    fn sampler(&self, builder: GpuSamplerBuilder) -> Result<GpuSampler, Error> {
        builder.build_with_device(self.device.clone(), self.queue.clone())
    }

    /// Checks that no error has escaped, and that nothing has hung.
    fn end(self) -> Result<(), Failed> {
        let escaped = Arc::clone(&self.escaped);
        let since = self.since;
        drop(self);
        let escaped = escaped.load(Ordering::SeqCst);
        ensure(escaped == 0, || format!("{escaped} errors escaped the sampler's scopes"))?;
        ensure(since.elapsed() < TOO_LONG, || format!("it took {:?}", since.elapsed()))
    }

    /// Checks the same as [`end`](Self::end), and that another device of the adapter draws.
    fn end_and_rebuild(self, adapter: &AdapterReport) -> Result<(), Failed> {
        self.end()?;
        let another = Self::new(adapter)?;
        draws(&another.sampler(GpuSampler::builder())?, &Batch::new(100)?)?;
        another.end()
    }

    /// Returns whether a submission that takes long is still running when the next submission
    /// returns. With lavapipe of Mesa 25 the next submission returns only when the first is done;
    /// no timeout can help there.
    fn submits_in_the_background(&self) -> Result<bool, Failed> {
        let source = "
            @group(0) @binding(0) var<storage, read_write> words: array<u32>;
            @compute @workgroup_size(64)
            fn main(@builtin(global_invocation_id) id: vec3<u32>) {
                var x = id.x;
                for (var i = 0u; i < 5000u; i++) { x = x * 1664525u + 1013904223u; }
                words[id.x] = x;
            }";
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            cache: None,
        });
        let words = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4 << 16,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bindings = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: words.as_entire_binding() }],
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bindings, &[]);
        pass.dispatch_workgroups(1 << 10, 1, 1);
        drop(pass);
        let start = Instant::now();
        self.queue.submit([encoder.finish()]);
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&words, 0, None);
        self.queue.submit([encoder.finish()]);
        let submitted = start.elapsed();
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        Ok(start.elapsed() > 2 * submitted)
    }
}

/// A batch, and its draws.
struct Batch {
    rows: usize,
    logits: Vec<f32>,
    expected: Vec<u32>,
}

impl Batch {
    const CATEGORIES: usize = 256;

    fn new(rows: usize) -> Result<Self, Failed> {
        let words = 0..rows * Self::CATEGORIES;
        let logits: Vec<_> = words.map(|i| (i * 7919 % 1009) as f32 / 128.0).collect();
        let mut batch = Self { rows, logits, expected: Vec::new() };
        batch.expected =
            CpuSampler::new().sample_rows(batch.logits()?, &SampleOptions::default())?;
        Ok(batch)
    }

    fn logits(&self) -> Result<Logits<'_>, Error> {
        Logits::strided(&self.logits, self.rows, Self::CATEGORIES, Self::CATEGORIES)
    }
}

/// Returns true if the call gives these draws and false if it ends with `DeviceLost`; any other
/// result is a failure.
fn draws_or_lost(sampler: &GpuSampler, batch: &Batch) -> Result<bool, Failed> {
    match sampler.sample_rows(batch.logits()?, &SampleOptions::default()) {
        Ok(draws) => ensure(draws == batch.expected, || "wrong draws".to_owned()).map(|()| true),
        Err(Error::DeviceLost { adapter, while_doing, reason }) => {
            let words = [&adapter, &while_doing, &reason];
            ensure(words.iter().all(|text| !text.is_empty()), || format!("{words:?}"))?;
            Ok(false)
        }
        Err(error) => Err(format!("not DeviceLost, but {error:?}").into()),
    }
}

fn draws(sampler: &GpuSampler, batch: &Batch) -> Result<(), Failed> {
    ensure(draws_or_lost(sampler, batch)?, || "the device was lost".to_owned())
}

fn lost(sampler: &GpuSampler, batch: &Batch) -> Result<(), Failed> {
    ensure(!draws_or_lost(sampler, batch)?, || "it draws on a lost device".to_owned())
}

fn lost_before_a_sampler_is_built(adapter: &AdapterReport) -> Result<(), Failed> {
    let watched = Watched::new(adapter)?;
    watched.device.destroy();
    let error = watched.sampler(GpuSampler::builder()).err();
    ensure(matches!(error, Some(Error::DeviceLost { .. })), || format!("{error:?}"))?;
    watched.end_and_rebuild(adapter)
}

/// The device is lost with a callback of the caller's own, which is still called.
fn lost_between_calls(adapter: &AdapterReport) -> Result<(), Failed> {
    let (small, large) = (Batch::new(100)?, Batch::new(5000)?);
    for first in [None, Some(&small), Some(&large)] {
        let watched = Watched::new(adapter)?;
        let called = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&called);
        watched.device.set_device_lost_callback(move |_, _| tell.store(true, Ordering::SeqCst));
        let sampler = watched.sampler(GpuSampler::builder().with_chunk_bytes(1 << 16))?;
        if let Some(batch) = first {
            draws(&sampler, batch)?;
        }
        watched.device.destroy();
        // with the buffers of the first call, and with others
        for batch in [&small, &large, &small] {
            lost(&sampler, batch)?;
        }
        watched.device.poll(wgpu::PollType::Poll)?;
        ensure(called.load(Ordering::SeqCst), || "the callback was replaced".to_owned())?;
        drop(sampler);
        watched.end()?;
    }
    Watched::new(adapter)?.end_and_rebuild(adapter)
}

/// Another thread destroys the device, a little later each time.
fn lost_during_a_call(adapter: &AdapterReport) -> Result<(), Failed> {
    let batch = Batch::new(2000)?;
    for microseconds in [0, 100, 500, 2000, 5000, 20_000] {
        let watched = Watched::new(adapter)?;
        // the call takes hundreds of submissions
        let sampler = watched.sampler(GpuSampler::builder().with_chunk_bytes(1 << 13))?;
        // compiles the shaders now: if a device is lost during a compilation, the error names the
        // shader
        draws(&sampler, &batch)?;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_micros(microseconds));
                watched.device.destroy();
            });
            while draws_or_lost(&sampler, &batch)? {}
            lost(&sampler, &batch)
        })?;
        drop(sampler);
        watched.end()?;
    }
    Watched::new(adapter)?.end_and_rebuild(adapter)
}

/// A timeout that no batch can meet; then none, on the same device, which may still be running the
/// first batch.
fn too_slow(adapter: &AdapterReport) -> Result<(), Failed> {
    let watched = Watched::new(adapter)?;
    let timeout = Duration::from_nanos(1);
    let builder = GpuSampler::builder().tune(|tuning| tuning.with_filter(false));
    let hasty = watched.sampler(builder.clone().with_timeout(timeout))?;
    let batch = Batch::new(2000)?;
    let can_be_late = watched.submits_in_the_background()?;
    for _ in 0..2 {
        let drawn = hasty.sample_rows(batch.logits()?, &SampleOptions::default());
        let as_it_should = match &drawn {
            Err(Error::Timeout { timeout: t, .. }) => *t == timeout,
            Ok(draws) => !can_be_late && *draws == batch.expected,
            Err(_) => false,
        };
        ensure(as_it_should, || format!("{:?}", drawn.err()))?;
    }
    draws(&watched.sampler(builder)?, &batch)?;
    drop(hasty);
    watched.end_and_rebuild(adapter)
}

/// Another thread's poll runs the callbacks of a map there, and may run them after this thread's
/// wait has ended.
fn polled_by_another_thread(adapter: &AdapterReport) -> Result<(), Failed> {
    let watched = Watched::new(adapter)?;
    let sampler = watched.sampler(GpuSampler::builder().with_chunk_bytes(1 << 13))?;
    let batch = Batch::new(1000)?;
    let done = AtomicBool::new(false);
    let drawn = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                // this thread does not need the result
                let _ = watched.device.poll(wgpu::PollType::Poll);
                std::thread::yield_now();
            }
        });
        let drawn = (0..3).try_for_each(|_| draws(&sampler, &batch));
        done.store(true, Ordering::SeqCst);
        drawn
    });
    drawn?;
    drop(sampler);
    watched.end()
}

/// The parser, the validator or the creation of the pipeline refuses a shader. The device works as
/// before.
fn a_refused_shader(adapter: &AdapterReport) -> Result<(), Failed> {
    let watched = Watched::new(adapter)?;
    let refused = |what: &str, edit: fn(String) -> String| {
        let error = watched.sampler(GpuSampler::builder().with_shader_edit(edit)).err();
        let named = matches!(
            &error,
            Some(Error::ShaderRefused { adapter, shader, message })
                if !adapter.is_empty() && shader.contains("gumbel race") && !message.is_empty()
        );
        ensure(named, || format!("{what}: {error:?}"))
    };
    refused("syntax", |source| source + "fn broken( {")?;
    refused("types", |source| source + "fn broken() -> u32 { return 1.5f; }")?;
    refused("entry point", |source| source.replace("fn race(", "fn another("))?;
    refused("workgroup", |source| {
        replaced(source, "const WORKGROUP: u32 = ", "const WORKGROUP: u32 = 4096u * ")
    })?;
    draws(&watched.sampler(GpuSampler::builder())?, &Batch::new(100)?)?;
    watched.end()
}
