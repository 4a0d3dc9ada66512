//! How a GPU sampler is set up: adapter, device, pipeline, limits.

use std::sync::Mutex;
use std::time::Duration;

use crate::error::Error;
use crate::shaders::Variant;

use super::adapter::{choose, full_name, obstacle};
use super::guard::{Doing, Guard, Owner};
use super::plan::Limits;
use super::{GpuSampler, kernel};

/// The largest workgroup that is asked for.
const WORKGROUP_SIZE: u32 = 256;

/// How long a device may take for one step. A step is planned to take half a second where an adapter
/// is slow (`MAX_WORK` in `plan.rs`), so a minute leaves room for a hundred times that, for other
/// work on the same device and for a driver that compiles late; and it is still a time after which
/// one would look why nothing happens.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How a [`GpuSampler`] is set up.
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
    backends: wgpu::Backends,
    adapter: Option<String>,
    filter: bool,
    int64: bool,
    workgroup_size: u32,
    chunk_bytes: u64,
    workgroups: u32,
    timeout: Duration,
    edit: fn(String) -> String,
}

impl Default for GpuSamplerBuilder {
    fn default() -> Self {
        Self {
            backends: wgpu::Backends::all(),
            adapter: None,
            filter: true,
            int64: true,
            workgroup_size: WORKGROUP_SIZE,
            chunk_bytes: u64::MAX,
            workgroups: u32::MAX,
            timeout: TIMEOUT,
            edit: |source| source,
        }
    }
}

impl GpuSamplerBuilder {
    /// Only adapters of these backends. The default: all.
    pub fn with_backends(self, backends: wgpu::Backends) -> Self {
        Self { backends, ..self }
    }

    /// The first adapter whose name or driver contains `name`, in upper or lower case: the one way
    /// to a software adapter. The default: the first hardware adapter.
    pub fn with_adapter(self, name: impl Into<String>) -> Self {
        Self { adapter: Some(name.into()), ..self }
    }

    /// With `false`, evaluates the noise of every category instead of filtering first. The draws
    /// are the same, and a test says so.
    pub fn with_filter(self, filter: bool) -> Self {
        Self { filter, ..self }
    }

    /// With `false`, multiplies by 16-bit products even where the device has 64-bit integers. The
    /// draws are the same.
    pub fn with_int64(self, int64: bool) -> Self {
        Self { int64, ..self }
    }

    /// The invocations of a workgroup, a power of two; lowered to what the device can do. The
    /// draws are the same. The default: 256.
    pub fn with_workgroup_size(self, workgroup_size: u32) -> Self {
        Self { workgroup_size, ..self }
    }

    /// Uploads no more than this many bytes of logits at once; at least 1,024. The draws are the
    /// same. The default: 64 MiB, or what the device can bind.
    pub fn with_chunk_bytes(self, chunk_bytes: u64) -> Self {
        Self { chunk_bytes, ..self }
    }

    /// Dispatches no more than this many workgroups along one dimension; at least 1. The draws
    /// are the same. The default: the device's limit.
    pub fn with_workgroups(self, workgroups: u32) -> Self {
        Self { workgroups, ..self }
    }

    /// Gives up with [`Error::Timeout`] when the device takes longer than this for one step of a
    /// call, a chunk or a part of one; calls of many steps may take any time. The default: 60
    /// seconds. In a browser, which watches over its devices itself, this has no effect.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Changes the shader before it is compiled: how the tests inject a fault.
    #[doc(hidden)]
    pub fn with_shader_edit(self, edit: fn(String) -> String) -> Self {
        Self { edit, ..self }
    }

    /// Finds the adapter and compiles the shader.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is none such, and [`Error::UnsuitableAdapter`],
    /// [`Error::NoDevice`] or [`Error::ShaderRefused`] if it cannot be used.
    pub fn build(self) -> Result<GpuSampler, Error> {
        pollster::block_on(self.build_async())
    }

    /// As [`build`](Self::build), without blocking.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub async fn build_async(self) -> Result<GpuSampler, Error> {
        let report = choose(self.backends, self.adapter.as_deref()).await?;
        report.open_with_async(&self).await
    }

    /// Compiles the shader on a device that the caller has. The sampler uses what features and
    /// limits the device was made with: [`SHADER_INT64`](wgpu::Features::SHADER_INT64) helps. It
    /// leaves the device's callbacks alone, and what it does on the device reaches no handler of
    /// uncaptured errors: its faults are returned.
    ///
    /// # Errors
    /// [`Error::UnsuitableAdapter`] if a limit is too low, [`Error::ShaderRefused`], and
    /// [`Error::DeviceLost`] if the device is lost already.
    pub fn build_with_device(
        self,
        device: wgpu::Device,
        queue: wgpu::Queue,
    ) -> Result<GpuSampler, Error> {
        pollster::block_on(self.build_with_device_async(device, queue))
    }

    /// As [`build_with_device`](Self::build_with_device), without blocking.
    ///
    /// # Errors
    /// As [`build_with_device`](Self::build_with_device).
    pub async fn build_with_device_async(
        self,
        device: wgpu::Device,
        queue: wgpu::Queue,
    ) -> Result<GpuSampler, Error> {
        let info = device.adapter_info();
        if let Some(what) = obstacle(&device.limits()) {
            return Err(Error::UnsuitableAdapter { adapter: info.name, what });
        }
        self.build_on(&info, device, queue, Owner::Caller).await
    }

    pub(super) async fn build_on(
        &self,
        adapter: &wgpu::AdapterInfo,
        device: wgpu::Device,
        queue: wgpu::Queue,
        owner: Owner,
    ) -> Result<GpuSampler, Error> {
        let can = device.limits();
        let largest = can
            .max_compute_invocations_per_workgroup
            .min(can.max_compute_workgroup_size_x)
            .min(WORKGROUP_SIZE);
        // the largest power of two up to what was asked for and what the device can do
        let size = self.workgroup_size.clamp(1, largest);
        let workgroup_size = 1 << size.ilog2();
        let mut limits = Limits::new(&device.limits(), workgroup_size);
        limits.binding_bytes = limits.binding_bytes.min(self.chunk_bytes).max(1 << 10);
        limits.workgroups = limits.workgroups.min(self.workgroups).max(1);

        let int64 = self.int64 && device.features().contains(wgpu::Features::SHADER_INT64);
        let source = (self.edit)(Variant { int64, workgroup_size }.source());
        let products = if int64 { 64 } else { 16 };
        let shader = format!(
            "the shader \"gumbel race\" ({products}-bit products, workgroups of {workgroup_size})"
        );
        let guard = Guard::new(device.clone(), full_name(adapter), self.timeout, owner);
        let compile = || {
            let layout = kernel::bind_group_layout(&device);
            let pipeline = kernel::pipeline(&device, &layout, &source);
            (layout, pipeline)
        };
        let doing = Doing::Compiling { shader: shader.into() };
        let (layout, pipeline) = guard.checked(doing, compile).await?;
        let (adapter, filter, buffers) = (adapter.clone(), self.filter, Mutex::new(None));
        Ok(GpuSampler { adapter, device, queue, guard, layout, pipeline, limits, filter, buffers })
    }
}
