//! These tests run on wgpu's noop backend, whose buffers are memory of the program and whose
//! dispatches do nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use wgpu::{BufferUsages as Usage, MapMode};

use super::*;
use crate::gpu::Gpu;
use crate::job::Job;
use crate::{GpuSampler, Logits, SampleOptions};

const ADAPTER: &str = "a card (vulkan)";

/// A noop device without a limit to its buffers. An error that gets past the scopes makes it panic,
/// as any device does.
pub(super) fn device() -> (wgpu::Device, wgpu::Queue) {
    let backends = wgpu::Backends::NOOP;
    let limits = wgpu::Limits { max_buffer_size: u64::MAX, ..wgpu::Limits::default() };
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    // without the validation that limits buffers to 2³² bytes
    descriptor.flags = wgpu::InstanceFlags::empty();
    descriptor.backend_options.noop.enable = true;
    descriptor.backend_options.noop.limits = Some(limits.clone());
    let instance = wgpu::Instance::new(descriptor);
    let adapter = run(instance.enumerate_adapters(backends)).remove(0);
    run(adapter.request_device(&wgpu::DeviceDescriptor {
        required_limits: limits,
        ..wgpu::DeviceDescriptor::default()
    }))
    .unwrap()
}

pub(super) fn guard(device: &wgpu::Device, owner: Owner) -> Guard {
    Guard::new(device.clone(), ADAPTER.to_owned(), Duration::from_secs(5), owner)
}

fn compiling() -> Activity {
    Activity::Compiling { shader: "the shader \"s\"".into() }
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

macro_rules! assert_error {
    ($result:expr, $variant:pat, $message:expr) => {
        let error = $result.map(|_| ()).unwrap_err();
        assert!(matches!(error, $variant), "{error:?}");
        assert_eq!(error.to_string(), $message);
    };
}
pub(super) use assert_error;

#[test]
fn what_a_scope_catches_is_an_error_of_its_own() {
    let source = || Box::<dyn std::error::Error + Send + Sync>::from("the source");
    let memory = || wgpu::Error::OutOfMemory { source: source() };
    let invalid =
        || wgpu::Error::Validation { source: source(), description: "it is invalid".to_owned() };
    let internal =
        || wgpu::Error::Internal { source: source(), description: "it broke".to_owned() };
    let allocating = Activity::Allocating { what: "gumbel logits", bytes: 4096 };
    let mapping = Activity::Mapping { what: "the draws", bytes: 16 };
    let failed = |activity: &Activity, error| Err::<(), _>(failure(ADAPTER, activity, error));

    assert_error!(
        failed(&allocating, memory()),
        Error::OutOfMemory { bytes: Some(4096), .. },
        "a card (vulkan) ran out of memory while allocating 4096 bytes for gumbel logits; try \
         smaller chunks (GpuSamplerBuilder::with_chunk_bytes), or the CPU engine"
    );
    assert_error!(
        failed(&Activity::Drawing, memory()),
        Error::OutOfMemory { bytes: None, .. },
        "a card (vulkan) ran out of memory while drawing; try smaller chunks \
         (GpuSamplerBuilder::with_chunk_bytes), or the CPU engine"
    );
    assert!(matches!(failed(&compiling(), memory()), Err(Error::OutOfMemory { .. })));
    assert!(matches!(failed(&mapping, memory()), Err(Error::OutOfMemory { .. })));

    for error in [invalid(), internal()] {
        let message = error.to_string();
        assert_error!(
            failed(&compiling(), error),
            Error::ShaderRefused { .. },
            format!(
                "a card (vulkan) refused the shader \"s\"; try \
                 GpuSamplerBuilder::tune with with_int64(false), or a newer driver, and please report it, \
                 with these words: {message}"
            )
        );
    }
    assert_error!(
        failed(&mapping, invalid()),
        Error::MapFailed { bytes: 16, .. },
        "a card (vulkan) failed at mapping 16 bytes of the draws: it is invalid; try again, or \
         build a new sampler"
    );
    assert_error!(
        failed(&allocating, invalid()),
        Error::Gpu { .. },
        "the GPU failed while allocating 4096 bytes for gumbel logits: it is invalid"
    );
    assert!(matches!(failed(&Activity::Drawing, internal()), Err(Error::Gpu { .. })));
}

/// No machine has 2⁶² bytes. The failed allocation does not lose the device.
#[test]
fn out_of_memory() {
    let (device, _queue) = device();
    let guard = guard(&device, Owner::Gumbel);
    let bytes = 1 << 62;
    let make = |bytes| run(guard.buffer("gumbel logits", bytes, Usage::STORAGE));
    assert_error!(
        make(bytes),
        Error::OutOfMemory { bytes: Some(0x4000_0000_0000_0000), .. },
        format!(
            "a card (vulkan) ran out of memory while allocating {bytes} bytes for gumbel logits; \
             try smaller chunks (GpuSamplerBuilder::with_chunk_bytes), or the CPU engine"
        )
    );
    assert_eq!(make(4096).unwrap().size(), 4096);

    // the use of the buffer is invalid too: the error is the cause, not that
    let descriptor = wgpu::BufferDescriptor {
        label: None,
        size: bytes,
        usage: Usage::COPY_SRC,
        mapped_at_creation: false,
    };
    let act = || device.create_buffer(&descriptor).unmap();
    let error = run(guard.checked(Activity::Drawing, act)).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { bytes: None, .. }), "{error:?}");
}

#[test]
fn maps() {
    let (device, queue) = device();
    let guard = guard(&device, Owner::Caller);
    let make = || run(guard.buffer("words", 16, Usage::MAP_READ | Usage::COPY_DST)).unwrap();
    let map =
        |buffer: &wgpu::Buffer| run(guard.map("words", buffer.slice(..), MapMode::Read, None));

    // several are under way at once, and finished in any order
    let buffers = [make(), make()];
    for (buffer, byte) in buffers.iter().zip([1, 2]) {
        queue.write_buffer(buffer, 0, &[byte; 16]);
    }
    queue.submit([]);
    let maps = buffers.each_ref().map(|buffer| map(buffer).unwrap());
    for (map, (buffer, byte)) in maps.into_iter().zip(buffers.iter().zip([1, 2])).rev() {
        run(guard.finish(map)).unwrap();
        let mut words = [0; 4];
        let copy = |bytes: &[u8]| words.copy_from_slice(bytemuck::cast_slice(bytes));
        run(guard.take("words", buffer.slice(..), copy)).unwrap();
        assert_eq!(words, [byte * 0x0101_0101; 4]);
    }

    let end = "; try again, or build a new sampler";
    let start = "a card (vulkan) failed at mapping 16 bytes of words: ";
    let refused = |error: Error, why: &str| {
        assert!(matches!(error, Error::MapFailed { bytes: 16, .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.starts_with(start) && message.ends_with(end), "{message}");
        assert!(message.contains(why), "{message}");
    };
    // destroyed while the map is under way
    let map_of = |buffer: &wgpu::Buffer| map(buffer).unwrap();
    let buffer = make();
    let mapping = map_of(&buffer);
    buffer.destroy();
    refused(run(guard.finish(mapping)).unwrap_err(), "map a buffer");
    // unmapped while the map is under way
    let buffer = make();
    let mapping = map_of(&buffer);
    buffer.unmap();
    refused(run(guard.finish(mapping)).unwrap_err(), "map a buffer");
    // destroyed before the map
    refused(
        map(&{
            buffer.destroy();
            buffer
        })
        .unwrap_err(),
        "destroyed",
    );
    // mapped already
    let buffer = make();
    run(guard.finish(map_of(&buffer))).unwrap();
    refused(run(guard.finish(map_of(&buffer))).unwrap_err(), "map a buffer");
    // destroyed once it is mapped, and never mapped at all
    buffer.destroy();
    let take = |buffer: &wgpu::Buffer| run(guard.take("words", buffer.slice(..), |_| ()));
    refused(take(&buffer).unwrap_err(), "destroyed");
    refused(take(&make()).unwrap_err(), "not mapped");
    // without a usage for maps
    let buffer = run(guard.buffer("words", 16, Usage::STORAGE)).unwrap();
    refused(map(&buffer).unwrap_err(), "usage");
}

/// The loss of a device is an error, however it comes to light and whoever has opened the device.
#[test]
fn a_lost_device() {
    for owner in [Owner::Gumbel, Owner::Caller] {
        let lost = |error: Error, while_doing: &str| {
            let Error::DeviceLost { adapter, while_doing: what, reason } = &error else {
                panic!("{error:?}");
            };
            assert_eq!((adapter.as_str(), what.as_str()), (ADAPTER, while_doing), "{error:?}");
            let expected = ["it was destroyed", "it answers no more, and no reason is known"];
            assert!(expected.contains(&reason.as_str()), "{error:?}");
            let message = format!(
                "the device of {ADAPTER} was lost while {while_doing}: {reason}; build a new \
                 sampler, or draw on the CPU engine"
            );
            assert_eq!(error.to_string(), message);
        };
        let mapping_words = "mapping 16 bytes of words";
        let fresh = || {
            let (device, queue) = device();
            let guard = guard(&device, owner);
            let usage = Usage::MAP_READ | Usage::COPY_DST;
            let buffer = run(guard.buffer("words", 16, usage)).unwrap();
            (device, queue, guard, buffer)
        };

        let (device, _queue, guard, _) = fresh();
        device.destroy();
        lost(run(guard.checked(compiling(), || ())).unwrap_err(), "compiling the shader \"s\"");
        // and from now on the loss is known
        lost(run(guard.checked(Activity::Drawing, || ())).unwrap_err(), "drawing");
        lost(run(guard.wait(None, Activity::Drawing)).unwrap_err(), "drawing");

        // lost by the shader itself
        let (device, _queue, guard, _) = fresh();
        let error = run(guard.checked(compiling(), || device.destroy())).unwrap_err();
        let over_it = "the device was lost over it: ";
        assert!(
            matches!(&error, Error::ShaderRefused { message, .. } if message.starts_with(over_it)),
            "{error:?}"
        );
        lost(run(guard.checked(compiling(), || ())).unwrap_err(), "compiling the shader \"s\"");

        // lost before a map
        let (device, _queue, guard, buffer) = fresh();
        device.destroy();
        let map = guard.map("words", buffer.slice(..), MapMode::Read, None);
        let error = run(map).map(|mapping| run(guard.finish(mapping)).unwrap_err());
        lost(error.unwrap_or_else(|error| error), mapping_words);

        // lost during a map, which may still succeed, but its bytes cannot be taken
        let (device, _queue, guard, buffer) = fresh();
        let map = guard.map("words", buffer.slice(..), MapMode::Read, None);
        let mapping = run(map).unwrap();
        device.destroy();
        if let Err(error) = run(guard.finish(mapping)) {
            lost(error, mapping_words);
        }
        let taken = run(guard.take("words", buffer.slice(..), |_| ()));
        lost(taken.unwrap_err(), mapping_words);

        // lost before a submission that is waited for
        let (device, queue, guard, _) = fresh();
        device.destroy();
        let submitted = run(guard.checked(Activity::Drawing, || queue.submit([])));
        lost(run(guard.wait(submitted.ok(), Activity::Drawing)).unwrap_err(), "drawing");
    }
}

/// A device has one callback for its loss, and a callback of the caller's stays.
#[test]
fn the_callers_callback_is_left_alone() {
    for (owner, calls_it) in [(Owner::Caller, true), (Owner::Gumbel, false)] {
        let (device, _queue) = device();
        let called = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&called);
        device.set_device_lost_callback(move |_, _| tell.store(true, Ordering::SeqCst));
        let guard = guard(&device, owner);
        device.destroy();
        run(guard.wait(None, Activity::Drawing)).unwrap();
        assert_eq!(called.load(Ordering::SeqCst), calls_it, "{owner:?}");
        assert_eq!(guard.lost.get().is_some(), !calls_it, "{owner:?}");
    }
}

/// An engine on a device that is lost returns errors with the driver's reason; an engine on another device draws.
#[test]
fn an_engine_is_lost_and_rebuilt() {
    let build = || {
        let (device, queue) = device();
        let info = device.adapter_info();
        run(GpuSampler::builder().build_on(&info, device, queue, Owner::Gumbel)).unwrap()
    };
    let logits = Logits::new(&[0.0; 12], 4).unwrap();
    let job = Job::new(logits, &SampleOptions::default()).unwrap();
    let draw = |engine: &Gpu| {
        let mut draws = job.allocate()?;
        run(engine.draw(&job, &mut draws)).map(|()| draws)
    };
    let engine = build();
    // a dispatch that does nothing leaves zeros
    assert_eq!(draw(&engine).unwrap(), [0; 3]);
    engine.device.destroy();
    // wgpu reports the loss when somebody polls the device
    let _ = engine.device.poll(wgpu::PollType::Poll);
    for _ in 0..3 {
        let error = draw(&engine).unwrap_err();
        let destroyed =
            matches!(&error, Error::DeviceLost { reason, .. } if reason == "it was destroyed");
        assert!(destroyed, "{error:?}");
    }
    assert_eq!(draw(&build()).unwrap(), [0; 3]);
}
