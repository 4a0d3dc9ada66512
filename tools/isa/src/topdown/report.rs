//! The tables of the prototype.

use std::fmt::Write;
use std::path::Path;

use super::{Batch, Program, simulate, source};
use crate::Error;
use crate::account::loops;
use crate::cost;
use crate::listing::{Listing, Operation};
use crate::machine::LANES;
use crate::radv::Chip;
use crate::workload::FAMILIES;

/// Where units go, by the barriers that the kernel's text has in this order.
#[derive(Clone, Debug, Default)]
struct Phases {
    /// The first turn.
    opening: u64,
    /// The loop, in every turn,
    turns: u64,
    /// and where groups are queued.
    queued: u64,
    /// Groups of the queue, with what the settling of an empty queue costs.
    groups: u64,
    /// Members of the queue, and the keys of those that are evaluated exactly.
    members: u64,
    /// Outcomes.
    end: u64,
    /// Turns, and those that queue something.
    took: [u64; 2],
}

impl Phases {
    /// The units of a simulation, by phase.
    fn new(listing: &Listing, counts: &[u64]) -> Self {
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

/// A batch on a chip, and its counts.
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
                let phases = Phases::new(&program.listing, &counts);
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
