//! The GPU engine on wgpu's noop backend, which does nothing and leaves zeros: no call hangs,
//! panics or fails. Here and in `src/gpu/guard/tests.rs`, faults are tested without an adapter.

use std::time::Duration;

use gumbel::{Error, GpuSampler, Logits, Relaxation, SampleOptions, wgpu};

const BUILDERS: [fn() -> gumbel::GpuSamplerBuilder; 3] = [
    GpuSampler::builder,
    || {
        GpuSampler::builder()
            .tune(|tuning| tuning.with_int64(false))
            .with_chunk_bytes(1 << 10)
            .tune(|tuning| tuning.with_workgroups(3))
    },
    // the backend finishes everything at once, so a timeout of 0 is enough
    || GpuSampler::builder().with_timeout(Duration::ZERO),
];

#[test]
fn all_shapes_come_back_zeroed() {
    let data = vec![0.5; 300_000];
    for builder in BUILDERS {
        let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
        let sampler = builder().build_with_device(device, queue).unwrap();
        for (rows, categories, draws) in
            [(1, 1, 1), (3, 5, 2), (1000, 300, 1), (1, 300_000, 2), (10, 7, 1000)]
        {
            let logits = Logits::strided(&data, rows, categories, categories).unwrap();
            let options = SampleOptions::default().with_draws(draws);
            let drawn = sampler.sample_rows(logits, &options).unwrap();
            assert_eq!(drawn, vec![0; rows * draws as usize], "{rows} x {categories} x {draws}");
        }
    }
}

/// An empty name would be contained in every name, and take a software adapter that nobody asked for.
#[test]
fn an_empty_name_takes_no_adapter() {
    for name in ["", " "] {
        let builder = GpuSampler::builder().with_adapter(name);
        let error = builder.with_backends(wgpu::Backends::NOOP).build().unwrap_err();
        assert!(matches!(error, Error::NoAdapter { .. }), "{error:?}");
        let start = format!("no adapter is called \"{name}\", which is no name");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[test]
fn a_lost_device() {
    let logits = Logits::new(&[0.0; 12], 4).unwrap();
    for builder in BUILDERS {
        let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
        let build = || builder().build_with_device(device.clone(), queue.clone());
        let sampler = build().unwrap();
        let draw = || sampler.sample_rows(logits, &SampleOptions::default());
        assert_eq!(draw().unwrap(), [0; 3]);
        device.destroy();
        assert!(matches!(draw().unwrap_err(), Error::DeviceLost { .. }));
        assert!(matches!(draw().unwrap_err(), Error::DeviceLost { .. }));
        assert!(matches!(build().unwrap_err(), Error::DeviceLost { .. }));
    }
}

#[test]
fn a_refused_shader() {
    let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
    let builder = GpuSampler::builder().with_shader_edit(|source| source + "fn broken( {");
    let error = builder.build_with_device(device, queue).unwrap_err();
    assert!(matches!(error, Error::ShaderRefused { .. }), "{error:?}");
    let message = error.to_string();
    let start = "noop wgpu backend (noop, wgpu) refused the shader \"gumbel race\" (";
    assert!(message.starts_with(start) && message.contains("try GpuSamplerBuilder::"), "{message}");
}

/// The futures can be sent to other threads, which error scopes held over an await would prevent.
#[test]
fn futures_are_send() {
    fn assert_send(_: impl Send) {}
    let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
    let sampler = GpuSampler::builder().build_with_device(device.clone(), queue.clone()).unwrap();
    let options = SampleOptions::default();
    let logits = Logits::new(&[0.0; 4], 2).unwrap();
    assert_send(sampler.sample_rows_async(logits, &options));
    assert_send(sampler.race_rows_async(logits, &options, 2));
    assert_send(sampler.soften_rows_async(logits, &options, Relaxation::soft(1.0)));
    assert_send(sampler.soften_rows_vjp_async(logits, &options, Relaxation::soft(1.0), &[0.0; 4]));
    assert_send(sampler.inverse_cdf_async(logits, &options));
    assert_send(GpuSampler::builder().build_with_device_async(device, queue));
    assert_send(GpuSampler::new_async());
}
