//! A prototype, which is in no kernel of the library: noise that is revealed from the top down.
//!
//! The first of 16 alarms rings 16 times as early as one alone, and which of them it is does not depend on when.
//! So a category gets its noise in two steps: its group's first alarm, and if it is not the one that rings
//! first, by how much later it rings. A group of which not even the largest logit may win with the group's first
//! alarm is done, and most are.
//!
//! The definition is `tools/topdown`'s. [`Batch`] has the rows on which waves of `topdown/draw.wgsl` must draw what the
//! definition says, and [`print`] the tables.

mod batch;
mod report;

use gumbel::noise::bits::Stream;
use gumbel::shaders;

pub use batch::{Batch, reference};
pub use report::print;

use crate::Error;
use crate::listing::Listing;
use crate::machine::{Counts, LANES};
use crate::memory::Memory;
use crate::radv::{Chip, Compiled};
use crate::spirv::{self, Shader};
use crate::workload::{self, Begin, Family, SEED};

/// A compiled kernel.
#[derive(Debug)]
pub struct Program {
    shader: Shader,
    /// What RADV says of it.
    pub compiled: Compiled,
    /// Its code.
    pub listing: Listing,
}

/// The kernel's text. If it counts, it writes how many groups and members it took.
pub fn source(int64: bool, bf16: bool, counted: bool) -> String {
    let four = match bf16 {
        false => include_str!("../topdown/four.f32.wgsl"),
        true => include_str!("../topdown/four.bf16.wgsl"),
    };
    [
        format!("const COUNTED: bool = {counted};\n").as_str(),
        &shaders::noise_source(int64),
        include_str!("../../../shaders/filter.wgsl"),
        include_str!("../topdown/noise.wgsl"),
        four,
        include_str!("../topdown/four.wgsl"),
        include_str!("../topdown/draw.wgsl"),
    ]
    .join("\n")
}

/// The bits of a word's upper half, which has a bf16 as a float has it.
const HIGH: u32 = 0xffff_0000;

/// The invocations of a workgroup.
const WORKGROUP: u32 = 256;

impl Program {
    /// Compiles it.
    pub fn new(chip: &Chip, source: &str, int64: bool) -> Result<Self, Error> {
        let shader = spirv::compile(source, int64)?;
        let compiled = chip.compile(&shader, "draw")?;
        if compiled.wave as usize != LANES {
            return Err(format!("waves of {} lanes, and not of {LANES}", compiled.wave).into());
        }
        let listing = Listing::parse(&compiled.assembly)?;
        Ok(Self { shader, compiled, listing })
    }
}

/// Plays a batch, and holds what waves draw against the definition. How often instructions were issued, and what the
/// kernel counts if it does.
pub fn simulate(
    family: Family,
    program: &Program,
    batch: &Batch,
    bf16: bool,
) -> Result<(Counts, [u64; 4]), Error> {
    let rows = batch.rows();
    let mut memory = Memory::default();
    let logits: Vec<u32> = batch.logits.iter().map(|logit| logit.to_bits()).collect();
    let bits = match bf16 {
        false => logits.clone(),
        true => logits.chunks(2).map(|two| two[0] >> 16 | two[1] & HIGH).collect(),
    };
    let logits: Vec<f32> = logits
        .into_iter()
        .map(|bits| f32::from_bits(if bf16 { bits & HIGH } else { bits }))
        .collect();
    let mut uniform = vec![0; program.shader.uniform_bytes.div_ceil(4) as usize];
    let reciprocal = batch.scale.reciprocal();
    let slope = reciprocal * (2f32.powi(23) * std::f32::consts::LOG2_E);
    for (name, offset) in &program.shader.fields {
        uniform[*offset as usize / 4] = match name.as_str() {
            "seed" => SEED as u32,
            "first_row" | "draw" => 0,
            "rows" => rows as u32,
            "categories" | "row_stride" => batch.categories as u32,
            "scale" => reciprocal.to_bits(),
            "slope" => slope.to_bits(),
            "clamp_bits" => (2f32.powi(100) / slope).to_bits(),
            _ => return Err(format!("the uniform has a field {name}").into()),
        };
    }
    let buffers = [
        ("run", uniform),
        ("logits", bits),
        ("outcomes", vec![0; 4 * rows]),
        ("draws", vec![0; rows]),
    ];
    for (i, (name, words)) in buffers.into_iter().enumerate() {
        let at = (i as u64 + 1) << 32;
        memory.put(at, words);
        workload::bind_buffer(&mut memory, &program.shader, name, at)?;
    }
    let begin = Begin { workgroup_size: WORKGROUP, immediates: false };
    let mut counts = Counts::new();
    for row in 0..rows {
        let grid = [rows as u32, 1];
        workload::run_workgroup(
            family,
            &mut memory,
            begin,
            &program.listing,
            row,
            grid,
            &mut counts,
        )
        .map_err(|e| format!("{}, {}: {e}", family.name, batch.name))?;
    }
    let drawn = memory.at(4 << 32).unwrap_or(&[]);
    for (row, (logits, drawn)) in logits.chunks(batch.categories).zip(drawn).enumerate() {
        let stream = Stream::new(SEED, row as u64, 0);
        let wanted = reference(logits, stream, batch.scale).unwrap_or(u32::MAX);
        if wanted != *drawn {
            let name = &batch.name;
            return Err(format!(
                "{}, row {row} of {name}: waves draw {drawn}, and the definition {wanted}",
                family.name
            )
            .into());
        }
    }
    let counted = memory.at(3 << 32).unwrap_or(&[]).chunks(4);
    let sums = counted
        .fold([0; 4], |sums: [u64; 4], of| std::array::from_fn(|i| sums[i] + u64::from(of[i])));
    Ok((counts, sums))
}
