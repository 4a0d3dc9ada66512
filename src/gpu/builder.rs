//! How a GPU sampler is set up: adapter, device, pipeline, limits.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::options::ValueFormat;

use super::Gpu;
use super::adapter::full_name;
use super::guard::{Guard, Owner};
use super::kernel::{Common, KernelOptions, Kernels};
use super::kind::Setup;
use super::layout::{Device, Layout, Races, Teams};
use super::plan::Limits;
use super::ring::{SamplerRing, Transport, most_of_a_buffer};
use super::tuning::{DeviceKind, Tuning};

/// The most bytes of a chunk, unless a builder says otherwise. A chunk of this size takes much
/// longer to draw from than to hand over, and most batches have enough of them for three to
/// overlap.
const CHUNK_BYTES: u64 = 16 << 20;

/// The most bytes of workgroup memory that a kernel has for each invocation: those of the race with
/// sums, and what the workgroup has once.
const MEMORY_OF_LANE: u32 = 36;

/// How long a device may take for one step. A step is planned to take half a second where an
/// adapter is slow (`MAX_WORK` in `plan.rs`). A minute is a hundred times that: enough for other
/// work on the same device and for a driver that compiles late, and not too long to wait for an
/// error when nothing happens.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How a [`GpuSampler`](crate::GpuSampler) is set up.
///
/// ```no_run
/// use gumbel::{GpuSampler, wgpu};
/// let sampler = GpuSampler::builder()
///     .with_backends(wgpu::Backends::VULKAN)
///     .with_adapter("llvmpipe")
///     .build()?;
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GpuSamplerBuilder {
    pub(crate) backends: wgpu::Backends,
    pub(crate) adapter: Option<String>,
    pub(crate) power_preference: wgpu::PowerPreference,
    pub(crate) software: bool,
    tuning: Tuning,
    chunk_bytes: u64,
    timeout: Duration,
    edit: fn(String) -> String,
}

impl Default for GpuSamplerBuilder {
    fn default() -> Self {
        Self {
            backends: wgpu::Backends::all(),
            adapter: None,
            power_preference: wgpu::PowerPreference::None,
            software: false,
            tuning: Tuning::default(),
            chunk_bytes: CHUNK_BYTES,
            timeout: TIMEOUT,
            edit: |source| source,
        }
    }
}

impl GpuSamplerBuilder {
    /// Takes only adapters of these backends. The default: all.
    pub fn with_backends(self, backends: wgpu::Backends) -> Self {
        Self { backends, ..self }
    }

    /// Takes the first adapter whose name or driver contains `name`, in upper or lower case. The
    /// default: the first hardware adapter.
    ///
    /// Without such an adapter, [`build`](Self::build) fails with [`Error::NoAdapter`]; so it does
    /// for an empty `name`, which would fit every adapter.
    pub fn with_adapter(self, name: impl Into<String>) -> Self {
        Self { adapter: Some(name.into()), ..self }
    }

    /// Prefers the adapter that saves power, or the fast one, where there are both and no name is
    /// given. A browser decides itself what it makes of the wish. The default: the fast one, and in
    /// a browser no wish.
    pub fn with_power_preference(self, power_preference: wgpu::PowerPreference) -> Self {
        Self { power_preference, ..self }
    }

    /// With `true`, takes a software adapter, which emulates a GPU on the CPU, where there is no
    /// hardware GPU and no name is given. The default: only its [name](Self::with_adapter) takes a
    /// software adapter, as the CPU engine is faster.
    pub fn with_software(self, software: bool) -> Self {
        Self { software, ..self }
    }

    /// Changes how the sampler works; no draw changes.
    pub fn tune(self, change: impl FnOnce(Tuning) -> Tuning) -> Self {
        Self { tuning: change(self.tuning), ..self }
    }

    /// Limits the logits, the row ids and the draws of a chunk of the batch to this many bytes
    /// each; at least 1,024, and no more than the device can bind. The draws do not depend on it.
    /// The default: 16 MiB.
    ///
    /// When to change it: three chunks are under way at once, and a sampler keeps their memory: up
    /// to 20 times the limit, or 11 times where device and host share memory. (Soft samples and
    /// inverse CDFs never cut a row. If a row exceeds a chunk, they keep memory for that row.)
    /// Lower the limit after [`Error::OutOfMemory`] or where other work needs the device's memory,
    /// and after [`Error::Timeout`], as a smaller chunk is done sooner. Small chunks cost speed
    /// where handing one over takes longer than drawing from it, and where rows no longer fit into
    /// a chunk and are cut. Raise the limit where rows have millions of categories, so that they
    /// are not cut, and after [`Error::TopKTooLarge`].
    pub fn with_chunk_bytes(self, chunk_bytes: u64) -> Self {
        Self { chunk_bytes, ..self }
    }

    /// Gives up with [`Error::Timeout`] when the device takes longer than this for one step of a
    /// call, a chunk or a part of one; calls of many steps may take any time. The default: 60
    /// seconds. In a browser, which watches over its devices itself, this has no effect.
    ///
    /// The timeout bounds each wait of gumbel's for the device, and nothing else. The driver's own
    /// calls, to compile a shader, to find memory or to take commands, take as long as the driver
    /// likes, and no thread can be called back from them. Some drivers wait for the device in such
    /// a call: Mesa 25's lavapipe takes a step only when it is done with the step before. There the
    /// error comes no sooner than that, and would not come at all if the step before hung.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Changes the shader before it is compiled: how the tests inject a fault.
    #[doc(hidden)]
    pub fn with_shader_edit(self, edit: fn(String) -> String) -> Self {
        Self { edit, ..self }
    }

    pub(crate) async fn build_on(
        &self,
        adapter: &wgpu::AdapterInfo,
        device: wgpu::Device,
        queue: wgpu::Queue,
        owner: Owner,
    ) -> Result<Gpu, Error> {
        let (can, has) = (device.limits(), device.features());
        let Setup { limits, int64, emulated, filter, direct } =
            self.setup(adapter.device_type, &can, has);
        let subgroups = limits.device.subgroups;

        let guard = Guard::new(device.clone(), full_name(adapter), self.timeout, owner);
        let common = Common { int64, subgroups, emulated, edit: self.edit };
        let kernels = Kernels::new(&guard, common).await?;
        // compiled now, so that a driver that refuses the shader does so here
        let races = Races { rows: 1, categories: 1 << 17, draws: 1, greedy: false, groups: true };
        let layout = Layout::new(races, limits.device);
        let options = KernelOptions::new(ValueFormat::F32, true);
        kernels.passes(&guard, &layout, options, layout.is_cut()).await?;

        let ring = Transport::new(queue.clone(), direct, limits.chunk_bytes);
        Ok(Gpu {
            adapter: Arc::new(adapter.clone()),
            device,
            queue,
            guard,
            kernels: Arc::new(kernels),
            limits,
            filter,
            ring: Arc::new(SamplerRing(Arc::new(ring))),
        })
    }

    /// Returns how a sampler works on a device with these limits and features. Pure: no device is
    /// asked.
    pub(super) fn setup(
        &self,
        kind: wgpu::DeviceType,
        can: &wgpu::Limits,
        has: wgpu::Features,
    ) -> Setup {
        use wgpu::DeviceType::{Cpu, IntegratedGpu};
        let largest = largest_workgroup(can);
        // the largest power of two up to what was asked for and what the device can do
        let workgroup_size = 1 << self.tuning.workgroup_size.clamp(1, largest).ilog2();
        let workgroups =
            can.max_compute_workgroups_per_dimension.min(self.tuning.workgroups).max(1);
        let subgroups = self.tuning.subgroups && has.contains(wgpu::Features::SUBGROUP);
        let emulated = match self.tuning.device_kind {
            DeviceKind::Adapter | DeviceKind::Teams(_) => kind == Cpu,
            DeviceKind::Hardware => false,
            DeviceKind::Emulation => true,
        };
        let mut teams = match self.tuning.device_kind {
            DeviceKind::Teams(teams) => teams,
            _ if emulated => Teams::emulated(cores()),
            _ => Teams::HARDWARE,
        };
        teams.busy_invocations = self.tuning.busy_invocations.unwrap_or(teams.busy_invocations);
        let most = most_of_a_buffer(can.max_buffer_size);
        let binding_bytes = can.max_storage_buffer_binding_size.min(most);
        let limits = Limits {
            chunk_bytes: self.chunk_bytes.min(binding_bytes).max(1 << 10),
            binding_bytes,
            device: Device { teams: teams.within(workgroup_size), subgroups, workgroups },
        };
        let mappable = has.contains(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS);
        Setup {
            limits,
            int64: self.tuning.int64 && has.contains(wgpu::Features::SHADER_INT64),
            emulated,
            filter: self.tuning.filter,
            direct: self.tuning.direct && matches!(kind, Cpu | IntegratedGpu) && mappable,
        }
    }
}

/// The number of cores of this machine, or 1 if the number is not known.
fn cores() -> usize {
    #[cfg(target_family = "wasm")]
    return super::adapter::browser::cores().unwrap_or(1);
    #[cfg(not(target_family = "wasm"))]
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The most invocations that a workgroup of any kernel can have.
fn largest_workgroup(can: &wgpu::Limits) -> u32 {
    can.max_compute_invocations_per_workgroup
        .min(can.max_compute_workgroup_size_x)
        .min((can.max_compute_workgroup_storage_size / MEMORY_OF_LANE).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workgroups_have_the_memory_that_they_take() {
        let usual = wgpu::Limits::default();
        assert_eq!(largest_workgroup(&usual), 256);
        let many = |storage| wgpu::Limits {
            max_compute_invocations_per_workgroup: 1024,
            max_compute_workgroup_size_x: 1024,
            max_compute_workgroup_storage_size: storage,
            ..usual.clone()
        };
        assert_eq!([0, 16_384, 49_152].map(|n| largest_workgroup(&many(n))), [1, 455, 1024]);
    }
}
