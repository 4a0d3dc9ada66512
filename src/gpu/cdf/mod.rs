//! Draws by inverse CDF on a device, where tables are built and drawn from.
//!
//! A workgroup adds up a block of a row. A draw searches first the sums of the blocks, then one block. Integer sums are the same
//! in whatever order they are added, so the draws are the CPU engine's.
//!
//! [`plan`] cuts a batch, [`table`] has the uniform of the shaders and the memory of tables, and
//! [`run`] takes chunks through the ring. [`prepared`] keeps tables for the caller. A call without
//! prepared tables has memory for those of one chunk in the ring.

use crate::error::Error;
use crate::job::Job;
use crate::noise::order::Scale;

use super::Gpu;

mod pipelines;
mod plan;
mod prepared;
mod run;
mod table;

pub(crate) use prepared::GpuTables;

use run::{Races, Runner};

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
        let picking = runner.plan.picking(job.draws);
        let races = Races { ids: job.row_ids, first_draw: job.first_draw, picking };
        runner.run(Some(job.logits), None, races, draws).await
    }
}
