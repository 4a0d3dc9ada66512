//! The adapters of this machine, and the choice of one.

use std::fmt;

use crate::error::Error;

use super::guard::Owner;
use super::{Gpu, GpuSamplerBuilder};

#[cfg(target_family = "wasm")]
pub(super) mod browser;

/// The optional features of a device that the engine uses.
pub(crate) const FEATURES: wgpu::Features = wgpu::Features::SHADER_INT64
    .union(wgpu::Features::SUBGROUP)
    .union(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS)
    .union(wgpu::Features::IMMEDIATES);

/// The features that benchmarks use.
const TIMESTAMPS: wgpu::Features =
    wgpu::Features::TIMESTAMP_QUERY.union(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS);

/// The number of invocations of the smallest workgroup that the kernels are built for.
const SMALLEST_WORKGROUP: u32 = 64;
/// The number of storage buffers that the kernels of draws bind.
const STORAGE_BUFFERS: u32 = 4;
/// The smallest limit on a binding, in bytes, that will do: a few octets for every lane.
const SMALLEST_BINDING: u64 = 1 << 16;
/// The workgroups of a dimension that every device of WebGPU dispatches, for which chunks are cut.
const WORKGROUPS: u32 = 65_535;

/// An adapter, and whether the GPU engine can use it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AdapterReport {
    /// Name, backend, driver and kind.
    pub info: wgpu::AdapterInfo,
    /// The limits on what the adapter can bind, dispatch and allocate.
    pub limits: wgpu::Limits,
    /// The adapter's optional capabilities.
    pub features: wgpu::Features,
    /// What the adapter lacks to run gumbel's shaders, if anything.
    pub obstacle: Option<String>,
    adapter: wgpu::Adapter,
}

impl AdapterReport {
    fn new(adapter: wgpu::Adapter) -> Self {
        let limits = adapter.limits();
        Self {
            info: adapter.get_info(),
            features: adapter.features(),
            obstacle: obstacle(&limits),
            limits,
            adapter,
        }
    }

    /// Returns the adapter itself, to request a device of one's own.
    pub fn adapter(&self) -> &wgpu::Adapter {
        &self.adapter
    }

    /// False for an adapter that emulates a GPU on the CPU.
    pub fn is_hardware(&self) -> bool {
        self.info.device_type != wgpu::DeviceType::Cpu
    }

    /// Builds the engine on this adapter.
    pub(crate) async fn engine(&self, builder: &GpuSamplerBuilder) -> Result<Gpu, Error> {
        self.suitable()?;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("gumbel"),
            required_features: self.features & (FEATURES | TIMESTAMPS),
            // the largest bindings that there are
            required_limits: self.limits.clone(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = self
            .adapter
            .request_device(&descriptor)
            .await
            .map_err(|source| Error::NoDevice { adapter: self.to_string(), source })?;
        builder.build_on(&self.info, device, queue, Owner::Gumbel).await
    }

    /// Returns the obstacle, if there is one, as an error.
    fn suitable(&self) -> Result<(), Error> {
        match &self.obstacle {
            None => Ok(()),
            Some(what) => {
                Err(Error::UnsuitableAdapter { adapter: self.to_string(), what: what.clone() })
            }
        }
    }

    /// True if the adapter's name or driver contains `name`, in upper or lower case. An empty
    /// name, `""` or `" "`, is no adapter's.
    /// [`with_adapter`](GpuSamplerBuilder::with_adapter) finds adapters by this comparison.
    pub fn is_called(&self, name: &str) -> bool {
        if name.trim().is_empty() {
            return false;
        }
        let name = name.to_lowercase();
        let info = &self.info;
        [&info.name, &info.driver, &info.driver_info]
            .iter()
            .any(|text| text.to_lowercase().contains(&name))
    }

    /// The rank by which adapters are sorted, the lowest first: usable adapters come first, then
    /// hardware of the preferred kind, then the backend that is native to the system.
    #[cfg(not(target_family = "wasm"))]
    fn rank(&self, preference: wgpu::PowerPreference) -> (bool, u8, u8) {
        let kind = match self.info.device_type {
            wgpu::DeviceType::IntegratedGpu if preference == wgpu::PowerPreference::LowPower => 0,
            wgpu::DeviceType::DiscreteGpu => 1,
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::IntegratedGpu => 3,
            wgpu::DeviceType::Other => 4,
            wgpu::DeviceType::Cpu => 5,
        };
        let backend = match self.info.backend {
            wgpu::Backend::Gl => 1,
            wgpu::Backend::Noop => 2,
            _ => 0,
        };
        (self.obstacle.is_some(), kind, backend)
    }
}

impl fmt::Display for AdapterReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&full_name(&self.info))
    }
}

/// An adapter's name, backend and driver.
pub(super) fn full_name(info: &wgpu::AdapterInfo) -> String {
    let wgpu::AdapterInfo { name, backend, driver, driver_info, .. } = info;
    let backend = backend.to_string();
    let parts = [&backend, driver, driver_info].map(String::as_str);
    let parts = parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
    // browsers tell little
    let name = if name.is_empty() { "a GPU without a name" } else { name };
    format!("{name} ({})", parts.join(", "))
}

/// Returns which limit is too low for the kernels, if any: the limits are an adapter's or those of
/// a caller's device.
pub(crate) fn obstacle(limits: &wgpu::Limits) -> Option<String> {
    let needs = [
        (
            "max_compute_invocations_per_workgroup or max_compute_workgroup_size_x",
            u64::from(
                limits
                    .max_compute_invocations_per_workgroup
                    .min(limits.max_compute_workgroup_size_x),
            ),
            u64::from(SMALLEST_WORKGROUP),
        ),
        (
            "max_storage_buffers_per_shader_stage",
            u64::from(limits.max_storage_buffers_per_shader_stage),
            u64::from(STORAGE_BUFFERS),
        ),
        (
            "max_storage_buffer_binding_size",
            limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            SMALLEST_BINDING,
        ),
        (
            "max_compute_workgroups_per_dimension",
            u64::from(limits.max_compute_workgroups_per_dimension),
            u64::from(WORKGROUPS),
        ),
    ];
    needs
        .into_iter()
        .find(|(_, got, needed)| got < needed)
        .map(|(limit, got, needed)| format!("{limit} is {got}, gumbel needs {needed}"))
}

/// Returns all adapters of this machine on the given backends. The adapter that
/// [`Sampler::auto`](crate::Sampler::auto) would take, if any, comes first.
#[cfg(not(target_family = "wasm"))]
pub fn adapters(backends: wgpu::Backends) -> Vec<AdapterReport> {
    pollster::block_on(adapters_async(backends))
}

/// Returns all adapters of this machine on the given backends, as a future: for callers that must
/// not block, as `adapters` does.
///
/// A browser shows one adapter, under the names of its vendor and architecture. Where WebAssembly
/// runs outside a browser there are no adapters.
pub async fn adapters_async(backends: wgpu::Backends) -> Vec<AdapterReport> {
    preferred(backends, wgpu::PowerPreference::None).await
}

/// Returns all adapters of this machine on the given backends, the preferred ones first. In a
/// browser, the one that the browser prefers.
async fn preferred(
    backends: wgpu::Backends,
    preference: wgpu::PowerPreference,
) -> Vec<AdapterReport> {
    #[cfg(target_family = "wasm")]
    if !browser::is_host() {
        return Vec::new();
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    #[cfg(target_family = "wasm")]
    return browser::adapter(&instance, preference).await.into_iter().collect();
    #[cfg(not(target_family = "wasm"))]
    {
        let found = instance.enumerate_adapters(backends).await;
        let mut reports: Vec<_> = found.into_iter().map(AdapterReport::new).collect();
        reports.sort_by_key(|report| report.rank(preference));
        reports
    }
}

/// Returns the adapter that a builder asks for.
pub(crate) async fn choose(builder: &GpuSamplerBuilder) -> Result<AdapterReport, Error> {
    let reports = preferred(builder.backends, builder.power_preference).await;
    pick(&reports, builder.adapter.as_deref(), builder.software).cloned()
}

/// Returns the adapter of `reports` with this name. If no name is given, returns the first hardware
/// adapter, or without one and with `software` the first adapter that can be used.
fn pick<'a>(
    reports: &'a [AdapterReport],
    name: Option<&str>,
    software: bool,
) -> Result<&'a AdapterReport, Error> {
    let found = match name {
        Some(name) => reports.iter().find(|report| report.is_called(name)),
        None => {
            let hardware = reports.iter().find(|report| report.is_hardware());
            let usable = || reports.iter().find(|report| report.obstacle.is_none());
            hardware.or_else(|| usable().filter(|_| software))
        }
    };
    found.ok_or_else(|| {
        let wanted = match name {
            Some(name) if name.trim().is_empty() => format!(
                "is called \"{name}\", which is no name (give no name for the first hardware GPU)"
            ),
            Some(name) => format!("is called \"{name}\""),
            None if software => "can be used".to_owned(),
            None => "is a hardware GPU".to_owned(),
        };
        Error::NoAdapter { wanted, found: reports.iter().map(AdapterReport::to_string).collect() }
    })
}

/// Returns the adapter that [`Sampler::auto`](crate::Sampler::auto) opens: the first hardware
/// adapter.
pub(crate) fn pick_hardware(reports: &[AdapterReport]) -> Result<&AdapterReport, Error> {
    let report = pick(reports, None, false)?;
    report.suitable().map(|()| report)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report on wgpu's noop adapter, under another name.
    fn report(name: &str, device_type: wgpu::DeviceType, obstacle: Option<&str>) -> AdapterReport {
        let backends = wgpu::Backends::NOOP;
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = backends;
        descriptor.backend_options.noop.enable = true;
        let instance = wgpu::Instance::new(descriptor);
        let adapter = pollster::block_on(instance.enumerate_adapters(backends)).remove(0);
        let mut report = AdapterReport::new(adapter);
        report.info.name = name.to_owned();
        report.info.device_type = device_type;
        report.obstacle = obstacle.map(str::to_owned);
        report
    }

    #[test]
    fn auto_takes_the_first_hardware_adapter_or_says_why_not() {
        use wgpu::DeviceType::{Cpu, DiscreteGpu, IntegratedGpu};
        let good = [
            report("soft", Cpu, None),
            report("built in", IntegratedGpu, None),
            report("card", DiscreteGpu, None),
            report("old card", DiscreteGpu, Some("too old")),
        ];
        let taken = |which: &[usize]| {
            let mut reports: Vec<_> = which.iter().map(|&i| good[i].clone()).collect();
            reports.sort_by_key(|report| report.rank(wgpu::PowerPreference::None));
            let name = pick_hardware(&reports).map(|report| report.info.name.clone());
            name.map_err(|error| error.to_string())
        };
        assert_eq!(taken(&[0, 1, 2, 3]).unwrap(), "card");
        assert_eq!(taken(&[3, 0, 1]).unwrap(), "built in");
        let why = taken(&[0]).unwrap_err();
        assert!(why.starts_with("no adapter is a hardware GPU; this machine has soft ("), "{why}");
        let why = taken(&[0, 3]).unwrap_err();
        assert!(why.starts_with("the adapter old card (") && why.ends_with(": too old"), "{why}");
    }

    /// An empty name is contained in every name. It takes no adapter, and above all no software
    /// adapter, which only its name takes.
    #[test]
    fn an_empty_name_is_no_adapters() {
        use wgpu::DeviceType::{Cpu, DiscreteGpu};
        let reports = [report("soft ware", Cpu, None), report("hard ware", DiscreteGpu, None)];
        for name in ["", " ", "\t\n"] {
            assert!(!reports.iter().any(|report| report.is_called(name)), "{name:?}");
            let why = pick(&reports, Some(name), true).unwrap_err().to_string();
            let start = format!("no adapter is called \"{name}\", which is no name (give no name");
            assert!(why.starts_with(&start), "{why}");
            assert!(why.contains("; this machine has soft ware ("), "{why}");
        }
        assert_eq!(pick(&reports, Some("T WARE"), false).unwrap().info.name, "soft ware");
        assert_eq!(pick(&reports, None, true).unwrap().info.name, "hard ware");
    }

    /// Browsers give none.
    #[test]
    fn an_adapter_without_a_name_is_called_that() {
        let report = report("", wgpu::DeviceType::Other, None);
        assert!(report.to_string().starts_with("a GPU without a name (noop"), "{report}");
    }

    #[test]
    fn software_is_taken_where_it_is_allowed_and_nothing_else_is_there() {
        use wgpu::DeviceType::{Cpu, IntegratedGpu};
        let reports = [report("broken", Cpu, Some("too old")), report("soft", Cpu, None)];
        assert_eq!(pick(&reports, None, true).unwrap().info.name, "soft");
        assert!(pick(&reports, None, false).is_err());
        let why = pick(&reports[..1], None, true).unwrap_err().to_string();
        assert!(why.starts_with("no adapter can be used; this machine has broken ("), "{why}");
        let reports = [reports[1].clone(), report("built in", IntegratedGpu, None)];
        assert_eq!(pick(&reports, None, true).unwrap().info.name, "built in");
    }

    #[test]
    fn the_preferred_kind_comes_first() {
        use wgpu::DeviceType::{DiscreteGpu, IntegratedGpu};
        use wgpu::PowerPreference::{HighPerformance, LowPower, None as Any};
        let reports = [report("built in", IntegratedGpu, None), report("card", DiscreteGpu, None)];
        let first = |preference| {
            let first = reports.iter().min_by_key(|report| report.rank(preference));
            first.unwrap().info.name.clone()
        };
        assert_eq!([Any, HighPerformance, LowPower].map(first), ["card", "card", "built in"]);
    }

    #[test]
    fn an_obstacle_names_the_limit_and_both_numbers() {
        assert_eq!(obstacle(&wgpu::Limits::default()), None);
        let limits =
            wgpu::Limits { max_storage_buffers_per_shader_stage: 3, ..wgpu::Limits::default() };
        let what = obstacle(&limits).unwrap();
        assert_eq!(what, "max_storage_buffers_per_shader_stage is 3, gumbel needs 4");
        let limits =
            wgpu::Limits { max_compute_workgroups_per_dimension: 7, ..wgpu::Limits::default() };
        let what = obstacle(&limits).unwrap();
        assert_eq!(what, "max_compute_workgroups_per_dimension is 7, gumbel needs 65535");
    }
}
