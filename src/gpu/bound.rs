//! A batch on the device that is ready to be encoded into the caller's commands.

use bytemuck::bytes_of;

use crate::error::Error;
use crate::job::{Temperature, check_truncation};
use crate::noise::bits::MAX_DRAWS;
use crate::shaders;

use super::Gpu;
use super::batch::DeviceBatch;
use super::guard::Activity;
use super::kernel::{
    EACH_FIRST_DRAW, EACH_ID, EACH_SEED, EACH_TEMPERATURE, GATHERED, KernelOptions, Pass, Passes,
    UNFILTERED, bind, flag, words,
};
use super::layout::{Layout, Races, has_groups};

use buffers::{Bindable, Buffers};
use cuts::cuts_rows;
use restriction::Restriction;

mod buffers;
mod cuts;
mod restriction;

/// A [`DeviceBatch`] with all that it takes to draw from it: pipelines, bindings, scratch memory.
///
/// Encoding allocates nothing, submits nothing and waits for nothing. A bound batch may be encoded
/// any number of times into the same commands or into others; it keeps the buffers alive.
#[derive(Debug)]
pub struct BoundBatch {
    draws: u32,
    /// `None` if there are no rows.
    work: Option<Work>,
}

#[derive(Debug)]
struct Work {
    passes: Passes,
    layout: Layout,
    bindings: wgpu::BindGroup,
    restriction: Option<Restriction>,
    rows: usize,
}

impl BoundBatch {
    /// Adds the draws `first_draw` to `first_draw` + draws − 1 of each row, as a compute pass of
    /// their own.
    ///
    /// The draws are one dispatch, and a second one to merge if rows are cut into parts. Systems
    /// stop a dispatch that takes seconds: where that happens, bind fewer rows at a time.
    ///
    /// # Errors
    /// [`Error::Draws`] if a row has no such draws: it has 2³¹, numbered from 0. Then nothing is
    /// added.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder, first_draw: u32) -> Result<(), Error> {
        self.check(first_draw)?;
        let descriptor =
            wgpu::ComputePassDescriptor { label: Some("gumbel"), timestamp_writes: None };
        self.encode_in(&mut encoder.begin_compute_pass(&descriptor), first_draw)
    }

    /// Adds the draws `first_draw` to `first_draw` + draws − 1 of each row to a compute pass of the
    /// caller's: [`encode`](Self::encode) without a pass of its own. The pipeline, the bind groups
    /// and the immediate data of the pass are other ones afterwards. Earlier commands of the pass
    /// are done when the draws begin, and later commands find the draws.
    ///
    /// # Errors
    /// [`Error::Draws`] if a row has no such draws, as in [`encode`](Self::encode). Then nothing is
    /// added.
    pub fn encode_in(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        first_draw: u32,
    ) -> Result<(), Error> {
        self.check(first_draw)?;
        if let Some(Work { passes, layout, bindings, restriction, rows }) = &self.work {
            if let Some(restriction) = restriction {
                restriction.encode(pass);
            }
            let races = |pass: &mut wgpu::ComputePass<'_>| {
                let (draws, first_draw) = (self.draws as usize, Some(first_draw));
                passes.encode(pass, bindings, layout, *rows, draws, first_draw);
            };
            races(pass);
            if restriction.as_ref().is_some_and(|again| again.encode_again(pass, bindings)) {
                races(pass);
            }
        }
        Ok(())
    }

    fn check(&self, first_draw: u32) -> Result<(), Error> {
        let draws = self.draws;
        if u64::from(first_draw) + u64::from(draws) > u64::from(MAX_DRAWS) {
            return Err(Error::Draws { first_draw, draws });
        }
        Ok(())
    }
}

impl Gpu {
    /// Makes a batch on the device ready to be encoded.
    pub(crate) async fn bind(&self, batch: &DeviceBatch<'_>) -> Result<BoundBatch, Error> {
        let temperature = Temperature::for_format(batch.format, batch.temperature)?;
        check_truncation(&batch.truncation, batch.format)?;
        let draws = batch.draws_per_row;
        if batch.categories == 0 {
            return Err(Error::Categories { got: 0 });
        }
        if draws == 0 || draws > MAX_DRAWS {
            return Err(Error::Draws { first_draw: 0, draws });
        }
        let limits = self.device.limits();
        if !self.device.features().contains(wgpu::Features::IMMEDIATES)
            || limits.max_immediate_size < size_of::<u32>() as u32
        {
            return Err(Error::MissingFeature {
                feature: "IMMEDIATES with a max_immediate_size of 4 or more",
                needed_for: "drawing from logits on the device",
            });
        }
        let work = match batch.rows {
            0 => None,
            _ => Some(self.work(batch, temperature, &limits).await?),
        };
        Ok(BoundBatch { draws, work })
    }

    /// Prepares all that it takes to draw from a batch with at least one row.
    async fn work(
        &self,
        batch: &DeviceBatch<'_>,
        temperature: Temperature,
        limits: &wgpu::Limits,
    ) -> Result<Work, Error> {
        let bindable = Bindable::new(limits);
        let buffers = Buffers::new(batch, bindable)?;
        let Buffers { logits, draws, each, .. } = buffers.clone();
        // at temperature 0 for all rows there is a faster kernel
        let greedy = temperature == Temperature::Greedy && batch.temperatures.is_none();
        let rows = batch.rows as usize;
        let races = Races {
            rows,
            categories: batch.categories as usize,
            draws: batch.draws_per_row,
            greedy,
            groups: has_groups(batch.categories as usize),
        };
        let most = most_outcome_bytes(bindable);
        let layout = Layout::within(races, self.limits.device, most);
        dispatchable(batch, &layout, limits)?;
        let outcomes = outcome_bytes(batch, &layout, most)?;

        let guard = &self.guard;
        let own = each[1..].iter().any(Option::is_some);
        let restriction = match (cuts_rows(batch), batch.allowed.is_some()) {
            (true, _) => shaders::Restriction::Cut,
            (false, true) => shaders::Restriction::Masked,
            (false, false) => shaders::Restriction::None,
        };
        let options = KernelOptions {
            each: own,
            immediates: true,
            restriction,
            ..KernelOptions::new(batch.format, logits.vec4)
        };
        let Some(bind_layout) = self.kernels.layout(own) else {
            return Err(Error::MissingFeature {
                feature: "max_storage_buffers_per_shader_stage of 8 or more",
                needed_for: "seeds, temperatures, first draws or row indices from a buffer",
            });
        };
        let passes = self.kernels.passes(guard, &layout, options, layout.is_cut()).await?;

        let pass = Pass {
            seed: words(batch.seed),
            first_row: words(batch.first_row),
            rows: batch.rows,
            draws: batch.draws_per_row,
            categories: batch.categories,
            first_logit: logits.first,
            row_stride: batch.row_stride,
            source_rows: batch.row_indices.map_or(batch.rows, |(_, source_rows)| source_rows),
            flags: each
                .iter()
                .zip([EACH_ID, EACH_SEED, EACH_TEMPERATURE, EACH_FIRST_DRAW, GATHERED])
                .fold(flag(!self.filter, UNFILTERED), |flags, (each, bit)| {
                    flags | flag(each.is_some(), bit)
                }),
            ..Pass::laid_out(&layout, batch.format, temperature)
        };
        use wgpu::BufferUsages as Usage;
        let uniform_usage = Usage::UNIFORM | Usage::COPY_DST;
        let uniform = guard.buffer("the pass", size_of::<Pass>() as u64, uniform_usage).await?;
        let outcomes = guard.buffer("the outcomes", outcomes, Usage::STORAGE).await?;
        let nothing = guard.buffer("nothing", 16, Usage::STORAGE).await?;

        let bound = || {
            self.queue.write_buffer(&uniform, 0, bytes_of(&pass));
            let mut each =
                each.map(|each| each.unwrap_or(nothing.as_entire_buffer_binding())).into_iter();
            let mut bound = vec![uniform.as_entire_buffer_binding(), logits.binding];
            bound.extend(each.next());
            bound.extend([outcomes.as_entire_buffer_binding(), draws]);
            if own {
                bound.extend(each);
            }
            bind(guard.device(), bind_layout, &bound)
        };
        let bindings = guard.checked(Activity::Drawing, bound).await?;
        let restriction = self.restriction(batch, &buffers, bindable, own).await?;
        Ok(Work { passes, layout, bindings, restriction, rows })
    }
}

/// Checks that the dispatches of a batch are within what the device can do.
///
/// # Errors
/// [`Error::DeviceBuffer`] if the device dispatches fewer workgroups at once, or if the shader cannot
/// number their teams in 32 bits.
fn dispatchable(
    batch: &DeviceBatch<'_>,
    layout: &Layout,
    limits: &wgpu::Limits,
) -> Result<(), Error> {
    let (rows, draws) = (batch.rows as usize, batch.draws_per_row as usize);
    let most = limits.max_compute_workgroups_per_dimension;
    let fits = |[x, y]: [u32; 2], teams: u32| {
        let numbers = u128::from(x) * u128::from(y) * u128::from(teams);
        y <= most && numbers <= u128::from(u32::MAX)
    };
    let races = fits(layout.workgroups(rows, draws), layout.workgroup_size / layout.lanes);
    if races && (!layout.is_cut() || fits(layout.merge_workgroups(rows, draws), 1)) {
        return Ok(());
    }
    let problem = format!(
        "{rows} rows with {draws} draws each need more workgroups than the device dispatches at \
         once; bind fewer rows or draws at a time"
    );
    Err(Error::DeviceBuffer { what: "the draws", problem })
}

/// The most bytes for the outcomes of parts: no more than the device binds, and no more outcomes
/// than the shader can number.
fn most_outcome_bytes(bindable: Bindable) -> u64 {
    bindable.most.min(16 * u64::from(u32::MAX))
}

/// The size in bytes of the memory for the outcomes of parts.
fn outcome_bytes(batch: &DeviceBatch<'_>, layout: &Layout, most: u64) -> Result<u64, Error> {
    // a binding cannot be empty
    let bytes = layout.outcome_bytes().max(16);
    if bytes > u128::from(most) {
        let problem = format!(
            "the outcomes of {} rows with {} draws each, in {} parts, need {bytes} bytes, and the \
             device binds {most} at most; bind fewer rows or draws at a time",
            batch.rows, batch.draws_per_row, layout.parts
        );
        return Err(Error::DeviceBuffer { what: "the draws", problem });
    }
    Ok(bytes as u64)
}
