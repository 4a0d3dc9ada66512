//! Prepared tables, which stay on the device and are drawn from again and again.

use crate::error::Error;
use crate::job::prepared::PreparedRows;
use crate::job::{Job, NO_DRAW, Temperature, zeroed};
use crate::noise::order::Scale;

use super::super::plan::Output;
use super::super::{Gpu, Running};
use super::run::{Races, Runner};
use super::table::Tables;

/// The tables of a call's rows, in a device's memory. They do not need the logits any more.
#[derive(Debug)]
pub(crate) struct GpuTables {
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// The only draw that each row can have: at temperature 0, or if there are no rows.
    Draws(Vec<u32>),
    Tables(Box<Chunks>),
}

/// The tables of all chunks.
#[derive(Debug)]
struct Chunks {
    runner: Runner,
    tables: Vec<Tables>,
}

impl Gpu {
    /// Builds the prepared tables of a job, which has one draw a row.
    pub(crate) async fn tables(&self, job: &Job<'_>) -> Result<GpuTables, Error> {
        let held = match job.temperature {
            Temperature::Scaled(scale) if job.total() > 0 => {
                Held::Tables(Box::new(Chunks::build(self, job, scale).await?))
            }
            _ => {
                let mut draws = job.allocate()?;
                if !draws.is_empty() {
                    self.run_plan(job, &self.plan(job, Output::Draws), &mut draws).await?;
                    job.check_draws(&draws)?;
                }
                Held::Draws(draws)
            }
        };
        Ok(GpuTables { held })
    }
}

impl Chunks {
    async fn build(gpu: &Gpu, job: &Job<'_>, scale: Scale) -> Result<Self, Error> {
        let runner = Runner::new(gpu, job, scale).await?;
        let plan = &runner.plan;
        let mut tables = Vec::new();
        for chunk in plan.chunks() {
            tables.push(runner.tables(chunk.len()).await?);
        }
        // one draw from each table shows whether its rows have any, and that the device is done
        // with the logits
        let races = Races { ids: job.row_ids, first_draw: 0, picking: plan.picking(1) };
        let rows = job.logits.rows();
        let too_many = || Error::TooManyDraws { rows, draws: 1 };
        let mut draws: Vec<u32> = zeroed(plan.tables(rows)).ok_or_else(too_many)?;
        runner.run(Some(job.logits), Some(&tables), races, &mut draws).await?;
        if draws.contains(&NO_DRAW) {
            job.check_rows(|row| draws.get(row) != Some(&NO_DRAW))?;
        }
        Ok(Self { runner, tables })
    }

    async fn draw(
        &self,
        call: &PreparedRows,
        first_draw: u32,
        each: u32,
        draws: &mut [u32],
        yields: bool,
    ) -> Result<(), Error> {
        let runner = self.runner.waiting(yields);
        let picking = runner.plan.picking(each);
        let races = Races { ids: call.row_ids(), first_draw, picking };
        runner.run(None, Some(&self.tables), races, draws).await
    }
}

impl GpuTables {
    /// Draws from each row of the call `each` times. A call that `yields` does not hold its thread
    /// while the device works.
    pub(crate) fn draw<'f>(
        &'f self,
        call: &'f PreparedRows,
        first_draw: u32,
        each: u32,
        draws: &'f mut [u32],
        yields: bool,
    ) -> Running<'f> {
        match &self.held {
            Held::Draws(of_rows) => {
                let rows = draws.chunks_mut(each as usize).zip(of_rows);
                rows.for_each(|(draws, &draw)| draws.fill(draw));
                Box::pin(std::future::ready(Ok(())))
            }
            Held::Tables(chunks) => Box::pin(chunks.draw(call, first_draw, each, draws, yields)),
        }
    }
}
