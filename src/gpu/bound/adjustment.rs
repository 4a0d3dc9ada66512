//! The passes that adjust the rows of a batch on the device, by bias and penalties: one copies the rows, gathered and as
//! `f32`, and the other one adjusts the copies.

use bytemuck::{Pod, Zeroable, bytes_of};

use crate::error::Error;
use crate::gpu::Gpu;
use crate::gpu::batch::{DeviceBatch, DeviceEntries};
use crate::gpu::guard::Activity;
use crate::gpu::kernel::{GATHERED, Pass, bind, bind_at, flag};
use crate::gpu::layout::{Layout, Races, grid};
use crate::job::Temperature;
use crate::options::ValueFormat;
use crate::shaders::{Kernel, Reduction, Restriction, Variant};

use super::buffers::{self, Bindable, given, wrong};
use super::memory::Memory;
use super::{Dispatch, Work, dispatch};

/// The uniform `Adjustment` of `shaders/kernel/adjust.wgsl`, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Uniform {
    rows: u32,
    categories: u32,
    stride: u32,
    flags: u32,
    repetition: f32,
    frequency: f32,
    presence: f32,
}

const BIASED: u32 = 1;
const EACH_BIAS: u32 = 2;
const PENALISED: u32 = 4;
const EACH_PENALTY: u32 = 8;

/// Copies of the rows of a batch, and the passes that make them.
#[derive(Debug)]
pub(super) struct Adjustment {
    copy: Dispatch,
    /// The bindings of the rows and of the copies.
    of_copy: [wgpu::BindGroup; 2],
    /// `None` if all lists are empty.
    adjust: Option<(Dispatch, wgpu::BindGroup)>,
}

impl Adjustment {
    /// Adds the passes before all others.
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        for (bindings, at) in self.of_copy.iter().zip(0..) {
            pass.set_bind_group(at, bindings, &[]);
        }
        dispatch(pass, &self.copy);
        if let Some((adjust, bindings)) = &self.adjust {
            pass.set_bind_group(0, bindings, &[]);
            dispatch(pass, adjust);
        }
    }
}

/// Entries that there is memory for.
#[derive(Clone, Debug)]
struct List<'a> {
    offsets: Option<wgpu::BufferBinding<'a>>,
    categories: wgpu::BufferBinding<'a>,
    values: wgpu::BufferBinding<'a>,
    entries: u32,
}

impl<'a> List<'a> {
    /// Checks the buffers of entries; `None` if there is room for none.
    ///
    /// # Errors
    /// [`Error::DeviceBuffer`].
    fn new(
        [offsets, categories, values]: [&'static str; 3],
        of: DeviceEntries<'a>,
        batch: &DeviceBatch<'_>,
        device: Bindable,
    ) -> Result<Option<Self>, Error> {
        let elements = |what, buffer| buffers::elements(what, buffer, batch);
        let entries = elements(categories, of.categories)?.min(elements(values, of.values)?);
        device.check(categories, 4 * entries, "entries")?;
        // a device binds fewer than 2³² words
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        let offsets = match of.offsets {
            Some(buffer) => {
                let needed = u64::from(batch.rows) + 1;
                Some(buffers::words(offsets, buffer, needed, batch, device)?)
            }
            None => None,
        };
        if entries == 0 {
            return Ok(None);
        }
        let words = |what, buffer| buffers::words(what, buffer, entries.into(), batch, device);
        let (categories, values) = (words(categories, of.categories)?, words(values, of.values)?);
        Ok(Some(Self { offsets, categories, values, entries }))
    }
}

impl Gpu {
    /// Prepares all that it takes to adjust copies of the rows of a batch and to draw from these.
    pub(super) async fn adjusted_work(
        &self,
        batch: &DeviceBatch<'_>,
        temperature: Temperature,
        limits: &wgpu::Limits,
        mut memory: Memory,
    ) -> Result<Work, Error> {
        let bindable = Bindable::new(limits);
        let (copies, adjustment) = self.adjustment(batch, bindable, &mut memory).await?;
        let adjusted = DeviceBatch {
            logits: &copies,
            format: ValueFormat::F32,
            offset: 0,
            // as the copies are bound, this is below 2³²
            row_stride: stride(batch.categories) as u32,
            row_indices: None,
            ..*batch
        };
        let work = self.work(&adjusted, temperature, limits, memory).await?;
        Ok(Work { adjustment: Some(adjustment), ..work })
    }

    /// Returns the copies of the rows of a batch, and the passes that adjust them. A row of the copies begins at each multiple
    /// of [`stride`].
    async fn adjustment(
        &self,
        batch: &DeviceBatch<'_>,
        bindable: Bindable,
        memory: &mut Memory,
    ) -> Result<(wgpu::Buffer, Adjustment), Error> {
        // of the batch as it was given: its logits are not what is written to
        buffers::Buffers::new(batch, bindable)?;
        let logits = buffers::Logits::new(batch, bindable)?;
        let row_indices = buffers::row_indices(batch, bindable)?;
        let names = ["the offsets of biases", "the categories of biases", "the biases"];
        let bias = batch.bias.map(|of| List::new(names, of, batch, bindable)).transpose()?;
        let names = ["the offsets of the history", "the categories of the history", "the counts"];
        let history = batch.penalised().map(|of| List::new(names, of, batch, bindable));
        let [bias, history] = [bias.flatten(), history.transpose()?.flatten()];
        let own = match batch.penalties {
            Some(penalties) => {
                let needed = 3 * u64::from(batch.rows);
                Some(buffers::words("the penalties", penalties, needed, batch, bindable)?)
            }
            None => None,
        };

        let stride = stride(batch.categories);
        let values = u64::from(batch.rows) * stride;
        let bytes = 4 * u128::from(values);
        if bytes > u128::from(bindable.most) || values > u64::from(u32::MAX) {
            let problem = format!(
                "adjusted copies of {} rows of {} categories need {bytes} bytes, and the device binds {} at most; bind \
                 fewer rows at a time",
                batch.rows, batch.categories, bindable.most
            );
            return Err(wrong("the logits", problem));
        }
        let copies = memory.scratch(self, "the adjusted rows", bytes as u64).await?;

        let copy = self.copy_pass(batch, (logits, row_indices), &copies, memory).await?;
        let adjust = self.adjust_pass(batch, ([bias, history], own), &copies, memory).await?;
        let (copy, of_copy) = copy;
        Ok((copies, Adjustment { copy, of_copy, adjust }))
    }

    /// The pass that copies rows.
    async fn copy_pass(
        &self,
        batch: &DeviceBatch<'_>,
        (logits, row_indices): (buffers::Logits<'_>, Option<wgpu::BufferBinding<'_>>),
        copies: &wgpu::Buffer,
        memory: &mut Memory,
    ) -> Result<(Dispatch, [wgpu::BindGroup; 2]), Error> {
        let (rows, categories) = (batch.rows as usize, batch.categories as usize);
        let races = Races { rows, categories, draws: 1, greedy: false, groups: false };
        let layout = Layout::new(races, self.limits.device);
        let pass = Pass {
            rows: batch.rows,
            draws: 1,
            categories: batch.categories,
            first_logit: logits.first,
            row_stride: batch.row_stride,
            source_rows: batch.row_indices.map_or(batch.rows, |(_, source_rows)| source_rows),
            flags: flag(row_indices.is_some(), GATHERED),
            ..Pass::laid_out(&layout, batch.format, Temperature::Greedy)
        };
        let uniform = memory.uniform(self, "the pass", bytes_of(&pass)).await?;
        let nothing = memory.scratch(self, "nothing", 16).await?;
        let each = row_indices.is_some();
        let variant =
            Variant { vec4: logits.vec4, each, ..self.adjusting(Kernel::Copy, batch.format) };
        let pipeline = self.kernels.pipeline(&self.guard, variant).await?;
        let octets = rows as u64 * categories.div_ceil(8) as u64;
        let workgroups = self.workgroups(octets, variant.workgroup_size)?;
        let layouts = self.kernels.adjustment_layouts()?;
        let bound = || {
            let device = self.guard.device();
            let nothing = nothing.as_entire_buffer_binding();
            let of_rows = [
                (0, uniform.as_entire_buffer_binding()),
                (1, logits.binding.clone()),
                (6, nothing.clone()),
                (8, given(&row_indices, &nothing)),
            ];
            [
                bind_at(device, layouts.rows, &of_rows),
                bind(device, layouts.copies, &[copies.as_entire_buffer_binding()]),
            ]
        };
        let bindings = self.guard.checked(Activity::Drawing, bound).await?;
        Ok(((pipeline, workgroups), bindings))
    }

    /// The pass that adjusts copies, if there are entries.
    async fn adjust_pass(
        &self,
        batch: &DeviceBatch<'_>,
        ([bias, history], own): ([Option<List<'_>>; 2], Option<wgpu::BufferBinding<'_>>),
        copies: &wgpu::Buffer,
        memory: &mut Memory,
    ) -> Result<Option<(Dispatch, wgpu::BindGroup)>, Error> {
        let is_each = |list: &Option<List<'_>>| list.as_ref().is_some_and(|l| l.offsets.is_some());
        let uniform = Uniform {
            rows: batch.rows,
            categories: batch.categories,
            stride: stride(batch.categories) as u32,
            flags: flag(bias.is_some(), BIASED)
                | flag(is_each(&bias), EACH_BIAS)
                | flag(history.is_some(), PENALISED)
                | flag(own.is_some(), EACH_PENALTY),
            repetition: batch.penalty.repetition,
            frequency: batch.penalty.frequency,
            presence: batch.penalty.presence,
        };
        let uniform = memory.uniform(self, "the adjustment", bytes_of(&uniform)).await?;
        let nothing = memory.scratch(self, "nothing", 16).await?;
        let of_biases = bias.as_ref().map_or(0, |list| match list.offsets {
            Some(_) => list.entries.into(),
            None => u64::from(list.entries) * u64::from(batch.rows),
        });
        let entries = of_biases + history.as_ref().map_or(0, |list| list.entries.into());
        if entries == 0 {
            return Ok(None);
        }
        let variant = self.adjusting(Kernel::Adjust, ValueFormat::F32);
        let pipeline = self.kernels.pipeline(&self.guard, variant).await?;
        let workgroups = self.workgroups(entries, variant.workgroup_size)?;
        let layout = self.kernels.adjustment_layouts()?.lists;
        let bound = || {
            let nothing = nothing.as_entire_buffer_binding();
            let mut bound = Vec::new();
            for list in [&bias, &history] {
                bound.extend(match list {
                    Some(List { offsets, categories, values, .. }) => {
                        [given(offsets, &nothing), categories.clone(), values.clone()]
                    }
                    None => [nothing.clone(), nothing.clone(), nothing.clone()],
                });
            }
            bound.push(given(&own, &nothing));
            let ends =
                [(0, uniform.as_entire_buffer_binding()), (9, copies.as_entire_buffer_binding())];
            let bound: Vec<_> = (2..).zip(bound).chain(ends).collect();
            bind_at(self.guard.device(), layout, &bound)
        };
        let bindings = self.guard.checked(Activity::Drawing, bound).await?;
        Ok(Some(((pipeline, workgroups), bindings)))
    }

    /// The form of a kernel that adjusts rows.
    fn adjusting(&self, kernel: Kernel, format: ValueFormat) -> Variant {
        Variant {
            kernel,
            reduction: Reduction::Workgroup,
            groups: false,
            format,
            vec4: false,
            each: false,
            immediates: false,
            restriction: Restriction::None,
            int64: self.kernels.common.int64,
            emulated: self.kernels.common.emulated,
            workgroup_size: self.limits.device.teams.shared_workgroup,
        }
    }

    /// The numbers of workgroups for so many invocations.
    ///
    /// # Errors
    /// [`Error::DeviceBuffer`] if the device dispatches fewer, or a shader cannot number them.
    fn workgroups(&self, invocations: u64, workgroup_size: u32) -> Result<[u32; 2], Error> {
        let most = self.limits.device.workgroups;
        let workgroups = invocations.div_ceil(workgroup_size.into());
        let [x, y] = grid(usize::try_from(workgroups).unwrap_or(usize::MAX), most);
        let numbers = u128::from(x) * u128::from(y) * u128::from(workgroup_size);
        if y <= most && numbers <= u128::from(u32::MAX) {
            return Ok([x, y]);
        }
        let problem = format!(
            "adjusting them takes {invocations} invocations, more than the device dispatches at once; bind fewer rows at a \
             time"
        );
        Err(wrong("the logits", problem))
    }
}

/// The distance between copies of rows, in logits: whole octets.
fn stride(categories: u32) -> u64 {
    u64::from(categories).next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::super::tests::fields;
    use super::*;

    #[test]
    fn the_adjustment_is_laid_out_as_in_the_shader() {
        let source = include_str!("../../../shaders/kernel/adjust.wgsl");
        let names =
            ["rows", "categories", "stride", "flags", "repetition", "frequency", "presence"];
        assert_eq!(fields(source, "Adjustment"), names);
        assert_eq!(size_of::<Uniform>(), 4 * names.len());
        for (name, value) in [
            ("BIASED", BIASED),
            ("EACH_BIAS", EACH_BIAS),
            ("PENALISED", PENALISED),
            ("EACH_PENALTY", EACH_PENALTY),
        ] {
            assert!(source.contains(&format!("const {name}: u32 = {value}u;")), "{name}");
        }
    }
}
