//! Runs the passes of an inverse CDF: builds the tables of a chunk, and draws from them.

use std::ops::Range;

use crate::error::Error;
use crate::job::Job;
use crate::noise::order::Scale;
use crate::options::RowIds;

use super::super::Gpu;
use super::super::guard::{Doing, Guard};
use super::super::kernel::{bind, flag, words};
use super::super::plan::{Report, Shape};
use super::pipelines::TablePasses;
use super::plan::{PickPlan, TablePlan};
use super::table::{EACH_ID, Room, Sizes, Source, TablePass, Tables};

/// All that it takes to build the tables of a batch and to draw from them, but for their memory. It needs the
/// sampler no more.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    guard: Guard,
    queue: wgpu::Queue,
    layout: wgpu::BindGroupLayout,
    passes: TablePasses,
    pub(super) plan: TablePlan,
    /// What is the same for all tables and draws.
    pass: TablePass,
}

/// What is drawn from tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Races<'a> {
    pub(super) ids: RowIds<'a>,
    pub(super) first_draw: u32,
    pub(super) picking: PickPlan,
}

impl Runner {
    /// The same, for futures that must not hold their thread while the device works.
    pub(super) fn yielding(&self) -> Self {
        Self { guard: self.guard.yielding(), ..self.clone() }
    }

    /// For the rows of a job, of which there is one at least.
    pub(super) async fn new(gpu: &Gpu, job: &Job<'_>, scale: Scale) -> Result<Self, Error> {
        let format = job.logits.format();
        let shape = Shape {
            rows: job.logits.rows(),
            categories: job.logits.categories(),
            row_stride: job.logits.row_stride(),
            logit_bytes: format.bytes(),
            draws: job.draws,
            greedy: false,
            report: Report::Draws,
        };
        let plan = TablePlan::new(shape, gpu.limits).map_err(|most| Error::RowTooLong {
            operation: "the sums of an inverse CDF",
            categories: shape.categories,
            most,
        })?;
        let sizes = [plan.builders, plan.pickers];
        let pass = TablePass {
            seed: words(job.seed),
            categories: shape.categories as u32,
            row_stride: plan.row_stride as u32,
            blocks: plan.blocks as u32,
            turns: plan.turns as u32,
            block_categories: 8 * plan.turns as u32 * plan.builders,
            scale: scale.reciprocal().to_bits(),
            ..bytemuck::Zeroable::zeroed()
        };
        Ok(Self {
            guard: gpu.guard.clone(),
            queue: gpu.queue.clone(),
            layout: gpu.kernels.table_layout()?.clone(),
            passes: gpu.kernels.table_passes(&gpu.guard, format, sizes).await?,
            plan,
            pass,
        })
    }

    /// Memory for the tables of a chunk of so many rows.
    pub(super) async fn tables(&self, rows: usize) -> Result<Tables, Error> {
        Tables::new(&self.guard, &self.plan, self.plan.tables(rows)).await
    }

    /// Memory to build the tables of any chunk from.
    pub(super) async fn source(&self) -> Result<Source, Error> {
        Source::new(&self.guard, &self.plan).await
    }

    /// Room for picks of these sizes, with nothing bound.
    pub(super) async fn room(&self, sizes: Sizes) -> Result<Room, Error> {
        Room::new(&self.guard, sizes).await
    }

    /// Uploads the rows of a chunk and builds their tables, for which it does not wait.
    pub(super) async fn build(
        &self,
        source: &Source,
        tables: &Tables,
        job: &Job<'_>,
        chunk: Range<usize>,
    ) -> Result<(), Error> {
        let (plan, count) = (&self.plan, self.plan.tables(chunk.len()));
        let rows = chunk.start..chunk.start + count;
        let pass = TablePass { tables: count as u32, ..self.pass };
        let Source { pass: uniform, logits, nothing } = source;
        let Tables { tops, offsets, sums } = tables;
        let submit = || {
            // the second logits are in the place of row ids, which do not matter here
            let bindings = self.bound([uniform, logits, logits, tops, offsets, sums, nothing]);
            self.queue.write_buffer(uniform, 0, bytemuck::bytes_of(&pass));
            upload(&self.queue, logits, plan, job, rows);
            let mut encoder = self.guard.device().create_command_encoder(&Default::default());
            encoder.clear_buffer(tops, 0, None);
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_bind_group(0, &bindings, &[]);
            for (pipeline, [x, y]) in [
                (&self.passes.top, plan.of_blocks(count)),
                (&self.passes.build, plan.of_blocks(count)),
                (&self.passes.offsets, plan.of_tables(count)),
            ] {
                pass.set_pipeline(pipeline);
                pass.dispatch_workgroups(x, y, 1);
            }
            drop(pass);
            self.queue.submit([encoder.finish()]);
        };
        self.guard.checked(Doing::Drawing, submit).await
    }

    /// Binds the tables of a chunk to draw from.
    pub(super) async fn bind(&self, room: &mut Room, tables: &Tables) -> Result<(), Error> {
        let Room { pass, row_ids, draws, .. } = &*room;
        let Tables { tops, offsets, sums } = tables;
        // the first row ids are in the place of logits, of which draws need nothing
        let bind = || self.bound([pass, row_ids, row_ids, tops, offsets, sums, draws]);
        let bindings = self.guard.checked(Doing::Drawing, bind).await?;
        room.bindings.push(bindings);
        Ok(())
    }

    fn bound(&self, buffers: [&wgpu::Buffer; 7]) -> wgpu::BindGroup {
        let bound = buffers.map(wgpu::Buffer::as_entire_buffer_binding);
        bind(self.guard.device(), &self.layout, &bound)
    }

    /// Draws from the first of the tables that were bound as number `bound`, those of the rows at these
    /// positions of the batch, and waits for the draws.
    pub(super) async fn draw(
        &self,
        room: &Room,
        bound: usize,
        races: Races<'_>,
        rows: Range<usize>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let Races { ids, first_draw, picking } = races;
        let mut rest = draws;
        for picks in picking.picks(rows.clone()) {
            let explicit = match ids {
                RowIds::From(_) => None,
                RowIds::Each(ids) => Some(&ids[picks.rows.clone()]),
            };
            let pass = TablePass {
                first_row: words(ids.id(picks.rows.start)),
                tables: self.plan.tables(rows.len()) as u32,
                first_table: (picks.rows.start - rows.start) as u32,
                rows: picks.rows.len() as u32,
                draws: picks.draws.len() as u32,
                first_draw: first_draw + picks.draws.start,
                flags: flag(explicit.is_some(), EACH_ID),
                ..self.pass
            };
            let (now, later) = rest.split_at_mut(picks.rows.len() * picks.draws.len());
            self.pick(room, &room.bindings[bound], pass, explicit, now).await?;
            rest = later;
        }
        Ok(())
    }

    /// A pick.
    async fn pick(
        &self,
        room: &Room,
        bindings: &wgpu::BindGroup,
        pass: TablePass,
        ids: Option<&[u64]>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let (guard, queue) = (&self.guard, &self.queue);
        let bytes = 4 * draws.len() as u64;
        let submit = || {
            queue.write_buffer(&room.pass, 0, bytemuck::bytes_of(&pass));
            if let Some(ids) = ids {
                // low words first, whatever the host's order
                let ids: Vec<[u8; 8]> = ids.iter().map(|id| id.to_le_bytes()).collect();
                queue.write_buffer(&room.row_ids, 0, ids.as_flattened());
            }
            let mut encoder = guard.device().create_command_encoder(&Default::default());
            let [x, y] = self.plan.of_picks(pass.rows as usize, pass.first_draw, pass.draws);
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_bind_group(0, bindings, &[]);
            pass.set_pipeline(&self.passes.pick);
            pass.dispatch_workgroups(x, y, 1);
            drop(pass);
            encoder.copy_buffer_to_buffer(&room.draws, 0, &room.readback, 0, bytes);
            queue.submit([encoder.finish()])
        };
        let after = guard.checked(Doing::Drawing, submit).await?;
        let slice = room.readback.slice(..bytes);
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
