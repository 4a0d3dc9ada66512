//! The pipelines of an inverse CDF.

use crate::error::Error;
use crate::gpu::guard::Guard;
use crate::gpu::kernel::{Kernels, TableLayouts};
use crate::options::ValueFormat;
use crate::shaders::{Kernel, Reduction, Restriction, Variant};

/// The passes of an inverse CDF.
#[derive(Clone, Debug)]
pub(super) struct TablePasses {
    pub(super) top: wgpu::ComputePipeline,
    pub(super) build: wgpu::ComputePipeline,
    pub(super) offsets: wgpu::ComputePipeline,
    pub(super) pick: wgpu::ComputePipeline,
}

impl Kernels {
    /// Returns the layouts of the bindings of an inverse CDF.
    ///
    /// # Errors
    /// [`Error::MissingFeature`] if the device binds fewer storage buffers.
    pub(in crate::gpu) fn table_layouts(&self) -> Result<&TableLayouts, Error> {
        self.table.as_ref().ok_or(Error::MissingFeature {
            feature: "6 storage buffers per shader stage",
            needed_for: "draws by inverse CDF",
        })
    }

    /// Returns the pipelines of an inverse CDF, for workgroups of `builders` invocations that build
    /// and of `pickers` invocations that pick. Those that were not compiled yet are compiled now.
    pub(super) async fn table_passes(
        &self,
        guard: &Guard,
        format: ValueFormat,
        [builders, pickers]: [u32; 2],
    ) -> Result<TablePasses, Error> {
        self.table_layouts()?;
        let variant = Variant {
            kernel: Kernel::Top,
            reduction: Reduction::Workgroup,
            groups: false,
            format,
            vec4: true,
            each: false,
            immediates: false,
            restriction: Restriction::None,
            int64: self.common.int64,
            emulated: self.common.emulated,
            workgroup_size: builders,
        };
        // once there are weights, no kernel reads logits
        let offsets = Variant { kernel: Kernel::Offsets, format: ValueFormat::F32, ..variant };
        let pick = Variant { kernel: Kernel::Pick, workgroup_size: pickers, ..offsets };
        Ok(TablePasses {
            top: self.pipeline(guard, variant).await?,
            build: self.pipeline(guard, Variant { kernel: Kernel::Build, ..variant }).await?,
            offsets: self.pipeline(guard, offsets).await?,
            pick: self.pipeline(guard, pick).await?,
        })
    }
}
