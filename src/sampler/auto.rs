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
    /// Returns a sampler on the engines of this machine: a hardware GPU if there is one, and the CPU. A software
    /// adapter, which emulates a GPU on the CPU, is never taken: `GpuSamplerBuilder::with_adapter` takes one by its
    /// name.
    ///
    /// Which engine a call runs on depends on its shape alone, and never changes a draw. A call with fewer than
    /// [`GPU_FROM`](Self::GPU_FROM) logits, counted once for each draw, runs on the CPU: its work takes some hundred
    /// microseconds, less than sending it to a GPU and waiting for the answer. All other calls run on the GPU. An
    /// inverse CDF reads each row once, so its logits are counted once, and each draw as one logit more.
    /// [`inverse_cdf`](Self::inverse_cdf) counts the logits of its rows.
    ///
    /// If the device is lost during a call (its driver crashed, or the hardware was removed), the call is repeated on
    /// the CPU, with the same results, and all later calls run on the CPU; [`lost_gpu`](Self::lost_gpu) then returns
    /// the error. A call for which a GPU has not enough memory is an error, as with `GpuSampler`, and is not repeated
    /// on the CPU. Without a GPU, and without the feature `gpu`, everything runs on the CPU.
    #[cfg(any(not(target_family = "wasm"), not(feature = "gpu")))]
    pub fn auto() -> Self {
        #[cfg(feature = "gpu")]
        return pollster::block_on(Self::auto_async());
        #[cfg(not(feature = "gpu"))]
        Self::without_gpu("gumbel was built without its feature \"gpu\"".to_owned())
    }

    /// Returns a sampler on the engines of this machine, as a future, for callers that must not block. The rules are
    /// those of `auto`. In a browser, and in any other host of WebAssembly, the sampler has the CPU engine alone unless
    /// the host has WebGPU.
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

    /// The reason why these engines were taken, in words.
    pub fn reason(&self) -> &str {
        &self.engine.reason
    }
}

#[cfg(feature = "gpu")]
impl Sampler {
    /// The least number of logits, counted once for each draw, for which [`auto`](Self::auto) runs a call on a GPU.
    pub const GPU_FROM: u64 = 1 << 18;

    /// Returns a sampler on these two engines. Calls of [`GPU_FROM`](Self::GPU_FROM) logits and more run on the GPU,
    /// all others on the CPU; if the GPU's device is lost, all calls run on the CPU. [`auto`](Self::auto) explains the
    /// rule.
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

    /// The GPU sampler that this sampler uses, `None` if there is no GPU: for batches on the device, and for buffers
    /// and shaders of your own.
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

    /// The error with which the GPU's device was lost in a call that was then finished on the CPU, `None` if the device
    /// was not lost.
    pub fn lost_gpu(&self) -> Option<&Error> {
        self.engine.gpu.as_ref().and_then(|with| with.lost.get())
    }
}

#[cfg(feature = "gpu")]
impl Auto {
    /// Records that the GPU is lost, and returns the CPU.
    pub(super) fn without_gpu(&self, lost: Error) -> &Cpu {
        if let Some(with) = &self.gpu {
            // another thread may have recorded a loss before
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
