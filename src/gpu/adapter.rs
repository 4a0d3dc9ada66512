//! The adapters of this machine.

use std::fmt;

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
}

impl AdapterReport {
    /// False for an adapter that emulates a GPU on the CPU.
    pub fn is_hardware(&self) -> bool {
        self.info.device_type != wgpu::DeviceType::Cpu
    }
}

/// All adapters of this machine on all backends, the one that
/// [`Sampler::auto`](crate::Sampler::auto) would take first.
pub async fn adapters(backends: wgpu::Backends) -> Vec<AdapterReport> {
    let instance = wgpu::Instance::default();
    let mut reports: Vec<_> =
        instance.enumerate_adapters(backends).await.iter().map(report).collect();
    reports.sort_by_key(rank);
    reports
}

/// Adapters with a lower rank come first.
fn rank(report: &AdapterReport) -> u8 {
    let kind = match report.info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::VirtualGpu => 1,
        wgpu::DeviceType::IntegratedGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    kind + 8 * u8::from(report.obstacle.is_some())
}

fn report(adapter: &wgpu::Adapter) -> AdapterReport {
    AdapterReport {
        info: adapter.get_info(),
        limits: adapter.limits(),
        features: adapter.features(),
        obstacle: None,
    }
}

impl fmt::Display for AdapterReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.info.name, self.info.backend, self.info.driver_info)
    }
}
