//! All figures, and their tables.

use std::fmt::Write;

use gumbel::ValueFormat;
use gumbel::shaders::{Kernel, Reduction, Variant};

use crate::account::{Account, Turn};
use crate::cost::Class;
use crate::radv::Chip;
use crate::workload::{self, FAMILIES, Program, SHAPES, Shape};
use crate::{Error, Teams};

/// The bytes of the logits that are simulated.
const LOGIT_BYTES: usize = 4;

/// A kernel, as RADV compiles it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Which it is.
    pub variant: Variant,
    /// Its code, as RADV prints it.
    pub assembly: String,
    /// Vector registers, scalar registers, spilled ones of both, waves at once on a SIMD, bytes of workgroup
    /// memory and of code, and instructions.
    pub figures: [u64; 7],
}

/// A shape's accounts.
#[derive(Clone, Debug)]
pub struct Case {
    /// The shape.
    pub shape: Shape,
    /// Of draws, and at temperature 0.
    pub draws: Account,
    /// The price of reading.
    pub argmax: Account,
}

/// What there is to say of a chip, with 64-bit integers or without.
#[derive(Clone, Debug)]
pub struct Build {
    /// The chip's family.
    pub chip: &'static str,
    /// Whether kernels have 64-bit integers.
    pub int64: bool,
    /// The shapes.
    pub cases: Vec<Case>,
    /// The kernels.
    pub kernels: Vec<Compiled>,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The driver.
    pub driver: String,
    /// The chips.
    pub builds: Vec<Build>,
}

impl Report {
    /// Compiles and simulates everything, of these shapes.
    pub fn new(shapes: &[Shape]) -> Result<Self, Error> {
        let mut report = Self { driver: String::new(), builds: vec![] };
        for family in FAMILIES {
            for int64 in [true, false] {
                let chip = Chip::open(family.name, int64)?;
                let mut programs: Vec<Program> = vec![];
                let mut cases = vec![];
                for &shape in shapes {
                    let [draws, argmax] = [false, true].map(|greedy| {
                        account(&chip, family, shape, (greedy, int64), &mut programs)
                    });
                    cases.push(Case { shape, draws: draws?, argmax: argmax? });
                }
                for variant in others(int64) {
                    program(&chip, variant, &mut programs)?;
                }
                let kernels = programs.iter().map(compiled).collect::<Result<_, _>>()?;
                report.builds.push(Build { chip: family.name, int64, cases, kernels });
                report.driver = chip.driver;
            }
        }
        Ok(report)
    }
}

fn account(
    chip: &Chip,
    family: workload::Family,
    shape: Shape,
    (greedy, int64): (bool, bool),
    programs: &mut Vec<Program>,
) -> Result<Account, Error> {
    let race = program(chip, shape.variant(greedy, int64), programs)?;
    let merge = shape.merge(greedy, int64);
    let merge = merge.map(|merge| program(chip, merge, programs)).transpose()?;
    let (race, merge) = (&programs[race], merge.map(|merge| &programs[merge]));
    let simulated = workload::simulate(family, shape, greedy, (race, merge), 0)?;
    Ok(Account::new(race, merge, &simulated))
}

/// The place of a kernel, which is compiled when it is first asked for.
fn program(chip: &Chip, variant: Variant, all: &mut Vec<Program>) -> Result<usize, Error> {
    if let Some(at) = all.iter().position(|program| program.variant == variant) {
        return Ok(at);
    }
    all.push(Program::new(chip, variant)?);
    Ok(all.len() - 1)
}

/// Kernels that are compiled and not simulated: draws from halves, several draws of a row, sums beside draws, and
/// the top k, of rows with noise from the top down and of the longest with flat noise.
fn others(int64: bool) -> Vec<Variant> {
    let all = [SHAPES[0], Shape::new(16_384, 4096, 1)].map(|shape| {
        let stream = shape.variant(false, int64);
        [
            stream,
            Variant { format: ValueFormat::Bf16, ..stream },
            Variant { kernel: Kernel::SeveralDraws, ..stream },
            Variant { kernel: Kernel::Score, ..stream },
            Variant {
                kernel: Kernel::TopK,
                reduction: Reduction::Workgroup,
                workgroup_size: Teams::HARDWARE.shared_workgroup,
                ..stream
            },
        ]
    });
    all.concat()
}

fn compiled(program: &Program) -> Result<Compiled, Error> {
    let of = |name| program.compiled.figure(name);
    Ok(Compiled {
        variant: program.variant,
        assembly: program.compiled.assembly.clone(),
        figures: [
            of("VGPRs")?,
            of("SGPRs")?,
            of("Spilled VGPRs")? + of("Spilled SGPRs")?,
            of("Subgroups per SIMD")?,
            of("LDS size")?,
            of("Code size")?,
            of("Instructions")?,
        ],
    })
}

/// A kernel in a few words.
pub fn name(variant: Variant) -> String {
    // the words of `SeveralDraws`
    let mut name = String::new();
    for letter in format!("{:?}", variant.kernel).chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push(' ');
        }
        name.push(letter.to_ascii_lowercase());
    }
    let Variant { reduction, groups, format, workgroup_size, .. } = variant;
    if groups {
        name += ", groups";
    }
    match reduction {
        Reduction::Alone => name += ", alone",
        // through workgroup memory alone
        Reduction::Workgroup => name += ", no subgroups",
        Reduction::Subgroups => {}
    }
    if format != ValueFormat::F32 {
        let _ = write!(name, ", {format:?}");
    }
    let _ = write!(name, ", {workgroup_size}");
    name
}

/// A row of a Markdown table.
fn row(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn head(text: &mut String, cells: &[&str]) {
    row(text, &cells.iter().map(|cell| cell.to_string()).collect::<Vec<_>>());
    row(text, &cells.iter().map(|_| "---".to_string()).collect::<Vec<_>>());
}

fn units(number: Option<f64>) -> String {
    match number {
        None => String::new(),
        Some(number) if number < 10.0 => format!("{number:.2}"),
        Some(number) if number < 100.0 => format!("{number:.1}"),
        Some(number) => format!("{number:.0}"),
    }
}

impl Build {
    fn integers(&self) -> String {
        if self.int64 { "with" } else { "without" }.into()
    }
}

/// The waves' accounts.
pub fn accounts(report: &Report) -> String {
    let mut text = String::new();
    let mut columns = vec![
        "rows × categories",
        "parts × team",
        "chip",
        "int64",
        "units a logit",
        "opening",
        "opening, exact",
        "turns",
        "upper scores, or queueing",
        "exact, or settling",
        "end",
        "merge",
    ];
    // a GPU's teams have no such turns in rows of the usual shapes
    let mut cases = report.builds.iter().flat_map(|build| &build.cases);
    let enter = cases.any(|case| case.draws.share_entered().is_some());
    if enter {
        columns.push("turns that enter");
    }
    columns.push("argmax");
    head(&mut text, &columns);
    for (i, Case { shape, .. }) in report.builds[0].cases.iter().enumerate() {
        for build in &report.builds {
            let Case { draws, argmax, .. } = &build.cases[i];
            let (parts, lanes) = shape.teams(false);
            let mut cells = vec![shape.name(), format!("{parts} × {lanes}"), build.chip.into()];
            cells.extend([build.integers(), units(Some(draws.units_a_logit()))]);
            cells.extend(draws.regions.all().map(|of| match of {
                0 => String::new(),
                of => units(Some(draws.a_logit(of))),
            }));
            if enter {
                let share = draws.share_entered();
                cells.push(share.map_or(String::new(), |of| format!("{:.0} %", 100.0 * of)));
            }
            cells.push(units(Some(argmax.units_a_logit())));
            row(&mut text, &cells);
        }
    }
    text
}

/// The loop's turns.
pub fn turns(report: &Report) -> String {
    let classes = [
        ("full rate", Class::Full),
        ("64-bit shifts", Class::Wide),
        ("products", Class::Product),
        ("transcendental", Class::Transcendental),
        ("workgroup memory", Class::Workgroup),
        ("scalar", Class::Scalar),
        ("jumps", Class::Branch),
        ("waits", Class::Wait),
    ];
    let mut text = String::new();
    let mut columns = vec!["kernel", "chip", "int64", "units a logit of a turn", "logits", "loads"];
    columns.extend(classes.map(|(name, _)| name));
    head(&mut text, &columns);
    for build in &report.builds {
        // the first shape has the longest rows
        let Some(Case { shape, draws, argmax }) = build.cases.first() else { continue };
        for (account, greedy) in [(draws, false), (argmax, true)] {
            let turn = &account.turn;
            let variant = shape.variant(greedy, build.int64);
            let logits = turn.loads.iter().sum::<usize>() / LOGIT_BYTES;
            let mut cells = vec![name(variant), build.chip.into(), build.integers()];
            cells.extend([
                units(account.turn_a_logit(LOGIT_BYTES)),
                logits.to_string(),
                loads(turn),
            ]);
            cells.extend(classes.map(|(_, class)| turn.of(class).to_string()));
            row(&mut text, &cells);
        }
    }
    text
}

/// `4 of 16 bytes`.
fn loads(turn: &Turn) -> String {
    let mut sizes = turn.loads.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let count = |size| turn.loads.iter().filter(|&&load| load == size).count();
    let each: Vec<_> =
        sizes.into_iter().map(|size| format!("{} of {size} bytes", count(size))).collect();
    each.join(", ")
}

/// The kernels.
pub fn kernels(report: &Report) -> String {
    let mut text = String::new();
    head(
        &mut text,
        &[
            "kernel, workgroup",
            "chip",
            "int64",
            "VGPRs",
            "SGPRs",
            "spilled",
            "waves a SIMD",
            "workgroup memory, bytes",
            "code, bytes",
            "instructions",
        ],
    );
    for build in &report.builds {
        for kernel in &build.kernels {
            let mut cells = vec![name(kernel.variant), build.chip.into(), build.integers()];
            cells.extend(kernel.figures.map(|figure| figure.to_string()));
            row(&mut text, &cells);
        }
    }
    text
}

/// The whole page of results.
pub fn page(report: &Report, date: &str) -> String {
    let [accounts, turns, kernels] = [accounts(report), turns(report), kernels(report)];
    format!(
        "# What the kernels cost on AMD's instruction sets, {date}\n\n\
         `scripts/isa --write`; {}, with no device. Nothing here is a time.\n\n\
         ## Units of a whole wave\n\n{accounts}\n\
         ## A turn of the loop in which nothing may win\n\n{turns}\n\
         ## Kernels\n\n{kernels}",
        report.driver
    )
}
