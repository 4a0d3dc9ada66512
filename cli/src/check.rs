//! `gumbel check`: every engine of this machine against the reference.

use std::io::Write;

use gumbel::conformance::{self, Case, SoftErrors};
use gumbel::{AdapterReport, CpuForm, CpuSampler, GpuSampler, GpuSamplerBuilder, PlanFor, Sampler};

use crate::adapters::{all, kind};
use crate::args::{CPU_HAS_NO_ADAPTER, CheckArgs, CheckedEngine};
use crate::error::Error;
use crate::one_line;
use crate::progress::Progress;

/// What `plain` and `in_pieces` set, for the legend.
const PLAIN: &str = "without subgroups, 64-bit products and mapped memory, laid out as for an \
                     emulated GPU";
const IN_PIECES: &str = "in pieces: at most 1 KiB of logits at once, 3 x 3 workgroups of 64";
/// The floats of the largest case of which soft samples are checked.
const MOST_SOFTENED: usize = 3000;
/// Their τ.
const TAU: f32 = 0.5;
/// Wide enough for the longest case.
const NAME_WIDTH: usize = 64;
/// Wide enough for "9999999 differ".
const CELL_WIDTH: usize = 14;

/// Checks the engines that were asked for. True if each is the reference's equal.
pub(crate) fn run(args: &CheckArgs) -> Result<bool, Error> {
    let candidates = candidates(args)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", version()).map_err(Error::stdout)?;
    let (engines, refused) = legend(candidates, &mut out)?;
    if engines.is_empty() {
        // nothing compared is nothing shown
        writeln!(out, "no engine could be checked").map_err(Error::stdout)?;
        return Ok(false);
    }
    let mut progress = Progress::new(conformance::cases().count() as u64, "cases", true);
    let cases = conformance::cases().map(|case| {
        progress.add(1);
        let expected = case.expected();
        (case, expected)
    });
    let mut tally = compare(cases, &engines, &mut out)?;
    drop(progress);
    let small = conformance::soft_cases().filter(|case| case.work() <= MOST_SOFTENED);
    soften(small, &engines, promise, &mut tally, &mut out)?;
    tally.report(refused, &mut out)
}

/// What a report of a mismatch has to say first.
fn version() -> String {
    use std::env::consts::{ARCH, OS};
    format!("gumbel {} ({OS}, {ARCH})", env!("CARGO_PKG_VERSION"))
}

/// What may become a column of the table.
struct Candidate {
    label: String,
    description: String,
    /// The reason why it has no column, and whether that is a failure.
    engine: Result<Sampler, Refusal>,
}

/// Why an adapter cannot be checked.
struct Refusal {
    reason: String,
    /// False if the adapter is known to lack something: then nobody is promised anything.
    failure: bool,
}

/// A column of the table.
struct Engine {
    label: String,
    sampler: Sampler,
}

fn candidates(args: &CheckArgs) -> Result<Vec<Candidate>, Error> {
    if args.engine == Some(CheckedEngine::Cpu) && args.adapter.is_some() {
        return Err(Error::Usage(CPU_HAS_NO_ADAPTER.to_owned()));
    }
    let mut candidates = Vec::new();
    if args.engine != Some(CheckedEngine::Gpu) {
        for form in CpuForm::ALL.into_iter().filter(|form| form.is_available()) {
            let (label, description) = (format!("cpu/{form}"), format!("the CPU engine, {form}"));
            let engine = CpuSampler::new().with_form(form)?.into();
            candidates.push(Candidate { label, description, engine: Ok(engine) });
        }
    }
    if args.engine != Some(CheckedEngine::Cpu) {
        let reports = all();
        let name = args.adapter.as_deref();
        let chosen: Vec<_> = reports
            .iter()
            .filter(|report| name.is_none_or(|name| report.is_called(name)))
            .collect();
        if chosen.is_empty() && (name.is_some() || args.engine.is_some()) {
            let wanted = match name {
                Some(name) => format!("is called \"{name}\""),
                None => "can be checked".to_owned(),
            };
            let found = reports.iter().map(ToString::to_string).collect();
            return Err(gumbel::Error::NoAdapter { wanted, found }.into());
        }
        for (number, report) in chosen.into_iter().enumerate() {
            let label = format!("gpu{number}");
            let whole = candidate(label.clone(), report, &GpuSampler::builder());
            // what cannot be used as it is cannot be used otherwise
            let usable = whole.engine.is_ok();
            candidates.push(whole);
            for (name, builder, what) in
                [("plain", plain(), PLAIN), ("cut", in_pieces(), IN_PIECES)]
            {
                if usable {
                    let other = candidate(format!("{label}/{name}"), report, &builder);
                    let description = format!("{label} {what}");
                    candidates.push(Candidate { description, ..other });
                }
            }
        }
    }
    Ok(candidates)
}

/// Takes the forms of the kernels that the adapter would not get. (An adapter that emulates a GPU gets
/// those of a GPU in pieces.)
fn plain() -> GpuSamplerBuilder {
    GpuSampler::builder()
        .with_plan_for(PlanFor::Emulation)
        .with_subgroups(false)
        .with_int64(false)
        .with_direct_memory(false)
}

/// Takes the paths through the engine that no case takes by itself, as each fits into a chunk.
///
/// The chunks are the smallest that there are, so that every row of more than 256 categories is cut,
/// which are 16 cases; with 4 KiB, 5. All cases are then 25,000 dispatches: 5 s on Mesa's lavapipe.
fn in_pieces() -> GpuSamplerBuilder {
    GpuSampler::builder()
        .with_chunk_bytes(1 << 10)
        .with_workgroups(3)
        .with_workgroup_size(64)
        .with_plan_for(PlanFor::Hardware)
}

fn candidate(label: String, report: &AdapterReport, builder: &GpuSamplerBuilder) -> Candidate {
    let description = one_line(&format!("{report}, {}", kind(report.info.device_type)));
    let engine = match &report.obstacle {
        Some(obstacle) => Err(Refusal { reason: one_line(obstacle), failure: false }),
        None => report
            .open_with(builder)
            .map(Sampler::from)
            .map_err(|error| Refusal { reason: one_line(&error.to_string()), failure: true }),
    };
    Candidate { label, description, engine }
}

/// Prints which column is which engine, and which engines have none. Returns the columns, and
/// whether an engine has none that should.
fn legend(candidates: Vec<Candidate>, out: &mut dyn Write) -> Result<(Vec<Engine>, bool), Error> {
    let mut engines = Vec::new();
    let mut failed = false;
    let mut adapters = false;
    for Candidate { label, description, engine } in candidates {
        adapters |= engine.as_ref().map_or(true, |sampler| sampler.adapter().is_some());
        match engine {
            Ok(sampler) => {
                writeln!(out, "{label}: {description}").map_err(Error::stdout)?;
                engines.push(Engine { label, sampler });
            }
            Err(Refusal { reason, failure }) => {
                failed |= failure;
                writeln!(out, "{label}: {description} cannot be used: {reason}")
                    .map_err(Error::stdout)?;
            }
        }
    }
    if !adapters {
        writeln!(out, "no adapter is checked").map_err(Error::stdout)?;
    }
    Ok((engines, failed))
}

/// What a run has found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    cases: usize,
    engines: usize,
    mismatches: usize,
    /// What engines said when they failed.
    errors: Vec<String>,
}

/// Prints a line for each case, with a cell for each engine.
fn compare(
    cases: impl Iterator<Item = (Case, Vec<u32>)>,
    engines: &[Engine],
    out: &mut dyn Write,
) -> Result<Tally, Error> {
    let mut tally = Tally { engines: engines.len(), ..Tally::default() };
    let labels = engines.iter().map(|engine| engine.label.clone());
    line(out, "rows x categories: case", labels)?;
    for (case, expected) in cases {
        tally.cases += 1;
        let cells: Vec<_> = engines
            .iter()
            .map(|engine| match case.mismatches(&engine.sampler, &expected) {
                Ok(0) => "ok".to_owned(),
                Ok(count) => {
                    tally.mismatches += count;
                    format!("{count} differ")
                }
                Err(error) => {
                    let error = one_line(&error.to_string());
                    tally.errors.push(format!("{} failed on {case}: {error}", engine.label));
                    "error".to_owned()
                }
            })
            .collect();
        line(out, &case.to_string(), cells.into_iter())?;
    }
    Ok(tally)
}

/// Prints how far soft samples and their gradients are off at most, a cell for each engine. To be further off
/// than the engine promises is an error.
fn soften(
    cases: impl Iterator<Item = Case>,
    engines: &[Engine],
    promise: impl Fn(&Sampler) -> SoftErrors,
    tally: &mut Tally,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut worst = vec![SoftErrors::default(); engines.len()];
    for case in cases {
        for (Engine { label, sampler }, worst) in engines.iter().zip(&mut worst) {
            match case.soften(sampler, TAU) {
                Ok(errors) => {
                    *worst = worst.or(errors);
                    if !errors.are_within(promise(sampler)) {
                        let SoftErrors { samples, gradients } = errors;
                        tally.errors.push(format!(
                            "{label} is off by {samples:.1e} in soft samples and by {gradients:.1e} in \
                             gradients of {case}"
                        ));
                    }
                }
                Err(error) => {
                    let error = one_line(&error.to_string());
                    tally.errors.push(format!("{label} failed on soft samples of {case}: {error}"));
                }
            }
        }
    }
    let cells = worst.iter().map(|worst| format!("{:.1e}", worst.samples.max(worst.gradients)));
    line(out, "soft samples and gradients, at most off by", cells)
}

/// How near an engine promises to be to the reference.
fn promise(engine: &Sampler) -> SoftErrors {
    if engine.adapter().is_some() { SoftErrors::GPU } else { SoftErrors::CPU }
}

fn line(out: &mut dyn Write, name: &str, cells: impl Iterator<Item = String>) -> Result<(), Error> {
    let mut text = format!("{name:NAME_WIDTH$}");
    for cell in cells {
        text.push_str(&format!("  {cell:CELL_WIDTH$}"));
    }
    writeln!(out, "{}", text.trim_end()).map_err(Error::stdout)
}

impl Tally {
    /// Prints the errors and the sum. True if all is well; `refused` says that an engine that
    /// should be in the table is not.
    fn report(&self, refused: bool, out: &mut dyn Write) -> Result<bool, Error> {
        for error in &self.errors {
            writeln!(out, "{error}").map_err(Error::stdout)?;
        }
        let Self { cases, engines, mismatches, errors } = self;
        let errors = match errors.len() {
            0 => String::new(),
            count => format!(", {count} errors"),
        };
        let plural = if *engines == 1 { "" } else { "s" };
        writeln!(out, "{cases} cases on {engines} engine{plural}, {mismatches} mismatches{errors}")
            .map_err(Error::stdout)?;
        Ok(!refused && *mismatches == 0 && errors.is_empty() && *engines > 0 && *cases > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu() -> Vec<Engine> {
        vec![Engine { label: "cpu".to_owned(), sampler: CpuSampler::new().into() }]
    }

    fn few_cases() -> impl Iterator<Item = (Case, Vec<u32>)> {
        conformance::cases().skip(3).take(3).map(|case| {
            let expected = case.expected();
            (case, expected)
        })
    }

    fn verdict(cases: impl Iterator<Item = (Case, Vec<u32>)>) -> (bool, String) {
        let mut out = Vec::new();
        let tally = compare(cases, &cpu(), &mut out).unwrap();
        let passed = tally.report(false, &mut out).unwrap();
        (passed, String::from_utf8(out).unwrap())
    }

    #[test]
    fn an_equal_engine_passes() {
        let (passed, text) = verdict(few_cases());
        assert!(passed, "{text}");
        assert!(text.ends_with("3 cases on 1 engine, 0 mismatches\n"), "{text}");
    }

    #[test]
    fn a_single_wrong_draw_fails() {
        let wrong = few_cases().enumerate().map(|(i, (case, mut expected))| {
            if i == 1 {
                expected[0] ^= 1;
            }
            (case, expected)
        });
        let (passed, text) = verdict(wrong);
        assert!(!passed, "{text}");
        assert!(text.lines().nth(2).unwrap().ends_with("1 differ"), "{text}");
        assert!(text.ends_with("3 cases on 1 engine, 1 mismatches\n"), "{text}");
    }

    /// On every adapter; a machine without one has no such column.
    #[test]
    fn a_fault_where_cut_rows_go_on_shows_in_pieces_alone() {
        fn forget_the_category(source: String) -> String {
            source.replace("outcomes[before] = words_of(all);", "outcomes[before].z = 0u;")
        }
        let longer = |case: &Case| case.batch().rows() > 1 && case.batch().categories() == 257;
        let case = conformance::cases().find(longer).unwrap();
        let expected = case.expected();
        for report in all().iter().filter(|report| report.obstacle.is_none()) {
            for (builder, faulty) in [(GpuSampler::builder(), false), (in_pieces(), true)] {
                let builder = builder.with_shader_edit(forget_the_category);
                let engine = candidate("gpu0".to_owned(), report, &builder).engine.ok().unwrap();
                let mismatches = case.mismatches(&engine, &expected).unwrap();
                assert_eq!(mismatches > 0, faulty, "{report}");
            }
        }
    }

    #[test]
    fn an_engine_that_fails_fails_the_check() {
        // expects more draws than the case has, which the engine refuses
        let failing = few_cases().map(|(case, mut expected)| {
            expected.push(0);
            (case, expected)
        });
        let (passed, text) = verdict(failing);
        assert!(!passed, "{text}");
        assert!(text.contains("cpu failed on 1 x 8"), "{text}");
        assert!(text.ends_with("0 mismatches, 3 errors\n"), "{text}");
    }

    #[test]
    fn soft_samples_further_off_than_promised_fail_the_check() {
        let nothing = SoftErrors { samples: 1e-12, gradients: 1e-12 };
        for (promise, kept) in [(SoftErrors::CPU, true), (nothing, false)] {
            let mut tally = Tally { cases: 1, engines: 1, ..Tally::default() };
            let small = conformance::soft_cases().filter(|case| case.work() < 100);
            let mut out = Vec::new();
            soften(small, &cpu(), |_| promise, &mut tally, &mut out).unwrap();
            assert_eq!(tally.errors.is_empty(), kept, "{:?}", tally.errors);
            assert_eq!(tally.report(false, &mut out).unwrap(), kept);
        }
    }

    #[test]
    fn nothing_checked_is_not_a_pass() {
        let mut out = Vec::new();
        let tally = compare(few_cases(), &[], &mut out).unwrap();
        assert!(!tally.report(false, &mut out).unwrap());
    }

    #[test]
    fn only_an_adapter_without_an_excuse_is_a_failure() {
        for failure in [false, true] {
            let engine = Err(Refusal { reason: "no storage buffers".to_owned(), failure });
            let (label, description) = ("gpu0".to_owned(), "Old GPU".to_owned());
            let broken = Candidate { label, description, engine };
            let mut out = Vec::new();
            let (engines, refused) = legend(vec![broken], &mut out).unwrap();
            assert!(engines.is_empty());
            assert_eq!(refused, failure);
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text, "gpu0: Old GPU cannot be used: no storage buffers\n");
            let passing = Tally { cases: 1, engines: 1, ..Tally::default() };
            assert_eq!(passing.report(refused, &mut Vec::new()).unwrap(), !failure);
        }
    }
}
