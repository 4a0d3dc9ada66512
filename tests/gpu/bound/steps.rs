//! Draws among the caller's own passes: each pass finds the results of the passes before it.

use gumbel::{
    AdapterReport, CpuSampler, DeviceBatch, DeviceKind, GpuSampler, Logits, SampleOptions, wgpu,
};
use libtest_mimic::Failed;

use super::super::draws::sampler;
use super::super::{Check, device, ensure};
use super::batch::{buffer, read, words};
use super::plans;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::steps_in_one_pass", |adapter| steps(adapter, Passes::One)),
    ("bound::steps_in_many_passes", |adapter| steps(adapter, Passes::Many)),
    ("bound::steps_in_many_submissions", |adapter| steps(adapter, Passes::Submitted)),
    ("bound::another_first_draw_each_time", another_first_draw_each_time),
    ("bound::numbers_from_a_buffer", numbers_from_a_buffer),
    ("bound::numbers_that_cannot_be_read", numbers_that_cannot_be_read),
    ("bound::submitted_in_either_order", submitted_in_either_order),
    ("bound::two_batches_in_one_pass", two_batches_in_one_pass),
    ("bound::without_its_sampler", without_its_sampler),
];

/// A Markov chain of the caller's: logits come from a state, and the state from the draws. All of
/// it is exact in floats on every device.
const NEXT: &str = "
@group(0) @binding(0) var<storage, read_write> states: array<u32>;
@group(0) @binding(1) var<storage, read_write> logits: array<f32>;
@group(0) @binding(2) var<storage, read> draws: array<u32>;
@compute @workgroup_size(64)
fn next(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i < arrayLength(&states) {
        let draw = draws[i / CATEGORIES];
        states[i] = states[i] * 1664525u + draw * 747796405u + 1013904223u;
        logits[i] = f32(states[i] >> 24u) * 0.0625;
    }
}";

/// The same step of the chain on the CPU.
fn next(states: &mut [u32], draws: &[u32], categories: usize) -> Vec<f32> {
    for (i, state) in states.iter_mut().enumerate() {
        *state = state
            .wrapping_mul(1_664_525)
            .wrapping_add(draws[i / categories].wrapping_mul(747_796_405))
            .wrapping_add(1_013_904_223);
    }
    states.iter().map(|state| (state >> 24) as f32 * 0.0625).collect()
}

/// The way in which the steps are encoded and submitted.
#[derive(Clone, Copy, Debug)]
enum Passes {
    One,
    Many,
    Submitted,
}

fn steps(adapter: &AdapterReport, passes: Passes) -> Result<(), Failed> {
    // the rows of the second case are cut into parts, with a merge between the draw and the next
    // step
    plans(adapter, |gpu| {
        for (rows, categories, steps) in [(40, 33, 300), (2, 5003, 60)] {
            let (expected_draws, expected_states) = on_cpu(rows, categories, steps)?;
            let (draws, states) = on_gpu(gpu, rows, categories, steps, passes)?;
            ensure(draws == expected_draws, || format!("{rows} x {categories}: other draws"))?;
            ensure(states == expected_states, || format!("{rows} x {categories}: other states"))?;
        }
        Ok(())
    })
}

/// The draws and states after the last step.
type Outcome = (Vec<u32>, Vec<u32>);

fn on_cpu(rows: usize, categories: usize, steps: u32) -> Result<Outcome, Failed> {
    let mut states: Vec<_> = words((rows * categories) as u64).collect();
    let mut draws = vec![0; rows];
    let cpu = CpuSampler::new();
    for step in 0..steps {
        let logits = next(&mut states, &draws, categories);
        let options = SampleOptions::default().with_seed(7).with_first_draw(step);
        draws = cpu.sample_rows(Logits::new(&logits, categories)?, &options)?;
    }
    Ok((draws, states))
}

fn on_gpu(
    gpu: &GpuSampler,
    rows: usize,
    categories: usize,
    steps: u32,
    passes: Passes,
) -> Result<Outcome, Failed> {
    let device = gpu.device();
    let states = buffer(gpu, &words((rows * categories) as u64).collect::<Vec<_>>());
    let logits = buffer(gpu, &vec![0f32; rows * categories]);
    let draws = buffer(gpu, &vec![0u32; rows]);
    let batch = DeviceBatch::new(&logits, &draws, rows as u32, categories as u32).with_seed(7);
    let bound = gpu.bind(&batch)?;

    let source = NEXT.replace("CATEGORIES", &format!("{categories}u"));
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: Default::default(),
        cache: None,
    });
    let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: states.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: logits.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 2, resource: draws.as_entire_binding() },
        ],
    });
    let workgroups = (rows * categories).div_ceil(64) as u32;
    let encode_next = |pass: &mut wgpu::ComputePass<'_>| {
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bindings, &[]);
        pass.dispatch_workgroups(workgroups, 1, 1);
    };

    let mut encoder = device.create_command_encoder(&Default::default());
    match passes {
        Passes::One => {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for step in 0..steps {
                encode_next(&mut pass);
                bound.encode_in(&mut pass, step)?;
            }
        }
        Passes::Many | Passes::Submitted => {
            for step in 0..steps {
                encode_next(&mut encoder.begin_compute_pass(&Default::default()));
                bound.encode(&mut encoder, step)?;
                if matches!(passes, Passes::Submitted) {
                    let another = device.create_command_encoder(&Default::default());
                    gpu.queue().submit([std::mem::replace(&mut encoder, another).finish()]);
                }
            }
        }
    }
    gpu.queue().submit([encoder.finish()]);
    Ok((read(gpu, &draws)?, read(gpu, &states)?))
}

/// Logits of a batch on the device, and the same logits in memory.
struct Rows {
    data: Vec<f32>,
    logits: wgpu::Buffer,
}

impl Rows {
    const CATEGORIES: usize = 203;

    fn new(gpu: &GpuSampler, rows: usize) -> Self {
        let data: Vec<_> = words((rows * Self::CATEGORIES) as u64)
            .map(|word| (word >> 20) as f32 / 512.0)
            .collect();
        Self { logits: buffer(gpu, &data), data }
    }

    fn rows(&self) -> u32 {
        (self.data.len() / Self::CATEGORIES) as u32
    }

    fn batch<'a>(&'a self, draws: &'a wgpu::Buffer) -> DeviceBatch<'a> {
        DeviceBatch::new(&self.logits, draws, self.rows(), Self::CATEGORIES as u32)
    }

    fn expected(&self, options: &SampleOptions<'_>) -> Result<Vec<u32>, Failed> {
        Ok(CpuSampler::new().sample_rows(Logits::new(&self.data, Self::CATEGORIES)?, options)?)
    }
}

/// Encodes a batch three times in the same commands, each time with other draws, which a copy
/// saves.
fn another_first_draw_each_time(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        let rows = Rows::new(gpu, 30);
        let draws = buffer(gpu, &[0u32; 60]);
        let taken = buffer(gpu, &[0u32; 180]);
        let bound = gpu.bind(&rows.batch(&draws).with_draws(2))?;
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        let first_draws = [0, 5, (1 << 31) - 2];
        for (i, first_draw) in (0..).zip(first_draws) {
            bound.encode(&mut encoder, first_draw)?;
            encoder.copy_buffer_to_buffer(&draws, 0, &taken, 240 * i, 240);
        }
        gpu.queue().submit([encoder.finish()]);
        let mut expected = Vec::new();
        for first_draw in first_draws {
            let options = SampleOptions::default().with_draws(2).with_first_draw(first_draw);
            expected.extend(rows.expected(&options)?);
        }
        ensure(read(gpu, &taken)? == expected, || "other draws".to_owned())
    })
}

/// Reads the numbers of draws from a buffer, on devices with immediate data and without. A number that is given when
/// encoding, where the device takes one, is not added to the one that was read before.
fn numbers_from_a_buffer(adapter: &AdapterReport) -> Result<(), Failed> {
    let given = adapter.features & wgpu::Features::IMMEDIATES;
    for features in [given, wgpu::Features::empty()] {
        for kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
            let (device, queue) = device(adapter, features)?;
            let builder = GpuSampler::builder().tune(|tuning| tuning.with_device_kind(kind));
            let gpu = builder.build_with_device(device, queue)?;
            // the rows of the second batch are cut into parts
            for (rows, categories) in [(30, Rows::CATEGORIES), (1, 6 * Rows::CATEGORIES)] {
                let data = Rows::new(&gpu, rows * categories / Rows::CATEGORIES);
                let draws = buffer(&gpu, &vec![0u32; 2 * rows]);
                let batch = DeviceBatch::new(&data.logits, &draws, rows as u32, categories as u32);
                let bound = gpu.bind(&batch.with_draws(2))?;
                let numbers = [0u32, 5, (1 << 31) - 2, 7];
                let steps = buffer(&gpu, &numbers);
                let bytes = 8 * rows as u64;
                let taken = buffer(&gpu, &vec![0u32; 2 * rows * 2 * numbers.len()]);
                let mut encoder = gpu.device().create_command_encoder(&Default::default());
                let mut expected = Vec::new();
                for (i, number) in (0..).zip(numbers) {
                    bound.encode_from(&mut encoder, &steps, 4 * i)?;
                    encoder.copy_buffer_to_buffer(&draws, 0, &taken, bytes * 2 * i, bytes);
                    let other = number / 2;
                    match features.is_empty() {
                        true => bound.encode_from(&mut encoder, &steps, 4 * i)?,
                        false => bound.encode(&mut encoder, other)?,
                    }
                    encoder.copy_buffer_to_buffer(&draws, 0, &taken, bytes * (2 * i + 1), bytes);
                    for number in [number, if features.is_empty() { number } else { other }] {
                        let options =
                            SampleOptions::default().with_draws(2).with_first_draw(number);
                        let logits = Logits::new(&data.data, categories)?;
                        expected.extend(CpuSampler::new().sample_rows(logits, &options)?);
                    }
                }
                gpu.queue().submit([encoder.finish()]);
                ensure(read(&gpu, &taken)? == expected, || {
                    format!("{rows} x {categories} for {kind:?} with {features:?}: other draws")
                })?;
            }
        }
    }
    Ok(())
}

fn numbers_that_cannot_be_read(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        let rows = Rows::new(gpu, 3);
        let draws = buffer(gpu, &[0u32; 3]);
        let bound = gpu.bind(&rows.batch(&draws))?;
        let steps = buffer(gpu, &[0u32; 4]);
        let bare = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 16,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        for (steps, offset, problem) in [
            (&bare, 0, "the buffer lacks the usage COPY_SRC; it has BufferUsages(STORAGE)"),
            (&steps, 2, "it is at byte 2, which is no multiple of 4"),
            (&steps, 16, "it is at byte 16, and the buffer has 16 bytes"),
            (
                &steps,
                u64::MAX - 3,
                "it is at byte 18446744073709551612, and the buffer has 16 bytes",
            ),
        ] {
            let got = bound.encode_from(&mut encoder, steps, offset).err().map(|e| e.to_string());
            let words = format!("the number of the first draw cannot be bound: {problem}");
            ensure(got.as_ref() == Some(&words), || format!("{got:?} instead of {words}"))?;
        }
        Ok(())
    })
}

/// Uses one bound batch in two encoders: the one encoded first need not be submitted first.
fn submitted_in_either_order(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        let rows = Rows::new(gpu, 30);
        let draws = buffer(gpu, &[0u32; 30]);
        let taken = [buffer(gpu, &[0u32; 30]), buffer(gpu, &[0u32; 30])];
        let bound = gpu.bind(&rows.batch(&draws))?;
        let commands = || {
            let encode = |(first_draw, taken): (u32, &wgpu::Buffer)| {
                let mut encoder = gpu.device().create_command_encoder(&Default::default());
                bound.encode(&mut encoder, first_draw)?;
                encoder.copy_buffer_to_buffer(&draws, 0, taken, 0, 120);
                Ok(encoder.finish())
            };
            (3..).zip(&taken).map(encode).collect::<Result<Vec<_>, Failed>>()
        };
        for reversed in [false, true] {
            for taken in &taken {
                gpu.queue().write_buffer(taken, 0, &[0xa5; 120]);
            }
            let mut commands = commands()?;
            if reversed {
                commands.reverse();
            }
            gpu.queue().submit(commands);
            for (first_draw, taken) in (3..).zip(&taken) {
                let options = SampleOptions::default().with_first_draw(first_draw);
                let same = read(gpu, taken)? == rows.expected(&options)?;
                ensure(same, || format!("other draws from {first_draw} on, reversed: {reversed}"))?;
            }
        }
        Ok(())
    })
}

/// The draws of one batch choose the rows of the other.
fn two_batches_in_one_pass(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        let (chooser, chosen) = (Rows::new(gpu, 50), Rows::new(gpu, Rows::CATEGORIES));
        let [choices, draws] = [buffer(gpu, &[0u32; 50]), buffer(gpu, &[0u32; 50])];
        let first = gpu.bind(&chooser.batch(&choices).with_seed(1))?;
        let gathered = DeviceBatch::new(&chosen.logits, &draws, 50, Rows::CATEGORIES as u32)
            .with_row_indices(&choices, chosen.rows());
        let second = gpu.bind(&gathered.with_seed(2))?;
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for step in 0..3 {
            first.encode_in(&mut pass, step)?;
            second.encode_in(&mut pass, step)?;
        }
        drop(pass);
        gpu.queue().submit([encoder.finish()]);

        let choices =
            chooser.expected(&SampleOptions::default().with_seed(1).with_first_draw(2))?;
        let data: Vec<_> = choices
            .iter()
            .flat_map(|&row| &chosen.data[row as usize * Rows::CATEGORIES..][..Rows::CATEGORIES])
            .copied()
            .collect();
        let options = SampleOptions::default().with_seed(2).with_first_draw(2);
        let expected =
            CpuSampler::new().sample_rows(Logits::new(&data, Rows::CATEGORIES)?, &options)?;
        ensure(read(gpu, &draws)? == expected, || "other draws".to_owned())
    })
}

/// A bound batch keeps its resources alive, even when the caller's handles are gone.
fn without_its_sampler(adapter: &AdapterReport) -> Result<(), Failed> {
    let another = sampler(adapter, GpuSampler::builder())?;
    let (device, queue) = (another.device().clone(), another.queue().clone());
    let gpu = GpuSampler::builder().build_with_device(device, queue)?;
    let rows = Rows::new(&gpu, 30);
    let expected = rows.expected(&SampleOptions::default())?;
    let draws = buffer(&gpu, &[0u32; 30]);
    let bound = gpu.bind(&rows.batch(&draws))?;
    drop((gpu, rows));
    let mut encoder = another.device().create_command_encoder(&Default::default());
    bound.encode(&mut encoder, 0)?;
    drop(bound);
    another.queue().submit([encoder.finish()]);
    ensure(read(&another, &draws)? == expected, || "other draws".to_owned())
}
