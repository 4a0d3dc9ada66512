//! Draws by inverse CDF on a device: tables are built there, and drawn from there.
//!
//! [`plan`] cuts a batch, [`table`] says what is bound to the shaders and runs them.

use crate::error::Error;
use crate::job::Job;
use crate::noise::order::Scale;

use super::GpuSampler;
use super::kernel::{flag, words};
use super::plan::{Report, Shape};

mod pipelines;
mod plan;
mod table;

use plan::TablePlan;
use table::{EACH_ID, TablePass, Tables};

impl GpuSampler {
    /// Draws for all rows by inverse CDF.
    pub(super) async fn run_inverse_cdf(
        &self,
        job: &Job<'_>,
        scale: Scale,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        if draws.is_empty() {
            return Ok(());
        }
        let shape = Shape {
            rows: job.logits.rows(),
            categories: job.logits.categories(),
            row_stride: job.logits.row_stride(),
            logit_bytes: job.logits.format().bytes(),
            draws: job.draws,
            greedy: false,
            report: Report::Draws,
        };
        let plan = TablePlan::new(shape, self.limits).map_err(|most| Error::RowTooLong {
            operation: "the sums of an inverse CDF",
            categories: shape.categories,
            most,
        })?;
        let format = job.logits.format();
        let sizes = [plan.builders, plan.pickers];
        let passes = self.kernels.table_passes(&self.guard, format, sizes).await?;
        let tables = Tables::new(&self.guard, &self.kernels, &plan).await?;
        let mut next = 0;
        for chunk in plan.chunks() {
            let built = plan.tables(chunk.len());
            let pass = TablePass {
                seed: words(job.seed),
                tables: built as u32,
                categories: shape.categories as u32,
                row_stride: plan.row_stride as u32,
                blocks: plan.blocks as u32,
                turns: plan.turns as u32,
                block_categories: 8 * plan.turns as u32 * plan.builders,
                scale: scale.reciprocal().to_bits(),
                flags: flag(job.explicit_ids().is_some(), EACH_ID),
                ..bytemuck::Zeroable::zeroed()
            };
            let rows = chunk.start..chunk.start + built;
            tables.build(&self.guard, &self.queue, &passes, pass, &plan, job, rows).await?;
            for picks in plan.picks(chunk.clone()) {
                let count = picks.rows.len() * picks.draws.len();
                let pass = TablePass {
                    first_row: words(job.row_ids.id(picks.rows.start)),
                    first_table: (picks.rows.start - chunk.start) as u32,
                    rows: picks.rows.len() as u32,
                    draws: picks.draws.len() as u32,
                    first_draw: job.first_draw + picks.draws.start,
                    ..pass
                };
                let ids = job.explicit_ids().map(|ids| &ids[picks.rows]);
                let result = &mut draws[next..next + count];
                tables.pick(&self.guard, &self.queue, &passes, pass, &plan, ids, result).await?;
                next += count;
            }
        }
        Ok(())
    }
}
