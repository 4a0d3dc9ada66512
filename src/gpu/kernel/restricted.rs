//! The layouts of the bindings of rows of which not every category may be drawn, of log-probabilities, and of adjusted rows.

use crate::error::Error;

use super::{AdjustmentLayouts, CutLayouts, EACH_BUFFERS, Kernels};

/// The number of storage buffers in the layout of restricted rows.
const RESTRICTION_BUFFERS: u32 = 2;
/// The number of storage buffers in the layout of log-probabilities.
const LOG_PROBS_BUFFERS: u32 = 2;
/// The number of storage buffers in the layouts of cuts, where rows have cuts of their own.
const EACH_CUT_BUFFERS: u32 = 9;

impl Kernels {
    /// Returns the layouts of the bindings that adjust rows.
    ///
    /// # Errors
    /// [`Error::MissingFeature`] if the device binds fewer storage buffers.
    pub(in crate::gpu) fn adjustment_layouts(&self) -> Result<AdjustmentLayouts<'_>, Error> {
        let Some([copies, lists]) = &self.adjustment else {
            return Err(Error::MissingFeature {
                feature: "max_storage_buffers_per_shader_stage of 8 or more",
                needed_for: "bias or penalties of rows on the device",
            });
        };
        Ok(AdjustmentLayouts { rows: &self.cut.rows, copies, lists })
    }

    /// Returns the layout of the bindings of restricted rows, for kernels with parameters of each row if `each`.
    ///
    /// # Errors
    /// [`Error::MissingFeature`] if the device binds fewer storage buffers.
    pub(in crate::gpu) fn restriction_layout(
        &self,
        each: bool,
    ) -> Result<&wgpu::BindGroupLayout, Error> {
        if each && self.most_buffers < EACH_BUFFERS + RESTRICTION_BUFFERS {
            return Err(Error::MissingFeature {
                feature: "max_storage_buffers_per_shader_stage of 10 or more",
                needed_for: "masks or truncations of rows with seeds, temperatures, first draws or row indices from a \
                             buffer",
            });
        }
        Ok(&self.restriction)
    }

    /// Returns the layout of the bindings of log-probabilities, for rows with parameters of their own if `each`.
    ///
    /// # Errors
    /// [`Error::MissingFeature`] if the device binds fewer storage buffers.
    pub(in crate::gpu) fn log_probs_layout(
        &self,
        each: bool,
    ) -> Result<&wgpu::BindGroupLayout, Error> {
        if each && self.most_buffers < EACH_BUFFERS + LOG_PROBS_BUFFERS {
            return Err(Error::MissingFeature {
                feature: "max_storage_buffers_per_shader_stage of 10 or more",
                needed_for: "log-probabilities of rows with seeds, temperatures, first draws or row indices from a buffer",
            });
        }
        Ok(&self.log_probs)
    }

    /// Returns the layouts of the bindings of cuts, with cuts of each row if `each`.
    ///
    /// # Errors
    /// [`Error::MissingFeature`] if the device binds fewer storage buffers.
    pub(in crate::gpu) fn cut_layouts(&self, each: bool) -> Result<&CutLayouts, Error> {
        if each && self.most_buffers < EACH_CUT_BUFFERS {
            return Err(Error::MissingFeature {
                feature: "max_storage_buffers_per_shader_stage of 9 or more",
                needed_for: "truncations of rows with cuts, temperatures or row indices from a buffer",
            });
        }
        Ok(&self.cut)
    }
}
