//! Draws on a device that the program already has.
//!
//! `cargo run --example own_device`
//!
//! Uses any adapter that wgpu finds, a software one too.

use std::error::Error;

use gumbel::{DeviceBatch, Error as DrawError, GpuSampler, Logits, SampleOptions, wgpu};

fn main() -> Result<(), Box<dyn Error>> {
    pollster::block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await?;
    // the limits that the program needs, and four bytes of immediate data, if the adapter has any, by which
    // `encode` hands over the number of a draw; some features make gumbel faster on devices that have them
    let limits = wgpu::Limits {
        max_immediate_size: adapter.limits().max_immediate_size.min(4),
        ..Default::default()
    };
    let (device, queue) = adapter
        .request_device(&wgpu::DeviceDescriptor {
            required_features: adapter.features() & GpuSampler::FEATURES,
            required_limits: limits,
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

    // from logits that are on the device, into a buffer of the program's
    let [logits, draws] = [4 * 1000 * 50, 4 * 1000].map(|size| {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        })
    });
    let bound = sampler.bind_async(&DeviceBatch::new(&logits, &draws, 1000, 50)).await?;
    let mut encoder = device.create_command_encoder(&Default::default());
    match bound.encode(&mut encoder, 0) {
        // without immediate data the device reads the number of the draw from a buffer; a new buffer has zeros
        Err(DrawError::MissingFeature { .. }) => {
            let number = device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: 4,
                usage: wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            bound.encode_from(&mut encoder, &number, 0)?;
        }
        encoded => encoded?,
    }
    queue.submit([encoder.finish()]);
    println!("1000 draws more are left on the device");
    Ok(())
}
