//! A prototype, which is in no kernel of the library: noise that is revealed from the top down.
//!
//! The first of 16 alarms rings 16 times as early as one alone, and which of them it is does not depend on when.
//! So a category gets its noise in two steps: its group's first alarm, and if it is not the one that rings
//! first, by how much later it rings. A group of which not even the largest logit may win with the group's first
//! alarm is done, and most are.
//!
//! This module has the definition, in plain words, and the batches on which `topdown/draw.wgsl` is held against it.

use std::fmt::Write;
use std::path::Path;

use gumbel::noise::bits::Stream;
use gumbel::noise::gumbel::gumbel;
use gumbel::noise::order::{self, Best, Scale};
use gumbel::noise::philox::philox4x32_10;
use gumbel::noise::wide::mul_high;
use gumbel::shaders;

use crate::Error;
use crate::account::loops;
use crate::cost;
use crate::listing::{Listing, Operation};
use crate::machine::{Counts, LANES};
use crate::memory::Memory;
use crate::radv::{Chip, Compiled};
use crate::spirv::{self, Shader};
use crate::workload::{self, Begin, FAMILIES, Family, SEED, grouped};

/// Where the counters of blocks begin: of first alarms, of further bits of them, and of members.
const OF_GROUPS: u32 = 1 << 30;
const OF_REST: u32 = 3 << 29;
const OF_MEMBERS: u32 = 1 << 31;

/// The words of 16(1 − (1 − u)^(1/16))/u − 1, divided by x = 2u, in 1 − x; highest power first.
const RISE: [u32; 10] = [
    0x0054_22dc,
    0x0206_562f,
    0x05da_1d46,
    0x0afa_553c,
    0x0ff7_b03e,
    0x14ab_f0c6,
    0x1a5a_25d5,
    0x232d_54e3,
    0x33aa_3837,
    0x5b50_5d52,
];
/// 2^(−1/16), 2^(−2/16), 2^(−4/16) and 2^(−8/16) as 0.32 fractions.
const ROOTS: [u32; 4] = [0xf525_7d15, 0xeac0_c6e8, 0xd744_fccb, 0xb504_f334];

fn block(stream: Stream, first: u32) -> [u32; 4] {
    philox4x32_10([first, stream.row[0], stream.row[1], stream.draw << 1], stream.key)
}

fn rise(x: u32) -> u32 {
    let x = x & !31;
    let s = RISE[1..].iter().fold(RISE[0], |sum, &word| word.wrapping_sub(mul_high(sum, !x)));
    mul_high(x, s)
}

/// P = 1 − (1 − u)^(1/16) as a 0.64 fraction, of 60 bits of u.
fn first_alarm(u: u64) -> u64 {
    if u < 1 << 59 {
        let r = u64::from(rise((u >> 27) as u32));
        return u + (u >> 32) * r + (((u & 0xffff_ffff) * r) >> 32);
    }
    // 1 − u = n / 2⁶¹ = 2^−z·(1 − x/2), in the middle of u's last unit, so that n is odd
    let n = (1u64 << 61) - (2 * u + 1);
    let zeros = n.leading_zeros();
    let z = zeros - 3;
    let x = (!(n << zeros) >> 31) as u32;
    let mut c = !((x >> 5) + (mul_high(x, rise(x)) >> 5));
    for (i, root) in ROOTS.into_iter().enumerate() {
        if z >> i & 1 == 1 {
            c = mul_high(c, root);
        }
    }
    u64::from(!(c >> (z >> 4))) << 32
}

/// P + Q − ⌈P·Q⌉ of 0.64 fractions: V of a member that does not ring first.
fn later_alarm(p: u64, q: u64) -> u64 {
    let product = u128::from(p) * u128::from(q);
    let up = u64::from(product as u64 != 0);
    p.wrapping_add(q).wrapping_sub((product >> 64) as u64 + up)
}

/// The winner of a row, by the keys of all categories. None if there is none.
pub fn reference(row: &[f32], stream: Stream, scale: Scale) -> Option<u32> {
    if row.iter().any(|logit| order::is_invalid(logit.to_bits())) {
        return None;
    }
    let mut best = Best::NONE;
    for (span, values) in row.chunks(256).enumerate() {
        let blocks = |from: u32| -> Vec<[u32; 4]> {
            (0..4).map(|i| block(stream, from + 4 * span as u32 + i)).collect()
        };
        let (words, rest) = (blocks(OF_GROUPS), blocks(OF_REST));
        let at = |blocks: &[[u32; 4]], l: usize| blocks[l / 4][l % 4];
        let alarms: [(u64, u32); 16] = std::array::from_fn(|l| {
            let word = at(&words, l);
            let u = u64::from(word >> 4) << 32 | u64::from(at(&rest, l));
            (first_alarm(u), word & 15)
        });
        for (i, logit) in values.iter().enumerate() {
            if *logit == f32::NEG_INFINITY {
                continue;
            }
            let category = (256 * span + i) as u32;
            let (p, first) = alarms[i % 16];
            let v = if first == category >> 4 & 15 {
                p
            } else {
                let block = block(stream, OF_MEMBERS + (category >> 5 << 4 | category & 15));
                let half = 2 * (category as usize >> 4 & 1);
                later_alarm(p, u64::from(block[half + 1]) << 32 | u64::from(block[half]))
            };
            let key = order::key(logit.to_bits(), scale, gumbel(v));
            best = best.or(Best { key, category });
        }
    }
    (best != Best::NONE).then_some(best.category)
}

/// A batch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// In a few words.
    pub name: String,
    /// Of a row, a multiple of four.
    pub categories: usize,
    /// Row after row.
    pub logits: Vec<f32>,
    /// The reciprocal of the temperature.
    pub scale: Scale,
}

impl Batch {
    fn rows(&self) -> usize {
        self.logits.len() / self.categories
    }

    fn of(name: &str, rows: usize, categories: usize, f: impl Fn(usize, f32) -> f32) -> Self {
        let normal = workload::logits(rows * categories);
        let logits = normal.into_iter().enumerate().map(|(i, x)| f(i % categories, x)).collect();
        let name = format!("{} categories, {name}", grouped(categories));
        Self { name, categories, logits, scale: Scale::ONE }
    }

    fn at(self, temperature: f32) -> Self {
        let scale = Scale::from_temperature(temperature).expect("a temperature above 0");
        Self { name: format!("{}, temperature {temperature}", self.name), scale, ..self }
    }

    fn sorted(mut self, falling: bool) -> Self {
        for row in self.logits.chunks_mut(self.categories) {
            row.sort_by(f32::total_cmp);
            if falling {
                row.reverse();
            }
        }
        self
    }

    /// Those of which the price is told.
    pub fn measured() -> Vec<Self> {
        vec![
            Self::of("normal, spread 3", 48, 128_256, |_, x| x),
            Self::of("flat", 4, 128_256, |_, _| 0.5),
            Self::of("normal, spread 1", 2, 128_256, |_, x| x / 3.0),
            Self::of("normal, spread 5", 2, 128_256, |_, x| x * 5.0 / 3.0),
            Self::of("normal, spread 3, all below 0", 2, 128_256, |_, x| x - 40.0),
            Self::of("normal, spread 3, rising by 12", 2, 128_256, |i, x| x + i as f32 / 10_688.0),
            Self::of("normal, spread 3, in rising order", 1, 128_256, |_, x| x).sorted(false),
            Self::of("normal, spread 3, in falling order", 1, 128_256, |_, x| x).sorted(true),
            // of 20 that lead, the first by most
            Self::of("like a language model's", 4, 128_256, |i, x| {
                let lead = if i % 6413 == 17 { 14.0 - 0.4 * (i / 6413) as f32 } else { 0.0 };
                x * 2.5 / 3.0 + lead
            }),
            Self::of("normal, spread 3", 8, 32_000, |_, x| x),
            Self::of("normal, spread 3", 16, 8192, |_, x| x),
            Self::of("normal, spread 3", 32, 4096, |_, x| x),
            Self::of("normal, spread 3", 64, 1024, |_, x| x),
        ]
    }

    /// Those that are awkward.
    pub fn awkward() -> Vec<Self> {
        let infinite = f32::NEG_INFINITY;
        vec![
            Self::of("an end within a span", 100, 5004, |_, x| x),
            Self::of("all below 0", 16, 5004, |_, x| x - 40.0),
            Self::of("so many as one turn", 20, 16_384, |_, x| x),
            Self::of("normal, spread 3", 16, 8192, |_, x| x).at(0.3),
            Self::of("normal, spread 3", 16, 8192, |_, x| x).at(3.0),
            Self::of("less than a group", 16, 8, |_, x| x),
            Self::of("less than a span", 16, 200, |_, x| x),
            Self::of("by steps", 4, 65_536, |i, x| x + (i / 16_384) as f32 * 40.0),
            Self::of("steeply rising", 1, 20_480, |i, x| x + i as f32 / 16.0),
            Self::of("steeply falling", 2, 20_480, |i, x| x - i as f32 / 16.0),
            Self::of("seldom not masked", 4, 8192, |i, x| if i % 997 == 3 { x } else { infinite }),
            Self::of("half masked", 4, 8192, |i, x| if i % 16 < 8 { x } else { infinite }),
            Self::of("all masked", 1, 4096, |_, _| infinite),
            Self::of("one leads", 4, 8192, |i, x| if i == 5000 { 40.0 } else { x }),
            Self::of("far from 0", 2, 4096, |_, x| (x * 10.0).round() * 1e30),
            Self::of("ties", 4, 4096, |i, _| (i % 3) as f32 * 16_777_216.0),
            Self::of("one column leads", 4, 8192, |i, x| x + 4.0 * f32::from(i % 16 == 5)),
            Self::of("not a number", 2, 8192, |i, x| if i == 777 { f32::NAN } else { x }),
            Self::of("not a number, negative", 2, 8192, |i, x| if i == 77 { -f32::NAN } else { x }),
            Self::of("plus infinity", 2, 8192, |i, x| if i == 7 { f32::INFINITY } else { x }),
        ]
    }
}

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

/// Where units go, by the barriers that the kernel's text has in this order.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    /// The first turn.
    pub opening: u64,
    /// The loop, in every turn,
    pub turns: u64,
    /// and where groups are queued.
    pub queued: u64,
    /// Groups of the queue, with what the settling of an empty queue costs.
    pub groups: u64,
    /// Members of the queue, and the keys of those that are evaluated exactly.
    pub members: u64,
    /// Outcomes.
    pub end: u64,
    /// Turns, and those that queue something.
    pub took: [u64; 2],
}

impl Phases {
    /// Those of a simulation.
    pub fn of(listing: &Listing, counts: &[u64]) -> Self {
        let code = &listing.instructions;
        let mut segments = vec![vec![]];
        for (i, of) in code.iter().enumerate() {
            if matches!(of.operation, Operation::Barrier) {
                segments.push(vec![]);
            }
            segments.last_mut().expect("there is one").push(i);
        }
        let units = |i: usize| cost::units(&code[i]) * counts[i];
        let all = |of: &[usize]| of.iter().map(|&i| units(i)).sum::<u64>();
        let mut phases = Self::default();
        let begin = segments.get(2).and_then(|of| {
            loops(listing).into_iter().map(|(begin, _)| begin).filter(|i| of.contains(i)).min()
        });
        for (n, segment) in segments.iter().enumerate() {
            match n {
                0 | 1 => phases.opening += all(segment),
                2 => {
                    let begin = begin.unwrap_or(usize::MAX);
                    let (before, stream): (Vec<usize>, Vec<usize>) =
                        segment.iter().partition(|&&i| i < begin);
                    phases.opening += all(&before);
                    let loads = |i: &&usize| code[**i].name.starts_with("buffer_load");
                    let turns = stream.iter().filter(loads).map(|&i| counts[i]).max().unwrap_or(0);
                    let (every, some): (Vec<usize>, Vec<usize>) =
                        stream.iter().partition(|&&i| counts[i] >= turns);
                    phases.turns = all(&every);
                    phases.queued = all(&some);
                    phases.took = [turns, some.iter().map(|&i| counts[i]).max().unwrap_or(0)];
                }
                9 => phases.members += all(segment),
                3..=12 => phases.groups += all(segment),
                _ => phases.end += all(segment),
            }
        }
        phases
    }
}

/// What is to be told of a batch.
#[derive(Clone, Debug)]
struct Case {
    chip: &'static str,
    int64: bool,
    bf16: bool,
    batch: Batch,
    phases: Phases,
    counted: [u64; 4],
}

/// Prints the tables; the folder, if it is given, gets the machine code.
pub fn print(options: &[&str]) -> Result<bool, Error> {
    let mut cases = vec![];
    let mut kernels = String::new();
    let mut driver = String::new();
    for family in FAMILIES {
        for (int64, bf16) in [(true, false), (false, false), (true, true), (false, true)] {
            let chip = Chip::open(family.name, int64)?;
            let [program, counting] = [false, true]
                .map(|counted| Program::new(&chip, &source(int64, bf16, counted), int64));
            let (program, counting) = (program?, counting?);
            let (format, integers) = names(int64, bf16);
            if let Some(folder) = options.first() {
                std::fs::create_dir_all(folder)?;
                let file = format!("{}-{integers}-int64-{format}.txt", family.name);
                std::fs::write(Path::new(folder).join(file), &program.compiled.assembly)?;
            }
            let mut cells = vec![format.into(), family.name.into(), integers.into()];
            for figure in ["VGPRs", "SGPRs", "Spilled VGPRs", "Spilled SGPRs"] {
                cells.push(program.compiled.figure(figure)?.to_string());
            }
            for figure in ["Subgroups per SIMD", "LDS size", "Code size", "Instructions"] {
                cells.push(program.compiled.figure(figure)?.to_string());
            }
            row(&mut kernels, &cells);
            for batch in Batch::measured() {
                let (counts, _) = simulate(family, &program, &batch, bf16)?;
                let (_, counted) = simulate(family, &counting, &batch, bf16)?;
                let phases = Phases::of(&program.listing, &counts);
                cases.push(Case { chip: family.name, int64, bf16, batch, phases, counted });
            }
            driver = chip.driver;
        }
    }
    println!("{driver}\n\n{}\n{}\n{KERNELS}{kernels}", units(&cases), counts(&cases));
    Ok(true)
}

const KERNELS: &str = "\
| logits | chip | int64 | VGPRs | SGPRs | spilled VGPRs | spilled SGPRs | waves a SIMD | workgroup memory, bytes | code, bytes | instructions |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

fn names(int64: bool, bf16: bool) -> (&'static str, &'static str) {
    (if bf16 { "bf16" } else { "f32" }, if int64 { "with" } else { "without" })
}

fn row(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

/// Units of whole waves for each logit.
fn units(cases: &[Case]) -> String {
    let mut text = "\
| rows | logits | chip | int64 | units a logit | opening | turns | queueing | groups | members, exact keys | end | turns that queue |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"
    .to_string();
    for batch in Batch::measured() {
        for Case { chip, int64, bf16, phases, .. } in
            cases.iter().filter(|c| c.batch.name == batch.name)
        {
            let (format, integers) = names(*int64, *bf16);
            let lanes = LANES as f64 / batch.logits.len() as f64;
            let mut cells =
                vec![batch.name.clone(), format.into(), (*chip).into(), integers.into()];
            let Phases { opening, turns, queued, groups, members, end, .. } = *phases;
            let all = opening + turns + queued + groups + members + end;
            cells.extend(
                [all, opening, turns, queued, groups, members, end]
                    .map(|units| format!("{:.2}", units as f64 * lanes)),
            );
            let [of, took] = phases.took;
            cells.push(match of {
                0 => String::new(),
                _ => format!("{:.0} %", 100.0 * took as f64 / of as f64),
            });
            row(&mut text, &cells);
        }
    }
    text
}

/// What was queued and evaluated, which is the same on all chips but for who comes first.
fn counts(cases: &[Case]) -> String {
    let mut text = "\
| rows | groups of a row | queued | members looked at | evaluated exactly | turns done again |
| --- | --- | --- | --- | --- | --- |
"
    .to_string();
    for Case { batch, counted, .. } in
        cases.iter().filter(|c| c.chip == FAMILIES[0].name && c.int64 && !c.bf16)
    {
        let mut cells = vec![batch.name.clone(), (batch.categories.div_ceil(256) * 16).to_string()];
        cells.extend(counted.map(|count| format!("{:.1}", count as f64 / batch.rows() as f64)));
        row(&mut text, &cells);
    }
    text
}
