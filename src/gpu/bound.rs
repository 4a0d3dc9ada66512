//! A batch on the device that is ready to be encoded into the caller's commands.

use std::mem::offset_of;

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

use adjustment::Adjustment;
use buffers::{Bindable, Buffers};
use cuts::cuts_rows;
use memory::Memory;
use restriction::Restriction;
use scores::Scores;

mod adjustment;
mod buffers;
mod cuts;
mod memory;
mod restriction;
mod scores;

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
    adjustment: Option<Adjustment>,
    passes: Passes,
    layout: Layout,
    bindings: wgpu::BindGroup,
    uniform: wgpu::Buffer,
    memory: Memory,
    restriction: Option<Restriction>,
    scores: Option<Scores>,
    rows: usize,
    /// Whether the kernels take the number of the first draw as immediate data.
    immediates: bool,
}

impl Work {
    fn encode(&self, pass: &mut wgpu::ComputePass<'_>, draws: u32, first_draw: u32) {
        let Self { passes, layout, bindings, restriction, scores, rows, immediates, .. } = self;
        if let Some(adjustment) = &self.adjustment {
            adjustment.encode(pass);
        }
        let first_draw = immediates.then_some(first_draw);
        let races = |pass: &mut wgpu::ComputePass<'_>| {
            passes.encode(pass, bindings, layout, *rows, draws as usize, first_draw);
        };
        match restriction {
            Some(restriction) => restriction.encode(pass, bindings, races),
            None => races(pass),
        }
        if let Some(scores) = scores {
            scores.encode(pass);
        }
    }
}

/// A pipeline, and the numbers of workgroups along x and y.
type Dispatch = (wgpu::ComputePipeline, [u32; 2]);

fn dispatch(pass: &mut wgpu::ComputePass<'_>, (pipeline, [x, y]): &Dispatch) {
    pass.set_pipeline(pipeline);
    pass.dispatch_workgroups(*x, *y, 1);
}

/// A compute pass of gumbel's own.
const PASS: wgpu::ComputePassDescriptor<'static> =
    wgpu::ComputePassDescriptor { label: Some("gumbel"), timestamp_writes: None };

impl BoundBatch {
    /// Adds the draws `first_draw` to `first_draw` + draws − 1 of each row, as a compute pass of
    /// their own.
    ///
    /// The draws are one dispatch, and a second one to merge if rows are divided into parts; a
    /// [truncation](DeviceBatch::with_truncation) adds others. Systems stop a dispatch that takes
    /// seconds: where that happens, bind fewer rows at a time.
    ///
    /// # Errors
    /// [`Error::Draws`] if a row has no such draws: it has 2³¹, numbered from 0; and
    /// [`Error::MissingFeature`] if the device was made without
    /// [`IMMEDIATES`](wgpu::Features::IMMEDIATES), which [`encode_from`](Self::encode_from) does not
    /// need. Then nothing is added.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder, first_draw: u32) -> Result<(), Error> {
        self.check(first_draw)?;
        self.encode_in(&mut encoder.begin_compute_pass(&PASS), first_draw)
    }

    /// Adds draws as [`encode`](Self::encode) does. The number of the first draw is a `u32` at byte
    /// `offset` of a buffer, and is read when the commands run: an earlier command may have written
    /// the number. The device needs no [`IMMEDIATES`](wgpu::Features::IMMEDIATES), which browsers
    /// do not have.
    ///
    /// The number must not exceed 2³¹ − draws. Of a larger number, which nobody sees here, the draws
    /// are those of the number modulo 2³¹; with [first draws](DeviceBatch::with_first_draws) a row
    /// may have [`NO_DRAW`](crate::NO_DRAW) instead.
    ///
    /// ```no_run
    /// use gumbel::{DeviceBatch, GpuSampler, wgpu};
    /// # async fn draw(sampler: GpuSampler, batch: DeviceBatch<'_>) -> Result<(), gumbel::Error> {
    /// let bound = sampler.bind_async(&batch).await?;
    /// // the numbers of a thousand steps, one after the other
    /// let numbers: Vec<u8> = (0..1000).flat_map(u32::to_le_bytes).collect();
    /// let steps = sampler.device().create_buffer(&wgpu::BufferDescriptor {
    ///     label: None,
    ///     size: 4000,
    ///     usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
    ///     mapped_at_creation: false,
    /// });
    /// sampler.queue().write_buffer(&steps, 0, &numbers);
    /// let mut encoder = sampler.device().create_command_encoder(&Default::default());
    /// for step in 0..1000 {
    ///     bound.encode_from(&mut encoder, &steps, 4 * step)?;
    /// }
    /// sampler.queue().submit([encoder.finish()]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::DeviceBuffer`] if the buffer lacks the usage
    /// [`COPY_SRC`](wgpu::BufferUsages::COPY_SRC) or has no word at `offset`, which is a multiple of
    /// 4. Then nothing is added.
    pub fn encode_from(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        first_draw: &wgpu::Buffer,
        offset: u64,
    ) -> Result<(), Error> {
        /// Where the uniform has the number.
        const AT: u64 = offset_of!(Pass, first_draw) as u64;
        buffers::check_number(first_draw, offset)?;
        if let Some(work) = &self.work {
            encoder.copy_buffer_to_buffer(first_draw, offset, &work.uniform, AT, 4);
            work.encode(&mut encoder.begin_compute_pass(&PASS), self.draws, 0);
            // for commands that have the number as immediate data, which is added to this one
            encoder.clear_buffer(&work.uniform, AT, Some(4));
        }
        Ok(())
    }

    /// Adds the draws `first_draw` to `first_draw` + draws − 1 of each row to a compute pass of the
    /// caller's: [`encode`](Self::encode) without a pass of its own. The pipeline, the bind groups
    /// and the immediate data of the pass are other ones afterwards. Earlier commands of the pass
    /// are done when the draws begin, and later commands find the draws.
    ///
    /// # Errors
    /// Those of [`encode`](Self::encode). Then nothing is added.
    pub fn encode_in(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        first_draw: u32,
    ) -> Result<(), Error> {
        self.check(first_draw)?;
        if let Some(work) = &self.work {
            work.encode(pass, self.draws, first_draw);
        }
        Ok(())
    }

    fn check(&self, first_draw: u32) -> Result<(), Error> {
        let draws = self.draws;
        if u64::from(first_draw) + u64::from(draws) > u64::from(MAX_DRAWS) {
            return Err(Error::Draws { first_draw, draws });
        }
        match &self.work {
            Some(Work { immediates: false, .. }) => Err(Error::MissingFeature {
                feature: "IMMEDIATES with a max_immediate_size of 4 or more",
                needed_for: "drawing from logits on the device with a number that is given when encoding \
                             (encode_from reads the number from a buffer instead)",
            }),
            _ => Ok(()),
        }
    }
}

impl Gpu {
    /// Makes a batch on the device ready to be encoded, in memory of its own or in that of a batch that was bound before.
    pub(crate) async fn bind(
        &self,
        batch: &DeviceBatch<'_>,
        before: Option<&BoundBatch>,
    ) -> Result<BoundBatch, Error> {
        let temperature = Temperature::for_format(batch.format, batch.temperature)?;
        check_truncation(&batch.truncation, batch.format)?;
        batch.penalty.check()?;
        if batch.is_adjusted() && batch.format.is_of_weights() {
            return Err(Error::NeedsLogits { operation: "a bias or a penalty" });
        }
        let draws = batch.draws_per_row;
        if batch.categories == 0 {
            return Err(Error::Categories { got: 0 });
        }
        if draws == 0 || draws > MAX_DRAWS {
            return Err(Error::Draws { first_draw: 0, draws });
        }
        let limits = self.device.limits();
        let work = match batch.rows {
            0 => None,
            _ => {
                let before = before.map(|before| before.work.as_ref());
                let memory = before.map(|work| match work {
                    Some(work) => Memory::in_place_of(&work.memory),
                    None => Memory::in_place_of(&Memory::default()),
                });
                let memory = memory.unwrap_or_default();
                let work = match batch.is_adjusted() {
                    true => self.adjusted_work(batch, temperature, &limits, memory).await?,
                    false => self.work(batch, temperature, &limits, memory).await?,
                };
                Some(work)
            }
        };
        Ok(BoundBatch { draws, work })
    }

    /// Prepares all that it takes to draw from a batch with at least one row.
    async fn work(
        &self,
        batch: &DeviceBatch<'_>,
        temperature: Temperature,
        limits: &wgpu::Limits,
        mut memory: Memory,
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
        let immediates = self.device.features().contains(wgpu::Features::IMMEDIATES)
            && limits.max_immediate_size >= size_of::<u32>() as u32;
        let restriction = match (cuts_rows(batch), batch.allowed.is_some()) {
            (true, true) => shaders::Restriction::MaskedAndCut,
            (true, false) => shaders::Restriction::Cut,
            (false, true) => shaders::Restriction::Masked,
            (false, false) => shaders::Restriction::None,
        };
        let options = KernelOptions {
            each: own,
            immediates,
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
        let uniform = memory.uniform(self, "the pass", bytes_of(&pass)).await?;
        let outcomes = memory.scratch(self, "the outcomes", outcomes).await?;
        let nothing = memory.scratch(self, "nothing", 16).await?;

        let bound = || {
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
        let restriction = self.restriction(batch, &buffers, bindable, own, &mut memory).await?;
        let scores = {
            let (of_races, restriction) = ((pass, options), restriction.as_ref());
            self.scores(batch, &buffers, bindable, of_races, restriction, &mut memory).await?
        };
        let memory = memory.all()?;
        Ok(Work {
            adjustment: None,
            passes,
            layout,
            bindings,
            uniform,
            memory,
            restriction,
            scores,
            rows,
            immediates,
        })
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

#[cfg(test)]
mod tests {
    /// The fields of a struct of words in a shader, which a uniform has to have: the uniform is laid out by two compilers.
    pub(super) fn fields<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
        let begin = source.find(&format!("struct {name} {{")).unwrap();
        let body = &source[begin..][..source[begin..].find('}').unwrap()];
        body.lines().filter_map(|line| line.trim().strip_suffix(": u32,")).collect()
    }
}
