//! What can go wrong, with what was given and what was expected.

use crate::noise::order::Scale;

/// Why a row has no draw.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Undrawable {
    /// A logit is NaN.
    Nan {
        /// The first category with a NaN or +∞.
        category: usize,
    },
    /// A logit is +∞.
    PositiveInfinity {
        /// The first category with a NaN or +∞.
        category: usize,
    },
    /// Every logit is −∞: each category has probability 0.
    NothingDrawable,
    /// A weight is negative, infinite or NaN.
    InvalidWeight {
        /// The first category with such a weight.
        category: usize,
        /// The weight.
        weight: f32,
    },
    /// Every weight is 0.
    NoWeight,
}

impl std::fmt::Display for Undrawable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nan { category } => write!(f, "its logit of category {category} is NaN"),
            Self::PositiveInfinity { category } => {
                write!(f, "its logit of category {category} is +infinity")
            }
            Self::NothingDrawable => write!(f, "all its logits are -infinity"),
            Self::InvalidWeight { category, weight } => write!(
                f,
                "its weight of category {category} is {weight}; a weight is 0 or positive, and finite"
            ),
            Self::NoWeight => write!(f, "all its weights are 0"),
        }
    }
}

/// Everything that a call can be refused for, or fail with.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This machine lacks the vector instructions that were asked for.
    #[error("this machine has no {isa}")]
    Isa {
        /// The name of the instructions.
        isa: &'static str,
    },
    /// A row must have between 1 and 2³² − 1 categories.
    #[error("a row must have 1 to 4294967295 categories, got {got}")]
    Categories {
        /// The number of categories given.
        got: usize,
    },
    /// The slice of logits does not hold the rows that were announced.
    #[error(
        "{rows} rows of {categories} categories with a row stride of {row_stride} need {expected} \
         logits, got {got}"
    )]
    LogitsLength {
        /// The number of rows.
        rows: usize,
        /// The number of categories in each row.
        categories: usize,
        /// The distance from one row's first logit to the next row's, in logits.
        row_stride: usize,
        /// What the slice would have to hold, at least; more words than it can, if too large.
        expected: u128,
        /// What it holds.
        got: usize,
    },
    /// The logits do not divide into whole rows.
    #[error("{got} logits do not divide into rows of {categories} categories")]
    UnevenRows {
        /// The number of categories in each row.
        categories: usize,
        /// The number of logits given.
        got: usize,
    },
    /// There must be one explicit row id for each row.
    #[error("{expected} rows need as many row ids, got {got}")]
    RowIds {
        /// The number of rows.
        expected: usize,
        /// The number of row ids given.
        got: usize,
    },
    /// A row has 2³¹ draws, numbered from 0.
    #[error(
        "draws {first_draw} up to {first_draw} + {draws} were asked for; a row has 1 to 2147483648 \
         draws, numbered from 0"
    )]
    Draws {
        /// The number of the first draw.
        first_draw: u32,
        /// The number of draws.
        draws: u32,
    },
    /// The result would not fit into the address space.
    #[error("{draws} draws from each of {rows} rows do not fit into memory")]
    TooManyDraws {
        /// The number of rows.
        rows: usize,
        /// The draws asked for from each.
        draws: u32,
    },
    /// There is no memory for the sums of weights that draws by inverse CDF take.
    #[error(
        "the sums of a row of {categories} categories need {bytes} bytes, which are not to be had; \
         try Method::Gumbel, which needs none"
    )]
    NoMemoryForSums {
        /// The number of categories in a row.
        categories: usize,
        /// The bytes that were asked for.
        bytes: usize,
    },
    /// The slice for the draws has the wrong length.
    #[error("the draws need a slice of {expected} words, got {got}")]
    DrawsLength {
        /// rows × draws.
        expected: usize,
        /// The length of the slice given.
        got: usize,
    },
    /// The temperature is negative, NaN, infinite, or too extreme to be told from 0 or ∞.
    #[error(
        "the temperature must be 0 (greedy) or from {min:e} to {max:e}, got {got}",
        min = Scale::MIN_TEMPERATURE,
        max = Scale::MAX_TEMPERATURE
    )]
    Temperature {
        /// The temperature given.
        got: f32,
    },
    /// There is no method of that name.
    #[error("a method is gumbel, inverse-cdf or auto, got \"{got}\"")]
    Method {
        /// The name given.
        got: String,
    },
    /// The operation is about noise, of which there is none at temperature 0.
    #[error("{operation} has no meaning at temperature 0 (greedy); give a temperature above 0")]
    NoNoise {
        /// What was asked for.
        operation: &'static str,
    },
    /// The operation is about Gumbel noise, and the options ask for draws without it.
    #[error(
        "{operation} needs Method::Gumbel, but the options ask for an inverse CDF (or for \
         Method::Auto, which is that for so many draws)"
    )]
    NeedsGumbel {
        /// What was asked for.
        operation: &'static str,
    },
    /// The first 0 categories of each race were asked for.
    #[error("the first 0 categories of each race were asked for; k is 1 or more")]
    ZeroK,
    /// The result would not fit into memory.
    #[error(
        "the first {k} categories of each of {races} races do not fit into memory (on a GPU those of a race must fit \
         into a chunk: see GpuSamplerBuilder::with_chunk_bytes)"
    )]
    TopKTooLarge {
        /// rows × draws.
        races: usize,
        /// How many categories of each race were asked for.
        k: usize,
    },
    /// With weights, the temperature must be 0 or at least 2⁻²⁰.
    #[error("with weights the temperature must be 0 (greedy) or from 9.5e-7 (2^-20) on, got {got}")]
    WeightsTemperature {
        /// The temperature given.
        got: f32,
    },
    /// The τ of soft samples is not positive, NaN, infinite, or too extreme to be told from 0 or ∞.
    #[error(
        "tau must be from {min:e} to {max:e}, got {got}",
        min = Scale::MIN_TEMPERATURE,
        max = Scale::MAX_TEMPERATURE
    )]
    Tau {
        /// The τ given.
        got: f32,
    },
    /// Draws at temperature 0 have no noise, and no derivative.
    #[error(
        "soft samples need a temperature above 0, got 0 (greedy), where a draw has no derivative"
    )]
    SoftGreedy,
    /// Soft samples would not fit into the address space.
    #[error(
        "samples of {categories} categories for {draws} draws from each of {rows} rows do not fit \
         into memory"
    )]
    TooManySamples {
        /// The number of rows.
        rows: usize,
        /// The draws asked for from each.
        draws: u32,
        /// The number of categories in each row.
        categories: usize,
    },
    /// A device's largest buffer does not hold what an operation makes of a row.
    #[error(
        "rows of {categories} categories are too long for {operation} on this device, which has room \
         for {most}; try the CPU engine"
    )]
    RowTooLong {
        /// What there is no room for.
        operation: &'static str,
        /// The number of categories in each row.
        categories: usize,
        /// The most that there may be on this device.
        most: usize,
    },
    /// A slice of samples, cotangents or gradients has the wrong length.
    #[error("the {what} need a slice of {expected} floats, got {got}")]
    FloatsLength {
        /// What the slice is for.
        what: &'static str,
        /// rows × draws × categories, or for gradients rows × categories.
        expected: usize,
        /// The length of the slice given.
        got: usize,
    },
    /// A row has no draw. Ask for [sentinels](crate::SampleOptions::with_sentinels) to get the
    /// draws of all other rows nonetheless.
    #[error("row {row} has no draw: {reason}")]
    UndrawableRow {
        /// The row's position in the batch.
        row: usize,
        /// What is wrong with it.
        reason: Undrawable,
    },
    /// No adapter of this machine is what was asked for.
    #[error("no adapter {wanted}; this machine has {}", list(found))]
    NoAdapter {
        /// What was asked for.
        wanted: String,
        /// The adapters that there are.
        found: Vec<String>,
    },
    /// The adapter cannot run gumbel's shaders.
    #[error("the adapter {adapter} cannot be used: {what}")]
    UnsuitableAdapter {
        /// The adapter's name.
        adapter: String,
        /// Which limit or capability is missing: what was found, and what is needed.
        what: String,
    },
    /// The adapter did not hand out a device.
    #[cfg(feature = "gpu")]
    #[error("the adapter {adapter} gave no device: {source}")]
    NoDevice {
        /// The adapter's name.
        adapter: String,
        /// The driver's reason.
        source: wgpu::RequestDeviceError,
    },
    /// The device is gone: its driver crashed or was reset, the hardware was removed, or somebody
    /// destroyed it. The sampler is of no more use; another one can be built.
    #[error(
        "the device of {adapter} was lost while {while_doing}: {reason}; build a new sampler, or \
         draw on the CPU engine"
    )]
    DeviceLost {
        /// The adapter's name.
        adapter: String,
        /// What was being done when that was noticed.
        while_doing: String,
        /// The driver's reason, if it gave one.
        reason: String,
    },
    /// The device has no memory left for what was asked of it.
    #[error(
        "{adapter} ran out of memory while {while_doing}; try smaller chunks \
         (GpuSamplerBuilder::with_chunk_bytes), or the CPU engine"
    )]
    OutOfMemory {
        /// The adapter's name.
        adapter: String,
        /// What was being done.
        while_doing: String,
        /// The bytes that were asked for; `None` if it was the driver that wanted memory, for its
        /// own ends.
        bytes: Option<u64>,
    },
    /// The driver, or wgpu on its behalf, did not compile a shader. The device may be lost over it.
    #[error(
        "{adapter} refused {shader}; try GpuSamplerBuilder::tune with with_int64(false), or a newer driver, \
         and please report it, with these words: {message}"
    )]
    ShaderRefused {
        /// The adapter's name.
        adapter: String,
        /// Which shader, in which variant.
        shader: String,
        /// The compiler's words.
        message: String,
    },
    /// Memory that device and program share could not be mapped, on a device that is not lost.
    #[error("{adapter} failed at {while_doing}: {message}; try again, or build a new sampler")]
    MapFailed {
        /// The adapter's name.
        adapter: String,
        /// What was to be mapped.
        while_doing: String,
        /// The bytes that were to be mapped.
        bytes: u64,
        /// wgpu's words, if it gave any.
        message: String,
    },
    /// The device did not finish in time. It may still be at work, and the sampler may still be
    /// used: its next call waits anew.
    #[error(
        "{adapter} did not finish {while_doing} within {timeout:?}; try a longer \
         GpuSamplerBuilder::with_timeout, or smaller chunks (with_chunk_bytes)"
    )]
    Timeout {
        /// The adapter's name.
        adapter: String,
        /// What was waited for.
        while_doing: String,
        /// How long it was waited for.
        timeout: std::time::Duration,
    },
    /// A buffer that a batch on the device is bound to does not fit it.
    #[error("{what} cannot be bound: {problem}")]
    DeviceBuffer {
        /// Which buffer.
        what: &'static str,
        /// What was expected, and what was given.
        problem: String,
    },
    /// The device was made without a feature or a limit that is needed for what was asked.
    #[error(
        "the device was made without {feature}, which is needed for {needed_for}; ask for it when \
         making the device"
    )]
    MissingFeature {
        /// The feature or the limit.
        feature: &'static str,
        /// What needs it.
        needed_for: &'static str,
    },
    /// The device failed in another way.
    #[error("the GPU failed while {while_doing}: {message}")]
    Gpu {
        /// What was being done.
        while_doing: String,
        /// The driver's words.
        message: String,
    },
}

impl Error {
    /// Whether a slice has the length that a call needs.
    pub(crate) fn check_floats(
        what: &'static str,
        expected: usize,
        got: usize,
    ) -> Result<(), Self> {
        if got == expected { Ok(()) } else { Err(Self::FloatsLength { what, expected, got }) }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
