//! Bias and penalties of a batch on the device.

use super::DeviceBatch;
use crate::options::Penalty;

/// Lists of categories with a number for each, one list for each row or one for all rows.
#[derive(Clone, Copy, Debug)]
pub(in crate::gpu) struct DeviceEntries<'a> {
    /// Where the list of each row begins, and where the last list ends; `None` if all rows have all entries.
    pub(in crate::gpu) offsets: Option<&'a wgpu::Buffer>,
    pub(in crate::gpu) categories: &'a wgpu::Buffer,
    pub(in crate::gpu) values: &'a wgpu::Buffer,
}

impl<'a> DeviceBatch<'a> {
    /// Adds a number to some of the logits of rows before anything else happens to them: a [`Bias`](crate::Bias) whose
    /// entries are on the device. Entry e adds `values[e]`, a `f32`, to the logit of category `categories[e]`, a `u32`. Row
    /// j has the entries from `offsets[j]` up to `offsets[j + 1]`, which are `u32`, one more than there are rows. Without
    /// offsets each row has all entries.
    ///
    /// All of these are read when the commands run, so that their number may change from step to step, within the sizes of
    /// the buffers. Entries of categories that do not exist, such as [`NO_DRAW`](crate::NO_DRAW), are left out, and so are
    /// entries beyond the end of a buffer. A NaN or +∞ makes the logit NaN.
    ///
    /// A row should have few entries: the work for each of them grows with the number of entries of its row. Some drivers end
    /// loops after 65,535 iterations (Mesa's lavapipe does, up to 22.3), and entries beyond that go unnoticed there: four for each
    /// bias of a row and one for each entry of its history are within that up to 16,000 biases or 65,000 entries. Bias for more
    /// categories belongs into the logits.
    ///
    /// The draws are those of [`SampleOptions::with_bias`](crate::SampleOptions::with_bias), bit for bit. Adjusted rows are
    /// copies: [`bind`](crate::GpuSampler::bind) allocates 4 bytes for each logit, and two dispatches before the draws copy
    /// the rows and adjust them. Only logits can be adjusted.
    ///
    /// ```no_run
    /// use gumbel::{DeviceBatch, GpuSampler, wgpu};
    /// # fn draw(logits: wgpu::Buffer, draws: wgpu::Buffer, [offsets, tokens, values]: [wgpu::Buffer; 3]) -> Result<(), gumbel::Error> {
    /// let sampler = GpuSampler::new()?;
    /// let batch = DeviceBatch::new(&logits, &draws, 256, 128_256).with_bias(Some(&offsets), &tokens, &values);
    /// let bound = sampler.bind(&batch)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_bias(
        self,
        offsets: Option<&'a wgpu::Buffer>,
        categories: &'a wgpu::Buffer,
        values: &'a wgpu::Buffer,
    ) -> Self {
        Self { bias: Some(DeviceEntries { offsets, categories, values }), ..self }
    }

    /// Sets what each row has drawn before, for [penalties](Self::with_penalty): a [`History`](crate::History) on the
    /// device. Row j has drawn `categories[e]` `counts[e]` times, both `u32`, for each entry e from `offsets[j]` up to
    /// `offsets[j + 1]`. As with [`with_bias`](Self::with_bias), which also says what this costs, all of these are read when
    /// the commands run, and entries of categories that do not exist are left out: a list of draws may be the history.
    ///
    /// ```no_run
    /// use gumbel::{DeviceBatch, GpuSampler, Penalty, wgpu};
    /// # fn draw(logits: wgpu::Buffer, draws: wgpu::Buffer, [offsets, tokens, counts]: [wgpu::Buffer; 3]) -> Result<(), gumbel::Error> {
    /// let sampler = GpuSampler::new()?;
    /// let batch = DeviceBatch::new(&logits, &draws, 256, 128_256)
    ///     .with_history(&offsets, &tokens, &counts)
    ///     .with_penalty(Penalty::new().with_repetition(1.1).with_frequency(0.25));
    /// let bound = sampler.bind(&batch)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_history(
        self,
        offsets: &'a wgpu::Buffer,
        categories: &'a wgpu::Buffer,
        counts: &'a wgpu::Buffer,
    ) -> Self {
        let offsets = Some(offsets);
        Self { history: Some(DeviceEntries { offsets, categories, values: counts }), ..self }
    }

    /// Sets the penalty of all rows, for what they have in their [history](Self::with_history).
    pub fn with_penalty(self, penalty: Penalty) -> Self {
        Self { penalty, ..self }
    }

    /// Takes each row's penalty from a buffer, in place of that of all rows: three `f32`, repetition, frequency and
    /// presence. If one of them is out of [range](Penalty), the logits of the categories in the row's history become NaN.
    pub fn with_penalties(self, penalties: &'a wgpu::Buffer) -> Self {
        Self { penalties: Some(penalties), ..self }
    }

    /// The history, if any row may have a penalty.
    pub(in crate::gpu) fn penalised(&self) -> Option<DeviceEntries<'a>> {
        self.history.filter(|_| self.penalties.is_some() || !self.penalty.is_none())
    }

    /// Whether logits are adjusted.
    pub(in crate::gpu) fn is_adjusted(&self) -> bool {
        self.bias.is_some() || self.penalised().is_some()
    }
}
