//! The operations other than draws that `gumbel check` compares: a line of the table each.

use gumbel::conformance::{Case, SoftErrors, SumTolerance};
use gumbel::{Error, Sampler, ScoredDraws, TopK};

/// The τ of the soft samples.
const TAU: f32 = 0.5;

/// An operation of the engines that the reference has too.
pub(super) trait Operation {
    /// The result of the reference.
    type Expected;
    /// The type of an engine's distance from the reference.
    type Off: Off;

    /// The name of the line.
    fn name(&self) -> String;
    /// Returns the reference's result for a case.
    fn expected(&self, case: &Case) -> Result<Self::Expected, Error>;
    /// Returns how far an engine's result is from the reference's.
    fn off(
        &self,
        case: &Case,
        engine: &Sampler,
        expected: &Self::Expected,
    ) -> Result<Self::Off, Error>;
    /// Returns the complaint about an engine that is further off than it may be; `None` if it is
    /// not.
    fn complaint(&self, off: Self::Off, engine: &Sampler) -> Option<String>;
}

/// A distance between an engine and the reference; the default is none.
pub(super) trait Off: Copy + Default {
    /// Returns the distance of two cases taken together.
    fn join(self, other: Self) -> Self;
    /// Returns how many results differ from the reference's, for results that must be equal.
    fn mismatches(self) -> usize {
        0
    }
    /// Returns the cell of the table.
    fn cell(self) -> String;
}

/// The number of results that differ from the reference's.
impl Off for usize {
    fn join(self, other: Self) -> Self {
        self + other
    }

    fn mismatches(self) -> usize {
        self
    }

    fn cell(self) -> String {
        if self == 0 { "ok".to_owned() } else { format!("{self} differ") }
    }
}

/// The largest error, as a fraction of the promised one.
impl Off for f64 {
    fn join(self, other: Self) -> Self {
        self.max(other)
    }

    fn cell(self) -> String {
        format!("{:.1} %", 100.0 * self)
    }
}

impl Off for SoftErrors {
    fn join(self, other: Self) -> Self {
        self.or(other)
    }

    fn cell(self) -> String {
        format!("{:.1e}", self.samples.max(self.gradients))
    }
}

/// The first k of races, with their keys.
pub(super) struct Race {
    pub(super) k: usize,
}

impl Operation for Race {
    type Expected = TopK;
    type Off = usize;

    fn name(&self) -> String {
        match self.k {
            1 => "the first of each race, and its key".to_owned(),
            k => format!("the first {k} of each race, and their keys"),
        }
    }

    fn expected(&self, case: &Case) -> Result<TopK, Error> {
        case.expected_race(self.k)
    }

    fn off(&self, case: &Case, engine: &Sampler, expected: &TopK) -> Result<usize, Error> {
        case.race_mismatches(engine, expected)
    }

    fn complaint(&self, off: usize, _: &Sampler) -> Option<String> {
        (off > 0).then(|| off.cell())
    }
}

/// Draws by inverse CDF.
pub(super) struct InverseCdf {
    /// Whether the draws are from tables that the engine has prepared.
    pub(super) prepared: bool,
}

impl Operation for InverseCdf {
    type Expected = Vec<u32>;
    type Off = usize;

    fn name(&self) -> String {
        if self.prepared { "draws from prepared tables" } else { "draws by inverse CDF" }.to_owned()
    }

    fn expected(&self, case: &Case) -> Result<Vec<u32>, Error> {
        case.expected_inverse_cdf()
    }

    fn off(&self, case: &Case, engine: &Sampler, expected: &Vec<u32>) -> Result<usize, Error> {
        if self.prepared {
            case.prepared_cdf_mismatches(engine, expected)
        } else {
            case.inverse_cdf_mismatches(engine, expected)
        }
    }

    fn complaint(&self, off: usize, _: &Sampler) -> Option<String> {
        (off > 0).then(|| off.cell())
    }
}

/// Logsumexp of rows.
pub(super) struct Sums {
    /// The error that an engine promises.
    pub(super) promise: fn(&Sampler) -> SumTolerance,
}

/// Returns the errors that the engines promise for logsumexp.
pub(super) fn promised_sums(engine: &Sampler) -> SumTolerance {
    if engine.as_gpu().is_some() { SumTolerance::GPU } else { SumTolerance::CPU }
}

impl Operation for Sums {
    type Expected = Vec<f64>;
    type Off = f64;

    fn name(&self) -> String {
        "logsumexp, greatest error as a share of the promised one".to_owned()
    }

    fn expected(&self, case: &Case) -> Result<Vec<f64>, Error> {
        case.expected_logsumexp()
    }

    fn off(&self, case: &Case, engine: &Sampler, expected: &Vec<f64>) -> Result<f64, Error> {
        case.logsumexp_error(engine, (self.promise)(engine), expected)
    }

    fn complaint(&self, off: f64, engine: &Sampler) -> Option<String> {
        too_far(off, (self.promise)(engine))
    }
}

/// Returns the complaint about numbers whose error is `off` times the promised one; `None` if `off`
/// is at most 1.
fn too_far(off: f64, promise: SumTolerance) -> Option<String> {
    let SumTolerance { absolute, relative } = promise;
    (off > 1.0).then(|| {
        format!(
            "off by {off:.1} times the {absolute:.0e} + {relative:.0e} of itself that is promised"
        )
    })
}

/// The log-probabilities of draws.
pub(super) struct LogProbs {
    /// The error that an engine promises.
    pub(super) promise: fn(&Sampler) -> SumTolerance,
}

/// Returns the errors that the engines promise for log-probabilities.
pub(super) fn promised_log_probs(engine: &Sampler) -> SumTolerance {
    if engine.as_gpu().is_some() {
        SumTolerance::GPU_LOG_PROBS
    } else {
        SumTolerance::CPU_LOG_PROBS
    }
}

impl Operation for LogProbs {
    type Expected = ScoredDraws;
    type Off = f64;

    fn name(&self) -> String {
        "log-probabilities of draws, as a share of the promised error".to_owned()
    }

    fn expected(&self, case: &Case) -> Result<ScoredDraws, Error> {
        case.expected_scores()
    }

    fn off(&self, case: &Case, engine: &Sampler, expected: &ScoredDraws) -> Result<f64, Error> {
        case.log_probs_error(engine, (self.promise)(engine), expected)
    }

    fn complaint(&self, off: f64, engine: &Sampler) -> Option<String> {
        too_far(off, (self.promise)(engine))
    }
}

/// Soft samples and their gradients.
pub(super) struct Soft {
    /// The errors that an engine promises.
    pub(super) promise: fn(&Sampler) -> SoftErrors,
}

/// Returns the errors that the engines promise for soft samples.
pub(super) fn promised_soft_samples(engine: &Sampler) -> SoftErrors {
    if engine.as_gpu().is_some() { SoftErrors::GPU } else { SoftErrors::CPU }
}

impl Operation for Soft {
    type Expected = ();
    type Off = SoftErrors;

    fn name(&self) -> String {
        "soft samples and gradients, at most off by".to_owned()
    }

    fn expected(&self, _: &Case) -> Result<(), Error> {
        Ok(())
    }

    fn off(&self, case: &Case, engine: &Sampler, (): &()) -> Result<SoftErrors, Error> {
        case.soften(engine, TAU)
    }

    fn complaint(&self, off: SoftErrors, engine: &Sampler) -> Option<String> {
        let SoftErrors { samples, gradients } = off;
        (!off.are_within((self.promise)(engine)))
            .then(|| format!("samples are off by {samples:.1e} and gradients by {gradients:.1e}"))
    }
}
