//! Takes the tables of an inverse CDF through the ring: they are built from the rows of a chunk,
//! and drawn from.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::bytes_of;

use crate::error::Error;
use crate::job::Job;
use crate::noise::order::Scale;
use crate::options::{Batch, RowIds};

use super::super::Gpu;
use super::super::guard::{Guard, Waits};
use super::super::kernel::{TableLayouts, bind, flag, words};
use super::super::plan::{Output, Shape};
use super::super::ring::{Input, Kind, Memory, RowValues, Sections, Transport, Workload};
use super::pipelines::TablePasses;
use super::plan::{PickPlan, Picks, TablePlan};
use super::table::{EACH_ID, TablePass, Tables};

/// Builds the tables of a batch and draws from them, in memory that each call gives. A runner outlives the
/// sampler if need be.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    guard: Guard,
    ring: Arc<Transport>,
    layouts: TableLayouts,
    passes: TablePasses,
    pub(super) plan: TablePlan,
    /// The uniform's fields that are the same for all tables and draws.
    pass: TablePass,
}

/// The races that are drawn from tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Races<'a> {
    pub(super) ids: RowIds<'a>,
    pub(super) first_draw: u32,
    pub(super) picking: PickPlan,
}

impl Runner {
    /// Returns the runner for a call. A call that `yields` does not hold its thread while the
    /// device works.
    pub(super) fn waiting(&self, yields: bool) -> Self {
        let waits = if yields { Waits::Elsewhere } else { Waits::Here };
        Self { guard: self.guard.waiting(waits), ..self.clone() }
    }

    /// Returns the runner for a job with at least one row.
    pub(super) async fn new(gpu: &Gpu, job: &Job<'_>, scale: Scale) -> Result<Self, Error> {
        let format = job.logits.format();
        let shape = Shape {
            rows: job.logits.rows(),
            categories: job.logits.categories(),
            row_stride: job.logits.row_stride(),
            logit_bytes: format.bytes(),
            draws: job.draws,
            greedy: false,
            own: false,
            output: Output::Draws,
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
            ring: gpu.ring.0.clone(),
            layouts: gpu.kernels.table_layouts()?.clone(),
            passes: gpu.kernels.table_passes(&gpu.guard, format, sizes).await?,
            plan,
            pass,
        })
    }

    /// Allocates memory for the prepared tables of a chunk of `rows` rows.
    pub(super) async fn tables(&self, rows: usize) -> Result<Tables, Error> {
        Tables::new(&self.guard, &self.layouts.tables, &self.plan, self.plan.tables(rows)).await
    }

    /// Builds the tables of a batch, if there is one, and draws from tables: from each row or, of
    /// tables that are both built and `kept`, from each table.
    ///
    /// The tables of a chunk that are not `kept` last until those of the next chunk are built.
    pub(super) async fn run(
        &self,
        batch: Option<Batch<'_>>,
        kept: Option<&[Tables]>,
        races: Races<'_>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let (plan, picking) = (self.plan, races.picking);
        let mut next = 0;
        let builds = batch.is_some();
        let each_table = builds && kept.is_some();
        let steps = plan.chunks().enumerate().flat_map(move |(number, rows)| {
            let count = if each_table { plan.tables(rows.len()) } else { rows.len() };
            let picks = picking.picks(rows.start..rows.start + count).enumerate();
            picks.map(move |(i, picks)| (number, rows.clone(), picks, i == 0))
        });
        let steps = steps.map(move |(number, rows, picks, is_first)| {
            let result = next..next + picks.races();
            next = result.end;
            Step { number, rows, picks, builds: builds && is_first, result }
        });
        let mut work = TableWork { runner: self, batch, kept, races, draws };
        self.ring.run(&self.guard, &mut work, steps).await
    }
}

/// Sections of the input.
const PASS: usize = 0;
const ROW_IDS: usize = 1;
const VALUES: usize = 2;
/// Sections of the scratch memory, for tables that are not kept.
const TOPS: usize = 0;
const OFFSETS: usize = 1;
const SUMS: usize = 2;

/// Tables that are built or drawn from, or both.
#[derive(Debug)]
struct TableWork<'a> {
    runner: &'a Runner,
    batch: Option<Batch<'a>>,
    kept: Option<&'a [Tables]>,
    races: Races<'a>,
    draws: &'a mut [u32],
}

/// Some draws from the tables of a chunk.
#[derive(Debug)]
struct Step {
    /// The number of the chunk.
    number: usize,
    /// The rows of the chunk.
    rows: Range<usize>,
    picks: Picks,
    /// True if the chunk's tables are built first.
    builds: bool,
    /// The positions of the draws among the call's.
    result: Range<usize>,
}

impl TableWork<'_> {
    fn pass_of(&self, step: &Step) -> TablePass {
        let Races { ids, first_draw, .. } = self.races;
        let Step { rows, picks, .. } = step;
        TablePass {
            first_row: words(ids.id(picks.rows.start)),
            tables: self.runner.plan.tables(rows.len()) as u32,
            first_table: (picks.rows.start - rows.start) as u32,
            rows: picks.rows.len() as u32,
            draws: picks.draws.len() as u32,
            first_draw: first_draw + picks.draws.start,
            flags: flag(matches!(ids, RowIds::Each(_)), EACH_ID),
            ..self.runner.pass
        }
    }
}

impl Workload for TableWork<'_> {
    type Step = Step;

    fn kind(&self) -> Kind {
        Kind::Tables
    }

    fn sections(&self) -> Sections {
        let needs = Needs {
            row_ids: matches!(self.races.ids, RowIds::Each(_)),
            values: self.batch.is_some(),
            tables: self.kept.is_none(),
        };
        sections(&self.runner.plan, &self.races.picking, needs)
    }

    fn bind(&self, device: &wgpu::Device, memory: Memory<'_>) -> Vec<wgpu::BindGroup> {
        let TableLayouts { chunk, tables } = &self.runner.layouts;
        let [pass, row_ids, values] = [PASS, ROW_IDS, VALUES].map(|section| memory.input(section));
        let own = [TOPS, OFFSETS, SUMS].map(|section| memory.scratch(section));
        vec![
            bind(device, chunk, &[pass, values, row_ids, memory.output(0)]),
            bind(device, tables, &own),
        ]
    }

    fn fill(&self, step: &Step, input: &mut Input<'_>) -> Result<(), wgpu::MapRangeError> {
        input.write(PASS, bytes_of(&self.pass_of(step)))?;
        if let RowIds::Each(ids) = self.races.ids {
            input.write_ids(ROW_IDS, &ids[step.picks.rows.clone()])?;
        }
        if let (Some(batch), true) = (self.batch, step.builds) {
            let plan = &self.runner.plan;
            let rows = step.rows.start..step.rows.start + plan.tables(step.rows.len());
            let (categories, apart) = (0..plan.shape.categories, plan.row_bytes());
            input.write_rows(VALUES, &RowValues { batch, rows, categories, apart })?;
        }
        Ok(())
    }

    fn encode(
        &self,
        step: &Step,
        encoder: &mut wgpu::CommandEncoder,
        memory: Memory<'_>,
        groups: &[wgpu::BindGroup],
    ) {
        let Runner { plan, passes, .. } = self.runner;
        let count = plan.tables(step.rows.len());
        let (tops, tables) = match self.kept.map(|kept| &kept[step.number]) {
            Some(kept) => (kept.tops.as_entire_buffer_binding(), &kept.bindings),
            None => (memory.scratch(TOPS), &groups[1]),
        };
        if step.builds {
            encoder.clear_buffer(tops.buffer, tops.offset, Some(4 * count as u64));
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("gumbel inverse CDF"),
            timestamp_writes: None,
        });
        pass.set_bind_group(0, &groups[0], &[]);
        pass.set_bind_group(1, tables, &[]);
        let mut dispatch = |pipeline, [x, y]: [u32; 2]| {
            pass.set_pipeline(pipeline);
            pass.dispatch_workgroups(x, y, 1);
        };
        if step.builds {
            dispatch(&passes.top, plan.of_blocks(count));
            dispatch(&passes.build, plan.of_blocks(count));
            dispatch(&passes.offsets, plan.of_tables(count));
        }
        let picks = &step.picks;
        let first_draw = self.races.first_draw + picks.draws.start;
        let picks = plan.of_picks(picks.rows.len(), first_draw, picks.draws.len() as u32);
        dispatch(&passes.pick, picks);
    }

    fn results(&self, step: &Step) -> [u64; 2] {
        [4 * step.result.len() as u64, 0]
    }

    fn take(&mut self, step: &Step, [draws, _]: [&[u32]; 2]) {
        self.draws[step.result.clone()].copy_from_slice(draws);
    }
}

/// The sections of the ring that a call needs, beside that for draws.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    pub(super) row_ids: bool,
    pub(super) values: bool,
    pub(super) tables: bool,
}

/// The bytes of the ring's sections for tables and draws from them.
pub(super) fn sections(plan: &TablePlan, picking: &PickPlan, needs: Needs) -> Sections {
    // for buffers that a layout has and no kernel of the call reads
    let unused = 16;
    let tables = plan.most_tables() as u64;
    let row_ids = if needs.row_ids { 8 * picking.most_rows() as u64 } else { unused };
    let values = if needs.values { tables * plan.row_bytes() as u64 } else { unused };
    let [tops, offsets, sums] =
        plan.bytes_of_table().map(|bytes| if needs.tables { tables * bytes } else { unused });
    Sections {
        input: [size_of::<TablePass>() as u64, row_ids, values, 0, 0, 0],
        scratch: [tops, offsets, sums, 0],
        output: [4 * picking.most_picks() as u64, 0],
    }
}
