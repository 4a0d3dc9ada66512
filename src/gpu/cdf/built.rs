//! Tables that are kept on the device, to be drawn from again and again.

use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::job::kept::Kept;
use crate::job::{Job, NO_DRAW, Temperature, zeroed};
use crate::noise::order::Scale;

use super::super::Gpu;
use super::super::plan::Report;
use super::run::{Races, Runner};
use super::table::{Room, Sizes, Tables};

/// The tables of a call's rows, in a device's memory. They hold nothing of the logits.
#[derive(Debug)]
pub(crate) struct GpuTables {
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// The one draw that each row has: at temperature 0, or if there are no rows.
    Draws(Vec<u32>),
    Tables(Box<Chunks>),
}

/// The tables of all chunks.
#[derive(Debug)]
struct Chunks {
    runner: Runner,
    tables: Vec<Tables>,
    /// The last call's room; a call takes it and puts its own back.
    room: Mutex<Option<Room>>,
}

impl Gpu {
    /// Adds the rows of a job up, which has one draw a row.
    pub(crate) async fn tables(&self, job: &Job<'_>) -> Result<GpuTables, Error> {
        let held = match job.temperature {
            Temperature::Scaled(scale) if job.total() > 0 => {
                Held::Tables(Box::new(Chunks::build(self, job, scale).await?))
            }
            _ => {
                let mut draws = job.allocate()?;
                if !draws.is_empty() {
                    self.report(job, &self.plan(job, Report::Draws), &mut draws).await?;
                    job.report(&draws)?;
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
        // one draw from each table tells whether its row has any, and that the device is done with the logits
        let picking = plan.picking(1);
        let races = Races { ids: job.row_ids, first_draw: 0, picking };
        let rows = job.logits.rows();
        let too_many = || Error::TooManyDraws { rows, draws: 1 };
        let mut draws: Vec<u32> = zeroed(plan.tables(rows)).ok_or_else(too_many)?;
        let source = runner.source().await?;
        let mut room = runner.room(Sizes::of(&picking)).await?;
        let mut all = Vec::new();
        for chunk in plan.chunks() {
            let tables = runner.tables(chunk.len()).await?;
            runner.bind(&mut room, &tables).await?;
            runner.build(&source, &tables, job, chunk.clone()).await?;
            let tried = chunk.start..chunk.start + plan.tables(chunk.len());
            let draws = &mut draws[tried.clone()];
            runner.draw(&room, all.len(), races, tried, draws).await?;
            all.push(tables);
        }
        if draws.contains(&NO_DRAW) {
            job.report_rows(|row| draws.get(row) != Some(&NO_DRAW))?;
        }
        Ok(Self { runner, tables: all, room: Mutex::new(Some(room)) })
    }

    async fn draw(
        &self,
        call: &Kept,
        first_draw: u32,
        each: u32,
        draws: &mut [u32],
        yields: bool,
    ) -> Result<(), Error> {
        let runner = if yields { self.runner.yielding() } else { self.runner.clone() };
        let plan = &runner.plan;
        let picking = plan.picking(each);
        let races = Races { ids: call.row_ids(), first_draw, picking };
        let room = self.room(Sizes::of(&picking)).await?;
        let chunks = draws.chunks_mut(plan.rows() * each as usize);
        for (bound, (rows, draws)) in plan.chunks().zip(chunks).enumerate() {
            runner.draw(&room, bound, races, rows, draws).await?;
        }
        *self.room.lock().unwrap_or_else(PoisonError::into_inner) = Some(room);
        Ok(())
    }

    /// The last call's room, or room in which all tables are bound anew.
    async fn room(&self, needed: Sizes) -> Result<Room, Error> {
        let kept = self.room.lock().unwrap_or_else(PoisonError::into_inner).take();
        let sizes = match kept {
            None => needed,
            Some(room) => match room.lacks(needed) {
                None => return Ok(room),
                Some(sizes) => sizes,
            },
        };
        let mut room = match self.runner.room(sizes).await {
            // there may still be room for this call alone
            Err(Error::OutOfMemory { .. }) if sizes != needed => self.runner.room(needed).await?,
            made => made?,
        };
        for tables in &self.tables {
            self.runner.bind(&mut room, tables).await?;
        }
        Ok(room)
    }
}

impl GpuTables {
    /// Draws from each row of the call so often as the memory has room for. A call that `yields` does not hold its
    /// thread while the device works.
    pub(crate) async fn draw(
        &self,
        call: &Kept,
        first_draw: u32,
        each: u32,
        draws: &mut [u32],
        yields: bool,
    ) -> Result<(), Error> {
        match &self.held {
            Held::Draws(of_rows) => {
                let rows = draws.chunks_mut(each as usize).zip(of_rows);
                rows.for_each(|(draws, &draw)| draws.fill(draw));
                Ok(())
            }
            Held::Tables(chunks) => chunks.draw(call, first_draw, each, draws, yields).await,
        }
    }
}
