//! What is bound to the shaders of an inverse CDF, and how they are run.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use crate::error::Error;
use crate::job::Job;

use super::super::guard::{Doing, Guard};
use super::super::kernel::{Kernels, bind};
use super::pipelines::TablePasses;
use super::plan::TablePlan;

/// The uniform `TablePass` of `shaders/kernel/table.wgsl`, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct TablePass {
    pub(super) seed: [u32; 2],
    pub(super) first_row: [u32; 2],
    pub(super) tables: u32,
    pub(super) first_table: u32,
    pub(super) rows: u32,
    pub(super) draws: u32,
    pub(super) first_draw: u32,
    pub(super) categories: u32,
    pub(super) row_stride: u32,
    pub(super) blocks: u32,
    pub(super) turns: u32,
    pub(super) block_categories: u32,
    pub(super) scale: u32,
    pub(super) flags: u32,
}

pub(super) const EACH_ID: u32 = 1;

/// The memory of a plan's tables, and of the draws from them.
#[derive(Debug)]
pub(super) struct Tables {
    pass: wgpu::Buffer,
    logits: wgpu::Buffer,
    row_ids: wgpu::Buffer,
    tops: wgpu::Buffer,
    draws: wgpu::Buffer,
    readback: wgpu::Buffer,
    bindings: wgpu::BindGroup,
}

impl Tables {
    pub(super) async fn new(
        guard: &Guard,
        kernels: &Kernels,
        plan: &TablePlan,
    ) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let tables = plan.most_tables() as u64;
        let logits = tables * (plan.row_stride * plan.shape.logit_bytes) as u64;
        let offsets = tables * 8 * (plan.blocks as u64 + 1);
        let sums = tables * 8 * plan.shape.categories as u64;
        let (ids, draws) = (8 * plan.most_picked_rows() as u64, 4 * plan.most_picks() as u64);
        let (filled, made) = (Usage::STORAGE | Usage::COPY_DST, Usage::STORAGE);

        let uniform = Usage::UNIFORM | Usage::COPY_DST;
        let pass = guard.buffer("the uniform", size_of::<TablePass>() as u64, uniform).await?;
        let logits = guard.buffer("the logits", logits, filled).await?;
        let row_ids = guard.buffer("the row ids", ids, filled).await?;
        let tops = guard.buffer("the largest logits", 4 * tables, filled).await?;
        let offsets = guard.buffer("the offsets of sums", offsets, made).await?;
        let sums = guard.buffer("the sums", sums, made).await?;
        let out = guard.buffer("the draws", draws, made | Usage::COPY_SRC).await?;
        let read = Usage::MAP_READ | Usage::COPY_DST;
        let readback = guard.buffer("the draws read back", draws, read).await?;

        let layout = kernels.table_layout()?;
        let bound = [&pass, &logits, &row_ids, &tops, &offsets, &sums, &out]
            .map(|buffer| buffer.as_entire_buffer_binding());
        let bind = || bind(guard.device(), layout, &bound);
        let bindings = guard.checked(Doing::Drawing, bind).await?;
        Ok(Self { pass, logits, row_ids, tops, draws: out, readback, bindings })
    }

    /// Uploads rows and builds their tables.
    #[expect(clippy::too_many_arguments, reason = "what a sampler has, and what is asked of it")]
    pub(super) async fn build(
        &self,
        guard: &Guard,
        queue: &wgpu::Queue,
        passes: &TablePasses,
        pass: TablePass,
        plan: &TablePlan,
        job: &Job<'_>,
        rows: Range<usize>,
    ) -> Result<(), Error> {
        let tables = rows.len();
        let submit = || {
            queue.write_buffer(&self.pass, 0, bytemuck::bytes_of(&pass));
            upload(queue, &self.logits, plan, job, rows);
            let mut encoder = guard.device().create_command_encoder(&Default::default());
            encoder.clear_buffer(&self.tops, 0, None);
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_bind_group(0, &self.bindings, &[]);
            for (pipeline, [x, y]) in [
                (&passes.top, plan.of_blocks(tables)),
                (&passes.build, plan.of_blocks(tables)),
                (&passes.offsets, plan.of_tables(tables)),
            ] {
                pass.set_pipeline(pipeline);
                pass.dispatch_workgroups(x, y, 1);
            }
            drop(pass);
            queue.submit([encoder.finish()]);
        };
        guard.checked(Doing::Drawing, submit).await
    }

    /// Draws from tables, and waits for the draws.
    #[expect(clippy::too_many_arguments, reason = "what a sampler has, and what is asked of it")]
    pub(super) async fn pick(
        &self,
        guard: &Guard,
        queue: &wgpu::Queue,
        passes: &TablePasses,
        pass: TablePass,
        plan: &TablePlan,
        ids: Option<&[u64]>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let bytes = 4 * draws.len() as u64;
        let submit = || {
            queue.write_buffer(&self.pass, 0, bytemuck::bytes_of(&pass));
            if let Some(ids) = ids {
                // low words first, whatever the host's order
                let ids: Vec<[u8; 8]> = ids.iter().map(|id| id.to_le_bytes()).collect();
                queue.write_buffer(&self.row_ids, 0, ids.as_flattened());
            }
            let mut encoder = guard.device().create_command_encoder(&Default::default());
            let [x, y] = plan.of_picks(pass.rows as usize, pass.first_draw, pass.draws);
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_bind_group(0, &self.bindings, &[]);
            pass.set_pipeline(&passes.pick);
            pass.dispatch_workgroups(x, y, 1);
            drop(pass);
            encoder.copy_buffer_to_buffer(&self.draws, 0, &self.readback, 0, bytes);
            queue.submit([encoder.finish()])
        };
        let after = guard.checked(Doing::Drawing, submit).await?;
        let slice = self.readback.slice(..bytes);
        let mapping = guard.map("the draws", slice, wgpu::MapMode::Read, Some(after)).await?;
        guard.finish(mapping).await?;
        guard.take("the draws", slice, draws).await
    }
}

/// Rows up to this size are written together.
const PIECE: usize = 1 << 20;

/// Writes rows to where the kernels find them, each from a multiple of 16 bytes on.
fn upload(
    queue: &wgpu::Queue,
    to: &wgpu::Buffer,
    plan: &TablePlan,
    job: &Job<'_>,
    rows: Range<usize>,
) {
    let apart = plan.row_stride * plan.shape.logit_bytes;
    let whole = |row| job.logits.row_bytes(row, 0..plan.shape.categories);
    if apart > PIECE && whole(rows.start).len().is_multiple_of(4) {
        for (i, row) in rows.enumerate() {
            queue.write_buffer(to, (i * apart) as u64, whole(row));
        }
        return;
    }
    let at_once = (PIECE / apart).max(1);
    let mut piece = Vec::with_capacity(apart * at_once.min(rows.len()));
    for first in rows.clone().step_by(at_once) {
        piece.clear();
        for row in first..rows.end.min(first + at_once) {
            piece.extend_from_slice(whole(row));
            piece.resize(piece.len().next_multiple_of(apart), 0);
        }
        queue.write_buffer(to, ((first - rows.start) * apart) as u64, &piece);
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::options::ValueFormat;
    use crate::shaders::{Kernel, Share, Variant};

    /// The uniform is laid out by two compilers: their offsets agree, field by field.
    #[test]
    fn the_pass_is_laid_out_as_in_the_shader() {
        let source = Variant {
            kernel: Kernel::Pick,
            share: Share::Alone,
            format: ValueFormat::F32,
            vec4: true,
            each: false,
            immediates: false,
            int64: false,
            workgroup_size: 64,
        }
        .source();
        assert!(source.contains(&format!("const EACH_ID: u32 = {EACH_ID}u;")));
        let module = naga::front::wgsl::parse_str(&source).unwrap();
        let of_name = |ty: &naga::Type| ty.name.as_deref() == Some("TablePass");
        let (_, ty) = module.types.iter().find(|(_, ty)| of_name(ty)).unwrap();
        let naga::TypeInner::Struct { members, span } = &ty.inner else {
            panic!("TablePass is a struct");
        };
        let shader: Vec<_> =
            members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
        macro_rules! offsets {
            ($($field:ident),*) => {
                vec![$((stringify!($field), offset_of!(TablePass, $field))),*]
            };
        }
        let host = offsets![
            seed,
            first_row,
            tables,
            first_table,
            rows,
            draws,
            first_draw,
            categories,
            row_stride,
            blocks,
            turns,
            block_categories,
            scale,
            flags
        ];
        assert_eq!(shader, host);
        assert_eq!(*span as usize, size_of::<TablePass>());
    }
}
