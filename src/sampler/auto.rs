//! The engine that suits a call.

#[cfg(feature = "gpu")]
use super::GpuSampler;
use super::{CpuSampler, Sampler};
use crate::cpu::Cpu;
use crate::engine::Auto;
#[cfg(feature = "gpu")]
use crate::engine::WithGpu;
#[cfg(feature = "gpu")]
use crate::error::Error;

impl Sampler {
    /// Engines of this machine: a hardware GPU if there is one, and the CPU. A software adapter, which emulates a GPU
    /// on the CPU, is never taken: `GpuSamplerBuilder::with_adapter` takes one by its name.
    ///
    /// Which engine a call runs on depends on its shape alone, and never changes a draw. A call with fewer than
    /// [`GPU_FROM`](Self::GPU_FROM) logits, counted once for each draw, runs on the CPU: some hundred microseconds'
    /// work, less than it takes to send it to a GPU and to wait for the answer. All other calls run on the GPU. By
    /// inverse CDF each row is read once, so there the logits are counted once, and the draws beside them; a table that
    /// is [kept](Self::inverse_cdf) counts its logits.
    ///
    /// If the device is lost during a call (its driver crashed, or the hardware was removed), the call is done again on
    /// the CPU, with the same results, and so are all later ones; [`lost_gpu`](Self::lost_gpu) tells. What a GPU has no
    /// room for is an error as it is of `GpuSampler`, and not done on the CPU instead. Without a GPU,
    /// and without the feature `gpu`, everything runs on the CPU.
    #[cfg(any(not(target_family = "wasm"), not(feature = "gpu")))]
    pub fn auto() -> Self {
        #[cfg(feature = "gpu")]
        return pollster::block_on(Self::auto_async());
        #[cfg(not(feature = "gpu"))]
        Self::without_gpu("gumbel was built without its feature \"gpu\"".to_owned())
    }

    /// Engines of this machine, as a future: `auto` where nothing may block. In a browser, and in any other
    /// host of WebAssembly, it gives the CPU engine unless the host has WebGPU.
    pub async fn auto_async() -> Self {
        #[cfg(feature = "gpu")]
        match GpuSampler::new_async().await {
            Ok(gpu) => Self::with_engines(CpuSampler::new(), gpu),
            Err(error) => Self::without_gpu(error.to_string()),
        }
        #[cfg(not(feature = "gpu"))]
        Self::without_gpu("gumbel was built without its feature \"gpu\"".to_owned())
    }

    fn without_gpu(reason: String) -> Self {
        Self::cpu_only(Cpu::new(), reason)
    }

    fn cpu_only(cpu: Cpu, reason: String) -> Self {
        Self {
            engine: Auto {
                cpu,
                #[cfg(feature = "gpu")]
                gpu: None,
                reason: reason.into(),
            },
        }
    }

    /// Why these engines were taken, in words.
    pub fn reason(&self) -> &str {
        &self.engine.reason
    }
}

#[cfg(feature = "gpu")]
impl Sampler {
    /// The least number of logits, counted once for each draw, for which [`auto`](Self::auto) takes a GPU.
    pub const GPU_FROM: u64 = 1 << 18;

    /// These two engines: the GPU for calls of [`GPU_FROM`](Self::GPU_FROM) logits and more, the CPU for all others,
    /// and for the rest if the GPU's device is lost. [`auto`](Self::auto) explains the rule.
    pub fn with_engines(cpu: CpuSampler, gpu: GpuSampler) -> Self {
        Self {
            engine: Auto {
                cpu: cpu.engine,
                reason: format!("it has the GPU {}", gpu.adapter().name).into(),
                gpu: Some(WithGpu {
                    sampler: gpu,
                    least_work: Some(Self::GPU_FROM),
                    lost: Default::default(),
                }),
            },
        }
    }

    /// The sampler on the GPU that this one may draw on, `None` if it has none: for batches on the device, and for
    /// buffers and shaders of your own.
    ///
    /// ```
    /// use gumbel::Sampler;
    /// match Sampler::auto().as_gpu() {
    ///     Some(gpu) => println!("buffers can be shared with {}", gpu.adapter().name),
    ///     None => println!("all is done on the CPU"),
    /// }
    /// ```
    pub fn as_gpu(&self) -> Option<&GpuSampler> {
        self.engine.gpu.as_ref().map(|with| &with.sampler)
    }

    /// The error by which the GPU's device was lost in a call that was finished on the CPU, `None` if none was.
    pub fn lost_gpu(&self) -> Option<&Error> {
        self.engine.gpu.as_ref().and_then(|with| with.lost.get())
    }
}

#[cfg(feature = "gpu")]
impl Auto {
    /// The CPU, now that the GPU is lost.
    pub(super) fn without_gpu(&self, lost: Error) -> &Cpu {
        if let Some(with) = &self.gpu {
            // another thread may have seen it first
            let _ = with.lost.set(lost);
        }
        &self.cpu
    }
}

/// All calls run on the CPU.
impl From<CpuSampler> for Sampler {
    fn from(cpu: CpuSampler) -> Self {
        Self::cpu_only(cpu.engine, "it was asked for".to_owned())
    }
}

/// All calls run on this GPU, however small, and fail if its device is lost: [`Sampler::with_engines`] takes a CPU
/// as well.
#[cfg(feature = "gpu")]
impl From<GpuSampler> for Sampler {
    fn from(sampler: GpuSampler) -> Self {
        Self {
            engine: Auto {
                cpu: Cpu::new(),
                gpu: Some(WithGpu { sampler, least_work: None, lost: Default::default() }),
                reason: "it was asked for".into(),
            },
        }
    }
}

impl std::fmt::Display for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        #[cfg(feature = "gpu")]
        if let (Some(gpu), None) = (self.as_gpu(), self.lost_gpu()) {
            return write!(f, "{gpu}");
        }
        f.write_str(super::cpu::NAME)
    }
}
