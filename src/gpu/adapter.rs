//! The adapters of this machine: which there are, and which is taken.

use std::fmt;

use crate::error::Error;

use super::{GpuSampler, GpuSamplerBuilder};

/// The smallest workgroup that the kernels are built for, and what they need of a device with it.
const SMALLEST_WORKGROUP: u32 = 64;
const STORAGE_BUFFERS: u32 = 4;
/// A binding must hold a few octets for every lane.
const SMALLEST_BINDING: u64 = 1 << 16;

/// An adapter, and whether the GPU engine can use it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AdapterReport {
    /// Name, backend, driver and kind.
    pub info: wgpu::AdapterInfo,
    /// What it can bind, dispatch and allocate.
    pub limits: wgpu::Limits,
    /// Its optional capabilities.
    pub features: wgpu::Features,
    /// What it lacks to run gumbel's shaders, if anything.
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

    /// The adapter itself, to make a device of one's own.
    pub fn adapter(&self) -> &wgpu::Adapter {
        &self.adapter
    }

    /// False for an adapter that emulates a GPU on the CPU.
    pub fn is_hardware(&self) -> bool {
        self.info.device_type != wgpu::DeviceType::Cpu
    }

    /// A sampler on this very adapter.
    ///
    /// # Errors
    /// [`Error::UnsuitableAdapter`], [`Error::NoDevice`], or [`Error::Gpu`] if the shader is
    /// refused.
    pub fn open(&self) -> Result<GpuSampler, Error> {
        self.open_with(&GpuSampler::builder())
    }

    /// As [`open`](Self::open), with a builder's settings; backend and name do not matter.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(&self, builder: &GpuSamplerBuilder) -> Result<GpuSampler, Error> {
        pollster::block_on(self.open_with_async(builder))
    }

    /// As [`open_with`](Self::open_with), without blocking.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with_async(&self, builder: &GpuSamplerBuilder) -> Result<GpuSampler, Error> {
        let adapter = || self.to_string();
        if let Some(what) = &self.obstacle {
            return Err(Error::UnsuitableAdapter { adapter: adapter(), what: what.clone() });
        }
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("gumbel"),
            required_features: self.features & wgpu::Features::SHADER_INT64,
            // the largest bindings that there are
            required_limits: self.limits.clone(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = self
            .adapter
            .request_device(&descriptor)
            .await
            .map_err(|source| Error::NoDevice { adapter: adapter(), source })?;
        builder.build_on(self.info.clone(), device, queue).await
    }

    /// True if [`with_adapter`](GpuSamplerBuilder::with_adapter) finds this adapter by that name:
    /// if its name or driver contains it, in upper or lower case.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let info = &self.info;
        [&info.name, &info.driver, &info.driver_info]
            .iter()
            .any(|text| text.to_lowercase().contains(&name))
    }

    /// Adapters with a lower rank come first: those that can be used, hardware, the backend that
    /// is native to the system.
    fn rank(&self) -> (bool, u8, u8) {
        let kind = match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::VirtualGpu => 1,
            wgpu::DeviceType::IntegratedGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
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
        let wgpu::AdapterInfo { name, backend, driver, driver_info, .. } = &self.info;
        write!(f, "{name} ({backend}")?;
        for text in [driver, driver_info] {
            if !text.is_empty() {
                write!(f, ", {text}")?;
            }
        }
        write!(f, ")")
    }
}

/// What limits lack, if anything: the same for an adapter and for a caller's device.
pub(super) fn obstacle(limits: &wgpu::Limits) -> Option<String> {
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
    ];
    needs
        .into_iter()
        .find(|(_, got, needed)| got < needed)
        .map(|(limit, got, needed)| format!("{limit} is {got}, gumbel needs {needed}"))
}

/// All adapters of this machine on the given backends, the one that
/// [`Sampler::auto`](crate::Sampler::auto) would take, if any, first.
pub fn adapters(backends: wgpu::Backends) -> Vec<AdapterReport> {
    pollster::block_on(adapters_async(backends))
}

/// As [`adapters`], without blocking.
pub async fn adapters_async(backends: wgpu::Backends) -> Vec<AdapterReport> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let found = instance.enumerate_adapters(backends).await;
    let mut reports: Vec<_> = found.into_iter().map(AdapterReport::new).collect();
    reports.sort_by_key(AdapterReport::rank);
    reports
}

/// The adapter with this name, or the first hardware adapter if no name is given.
pub(super) async fn choose(
    backends: wgpu::Backends,
    name: Option<&str>,
) -> Result<AdapterReport, Error> {
    let reports = adapters_async(backends).await;
    let found = reports.iter().map(AdapterReport::to_string).collect();
    let wanted = match name {
        Some(name) => format!("is called \"{name}\""),
        None => "is a hardware GPU".to_owned(),
    };
    reports
        .into_iter()
        .find(|report| match name {
            Some(name) => report.is_called(name),
            None => report.is_hardware(),
        })
        .ok_or(Error::NoAdapter { wanted, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obstacle_names_the_limit_and_both_numbers() {
        assert_eq!(obstacle(&wgpu::Limits::default()), None);
        let limits =
            wgpu::Limits { max_storage_buffers_per_shader_stage: 3, ..wgpu::Limits::default() };
        let what = obstacle(&limits).unwrap();
        assert_eq!(what, "max_storage_buffers_per_shader_stage is 3, gumbel needs 4");
    }
}
