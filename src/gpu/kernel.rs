//! The bindings of the kernels, the uniform that controls them, and their pipelines.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::options::ValueFormat;
use crate::shaders::{Kernel, Reduction, Restriction, Variant};

use super::guard::{Activity, Guard};
use super::layout::Layout;

mod bindings;
mod pass;
mod restricted;

pub(super) use bindings::{AdjustmentLayouts, CutLayouts, TableLayouts, bind, bind_at};
use bindings::{
    bind_group_layout, each, of_copies, of_cut_rows, of_lists, of_log_probs, of_restriction,
    of_table_chunk, of_tables, of_truncation, plain, soft,
};
pub(crate) use pass::Pass;
pub(super) use pass::{
    EACH_FIRST_DRAW, EACH_ID, EACH_SEED, EACH_TEMPERATURE, GATHERED, SUMMED, UNFILTERED,
    UNFINISHED, WITH_LOG_PROBS, WITH_LOGSUMEXPS, flag, words,
};

/// The options that all kernels of a sampler have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    pub(super) int64: bool,
    pub(super) subgroups: bool,
    /// Whether the device emulates a GPU.
    pub(super) emulated: bool,
    pub(super) edit: fn(String) -> String,
}

/// The pipelines of a device, compiled when they are first needed.
#[derive(Debug)]
pub(super) struct Kernels {
    pub(super) common: Common,
    /// The layout of pass, logits, row ids, outcomes and draws.
    plain: wgpu::BindGroupLayout,
    /// The layout of pass, logits, row ids, outcomes, draws, and the parameters that each row may
    /// have of its own.
    each: Option<wgpu::BindGroupLayout>,
    /// The layout of the bindings of soft samples.
    pub(super) soft: Option<wgpu::BindGroupLayout>,
    /// The layouts of the bindings of an inverse CDF.
    pub(super) table: Option<TableLayouts>,
    /// The layout of the bindings of restricted rows.
    restriction: wgpu::BindGroupLayout,
    /// The layouts of the bindings of cuts.
    cut: CutLayouts,
    /// The layout of the bindings of log-probabilities and the logarithms of sums.
    log_probs: wgpu::BindGroupLayout,
    /// The layouts of the bindings of copies of rows, and of the lists by which these are adjusted.
    adjustment: Option<[wgpu::BindGroupLayout; 2]>,
    /// The most storage buffers of a kernel.
    most_buffers: u32,
    pipelines: Mutex<HashMap<Variant, wgpu::ComputePipeline>>,
}

/// The passes that a layout takes: its kernel, and the merge and the sums if there are any.
#[derive(Clone, Debug)]
pub(super) struct Passes {
    pub(super) race: wgpu::ComputePipeline,
    pub(super) merge: Option<wgpu::ComputePipeline>,
    pub(super) sums: Option<wgpu::ComputePipeline>,
}

impl Passes {
    /// Encodes the passes for `rows` rows and `draws` draws of each; `first_draw` is immediate
    /// data, if the kernel takes any.
    pub(super) fn encode(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        bindings: &wgpu::BindGroup,
        layout: &Layout,
        rows: usize,
        draws: usize,
        first_draw: Option<u32>,
    ) {
        pass.set_pipeline(&self.race);
        pass.set_bind_group(0, bindings, &[]);
        if let Some(first_draw) = first_draw {
            pass.set_immediates(0, &first_draw.to_le_bytes());
        }
        let [x, y] = layout.workgroups(rows, draws);
        pass.dispatch_workgroups(x, y, 1);
        if let Some(merge) = &self.merge {
            pass.set_pipeline(merge);
            pass.set_bind_group(0, bindings, &[]);
            let [x, y] = layout.merge_workgroups(rows, draws);
            pass.dispatch_workgroups(x, y, 1);
        }
        if let Some(sums) = &self.sums {
            pass.set_pipeline(sums);
            pass.set_bind_group(0, bindings, &[]);
            // as many teams as for one draw of each row: each sums its part
            let [x, y] = layout.workgroups(rows, 1);
            pass.dispatch_workgroups(x, y, 1);
        }
    }
}

/// The options of a kernel that do not follow from its layout.
#[derive(Clone, Copy, Debug)]
pub(super) struct KernelOptions {
    pub(super) format: ValueFormat,
    pub(super) vec4: bool,
    pub(super) each: bool,
    pub(super) immediates: bool,
    pub(super) restriction: Restriction,
}

impl KernelOptions {
    /// The options for values of which each may be drawn, with the same parameters for all rows.
    pub(super) fn new(format: ValueFormat, vec4: bool) -> Self {
        let restriction = Restriction::None;
        Self { format, vec4, each: false, immediates: false, restriction }
    }
}

/// The number of storage buffers in the layout with parameters of each row.
const EACH_BUFFERS: u32 = 8;
/// The number of storage buffers in the layout of soft samples.
const SOFT_BUFFERS: u32 = 7;
/// The number of storage buffers in the layout of the lists by which rows are adjusted.
const LIST_BUFFERS: u32 = 8;
/// The number of storage buffers in the layouts of an inverse CDF.
const TABLE_BUFFERS: u32 = 6;

impl Kernels {
    pub(super) async fn new(guard: &Guard, common: Common) -> Result<Self, Error> {
        let device = guard.device();
        let most_buffers = device.limits().max_storage_buffers_per_shader_stage;
        let layouts = || {
            let if_bindable = |buffers, entries: &[_]| {
                (most_buffers >= buffers).then(|| bind_group_layout(device, entries))
            };
            (
                bind_group_layout(device, &plain()),
                if_bindable(EACH_BUFFERS, &each()),
                if_bindable(SOFT_BUFFERS, &soft()),
                (most_buffers >= TABLE_BUFFERS).then(|| TableLayouts {
                    chunk: bind_group_layout(device, &of_table_chunk()),
                    tables: bind_group_layout(device, &of_tables()),
                }),
                bind_group_layout(device, &of_restriction()),
                CutLayouts {
                    rows: bind_group_layout(device, &of_cut_rows()),
                    plain: bind_group_layout(device, &of_truncation(false)),
                    each: bind_group_layout(device, &of_truncation(true)),
                },
                bind_group_layout(device, &of_log_probs()),
                (most_buffers >= LIST_BUFFERS).then(|| {
                    [of_copies(), of_lists()].map(|entries| bind_group_layout(device, &entries))
                }),
            )
        };
        let (plain, each, soft, table, restriction, cut, log_probs, adjustment) =
            guard.checked(Activity::Drawing, layouts).await?;
        let pipelines = Mutex::default();
        Ok(Self {
            common,
            plain,
            each,
            soft,
            table,
            restriction,
            cut,
            log_probs,
            adjustment,
            most_buffers,
            pipelines,
        })
    }

    /// Returns the layout of the bindings of races, with parameters of each row if `each`. `None`
    /// if the device binds fewer storage buffers.
    pub(super) fn layout(&self, each: bool) -> Option<&wgpu::BindGroupLayout> {
        if each { self.each.as_ref() } else { Some(&self.plain) }
    }

    /// Binds the uniform, logits, row ids, outcomes and draws.
    pub(super) fn bind_plain(
        &self,
        device: &wgpu::Device,
        bound: [wgpu::BufferBinding<'_>; 5],
    ) -> wgpu::BindGroup {
        bind(device, &self.plain, &bound)
    }

    /// Binds as [`bind_plain`](Self::bind_plain) does, and the seeds, temperatures, first draws and row indices of rows.
    /// The device must bind so many buffers.
    pub(super) fn bind_each(
        &self,
        device: &wgpu::Device,
        plain: [wgpu::BufferBinding<'_>; 5],
        own: [wgpu::BufferBinding<'_>; 4],
    ) -> wgpu::BindGroup {
        let layout = self.layout(true).unwrap_or(&self.plain);
        bind(device, layout, &plain.into_iter().chain(own).collect::<Vec<_>>())
    }

    /// Returns the pipelines for a layout. Those that were not compiled yet are compiled now.
    pub(super) async fn passes(
        &self,
        guard: &Guard,
        layout: &Layout,
        options: KernelOptions,
        merges: bool,
    ) -> Result<Passes, Error> {
        let variant = Variant {
            kernel: layout.kernel,
            reduction: layout.reduction,
            groups: layout.has_groups(),
            format: options.format,
            vec4: options.vec4,
            each: options.each,
            immediates: options.immediates,
            restriction: options.restriction,
            int64: self.common.int64,
            emulated: self.common.emulated,
            workgroup_size: layout.workgroup_size,
        };
        let race = self.pipeline(guard, variant).await?;
        if !merges {
            return Ok(Passes { race, merge: None, sums: None });
        }
        // the whole workgroup is a team, and the merge reads neither logits nor the parameters of
        // rows
        let merge = Variant {
            kernel: Kernel::Merge,
            reduction: if self.common.subgroups {
                Reduction::Subgroups
            } else {
                Reduction::Workgroup
            },
            groups: false,
            format: ValueFormat::F32,
            vec4: false,
            each: options.each,
            immediates: options.immediates,
            restriction: Restriction::None,
            ..variant
        };
        Ok(Passes { race, merge: Some(self.pipeline(guard, merge).await?), sums: None })
    }

    /// Returns the pipeline that sums the rows of a layout in a pass of its own.
    pub(super) async fn sums(
        &self,
        guard: &Guard,
        layout: &Layout,
        options: KernelOptions,
    ) -> Result<wgpu::ComputePipeline, Error> {
        let KernelOptions { format, vec4, each, immediates, restriction } = options;
        let Layout { reduction, workgroup_size, .. } = *layout;
        let Common { int64, emulated, .. } = self.common;
        let variant = Variant {
            kernel: Kernel::Sums,
            reduction,
            groups: false,
            format,
            vec4,
            each,
            immediates,
            restriction,
            int64,
            emulated,
            workgroup_size,
        };
        self.pipeline(guard, variant).await
    }

    pub(super) async fn pipeline(
        &self,
        guard: &Guard,
        variant: Variant,
    ) -> Result<wgpu::ComputePipeline, Error> {
        if let Some(pipeline) = self.lock().get(&variant) {
            return Ok(pipeline.clone());
        }
        let source = (self.common.edit)(variant.source());
        let layouts = match variant.kernel {
            kernel if kernel.is_soft() => vec![Some(self.soft_layout()?)],
            Kernel::Check => {
                let layout = self.layout(variant.each).unwrap_or(&self.plain);
                vec![Some(layout), Some(self.restriction_layout(variant.each)?)]
            }
            Kernel::LogProbs => {
                let layout = self.layout(variant.each).unwrap_or(&self.plain);
                vec![Some(layout), Some(self.log_probs_layout(variant.each)?)]
            }
            Kernel::Copy => {
                let layouts = self.adjustment_layouts()?;
                vec![Some(layouts.rows), Some(layouts.copies)]
            }
            Kernel::Adjust => vec![Some(self.adjustment_layouts()?.lists)],
            Kernel::Maxima | Kernel::MaximaAndSums | Kernel::Cut => {
                let layouts = self.cut_layouts(variant.each)?;
                let truncation = layouts.truncation(variant.each);
                vec![Some(&layouts.rows), Some(&self.restriction), Some(truncation)]
            }
            kernel if kernel.is_of_tables() => {
                let TableLayouts { chunk, tables } = self.table_layouts()?;
                vec![Some(chunk), Some(tables)]
            }
            _ => {
                let restriction = (variant.restriction != Restriction::None)
                    .then(|| self.restriction_layout(variant.each));
                let races = Some(self.layout(variant.each).unwrap_or(&self.plain));
                [Ok(races)]
                    .into_iter()
                    .chain(restriction.map(|layout| layout.map(Some)))
                    .collect::<Result<_, Error>>()?
            }
        };
        let activity = Activity::Compiling { shader: name(variant).into() };
        let compile = || pipeline(guard.device(), &layouts, variant, &source);
        let pipeline = guard.checked(activity, compile).await?;
        self.lock().insert(variant, pipeline.clone());
        Ok(pipeline)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Variant, wgpu::ComputePipeline>> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A variant in words, for errors.
fn name(variant: Variant) -> String {
    let Variant { reduction, format, int64, workgroup_size, .. } = variant;
    let products = if int64 { 64 } else { 16 };
    let reduction = match reduction {
        Reduction::Alone => "each invocation alone",
        Reduction::Workgroup => "workgroup memory",
        Reduction::Subgroups => "subgroups",
    };
    format!(
        "the shader \"gumbel {}\" ({format}, {products}-bit products, {reduction}, workgroups of \
         {workgroup_size})",
        variant.entry_point()
    )
}

fn pipeline(
    device: &wgpu::Device,
    layouts: &[Option<&wgpu::BindGroupLayout>],
    variant: Variant,
    source: &str,
) -> wgpu::ComputePipeline {
    let label = Some("gumbel");
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let immediates = variant.immediates && variant.kernel != Kernel::Merge;
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label,
        bind_group_layouts: layouts,
        immediate_size: if immediates { size_of::<u32>() as u32 } else { 0 },
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: Some(&layout),
        module: &module,
        entry_point: Some(variant.entry_point()),
        compilation_options: wgpu::PipelineCompilationOptions {
            // the shaders write workgroup memory first themselves, in loops; where a driver writes
            // it word by word, SwiftShader takes minutes and gigabytes to compile a thousand words
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    })
}

#[cfg(test)]
mod tests;
