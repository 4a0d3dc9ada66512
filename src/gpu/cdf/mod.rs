//! Draws by inverse CDF on a device: tables are built there, and drawn from there.
//!
//! [`plan`] cuts a batch, [`table`] says what is bound to the shaders, [`run`] runs them. [`built`] keeps
//! tables for the caller; a call that keeps none has memory for those of a chunk.

use crate::error::Error;
use crate::job::Job;
use crate::noise::order::Scale;

use super::Gpu;

mod built;
mod pipelines;
mod plan;
mod run;
mod table;

pub(crate) use built::GpuTables;

use run::{Races, Runner};
use table::Sizes;

impl Gpu {
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
        let runner = Runner::new(self, job, scale).await?;
        let plan = &runner.plan;
        let picking = plan.picking(job.draws);
        let races = Races { ids: job.row_ids, first_draw: job.first_draw, picking };
        let source = runner.source().await?;
        let tables = runner.tables(plan.rows()).await?;
        let mut room = runner.room(Sizes::of(&picking)).await?;
        runner.bind(&mut room, &tables).await?;
        let chunks = draws.chunks_mut(plan.rows() * job.draws as usize);
        for (rows, draws) in plan.chunks().zip(chunks) {
            runner.build(&source, &tables, job, rows.clone()).await?;
            runner.draw(&room, 0, races, rows, draws).await?;
        }
        Ok(())
    }
}
