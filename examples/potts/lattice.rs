//! A Potts lattice on a device: Gibbs sampling without a transfer to the host.
//!
//! All neighbours of a site have the other colour of a checkerboard, so all sites of one colour can
//! be drawn anew at once. A half sweep is two dispatches: one counts the neighbours in each state,
//! which are the logits, and gumbel draws. The draws *are* the states of that colour: the next half
//! sweep counts from the buffer of draws.

use std::error::Error;

use gumbel::{BoundBatch, DeviceBatch, GpuSampler, wgpu};

/// The shader that counts and measures.
pub(crate) const SHADER: &str = include_str!("potts.wgsl");

/// The number of invocations of a workgroup along either side.
const WORKGROUP: u32 = 8;
/// The number of sweeps in one submission.
const SWEEPS_PER_SUBMISSION: u32 = 128;

/// The temperature at which a lattice of infinite size loses its order (Potts 1952; in units of the
/// energy of a bond).
pub(crate) fn critical_temperature(states: u32) -> f64 {
    1.0 / f64::from(states).sqrt().ln_1p()
}

/// The simulated system: a square of `side` × `side` sites with periodic borders, `side` being
/// even, whose energy is −1 for every two neighbours in the same of the `states` states (2 to 64).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    pub(crate) side: u32,
    pub(crate) states: u32,
    pub(crate) temperature: f32,
    pub(crate) seed: u64,
}

/// The counts at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// The number of sites in each state.
    pub(crate) sites: Vec<u32>,
    /// The number of pairs of neighbours in the same state.
    pub(crate) equal_bonds: u32,
}

impl Record {
    /// Returns 1 if all sites are in the same state, 0 if each state has as many sites as the
    /// others.
    pub(crate) fn magnetisation(&self) -> f64 {
        let states = self.sites.len() as f64;
        let most = self.sites.iter().max().map_or(0.0, |&most| f64::from(most));
        (states * most / self.number_of_sites() - 1.0) / (states - 1.0)
    }

    /// Returns the energy per site.
    pub(crate) fn energy(&self) -> f64 {
        -f64::from(self.equal_bonds) / self.number_of_sites()
    }

    fn number_of_sites(&self) -> f64 {
        self.sites.iter().map(|&sites| f64::from(sites)).sum()
    }
}

/// A lattice on a device. All its sites are in state 0 at first.
#[derive(Debug)]
pub(crate) struct Lattice {
    model: Model,
    /// The states of the black sites and of the white ones, which are also gumbel's draws.
    colours: [wgpu::Buffer; 2],
    half_sweeps: [HalfSweep; 2],
    records: wgpu::Buffer,
    measure: wgpu::ComputePipeline,
    measured: wgpu::BindGroup,
}

/// A new draw of all sites of one colour.
#[derive(Debug)]
struct HalfSweep {
    count: wgpu::ComputePipeline,
    counted: wgpu::BindGroup,
    draw: BoundBatch,
}

impl Lattice {
    /// A lattice with memory for this many records.
    pub(crate) fn new(
        sampler: &GpuSampler,
        model: Model,
        records: u32,
        shader: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let Model { side, states, temperature, seed } = model;
        if !(2..=1 << 14).contains(&side) || side % 2 == 1 || !(2..=64).contains(&states) {
            let problem = "the side must be even, 2 to 16384, and the states 2 to 64";
            return Err(format!("{side} x {side} sites, {states} states: {problem}").into());
        }
        let device = sampler.device();
        let sites_of_a_colour = side * side / 2;
        // gumbel loads rows faster that start at multiples of 16 bytes
        let stride = states.next_multiple_of(4);
        let [black, white, logits, records] = [
            sites_of_a_colour,
            sites_of_a_colour,
            sites_of_a_colour * stride,
            records * (states + 1),
        ]
        .map(|words| buffer(device, words));

        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("potts"),
            source: wgpu::ShaderSource::Wgsl(shader.into()),
        });
        let pipeline = |entry_point, own: &[(&str, f64)]| {
            let constants = [&[("SIDE", side.into()), ("STATES", states.into())], own].concat();
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry_point),
                layout: None,
                module: &module,
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    ..Default::default()
                },
                cache: None,
            })
        };

        let half_sweep = |colour: u32, own, others| -> Result<_, Box<dyn Error>> {
            let constants = [("COLOUR", colour.into()), ("STRIDE", stride.into())];
            let count = pipeline("count_neighbours", &constants);
            let batch = DeviceBatch::new(&logits, own, sites_of_a_colour, states)
                .with_row_stride(stride)
                .with_seed(seed)
                // the number of a site among all of both colours, so that no two share their noise
                .with_first_row(u64::from(colour * sites_of_a_colour))
                .with_temperature(temperature);
            let draw = sampler.bind(&batch)?;
            let counted = bind(device, &count, &[(0, others), (1, &logits)]);
            Ok(HalfSweep { count, counted, draw })
        };
        let half_sweeps = [half_sweep(0, &black, &white)?, half_sweep(1, &white, &black)?];
        let measure = pipeline("measure", &[]);
        let measured = bind(device, &measure, &[(0, &white), (2, &black), (3, &records)]);
        Ok(Self { model, colours: [black, white], half_sweeps, records, measure, measured })
    }

    /// Draws all sites anew, first the black ones.
    pub(crate) fn sweep(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        sweep: u32,
    ) -> Result<(), gumbel::Error> {
        for HalfSweep { count, counted, draw } in &self.half_sweeps {
            self.for_each_cell(pass, count, counted, None);
            // each sweep takes the next draw of every site
            draw.encode_in(pass, sweep)?;
        }
        Ok(())
    }

    /// Counts states and bonds into a record, which must not be in use.
    pub(crate) fn measure(&self, pass: &mut wgpu::ComputePass<'_>, record: u32) {
        self.for_each_cell(pass, &self.measure, &self.measured, Some(record));
    }

    fn for_each_cell(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        pipeline: &wgpu::ComputePipeline,
        bindings: &wgpu::BindGroup,
        immediate: Option<u32>,
    ) {
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, bindings, &[]);
        if let Some(immediate) = immediate {
            pass.set_immediates(0, &immediate.to_le_bytes());
        }
        let side = self.model.side;
        pass.dispatch_workgroups((side / 2).div_ceil(WORKGROUP), side.div_ceil(WORKGROUP), 1);
    }

    /// Waits for the device. Returns the states of all sites, row by row.
    pub(crate) fn states(&self, sampler: &GpuSampler) -> Result<Vec<u32>, Box<dyn Error>> {
        let [black, white] = &self.colours;
        let (black, white) = (read(sampler, black)?, read(sampler, white)?);
        let side = self.model.side as usize;
        let state = |site: usize| {
            let (x, y) = (site % side, site / side);
            let colour = if (x + y).is_multiple_of(2) { &black } else { &white };
            colour[y * (side / 2) + x / 2]
        };
        Ok((0..side * side).map(state).collect())
    }

    /// Waits for the device. Returns the first records, as many as asked for.
    pub(crate) fn records(
        &self,
        sampler: &GpuSampler,
        count: usize,
    ) -> Result<Vec<Record>, Box<dyn Error>> {
        let states = self.model.states as usize;
        let words = read(sampler, &self.records)?;
        let record =
            |words: &[u32]| Record { sites: words[..states].to_vec(), equal_bonds: words[states] };
        Ok(words.chunks(states + 1).take(count).map(record).collect())
    }
}

/// Sweeps all lattices, and fills a record after each `interval` sweeps. Reads nothing back, and
/// waits only if the device is too far behind.
pub(crate) fn run(
    sampler: &GpuSampler,
    lattices: &[Lattice],
    sweeps: u32,
    interval: u32,
) -> Result<(), Box<dyn Error>> {
    let mut before = None;
    let mut sweep = 0;
    while sweep < sweeps {
        let mut encoder = sampler.device().create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for _ in 0..SWEEPS_PER_SUBMISSION.min(sweeps - sweep) {
            for lattice in lattices {
                lattice.sweep(&mut pass, sweep)?;
                if (sweep + 1).is_multiple_of(interval) {
                    lattice.measure(&mut pass, sweep / interval);
                }
            }
            sweep += 1;
        }
        drop(pass);
        let submission = sampler.queue().submit([encoder.finish()]);
        if let Some(submission_index) = before.replace(submission) {
            let poll =
                wgpu::PollType::Wait { submission_index: Some(submission_index), timeout: None };
            sampler.device().poll(poll)?;
        }
    }
    Ok(())
}

/// Creates a buffer of zeros.
fn buffer(device: &wgpu::Device, words: u32) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("potts"),
        size: 4 * u64::from(words),
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    })
}

fn bind(
    device: &wgpu::Device,
    pipeline: &wgpu::ComputePipeline,
    buffers: &[(u32, &wgpu::Buffer)],
) -> wgpu::BindGroup {
    let entries: Vec<_> = buffers
        .iter()
        .map(|&(binding, buffer)| wgpu::BindGroupEntry {
            binding,
            resource: buffer.as_entire_binding(),
        })
        .collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("potts"),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    })
}

/// Returns a buffer's words, once everything that was submitted is done.
fn read(sampler: &GpuSampler, buffer: &wgpu::Buffer) -> Result<Vec<u32>, Box<dyn Error>> {
    let device = sampler.device();
    let copy = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size: buffer.size(),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &copy, 0, None);
    sampler.queue().submit([encoder.finish()]);
    let (sender, receiver) = std::sync::mpsc::channel();
    copy.map_async(wgpu::MapMode::Read, .., move |mapped| {
        // the receiver waits below
        let _ = sender.send(mapped);
    });
    device.poll(wgpu::PollType::wait_indefinitely())?;
    receiver.recv()??;
    Ok(bytemuck::cast_slice(&copy.get_mapped_range(..)?).to_vec())
}
