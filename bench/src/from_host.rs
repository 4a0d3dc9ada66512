//! The call of the sampler with logits in the host's memory.

use std::time::{Duration, Instant};

use gumbel::{CpuSampler, Logits, SampleOptions};

use crate::chunks;
use crate::clock::{Run, Span, in_turn};
use crate::device::Device;
use crate::error::Error;
use crate::logits::Known;
use crate::on_device::differing;
use crate::results::{Line, SAMPLE_ROWS, SAMPLE_ROWS_CPU, UPLOAD, UPLOAD_DIRECT};
use crate::shape::Shape;
use crate::upload::{Upload, Way, maps_its_memory};

/// Returns a line for the call, one for each way to upload, and one for the CPU engine.
pub(crate) fn measure(
    device: &Device<'_>,
    shape: Shape,
    known: &Known,
    each: Duration,
    chunk_bytes: u64,
) -> Vec<Line> {
    let bytes: &[u8] = bytemuck::cast_slice(&known.logits);
    let options = SampleOptions::default();
    let categories = shape.categories as usize;
    let doubles: Vec<f64> = known.logits.iter().map(|&logit| f64::from(logit)).collect();
    let logits = || Logits::new(&known.logits, categories);
    let engine = CpuSampler::new();
    let gpu = || Ok(device.sampler.sample_rows(logits()?, &options)?);
    let gpu_f64 =
        || Ok(device.sampler.sample_rows(Logits::from_f64(&doubles, categories)?, &options)?);
    let cpu = || Ok(engine.sample_rows(logits()?, &options)?);
    let upload = |way| Upload::new(device, bytes.len(), chunk_bytes, way);
    let mut uploads = vec![(UPLOAD, upload(Way::Copied))];
    if maps_its_memory(device.sampler) {
        uploads.push((UPLOAD_DIRECT, upload(Way::Direct)));
    }
    let in_chunks = format!("in chunks {}", chunks(chunk_bytes));

    let right = |draws: Vec<u32>, expected: &[u32]| {
        let differ = draws.iter().zip(expected).filter(|(a, b)| a != b).count();
        differing(differ + draws.len().abs_diff(expected.len()), expected.len())
    };
    // a row of f64 has draws of its own
    let right_f64 = |draws| {
        let expected = engine.sample_rows(Logits::from_f64(&doubles, categories)?, &options)?;
        right(draws, &expected)
    };
    let right = |draws| right(draws, &known.sample);
    let gpu_run: Run<'_> = Box::new(|| timed(|| gpu().map(drop)));
    let gpu_f64_run: Run<'_> = Box::new(|| timed(|| gpu_f64().map(drop)));
    let cpu_run: Run<'_> = Box::new(|| timed(|| cpu().map(drop)));
    let mut things = vec![
        (SAMPLE_ROWS, "f32", "", gpu().and_then(right).map(|()| gpu_run)),
        (SAMPLE_ROWS, "f64", "", gpu_f64().and_then(right_f64).map(|()| gpu_f64_run)),
        (SAMPLE_ROWS_CPU, "f32", "", cpu().and_then(right).map(|()| cpu_run)),
    ];
    for (what, upload) in uploads {
        let run = upload.and_then(|mut upload| {
            upload.run(device, bytes)?;
            let run: Run<'_> = Box::new(move || timed(|| upload.run(device, bytes)));
            Ok(run)
        });
        things.push((what, "", &in_chunks, run));
    }

    let (names, runs): (Vec<_>, Vec<_>) =
        things.into_iter().map(|(what, format, note, run)| ((what, format, note), run)).unzip();
    let lines = names.into_iter().zip(in_turn(runs, each));
    lines
        .map(|((what, format, note), spans)| Line::new(shape, format, what, &spans, note))
        .collect()
}

fn timed(run: impl FnOnce() -> Result<(), Error>) -> Result<Span, Error> {
    let start = Instant::now();
    run()?;
    Ok(Span { device: None, wall: start.elapsed().as_nanos() as f64 })
}
