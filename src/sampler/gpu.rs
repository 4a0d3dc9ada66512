//! How a sampler on a GPU is set up, and the methods that only such a sampler has.

use super::{GpuSampler, Sampler};
use crate::error::Error;
use crate::gpu::{
    AdapterReport, BoundBatch, DeviceBatch, FEATURES, Gpu, GpuSamplerBuilder, Owner, choose,
    obstacle, pick_hardware,
};

impl GpuSampler {
    /// The optional features of a device that gumbel uses. [`SHADER_INT64`](wgpu::Features::SHADER_INT64),
    /// [`SUBGROUP`](wgpu::Features::SUBGROUP) and, where device and host share memory,
    /// [`MAPPABLE_PRIMARY_BUFFERS`](wgpu::Features::MAPPABLE_PRIMARY_BUFFERS) make the sampler faster;
    /// [`BoundBatch::encode`] needs [`IMMEDIATES`](wgpu::Features::IMMEDIATES), with a
    /// [`max_immediate_size`](wgpu::Limits::max_immediate_size) of 4 or more.
    pub const FEATURES: wgpu::Features = FEATURES;

    /// A sampler on the first hardware GPU of this machine.
    ///
    /// # Errors
    /// Those of [`GpuSamplerBuilder::build`]. A software adapter counts as none: the CPU engine is
    /// faster, and a [builder](Self::builder) can take one.
    #[cfg(not(target_family = "wasm"))]
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A sampler on the first hardware GPU of this machine, as a future, for callers that must not block.
    ///
    /// # Errors
    /// Those of [`GpuSamplerBuilder::build_async`].
    pub async fn new_async() -> Result<Self, Error> {
        Self::builder().build_async().await
    }

    /// Returns a builder, for a choice of backend, adapter, device and settings.
    pub fn builder() -> GpuSamplerBuilder {
        GpuSamplerBuilder::default()
    }

    /// The adapter that draws.
    pub fn adapter(&self) -> &wgpu::AdapterInfo {
        &self.engine.adapter
    }

    /// The device that draws, for buffers and shaders of your own.
    pub fn device(&self) -> &wgpu::Device {
        &self.engine.device
    }

    /// The queue of the [device](Self::device).
    pub fn queue(&self) -> &wgpu::Queue {
        &self.engine.queue
    }

    /// Prepares a batch on the [device](Self::device) for encoding. For a batch without rows nothing is bound, and its
    /// buffers are not checked.
    ///
    /// # Errors
    /// [`Error::Categories`], [`Error::Draws`], [`Error::Temperature`], and [`Error::WeightsTemperature`] with weights
    /// or counts; [`Error::DeviceBuffer`] for a buffer that is too small or too large, is bound at an offset that the
    /// device does not take, or lacks a usage; [`Error::MissingFeature`] if the device was made with fewer than 8
    /// storage buffers for a shader and seeds, temperatures, first draws or row indices come from buffers;
    /// [`Error::NoNoise`] for log-probabilities or sums at temperature 0; and errors of the device.
    #[cfg(not(target_family = "wasm"))]
    pub fn bind(&self, batch: &DeviceBatch<'_>) -> Result<BoundBatch, Error> {
        pollster::block_on(self.engine.bind(batch, None))
    }

    /// Binds other buffers in the memory of `bound`, without allocation. Everything else of the batch must be equal. Commands
    /// of both batches may be encoded and submitted in any order. So the logits of the next step can be written while this
    /// step's are drawn from, and buffers can come from a pool.
    ///
    /// The buffers may be of other sizes, and draws may begin elsewhere in theirs; so may logits, if both offsets are
    /// multiples of 256. Rows, strides, options, and which options come from buffers, have to be the same.
    ///
    /// ```no_run
    /// use gumbel::{DeviceBatch, GpuSampler, wgpu};
    /// # fn draw(sampler: GpuSampler, logits: [wgpu::Buffer; 2], draws: wgpu::Buffer) -> Result<(), gumbel::Error> {
    /// let batch = |logits| DeviceBatch::new(logits, &draws, 64, 128_256);
    /// let even = sampler.bind(&batch(&logits[0]))?;
    /// let odd = sampler.rebind(&even, &batch(&logits[1]))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind), and [`Error::DeviceBuffer`] for a batch that needs other memory, for instance a batch of
    /// another shape. A batch that differs but needs the same memory (bf16 instead of f16, or temperature 0 instead of 1) is no
    /// error, and the draws are right.
    #[cfg(not(target_family = "wasm"))]
    pub fn rebind(&self, bound: &BoundBatch, batch: &DeviceBatch<'_>) -> Result<BoundBatch, Error> {
        pollster::block_on(self.engine.bind(batch, Some(bound)))
    }

    /// Prepares a batch in the memory of another one, as `rebind` does, as a future, for callers that must not block.
    ///
    /// # Errors
    /// Those of `rebind`.
    pub async fn rebind_async(
        &self,
        bound: &BoundBatch,
        batch: &DeviceBatch<'_>,
    ) -> Result<BoundBatch, Error> {
        self.engine.bind(batch, Some(bound)).await
    }

    /// Prepares a batch on the device for encoding, as `bind` does, as a future, for callers that must not block.
    ///
    /// # Errors
    /// Those of `bind`.
    pub async fn bind_async(&self, batch: &DeviceBatch<'_>) -> Result<BoundBatch, Error> {
        self.engine.bind(batch, None).await
    }
}

impl From<Gpu> for GpuSampler {
    fn from(engine: Gpu) -> Self {
        Self { engine }
    }
}

impl std::fmt::Display for GpuSampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let info = self.adapter();
        write!(f, "GPU engine ({}, {})", info.name, info.backend)
    }
}

impl Sampler {
    /// Returns the adapter that `auto` opens, among the reports of [all adapters](crate::adapters_async).
    ///
    /// ```
    /// use gumbel::{Sampler, adapters, wgpu::Backends};
    /// match Sampler::auto_adapter(&adapters(Backends::all())) {
    ///     Ok(report) => println!("auto opens {report}"),
    ///     Err(why) => println!("auto takes the CPU engine: {why}"),
    /// }
    /// ```
    ///
    /// # Errors
    /// The reason why `auto` takes the CPU engine: [`Error::NoAdapter`] or [`Error::UnsuitableAdapter`]. `auto` also
    /// takes the CPU engine if the adapter then cannot be opened.
    pub fn auto_adapter(reports: &[AdapterReport]) -> Result<&AdapterReport, Error> {
        pick_hardware(reports)
    }
}

impl GpuSamplerBuilder {
    /// Finds the adapter, compiles the shader, and returns a sampler.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if no adapter matches, and [`Error::UnsuitableAdapter`], [`Error::NoDevice`] or
    /// [`Error::ShaderRefused`] if the adapter cannot be used.
    #[cfg(not(target_family = "wasm"))]
    pub fn build(self) -> Result<GpuSampler, Error> {
        pollster::block_on(self.build_async())
    }

    /// Finds the adapter, compiles the shader, and returns a sampler, as a future, for callers that must not block.
    ///
    /// # Errors
    /// Those of `build`.
    pub async fn build_async(self) -> Result<GpuSampler, Error> {
        let report = choose(&self).await?;
        report.open_with_async(&self).await
    }

    /// Compiles the shader on the caller's device, and returns a sampler on that device. The sampler uses the features
    /// and limits with which the device was made: [`SHADER_INT64`](wgpu::Features::SHADER_INT64) helps. It does not set
    /// the device's callbacks, and its faults on the device reach no handler of uncaptured errors: they are returned.
    ///
    /// # Errors
    /// [`Error::UnsuitableAdapter`] if a limit is too low, [`Error::ShaderRefused`], and
    /// [`Error::DeviceLost`] if the device is lost already.
    #[cfg(not(target_family = "wasm"))]
    pub fn build_with_device(
        self,
        device: wgpu::Device,
        queue: wgpu::Queue,
    ) -> Result<GpuSampler, Error> {
        pollster::block_on(self.build_with_device_async(device, queue))
    }

    /// Compiles the shader on the caller's device, and returns a sampler on that device, as a future, for callers that
    /// must not block. The rules are those of `build_with_device`.
    ///
    /// # Errors
    /// Those of `build_with_device`.
    pub async fn build_with_device_async(
        self,
        device: wgpu::Device,
        queue: wgpu::Queue,
    ) -> Result<GpuSampler, Error> {
        let info = device.adapter_info();
        if let Some(what) = obstacle(&device.limits()) {
            return Err(Error::UnsuitableAdapter { adapter: info.name, what });
        }
        self.build_on(&info, device, queue, Owner::Caller).await.map(GpuSampler::from)
    }
}

impl AdapterReport {
    /// Returns a sampler on the adapter of this report.
    ///
    /// # Errors
    /// [`Error::UnsuitableAdapter`], [`Error::NoDevice`], or [`Error::ShaderRefused`].
    #[cfg(not(target_family = "wasm"))]
    pub fn open(&self) -> Result<GpuSampler, Error> {
        self.open_with(&GpuSampler::builder())
    }

    /// Returns a sampler on the adapter of this report, with a builder's settings; the builder's choice of an adapter
    /// does not matter.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    #[cfg(not(target_family = "wasm"))]
    pub fn open_with(&self, builder: &GpuSamplerBuilder) -> Result<GpuSampler, Error> {
        pollster::block_on(self.open_with_async(builder))
    }

    /// Returns a sampler on the adapter of this report, with a builder's settings, as a future, for callers that must
    /// not block. The builder's choice of an adapter does not matter.
    ///
    /// # Errors
    /// Those of `open`.
    pub async fn open_with_async(&self, builder: &GpuSamplerBuilder) -> Result<GpuSampler, Error> {
        self.engine(builder).await.map(GpuSampler::from)
    }
}
