//! The engines that `gumbel check` holds against the reference, each a column of its table.

use std::io::Write;

use gumbel::{AdapterReport, CpuSampler, DeviceKind, GpuSampler, GpuSamplerBuilder, Isa, Sampler};

use crate::adapters::{all, kind};
use crate::args::{CPU_HAS_NO_ADAPTER, CheckArgs, CheckedEngine};
use crate::error::Error;
use crate::one_line;

/// The settings of [`plain`], and below those of [`in_pieces`], in the words of the legend.
const PLAIN: &str = "without subgroups, 64-bit products and mapped memory, laid out as for an \
                     emulated GPU";
const IN_PIECES: &str = "in pieces: at most 1 KiB of logits at once, 3 x 3 workgroups of 64";

/// An engine that may become a column of the table.
pub(super) struct Candidate {
    label: String,
    description: String,
    /// The engine, or the reason why it has no column.
    engine: Result<Sampler, Refusal>,
}

/// Why an adapter cannot be checked.
struct Refusal {
    reason: String,
    /// False if the adapter is known to lack something: gumbel then promises nothing for it.
    failure: bool,
}

/// A column of the table.
pub(super) struct Engine {
    pub(super) label: String,
    pub(super) sampler: Sampler,
}

/// Returns the engines that the user asked for, in the order of the columns.
pub(super) fn candidates(args: &CheckArgs) -> Result<Vec<Candidate>, Error> {
    if args.engine == Some(CheckedEngine::Cpu) && args.adapter.is_some() {
        return Err(Error::Usage(CPU_HAS_NO_ADAPTER.to_owned()));
    }
    let mut candidates = Vec::new();
    if args.engine != Some(CheckedEngine::Gpu) {
        for isa in Isa::available() {
            let (label, description) = (format!("cpu/{isa}"), format!("the CPU engine, {isa}"));
            let engine = CpuSampler::new().with_isa(isa)?.into();
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
            // an adapter that cannot be used as it is cannot be used with other settings
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

/// Returns a builder with the variants of the kernels that the adapter would not get by itself. (An
/// adapter that emulates a GPU gets those of a hardware GPU from [`in_pieces`].)
fn plain() -> GpuSamplerBuilder {
    GpuSampler::builder().tune(|tuning| {
        tuning
            .with_device_kind(DeviceKind::Emulation)
            .with_subgroups(false)
            .with_int64(false)
            .with_direct_memory(false)
    })
}

/// Returns a builder with small chunks and teams: no case is cut by the default settings, as each
/// fits into a chunk.
///
/// The chunks are the smallest that there are, 1 KiB, so that every row of more than 256 categories
/// is cut: 16 cases have such rows. Chunks of 4 KiB would cut the rows of 5 cases. All cases
/// together are then 25,000 dispatches: 5 s on Mesa's lavapipe.
fn in_pieces() -> GpuSamplerBuilder {
    GpuSampler::builder().with_chunk_bytes(1 << 10).tune(|tuning| {
        tuning.with_workgroups(3).with_workgroup_size(64).with_device_kind(DeviceKind::Hardware)
    })
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

/// Prints which engine each column is, and which engines have no column. Returns the engines of the
/// columns, and whether an engine has no column although it should have one.
pub(super) fn legend(
    candidates: Vec<Candidate>,
    out: &mut dyn Write,
) -> Result<(Vec<Engine>, bool), Error> {
    let mut engines = Vec::new();
    let mut failed = false;
    let mut adapters = false;
    for Candidate { label, description, engine } in candidates {
        adapters |= engine.as_ref().map_or(true, |sampler| sampler.as_gpu().is_some());
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

#[cfg(test)]
mod tests {
    use gumbel::conformance::{self, Case};

    use super::*;

    /// Runs on every adapter; a machine without one has nothing to test here.
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
        }
    }
}
