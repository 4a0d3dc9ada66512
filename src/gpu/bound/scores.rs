//! The passes that follow the draws of a bound batch, to add up its rows and to write log-probabilities.

use bytemuck::bytes_of;

use crate::error::Error;
use crate::gpu::Gpu;
use crate::gpu::batch::DeviceBatch;
use crate::gpu::guard::Activity;
use crate::gpu::kernel::{
    KernelOptions, Pass, SUMMED, WITH_LOG_PROBS, WITH_LOGSUMEXPS, bind, flag,
};
use crate::gpu::layout::{Layout, Races, grid};
use crate::job::Temperature;
use crate::options::LogProbsOf;
use crate::shaders::{Kernel, Reduction, Restriction, Variant};

use super::buffers::{Bindable, Buffers, given};
use super::memory::Memory;
use super::{Dispatch, dispatch};

/// The passes that add up the rows of a batch and write what follows from the sums.
#[derive(Debug)]
pub(super) struct Scores {
    sums: Dispatch,
    /// The bindings of the restriction, if rows are not added up as races are restricted.
    of_allowed: Option<wgpu::BindGroup>,
    /// The bindings of the rows, with the sums in the place of the draws.
    of_sums: wgpu::BindGroup,
    log_probs: Dispatch,
    /// The bindings of the draws, with the sums in the place of outcomes, and of what is written.
    of_log_probs: [wgpu::BindGroup; 2],
}

impl Scores {
    /// Adds the passes after the races. Where rows are restricted, group 1 has the bindings of the restriction.
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        let Self { sums, of_allowed, of_sums, log_probs, of_log_probs: [of_draws, written] } = self;
        pass.set_bind_group(0, of_sums, &[]);
        if let Some(of_allowed) = of_allowed {
            pass.set_bind_group(1, of_allowed, &[]);
        }
        dispatch(pass, sums);
        pass.set_bind_group(0, of_draws, &[]);
        pass.set_bind_group(1, written, &[]);
        dispatch(pass, log_probs);
    }
}

impl Gpu {
    /// Prepares the passes that write log-probabilities or the logarithms of sums; `None` if a batch has neither.
    /// `races` is the uniform of the races, `options` are those of their kernels, and `restriction` is theirs.
    pub(super) async fn scores(
        &self,
        batch: &DeviceBatch<'_>,
        buffers: &Buffers<'_>,
        bindable: Bindable,
        (races, options): (Pass, KernelOptions),
        restriction: Option<&super::Restriction>,
        memory: &mut Memory,
    ) -> Result<Option<Scores>, Error> {
        if !batch.has_sums() {
            return Ok(None);
        }
        let temperature = Temperature::for_format(batch.format, batch.temperature)?;
        if temperature == Temperature::Greedy && batch.temperatures.is_none() {
            return Err(Error::NoNoise { operation: "a log-probability" });
        }
        let (rows, draws) = (batch.rows as usize, batch.draws_per_row as usize);
        let device = self.limits.device;
        let summed = Races {
            rows,
            categories: batch.categories as usize,
            draws: 1,
            greedy: false,
            groups: false,
        };
        let layout = Layout::new(summed, device).with_sums(Kernel::Sums);
        let parts = u64::from(layout.parts);
        // the bindings end at a multiple of 16 bytes
        let bytes = (8 * rows as u64 * parts).next_multiple_of(16);
        if bytes > bindable.most {
            let problem = format!(
                "the sums of {rows} rows, in {parts} parts, need {bytes} bytes, and the device binds {} at most; bind \
                 fewer rows at a time",
                bindable.most
            );
            return Err(Error::DeviceBuffer { what: "the log-probabilities", problem });
        }
        let guard = &self.guard;
        // nothing of a sum depends on the number of a draw
        let mut options = KernelOptions { immediates: false, ..options };
        let mut of_allowed = None;
        if batch.log_probs_of == LogProbsOf::Allowed {
            options.restriction = match options.restriction {
                Restriction::Masked | Restriction::MaskedAndCut => Restriction::Masked,
                Restriction::None | Restriction::Cut => Restriction::None,
            };
            of_allowed = restriction
                .filter(|_| options.restriction == Restriction::Masked)
                .map(|restriction| restriction.of_allowed().clone());
        }
        let sums = self.kernels.sums(guard, &layout, options).await?;
        let workgroup_size = device.teams.shared_workgroup;
        let variant = Variant {
            kernel: Kernel::LogProbs,
            reduction: Reduction::Workgroup,
            groups: false,
            format: batch.format,
            vec4: options.vec4,
            each: options.each,
            immediates: false,
            restriction: Restriction::None,
            int64: self.kernels.common.int64,
            emulated: self.kernels.common.emulated,
            workgroup_size,
        };
        let log_probs = self.kernels.pipeline(guard, variant).await?;
        let written = self.kernels.log_probs_layout(options.each)?;
        let Some(bind_layout) = self.kernels.layout(options.each) else {
            return Err(Error::MissingFeature {
                feature: "max_storage_buffers_per_shader_stage of 8 or more",
                needed_for: "seeds, temperatures, first draws or row indices from a buffer",
            });
        };

        let Layout { lanes, parts, part_octets, .. } = layout;
        let of_sums = Pass {
            draws: 0,
            lanes,
            parts,
            part_octets,
            draws_at_once: layout.draws_at_once,
            flags: races.flags | SUMMED,
            ..races
        };
        let [scored, summed] = buffers.scores.each_ref().map(Option::is_some);
        let flags = flag(scored, WITH_LOG_PROBS) | flag(summed, WITH_LOGSUMEXPS);
        let of_log_probs =
            Pass { draws: batch.draws_per_row, flags: races.flags | flags, ..of_sums };
        let uniforms = [
            memory.uniform(self, "the pass", bytes_of(&of_sums)).await?,
            memory.uniform(self, "the pass", bytes_of(&of_log_probs)).await?,
        ];
        let scratch = memory.scratch(self, "the sums", bytes).await?;
        let nothing = [
            memory.scratch(self, "nothing", 16).await?,
            memory.scratch(self, "nothing", 16).await?,
        ];
        let bound = || {
            let [nothing, nowhere] = nothing.each_ref().map(wgpu::Buffer::as_entire_buffer_binding);
            let rows = |uniform: &wgpu::Buffer, outcomes, draws| {
                let logits = buffers.logits.binding.clone();
                let mut bound = vec![uniform.as_entire_buffer_binding(), logits];
                let mut each = buffers.each.iter().map(|buffer| given(buffer, &nothing));
                bound.extend(each.next());
                bound.extend([outcomes, draws]);
                bound.extend(each.filter(|_| options.each));
                bind(guard.device(), bind_layout, &bound)
            };
            let scratch = scratch.as_entire_buffer_binding();
            let of_sums = rows(&uniforms[0], nowhere.clone(), scratch.clone());
            let of_draws = rows(&uniforms[1], scratch, buffers.draws.clone());
            let [scored, summed] = &buffers.scores;
            let written =
                bind(guard.device(), written, &[given(scored, &nothing), given(summed, &nowhere)]);
            (of_sums, [of_draws, written])
        };
        let (of_sums, of_log_probs) = guard.checked(Activity::Drawing, bound).await?;
        let workgroups = (rows * draws).div_ceil(workgroup_size as usize);
        Ok(Some(Scores {
            sums: (sums, layout.workgroups(rows, 1)),
            of_allowed,
            of_sums,
            log_probs: (log_probs, grid(workgroups, device.workgroups)),
            of_log_probs,
        }))
    }
}
