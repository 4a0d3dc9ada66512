//! The pipelines of soft samples.

use crate::error::Error;
use crate::gpu::guard::Guard;
use crate::gpu::kernel::Kernels;
use crate::options::ValueFormat;
use crate::shaders::{Kernel, Reduction, Restriction, Variant};

impl Kernels {
    /// Returns the layout of the bindings of soft samples.
    ///
    /// # Errors
    /// [`Error::MissingFeature`] if the device binds fewer storage buffers.
    pub(in crate::gpu) fn soft_layout(&self) -> Result<&wgpu::BindGroupLayout, Error> {
        self.soft.as_ref().ok_or(Error::MissingFeature {
            feature: "7 storage buffers per shader stage",
            needed_for: "soft samples",
        })
    }

    /// Returns the pipelines of the kernels `SoftWeights`, `Total` and `Vjp`. Those that were not
    /// compiled yet are compiled now.
    pub(super) async fn soft(
        &self,
        guard: &Guard,
        (format, vec4, groups): (ValueFormat, bool, bool),
        workgroup_size: u32,
    ) -> Result<[wgpu::ComputePipeline; 3], Error> {
        let weigh = Variant {
            kernel: Kernel::SoftWeights,
            reduction: Reduction::Alone,
            groups,
            format,
            vec4,
            each: false,
            immediates: false,
            restriction: Restriction::None,
            int64: self.common.int64,
            emulated: self.common.emulated,
            workgroup_size,
        };
        let plain = Variant { groups: false, format: ValueFormat::F32, vec4: false, ..weigh };
        Ok([
            self.pipeline(guard, weigh).await?,
            self.pipeline(guard, Variant { kernel: Kernel::Total, ..plain }).await?,
            self.pipeline(guard, Variant { kernel: Kernel::Vjp, ..plain }).await?,
        ])
    }
}
