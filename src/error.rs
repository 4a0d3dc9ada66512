//! Errors, each with what was given and what was expected.

use crate::noise::order::Scale;

mod undrawable;
mod words;

pub use undrawable::Undrawable;

/// The reasons for which a call is refused, or fails.
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
    /// The slice of logits does not hold as many rows as were announced.
    #[error(
        "{rows} rows of {categories} categories with {} need {expected} {what}, got {got}",
        words::strides(*row_stride, *category_stride)
    )]
    LogitsLength {
        /// What the slice holds: logits, weights or counts.
        what: &'static str,
        /// The number of rows.
        rows: usize,
        /// The number of categories in each row.
        categories: usize,
        /// The distance from one row's first logit to the next row's, in logits.
        row_stride: usize,
        /// The distance from one logit of a row to the next, in logits.
        category_stride: usize,
        /// The number of logits that the slice must hold at least, which may be more than a `usize`
        /// can hold.
        expected: u128,
        /// The number of logits that the slice holds.
        got: usize,
    },
    /// The logits, weights or counts do not divide into whole rows.
    #[error("{got} {what} do not divide into rows of {categories} categories")]
    UnevenRows {
        /// What the slice holds: logits, weights or counts.
        what: &'static str,
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
    /// Options of rows must be given for each row.
    #[error("{expected} rows need as many {what}, got {got}")]
    RowOptions {
        /// What was given for each row: seeds, temperatures or first draws.
        what: &'static str,
        /// The number of rows.
        expected: usize,
        /// The number of elements given.
        got: usize,
    },
    /// A row index is the position of no row.
    #[error("row index {row} is {got}, but there are {rows} rows to draw from, numbered from 0")]
    RowIndex {
        /// The position of the index among all row indices.
        row: usize,
        /// The index given.
        got: u32,
        /// The number of rows that can be drawn from.
        rows: usize,
    },
    /// The operation takes no options that differ from row to row.
    #[error("{operation} takes one seed, one temperature and one first draw for all rows")]
    OptionsOfRows {
        /// The operation.
        operation: &'static str,
    },
    /// A cut of a truncation is out of range.
    #[error("{what} must be {expected}, got {}", words::short(*got))]
    Truncation {
        /// Which cut.
        what: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What was given.
        got: f32,
    },
    /// A bias or a penalty is out of range.
    #[error("{what} must be {expected}, got {}", words::short(*got))]
    Adjustment {
        /// Which number.
        what: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What was given.
        got: f32,
    },
    /// An argument beside the rows does not fit the rows: a bias, a history, drafts or the options of a shard.
    #[error("{what}: {problem}")]
    Entries {
        /// What was given.
        what: &'static str,
        /// What is wrong with it: what was expected, and what was given.
        problem: String,
    },
    /// A shard reaches beyond its rows.
    #[error(
        "a shard of {categories} categories from number {first} on is not within rows of {whole}"
    )]
    Shard {
        /// The shard's first category.
        first: usize,
        /// The number of its categories.
        categories: usize,
        /// The number of categories of whole rows.
        whole: usize,
    },
    /// Results of shards do not belong together, or some are missing.
    #[error("results of shards: {problem}")]
    Shards {
        /// What is wrong: what was expected, and what was given.
        problem: String,
    },
    /// No shard of a row has a category that can be drawn, or one has an invalid logit.
    #[error(
        "row {row} has no draw: none of its shards can be drawn from, or one has a NaN or +inf"
    )]
    NoDrawOfShards {
        /// The row's position.
        row: usize,
    },
    /// The operation is of logits, and the rows are weights or counts.
    #[error(
        "{operation} is of logits, but these rows are weights; give their logarithms as logits"
    )]
    NeedsLogits {
        /// What was asked for.
        operation: &'static str,
    },
    /// The masks of allowed categories do not fit the rows.
    #[error(
        "masks for {rows} rows of {categories} categories, a bit for each, at {words_per_row} words a row, \
         need {expected} words, got {got}; a row needs at least {}", categories.div_ceil(32)
    )]
    Allowed {
        /// The number of masks that are needed: one if all rows share a mask.
        rows: usize,
        /// The number of categories in each row.
        categories: usize,
        /// The number of words given for each row.
        words_per_row: usize,
        /// The number of words that are needed.
        expected: usize,
        /// The number of words given.
        got: usize,
    },
    /// An option that this row has of its own is invalid.
    #[error("row {row}: {error}")]
    OfRow {
        /// The position of the row in the call.
        row: usize,
        /// What is wrong with the option.
        error: Box<Error>,
    },
    /// No draws were asked for, or draws beyond the 2³¹ that a row has, numbered from 0.
    #[error("{}", words::draws(*first_draw, *draws))]
    Draws {
        /// The number of the first draw.
        first_draw: u32,
        /// The number of draws.
        draws: u32,
    },
    /// A [`Sequence`](crate::Sequence) has fewer draw numbers left than were asked for.
    #[error(
        "the sequence is at draw {next_draw} of the 2147483648 of its seed, too near the end for {draws} more; go on \
         with a sequence of another seed"
    )]
    SequenceEnd {
        /// The number of the next draw.
        next_draw: u32,
        /// The number of draws asked for.
        draws: u32,
    },
    /// The system gave no random numbers for a seed.
    #[error("the system gave no random seed: {message}")]
    SystemSeed {
        /// The system's reason.
        message: String,
    },
    /// There is no row at this position.
    #[error("there is no row {row}; there are {rows}, numbered from 0")]
    NoRow {
        /// The position asked for.
        row: usize,
        /// The number of rows.
        rows: usize,
    },
    /// The result does not fit into memory.
    #[error("{draws} draws from each of {rows} rows do not fit into memory")]
    TooManyDraws {
        /// The number of rows.
        rows: usize,
        /// The number of draws asked for from each row.
        draws: u32,
    },
    /// There is no memory for the sums of weights that draws by inverse CDF need.
    #[error(
        "the sums of rows of {categories} categories need {bytes} bytes, which are not to be had; \
         try Method::Gumbel, which needs none"
    )]
    NoMemoryForSums {
        /// The number of categories in a row.
        categories: usize,
        /// The bytes that were asked for.
        bytes: usize,
    },
    /// There is no memory for a copy of rows that engines cannot read where they are.
    #[error(
        "a copy of {rows} rows of {categories} categories needs {bytes} bytes, which are not to be had; rows of f32 whose \
         values lie side by side need no copy"
    )]
    NoMemoryForRows {
        /// The number of rows that are copied at once.
        rows: usize,
        /// The number of categories in each row.
        categories: usize,
        /// The bytes that were asked for.
        bytes: usize,
    },
    /// There is no memory in which a kept inverse CDF could keep the ids of its rows.
    #[error("the ids of {rows} rows need {bytes} bytes, which are not to be had")]
    NoMemoryForRowIds {
        /// The number of rows.
        rows: usize,
        /// The bytes that were asked for.
        bytes: usize,
    },
    /// There is no memory to resample so many particles, or positions.
    #[error("there is no memory to resample {positions} particles, 4 to 16 bytes for each")]
    NoMemoryForPoints {
        /// The number of particles, or of positions.
        positions: usize,
    },
    /// The slice for the draws has the wrong length.
    #[error("the draws need a slice of {expected} words, got {got}")]
    DrawsLength {
        /// The length that is needed: rows × draws, for races times k.
        expected: usize,
        /// The length of the slice given.
        got: usize,
    },
    /// The temperature is negative, NaN, infinite, or too near 0 or ∞ to be distinguished from
    /// them.
    #[error(
        "the temperature must be 0 (greedy) or from {min:e} to {max:e}, got {}",
        words::short(*got),
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
    /// The operation has no meaning without noise, and there is none at temperature 0.
    #[error("{operation} has no meaning at temperature 0 (greedy); give a temperature above 0")]
    NoNoise {
        /// The name of the operation.
        operation: &'static str,
    },
    /// The operation needs Gumbel noise, and the options ask for draws without it.
    #[error(
        "{operation} needs Method::Gumbel, but the options ask for an inverse CDF (or for \
         Method::Auto, which is that for so many draws)"
    )]
    NeedsGumbel {
        /// The name of the operation.
        operation: &'static str,
    },
    /// `k` is 0: no categories of each race were asked for.
    #[error("the first 0 categories of each race were asked for; k is 1 or more")]
    ZeroK,
    /// The entries of all races do not fit into memory, or on a GPU those of one race not into a
    /// chunk.
    #[error(
        "the first {k} categories of each of {races} races do not fit into memory (on a GPU those of a race must fit \
         into a chunk: see GpuSamplerBuilder::with_chunk_bytes)"
    )]
    TopKTooLarge {
        /// rows × draws.
        races: usize,
        /// The number of categories asked for of each race.
        k: usize,
    },
    /// With weights, the temperature must be 0 or at least 2⁻²⁰.
    #[error("with weights the temperature must be 0 (greedy) or from 9.5e-7 (2^-20) on, got {}", words::short(*got))]
    WeightsTemperature {
        /// The temperature given.
        got: f32,
    },
    /// The τ of soft samples is negative, 0, NaN, infinite, or too near 0 or ∞ to be distinguished
    /// from them.
    #[error(
        "tau must be from {min:e} to {max:e}, got {}",
        words::short(*got),
        min = Scale::MIN_TEMPERATURE,
        max = Scale::MAX_TEMPERATURE
    )]
    Tau {
        /// The τ given.
        got: f32,
    },
    /// Soft samples were asked for at temperature 0, where draws have no noise and no derivative.
    #[error(
        "soft samples need a temperature above 0, got 0 (greedy), where a draw has no derivative"
    )]
    SoftGreedy,
    /// Soft samples do not fit into memory.
    #[error(
        "samples of {categories} categories for {draws} draws from each of {rows} rows do not fit \
         into memory"
    )]
    TooManySamples {
        /// The number of rows.
        rows: usize,
        /// The number of draws asked for from each row.
        draws: u32,
        /// The number of categories in each row.
        categories: usize,
    },
    /// The device's largest buffer does not hold what an operation computes from one row.
    #[error(
        "rows of {categories} categories are too long for {operation} on this device, which has room \
         for {most}; try the CPU engine"
    )]
    RowTooLong {
        /// What does not fit into a buffer.
        operation: &'static str,
        /// The number of categories in each row.
        categories: usize,
        /// The most categories that a row may have on this device.
        most: usize,
    },
    /// A slice of floats or estimates has the wrong length.
    #[error("the {what} need a slice of {expected} floats, got {got}")]
    FloatsLength {
        /// The contents of the slice.
        what: &'static str,
        /// The length that is needed: for samples and cotangents rows × draws × categories, for
        /// gradients rows × categories, for log-probabilities rows × draws, for sums and estimates
        /// the number of rows.
        expected: usize,
        /// The length of the slice given.
        got: usize,
    },
    /// A row has no draw. With [sentinels](crate::SampleOptions::with_sentinels) the call returns
    /// the draws of all other rows nonetheless.
    #[error("row {row} has no draw: {reason}")]
    UndrawableRow {
        /// The row's position in the batch.
        row: usize,
        /// The reason why the row has no draw.
        reason: Undrawable,
    },
    /// No adapter of this machine matches the request.
    #[error("no adapter {wanted}; this machine has {}", words::list(found))]
    NoAdapter {
        /// The description of the adapter that was asked for.
        wanted: String,
        /// The adapters of this machine.
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
    /// The device is lost: its driver crashed or was reset, the hardware was removed, or somebody
    /// destroyed the device. The sampler can no longer be used; another one can be built.
    ///
    /// wgpu tells of some losses by a panic, which gumbel catches. In a program that is compiled with
    /// `panic = "abort"` nothing can be caught, and such a loss ends the process.
    #[error(
        "the device of {adapter} was lost while {while_doing}: {reason}; build a new sampler, or \
         draw on the CPU engine"
    )]
    DeviceLost {
        /// The adapter's name.
        adapter: String,
        /// The step during which the loss was noticed.
        while_doing: String,
        /// The driver's reason, if it gave one.
        reason: String,
    },
    /// The device has no memory left for a step of the call.
    #[error(
        "{adapter} ran out of memory while {while_doing}; try smaller chunks \
         (GpuSamplerBuilder::with_chunk_bytes), or the CPU engine"
    )]
    OutOfMemory {
        /// The adapter's name.
        adapter: String,
        /// The step that needed memory.
        while_doing: String,
        /// The number of bytes that were asked for; `None` if the driver wanted memory for its own
        /// purposes.
        bytes: Option<u64>,
    },
    /// The driver, or wgpu on its behalf, did not compile a shader. The device may be lost as a
    /// consequence.
    #[error(
        "{adapter} refused {shader}; try GpuSamplerBuilder::tune with with_int64(false), or a newer driver, \
         and please report it, with these words: {message}"
    )]
    ShaderRefused {
        /// The adapter's name.
        adapter: String,
        /// Which shader, in which variant.
        shader: String,
        /// The compiler's message.
        message: String,
    },
    /// Memory that device and program share could not be mapped, on a device that is not lost.
    #[error("{adapter} failed at {while_doing}: {message}; try again, or build a new sampler")]
    MapFailed {
        /// The adapter's name.
        adapter: String,
        /// The step that failed: the mapping of some memory.
        while_doing: String,
        /// The number of bytes that were to be mapped.
        bytes: u64,
        /// wgpu's message, if it gave one.
        message: String,
    },
    /// The device did not finish in time. The device may still be at work, and the sampler may
    /// still be used: its next call waits for the full time again.
    #[error(
        "{adapter} did not finish {while_doing} within {timeout:?}; try a longer \
         GpuSamplerBuilder::with_timeout, or smaller chunks (with_chunk_bytes)"
    )]
    Timeout {
        /// The adapter's name.
        adapter: String,
        /// The step that was waited for.
        while_doing: String,
        /// How long the step was waited for.
        timeout: std::time::Duration,
    },
    /// A buffer of a batch on the device does not fit the batch.
    #[error("{what} cannot be bound: {problem}")]
    DeviceBuffer {
        /// Which buffer.
        what: &'static str,
        /// What was expected, and what was given.
        problem: String,
    },
    /// The device was made without a feature or a limit that the call needs.
    #[error(
        "the device was made without {feature}, which is needed for {needed_for}; ask for it when \
         making the device"
    )]
    MissingFeature {
        /// The feature or the limit.
        feature: &'static str,
        /// The operation that needs the feature or the limit.
        needed_for: &'static str,
    },
    /// The device failed in another way.
    #[error("the GPU failed while {while_doing}: {message}")]
    Gpu {
        /// The step that failed.
        while_doing: String,
        /// The driver's message.
        message: String,
    },
}

impl Error {
    /// Returns an error if a slice does not have the length that a call needs.
    pub(crate) fn check_floats(
        what: &'static str,
        expected: usize,
        got: usize,
    ) -> Result<(), Self> {
        if got == expected { Ok(()) } else { Err(Self::FloatsLength { what, expected, got }) }
    }
}
