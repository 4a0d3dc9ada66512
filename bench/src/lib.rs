//! How long gumbel takes on a GPU, beside what bounds it: `gumbel bench` and
//! `cargo bench --package gumbel-bench` are both this.
//!
//! On the device, by timestamps and by the wall clock: draws from logits of f32, f16 and bf16, an
//! argmax (gumbel's kernel for temperature 0, laid out in the same way), and a copy of the same bytes.
//! From the host, by the wall clock: `sample_rows`, an upload of the same bytes and nothing else, and
//! the CPU engine.
//!
//! Or, of logits on the device, draws with a mask and with truncations beside draws from all categories
//! ([`Config::restricted`]).
//!
//! **Ratios** are what counts, and machines are shared. So all things that are compared run in
//! turn, sample by sample; minima are compared, and medians are stored beside them. Before that,
//! the results of each are compared with the CPU engine's, and wrong results get no time.
//!
//! **Reads are cold** on hardware: small shapes lie on the device many times over, 256 MiB in all,
//! and each copy is read again only after all the others. An adapter that emulates a GPU may read
//! from the processor's cache.

use std::time::Duration;

use gumbel::wgpu;
use gumbel::{AdapterReport, DeviceKind, GpuSampler, GpuSamplerBuilder, Teams};

mod clock;
mod device;
mod error;
mod fill;
mod from_host;
mod logits;
mod machine;
mod markdown;
mod on_device;
mod placement;
mod restricted;
mod results;
mod shape;
mod teams;
mod upload;
mod work;

pub use clock::Time;
pub use error::Error;
pub use logits::Rows;
pub use results::{
    ALL_CUTS, ARGMAX, COPY, Line, MASK, MIN_P, Results, SAMPLE, SAMPLE_ROWS, SAMPLE_ROWS_CPU,
    TOP_K, TOP_P, UPLOAD, UPLOAD_DIRECT,
};
pub use shape::Shape;
pub use teams::teams;

use device::Device;
use fill::Filler;
use logits::Known;
use on_device::How;

/// The bytes after which a GPU's cache has forgotten the first: more than the caches of GPUs hold.
const COLD: u64 = 256 << 20;

/// The shapes to measure, and for how long.
#[derive(Clone, Debug)]
pub struct Config {
    /// The batches.
    pub shapes: Vec<Shape>,
    /// How long each thing is timed in each shape.
    pub each: Duration,
    /// The settings of the sampler.
    pub builder: GpuSamplerBuilder,
    /// The sizes of teams, if not gumbel's own for the adapter.
    pub teams: Option<Teams>,
    /// Whether restricted draws from logits on the device are measured beside a draw from all categories, and nothing
    /// else.
    pub restricted: bool,
    /// What the logits are.
    pub rows: Rows,
    /// The most bytes that `sample_rows`, and the upload beside it, bring to the device at once.
    pub chunk_bytes: u64,
}

/// The default size of a sampler's chunks.
const CHUNK_BYTES: u64 = 16 << 20;

impl Config {
    /// All shapes: two minutes on a software adapter, on two cores.
    pub fn full() -> Self {
        Self {
            shapes: Shape::ALL.to_vec(),
            each: Duration::from_millis(800),
            builder: GpuSampler::builder(),
            teams: None,
            restricted: false,
            rows: Rows::Normal,
            chunk_bytes: CHUNK_BYTES,
        }
    }

    /// Restricted draws, of many long rows and of fewer that are shorter.
    pub fn restricted() -> Self {
        Self { shapes: Shape::RESTRICTED.to_vec(), restricted: true, ..Self::full() }
    }

    /// Some shapes, which take some seconds.
    pub fn quick() -> Self {
        Self { shapes: Shape::QUICK.to_vec(), each: Duration::from_millis(100), ..Self::full() }
    }
}

/// Returns the adapter to measure unless another is named: the first that can be used, hardware
/// before software.
///
/// # Errors
/// [`Error::NoAdapter`] if no adapter can be used; it says what each lacks.
pub fn choose(reports: &[AdapterReport]) -> Result<&AdapterReport, Error> {
    reports.iter().find(|report| report.obstacle.is_none()).ok_or_else(|| {
        let lacks = |report: &AdapterReport| {
            format!("{report} cannot be used: {}", report.obstacle.as_deref().unwrap_or_default())
        };
        Error::NoAdapter(no_adapter(&reports.iter().map(lacks).collect::<Vec<_>>()))
    })
}

/// Returns why nothing can be measured, and what to do.
fn no_adapter(unusable: &[String]) -> String {
    let found = match unusable {
        [] => "this machine has no adapter".to_owned(),
        _ => format!("this machine has no adapter that gumbel can use ({})", unusable.join("; ")),
    };
    results::one_line(&format!(
        "{found}: install the driver of your GPU for Vulkan, Metal or DX12, or lavapipe, which \
         emulates a GPU on the CPU (Debian and Ubuntu: apt-get install libvulkan1 \
         mesa-vulkan-drivers); then gumbel adapters lists it"
    ))
}

/// Measures on an adapter; `progress` is called before each shape with its name.
///
/// Failures of single shapes are in the results, and so are wrong results: see [`Results::wrong`].
///
/// # Errors
/// The errors of opening the adapter.
pub fn run(
    report: &AdapterReport,
    config: &Config,
    progress: &mut dyn FnMut(&str),
) -> Result<Results, Error> {
    // at most the size that the device can bind; the sampler leaves space for its other data within
    // it
    let most = report.limits.max_storage_buffer_binding_size.min(report.limits.max_buffer_size / 2);
    let chunk_bytes = config.chunk_bytes.min(most).max(1 << 10);
    let mut builder = config.builder.clone().with_chunk_bytes(chunk_bytes);
    if let Some(teams) = config.teams {
        builder = builder.tune(|tuning| tuning.with_device_kind(DeviceKind::Teams(teams)));
    }
    let sampler = report.open_with(&builder)?;
    let device = Device::new(&sampler)?;
    let filler = Filler::new(&device, config.rows)?;
    let hardware = report.is_hardware();
    let cold = if hardware { COLD } else { 0 };
    let how = How { each: config.each, cold, restricted: config.restricted };
    let mut lines = Vec::new();
    for &shape in &config.shapes {
        progress(&shape.to_string());
        match known(shape, config.rows, hardware) {
            Ok(known) => {
                lines.extend(on_device::measure(&device, &filler, shape, &known, how));
                // frees the device's memory before the host's call takes some
                let _ = sampler.device().poll(wgpu::PollType::Poll);
                if !config.restricted {
                    lines.extend(from_host::measure(&device, shape, &known, how.each, chunk_bytes));
                }
            }
            Err(error) => lines.extend(on_device::missing(shape, error, how)),
        }
    }
    let mut comments = comments(report, &sampler, chunk_bytes);
    if config.rows != Rows::Normal {
        comments.push(format!("logits of rows: {}", config.rows.name()));
    }
    comments.extend(config.teams.map(|teams| format!("teams asked for: {}", teams::text(teams))));
    Ok(Results { comments, hardware, rows: config.rows, lines })
}

/// Returns the logits and draws of a shape, if there is memory for them and for all that follows.
fn known(shape: Shape, rows: Rows, hardware: bool) -> Result<Known, Error> {
    // f32, their copy, f16 and bf16 on the device; f32 on the host
    let times = if hardware { 4 } else { 5 };
    let needed = shape.logits().saturating_mul(4).saturating_mul(times);
    if let Some(free) = machine::free_memory().filter(|&free| needed > free) {
        return Err(Error::LeftOut(format!(
            "it needs {} MiB, and {} are free",
            needed >> 20,
            free >> 20
        )));
    }
    Known::new(shape, rows, 0)
}

/// Returns the size of the chunks that bring a call's logits to the device, in words.
fn chunks(bytes: u64) -> String {
    let unit = if bytes.is_multiple_of(1 << 20) { ("MiB", 20) } else { ("KiB", 10) };
    format!("of {} {} at most", bytes >> unit.1, unit.0)
}

fn comments(report: &AdapterReport, sampler: &GpuSampler, chunk_bytes: u64) -> Vec<String> {
    let kind = if report.is_hardware() {
        "hardware"
    } else {
        "software: these are the times of an emulation on the CPU"
    };
    let features = sampler.device().features();
    let clock = if !features.contains(wgpu::Features::TIMESTAMP_QUERY) {
        "the wall clock; the device has no timestamps"
    } else if !features.contains(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS) {
        "timestamps; the wall clock for copies"
    } else {
        "timestamps"
    };
    vec![
        format!("adapter: {}", results::one_line(&report.to_string())),
        format!("kind: {kind}"),
        format!("clock: {clock}"),
        format!("chunks: {}", chunks(chunk_bytes)),
        format!("host: {}", machine::processor()),
        format!("date: {} (UTC)", time::OffsetDateTime::now_utc().date()),
        format!("gumbel {}", env!("CARGO_PKG_VERSION")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_adapter_is_told_what_to_do() {
        let error = choose(&[]).unwrap_err().to_string();
        let start = "this machine has no adapter: install the driver of your GPU";
        assert!(error.starts_with(start), "{error}");
        assert!(error.contains("apt-get install libvulkan1 mesa-vulkan-drivers"), "{error}");
        let lacking =
            ["A cannot be used:\nno compute".to_owned(), "B cannot be used: old".to_owned()];
        let start = "this machine has no adapter that gumbel can use (A cannot be used: no compute; B \
                     cannot be used: old): install";
        assert!(no_adapter(&lacking).starts_with(start), "{}", no_adapter(&lacking));
    }

    #[test]
    fn chunks_are_in_words() {
        assert_eq!(chunks(16 << 20), "of 16 MiB at most");
        assert_eq!(chunks(64 << 10), "of 64 KiB at most");
    }
}
