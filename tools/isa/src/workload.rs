//! The batches that kernels are simulated on, and the state in which a wave begins.

use gumbel::noise::philox::philox4x32_10;
use gumbel::shaders::{Kernel, Reduction, Restriction, Variant};
use gumbel::{CpuSampler, Logits, SampleOptions, ValueFormat};

use crate::Error;
use crate::layout::{self, Device, Layout, Races, Teams};
use crate::listing::Listing;
use crate::machine::{self, Counts, LANES, Wave};
use crate::memory::Memory;
use crate::radv::{Chip, Compiled};
use crate::spirv::{self, Shader};

/// A family of chips, and what RADV hands a wave of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// As `RADV_FORCE_FAMILY` has it.
    pub name: &'static str,
    /// Whether the number of workgroups comes in registers, and not by an address.
    pub grid_in_registers: bool,
}

/// A large RDNA 3, and a large CDNA 3 (for which no Vulkan driver ships).
pub const FAMILIES: [Family; 2] = [
    Family { name: "navi31", grid_in_registers: true },
    Family { name: "gfx940", grid_in_registers: false },
];

/// A batch, of which the first rows are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of the batch.
    pub rows: usize,
    /// Categories of a row, a multiple of four.
    pub categories: usize,
    /// The rows that are simulated.
    pub simulated: usize,
    /// How a GPU shares its races.
    pub teams: Teams,
}

/// The shapes that GPUs are measured in.
pub const SHAPES: [Shape; 7] = [
    Shape::new(256, 128_256, 8),
    Shape::new(65_536, 1024, 64),
    Shape::new(1_000_000, 16, 32 * LANES),
    Shape::new(1_000_000, 32, 1024),
    Shape::new(1_000_000, 100, 512),
    Shape::new(1, 128_256, 1),
    Shape::new(64, 8192, 32),
];

const SEED: u64 = 2026;
/// The spread of the logits, which are normal.
const SPREAD: f64 = 3.0;

/// Where things are in memory: descriptors where RADV's kernels expect them, at 32 bits below the top.
const DESCRIPTORS: u64 = 0xffff_8000_0000_1000;
const GRID: u64 = 0x4000_0000_0000;

impl Shape {
    /// A shape for a GPU.
    pub const fn new(rows: usize, categories: usize, simulated: usize) -> Self {
        Self { rows, categories, simulated, teams: Teams::HARDWARE }
    }

    /// The shape in words.
    pub fn name(self) -> String {
        format!("{} × {}", grouped(self.rows), grouped(self.categories))
    }

    /// How a GPU shares the races of this batch.
    fn layout(self, greedy: bool) -> Layout {
        let groups = layout::has_groups(self.categories);
        let races =
            Races { rows: self.rows, categories: self.categories, draws: 1, greedy, groups };
        let teams = self.teams.within(1024);
        Layout::new(races, Device { teams, subgroups: true, workgroups: 65_535 })
    }

    /// The kernel that a GPU gets for draws, or at temperature 0.
    pub fn variant(self, greedy: bool, int64: bool) -> Variant {
        let layout = self.layout(greedy);
        let Layout { kernel, reduction, workgroup_size, .. } = layout;
        let groups = layout.has_groups();
        let (format, vec4, each, immediates) = (ValueFormat::F32, true, false, true);
        let emulated = false;
        Variant {
            kernel,
            reduction,
            groups,
            format,
            vec4,
            each,
            immediates,
            restriction: Restriction::None,
            int64,
            emulated,
            workgroup_size,
        }
    }

    /// The kernel that joins the parts of its rows, if they are in parts.
    pub fn merge(self, greedy: bool, int64: bool) -> Option<Variant> {
        let race = self.variant(greedy, int64);
        self.layout(greedy).is_cut().then_some(Variant {
            kernel: Kernel::Merge,
            reduction: Reduction::Subgroups,
            groups: false,
            vec4: false,
            immediates: false,
            ..race
        })
    }

    /// The teams that share a row, and the invocations of each.
    pub fn teams(self, greedy: bool) -> (u32, u32) {
        let layout = self.layout(greedy);
        (layout.parts, layout.lanes)
    }
}

/// 1,000,000.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let from_end = |i: usize| digits.len() - i;
    digits.chars().enumerate().fold(String::new(), |mut text, (i, digit)| {
        if i > 0 && from_end(i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

/// A kernel, as a chip runs it.
#[derive(Debug)]
pub struct Program {
    /// Which it is.
    pub variant: Variant,
    shader: Shader,
    /// What RADV says of it.
    pub compiled: Compiled,
    /// Its code.
    pub listing: Listing,
}

impl Program {
    /// Compiles a kernel.
    pub fn new(chip: &Chip, variant: Variant) -> Result<Self, Error> {
        let shader = spirv::compile(&variant.source(), variant.int64)?;
        let compiled = chip.compile(&shader, variant.entry_point())?;
        if compiled.wave as usize != LANES {
            return Err(format!("waves of {} lanes, and not of {LANES}", compiled.wave).into());
        }
        let listing = Listing::parse(&compiled.assembly)?;
        Ok(Self { variant, shader, compiled, listing })
    }
}

/// How often the waves of a shape issued each instruction.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Of the kernel that draws,
    pub race: Counts,
    /// and of the one that joins parts.
    pub merge: Counts,
    /// The waves that drew.
    pub waves: u64,
    /// The logits that they drew from.
    pub logits: u64,
}

/// Normal logits, the same on every machine but for the last bit.
fn logits(count: usize) -> Vec<f32> {
    let number = |word: u32| (f64::from(word) + 0.5) / 2f64.powi(32);
    let pairs = (0..count.div_ceil(2) as u32).flat_map(|i| {
        let [a, b, ..] = philox4x32_10([i, 0, 0, 0], [3, 0]);
        let radius = SPREAD * (-2.0 * number(a).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * number(b)).sin_cos();
        [(radius * cos) as f32, (radius * sin) as f32]
    });
    pairs.take(count).collect()
}

/// Plays the waves of a shape's first rows, with this flag of the uniform's set, and holds what they draw
/// against the CPU engine.
pub fn simulate(
    family: Family,
    shape: Shape,
    greedy: bool,
    (race, merge): (&Program, Option<&Program>),
    flags: u32,
) -> Result<Simulation, Error> {
    let layout = shape.layout(greedy);
    let logits = logits(shape.simulated * shape.categories);
    let mut memory = Memory::default();
    let mut simulated =
        Simulation { race: vec![], merge: vec![], waves: 0, logits: logits.len() as u64 };
    let bits = logits.iter().map(|logit| logit.to_bits()).collect();
    let room = shape.rows * (layout.parts as usize + 1) * 4;
    let outcomes = vec![0; if layout.is_cut() { room } else { 4 }];
    let buffers = [("logits", bits), ("outcomes", outcomes), ("draws", vec![0; shape.rows])];
    for (i, (name, words)) in buffers.into_iter().enumerate() {
        let at = (i as u64 + 2) << 32;
        memory.put(at, words);
        bind(&mut memory, race, name, at)?;
    }
    put_uniform(&mut memory, race, shape, &layout, flags)?;

    let teams = (race.variant.workgroup_size / layout.lanes) as usize;
    let groups = (shape.simulated * layout.parts as usize).div_ceil(teams);
    let waves = race.variant.workgroup_size.div_ceil(LANES as u32);
    let grid = layout.workgroups(shape.rows, 1);
    for group in 0..groups {
        dispatch(family, &mut memory, race, group, grid, &mut simulated.race)?;
    }
    simulated.waves = groups as u64 * u64::from(waves);
    if let Some(merge) = merge {
        // the same buffers under the numbers that this kernel has for them
        let grid = layout.merge_workgroups(shape.rows, 1);
        for group in 0..shape.simulated {
            dispatch(family, &mut memory, merge, group, grid, &mut simulated.merge)?;
        }
    }

    let temperature = if greedy { 0.0 } else { 1.0 };
    let options = SampleOptions::default().with_seed(SEED).with_temperature(temperature);
    let wanted =
        CpuSampler::new().sample_rows(Logits::new(&logits, shape.categories)?, &options)?;
    let drawn = memory.at(4 << 32).unwrap_or(&[]);
    match wanted.iter().zip(drawn).position(|(wanted, drawn)| wanted != drawn) {
        None => Ok(simulated),
        Some(row) => {
            let (drawn, wanted, shape) = (drawn[row], wanted[row], shape.name());
            let why =
                "the kernel is wrong, an interpreter is wrong, or a wave begins in another state";
            Err(format!("row {row} of {shape}: waves draw {drawn}, the CPU engine {wanted}; {why}")
                .into())
        }
    }
}

fn dispatch(
    family: Family,
    memory: &mut Memory,
    program: &Program,
    group: usize,
    grid: [u32; 2],
    counts: &mut Counts,
) -> Result<(), Error> {
    let Program { variant, shader, compiled, listing } = program;
    // the first draw, if it is read: nothing else that is given may be there or not
    let immediates = compiled.given > 8 && shader.immediates;
    let waves = variant.workgroup_size.div_ceil(LANES as u32);
    let group = [group as u32 % grid[0], group as u32 / grid[0]];
    memory.put(GRID, vec![grid[0], grid[1], 1]);
    let waves = (0..waves).map(|wave| {
        // two that kernels without scratch memory do not read, and the descriptors
        let mut scalars = vec![0, 0, DESCRIPTORS as u32];
        if immediates {
            scalars.push(0);
        }
        match family.grid_in_registers {
            true => scalars.extend([grid[0], grid[1], 1]),
            false => scalars.extend([GRID as u32, (GRID >> 32) as u32]),
        }
        scalars.extend(group);
        // which wave of how many, for kernels that ask
        scalars.push(wave << 6 | waves);
        Wave::new(&scalars, wave * LANES as u32)
    });
    let run = machine::run(listing, memory, waves.collect(), counts);
    Ok(run.map_err(|e| format!("in {:?}, {}: {e}", variant.kernel, family.name))?)
}

/// Writes the descriptor of a buffer that is in memory.
fn bind(memory: &mut Memory, program: &Program, name: &str, at: u64) -> Result<(), Error> {
    let binding = program.shader.binding(name);
    let binding = binding.ok_or_else(|| format!("the kernel has no buffer `{name}`"))? as usize;
    let bytes = 4 * memory.at(at).map_or(0, <[u32]>::len) as u32;
    let mut all = memory.at(DESCRIPTORS).map_or(vec![0; 4 * 16], <[u32]>::to_vec);
    all[4 * binding..][..4].copy_from_slice(&[at as u32, (at >> 32) as u32, bytes, 0]);
    memory.put(DESCRIPTORS, all);
    Ok(())
}

/// Fills the uniform, field by field, as src/gpu/kernel.rs does.
fn put_uniform(
    memory: &mut Memory,
    program: &Program,
    shape: Shape,
    layout: &Layout,
    flags: u32,
) -> Result<(), Error> {
    // a power of two in the unit of the filter, and the largest product with a logit; see src/filter.rs
    let slope = 2f32.powi(23) * std::f32::consts::LOG2_E;
    let clamp = 2f32.powi(100) / slope;
    let mut words = vec![0; program.shader.uniform_bytes.div_ceil(4) as usize];
    for (name, offset) in &program.shader.fields {
        words[*offset as usize / 4] = match name.as_str() {
            "seed" => SEED as u32,
            "rows" | "source_rows" => shape.rows as u32,
            "draws" | "record" | "k" => 1,
            "categories" | "row_stride" => shape.categories as u32,
            "lanes" => layout.lanes,
            "parts" => layout.parts,
            "part_octets" => layout.part_octets,
            "draws_at_once" => layout.draws_at_once,
            "scale" => 1f32.to_bits(),
            "slope" => slope.to_bits(),
            "clamp_bits" => clamp.to_bits(),
            "flags" => flags,
            "first_row" | "first_draw" | "first_category" | "first_logit" => 0,
            _ => {
                let what = "the uniform has a new field, which src/workload.rs has to fill";
                return Err(format!("{what}: {name}").into());
            }
        };
    }
    memory.put(1 << 32, words);
    bind(memory, program, "run", 1 << 32)
}
