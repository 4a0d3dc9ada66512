//! Sampling on a device that the program has anyway.
//!
//! `cargo run --example own_device`
//!
//! Takes whatever adapter wgpu finds, a software one too.

use std::error::Error;

use gumbel::{GpuSampler, Logits, SampleOptions, wgpu};

fn main() -> Result<(), Box<dyn Error>> {
    pollster::block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await?;
    // limits as the program needs them; some features, where they are, speed gumbel up
    let (device, queue) = adapter
        .request_device(&wgpu::DeviceDescriptor {
            required_features: adapter.features() & GpuSampler::FEATURES,
            ..Default::default()
        })
        .await?;

    // device and queue are handles: the program goes on using its own
    let sampler =
        GpuSampler::builder().build_with_device_async(device.clone(), queue.clone()).await?;
    let logits: Vec<f32> = (0..1000 * 50).map(|i| (i % 50) as f32 / 10.0).collect();
    let options = SampleOptions::default().with_seed(7).with_temperature(0.8);
    let draws = sampler.sample_rows_async(Logits::new(&logits, 50)?, &options).await?;
    println!("{}: the first draws are {:?}", sampler.adapter().name, &draws[..8]);
    Ok(())
}
