//! Plans tables and draws from them, by a shape and a device's limits. Pure: no device is asked.
//!
//! A batch is cut into chunks of rows whose tables can be bound at once, and the draws from a chunk, of which
//! there may be any number, into picks. A table is never cut: a row whose sums cannot be bound is refused.

use std::ops::Range;

use super::super::layout::grid;
use super::super::plan::{Limits, MAX_WORK, Shape};

/// The usual number of turns in a block: in each turn every invocation of a workgroup takes an
/// octet; see `shaders/kernel/build.wgsl`.
const TURNS: usize = 4;
/// The most turns in a block.
const MOST_TURNS: usize = 1024;
/// The most blocks of a row for each invocation; see `shaders/kernel/offsets.wgsl`.
const BLOCKS_PER_LANE: usize = 4096;
/// The most draws of a dispatch, and the most rows: many more than it takes to keep a device busy, and few
/// enough that three dispatches are soon under way.
const MOST_PICKS: usize = 1 << 20;
const MOST_ROWS: usize = MOST_PICKS / 2;

/// How a batch is cut, in the same way for any number of draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TablePlan {
    pub(super) shape: Shape,
    /// The number of invocations of a workgroup that builds. Short rows get fewer, since idle
    /// invocations take time too where a GPU is emulated.
    pub(super) builders: u32,
    /// The number of invocations of a workgroup that picks.
    pub(super) pickers: u32,
    workgroups: u32,
    /// The distance between rows on the device, in logits, a multiple of 16 bytes.
    pub(super) row_stride: usize,
    /// The rows of a chunk, each with a table of its own unless `shared`.
    rows: usize,
    /// Whether all rows are the same memory, so that one table will do.
    shared: bool,
    pub(super) blocks: usize,
    pub(super) turns: usize,
    /// The most draws of a pick, and the most rows.
    picks: usize,
    rows_of_picks: usize,
}

/// How draws from the tables of a chunk are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PickPlan {
    /// The draws from each row.
    draws: u32,
    /// The rows of a pick, and the draws from each.
    rows_at_once: usize,
    draws_at_once: usize,
}

/// Some draws of some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picks {
    /// Positions of rows in the batch.
    pub(super) rows: Range<usize>,
    /// Draws, counted from the call's first.
    pub(super) draws: Range<u32>,
}

impl TablePlan {
    /// Returns the plan for a shape with at least one row. If the shape has too many categories,
    /// returns the most that would have a plan, as an `Err`.
    pub(super) fn new(shape: Shape, limits: Limits) -> Result<Self, usize> {
        let Shape { categories, logit_bytes, .. } = shape;
        let binding = usize::try_from(limits.binding_bytes).unwrap_or(usize::MAX);
        let lanes = limits.device.teams.shared_workgroup as usize;
        // the octets of the most blocks of a row, if they have one turn each
        let octets_a_turn = lanes.saturating_mul(lanes * BLOCKS_PER_LANE);
        let most = (binding / 8).min(octets_a_turn.saturating_mul(MOST_TURNS * 8));
        if categories > most {
            return Err(most);
        }
        let octets = categories.div_ceil(8);
        let turns = octets.div_ceil(octets_a_turn).max(TURNS.min(octets.div_ceil(lanes)));
        // few sizes, as each size is a shader to compile
        let lanes = match octets {
            0..=2 => lanes.min(2),
            3..=8 => lanes.min(8),
            _ => lanes,
        };
        let blocks = octets.div_ceil(lanes * turns);

        let row_stride = categories.next_multiple_of(16 / logit_bytes);
        let shared = shape.row_stride == 0;
        let row_bytes = row_stride * logit_bytes;
        let chunk = usize::try_from(limits.most_bytes()).unwrap_or(usize::MAX);
        let of_table: u64 = bytes_of_table(categories, blocks).iter().sum();
        let rows = if shared {
            shape.rows
        } else {
            (chunk / row_bytes)
                // sums take twice as much as logits, or more
                .min((2 * limits.most_bytes() / of_table) as usize)
                .min(binding / (8 * categories.max(blocks + 1)))
                .min(MAX_WORK / categories)
                .clamp(1, shape.rows)
        };
        Ok(Self {
            shape,
            builders: lanes as u32,
            pickers: limits.device.teams.shared_workgroup,
            workgroups: limits.device.workgroups,
            row_stride,
            rows,
            shared,
            blocks,
            turns,
            picks: MOST_PICKS.min(chunk / 4),
            rows_of_picks: MOST_ROWS.min(chunk / 8),
        })
    }

    /// The rows of each chunk.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (all, rows) = (self.shape.rows, self.rows);
        (0..all).step_by(rows).map(move |row| row..all.min(row + rows))
    }

    /// Returns how `draws` draws from each row of a chunk are cut.
    pub(super) fn picking(&self, draws: u32) -> PickPlan {
        let draws_at_once = (draws as usize).clamp(1, self.picks);
        let rows_at_once = (self.picks / draws_at_once).min(self.rows_of_picks).min(self.rows);
        PickPlan { draws, rows_at_once, draws_at_once }
    }

    /// The number of tables of a chunk of `rows` rows.
    pub(super) fn tables(&self, rows: usize) -> usize {
        if self.shared { 1 } else { rows }
    }

    /// The bytes of a table: of its largest value, its offsets and its sums.
    pub(super) fn bytes_of_table(&self) -> [u64; 3] {
        bytes_of_table(self.shape.categories, self.blocks)
    }

    /// The distance between rows on the device, in bytes.
    pub(super) fn row_bytes(&self) -> usize {
        self.row_stride * self.shape.logit_bytes
    }

    /// The most tables of a chunk.
    pub(super) fn most_tables(&self) -> usize {
        self.tables(self.rows)
    }

    /// The numbers of workgroups along x and y, one for each block of `tables` tables.
    pub(super) fn of_blocks(&self, tables: usize) -> [u32; 2] {
        grid(tables * self.blocks, self.workgroups)
    }

    /// The numbers of workgroups along x and y, one for each table.
    pub(super) fn of_tables(&self, tables: usize) -> [u32; 2] {
        grid(tables, self.workgroups)
    }

    /// The numbers of workgroups along x and y that pick: an invocation for every two draws of a
    /// row, the first of which is even.
    pub(super) fn of_picks(&self, rows: usize, first_draw: u32, draws: u32) -> [u32; 2] {
        let pairs = (first_draw + (draws - 1)) / 2 - first_draw / 2 + 1;
        grid((rows * pairs as usize).div_ceil(self.pickers as usize), self.workgroups)
    }
}

fn bytes_of_table(categories: usize, blocks: usize) -> [u64; 3] {
    [4, 8 * (blocks as u64 + 1), 8 * categories as u64]
}

impl Picks {
    /// The number of draws.
    pub(super) fn races(&self) -> usize {
        self.rows.len() * self.draws.len()
    }
}

impl PickPlan {
    /// The draws from some rows of a chunk, in the order of the result.
    pub(super) fn picks(&self, rows: Range<usize>) -> impl Iterator<Item = Picks> + use<> {
        let Self { draws: all, rows_at_once, draws_at_once } = *self;
        rows.clone().step_by(rows_at_once).flat_map(move |row| {
            let rows = row..rows.end.min(row + rows_at_once);
            (0..all).step_by(draws_at_once).map(move |draw| {
                let draws = draw..all.min(draw.saturating_add(draws_at_once as u32));
                Picks { rows: rows.clone(), draws }
            })
        })
    }

    /// The most draws of a pick.
    pub(super) fn most_picks(&self) -> usize {
        self.rows_at_once * self.draws_at_once
    }

    /// The most rows of a pick.
    pub(super) fn most_rows(&self) -> usize {
        self.rows_at_once
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::layout::{Device, Teams};
    use super::super::run::{Needs, sections};
    use super::*;
    use crate::gpu::plan::Output;

    fn limits(chunk_bytes: u64) -> Limits {
        let device = Device { teams: Teams::HARDWARE, subgroups: true, workgroups: 65_535 };
        Limits { chunk_bytes, binding_bytes: 128 << 20, device }
    }

    fn shape(rows: usize, categories: usize, draws: u32) -> Shape {
        Shape {
            rows,
            categories,
            row_stride: categories,
            logit_bytes: 4,
            draws,
            greedy: false,
            own: false,
            output: Output::Draws,
        }
    }

    /// Every draw of every row is picked once, in the order of the result, and everything is within
    /// the limits.
    #[test]
    fn all_draws_in_order_within_the_limits() {
        for rows in [1, 2, 63, 70_000] {
            for categories in [1, 8, 257, 70_000, 16 << 20] {
                for draws in [1, 3, 1 << 20, 1 << 23] {
                    if rows * draws as usize > 1 << 25 || rows * categories > 1 << 28 {
                        continue;
                    }
                    for limits in [limits(16 << 20), limits(1 << 10)] {
                        let mut shape = shape(rows, categories, draws);
                        for (stride, logit_bytes) in [(categories, 4), (categories, 2), (0, 4)] {
                            (shape.row_stride, shape.logit_bytes) = (stride, logit_bytes);
                            check(TablePlan::new(shape, limits).unwrap(), limits);
                        }
                    }
                }
            }
        }
    }

    fn check(plan: TablePlan, limits: Limits) {
        let shape = plan.shape;
        let picking = plan.picking(shape.draws);
        let bytes = limits.binding_bytes as usize;
        assert!(plan.most_tables() * plan.row_stride * shape.logit_bytes <= bytes, "{plan:?}");
        assert!(plan.most_tables() * shape.categories * 8 <= bytes, "{plan:?}");
        assert!(plan.most_tables() * (plan.blocks + 1) * 8 <= bytes, "{plan:?}");
        assert!(picking.most_picks() <= MOST_PICKS && picking.most_rows() <= MOST_ROWS);
        let needs = Needs { row_ids: true, values: true, tables: true };
        let sections = sections(&plan, &picking, needs);
        let within = sections.are_within(limits.chunk_bytes);
        // a row is never cut
        assert!(within || plan.most_tables() == 1, "{sections:?}: {plan:?}");
        let in_a_block = plan.turns * plan.builders as usize * 8;
        assert!(plan.blocks * in_a_block >= shape.categories, "{plan:?}");
        assert!((plan.blocks - 1) * in_a_block < shape.categories, "{plan:?}");
        assert!(plan.blocks <= BLOCKS_PER_LANE * plan.builders as usize);
        let (mut row, mut draw) = (0, 0);
        for picks in plan.chunks().flat_map(|chunk| picking.picks(chunk)) {
            assert!(picks.rows.len() <= picking.most_rows(), "{plan:?}");
            assert!(picks.rows.len() * picks.draws.len() <= picking.most_picks(), "{plan:?}");
            assert_eq!((picks.rows.start, picks.draws.start), (row, draw), "{plan:?}");
            assert!(picks.rows.len() == 1 || picks.draws.len() == shape.draws as usize);
            draw = picks.draws.end;
            if draw == shape.draws {
                (row, draw) = (picks.rows.end, 0);
            }
        }
        assert_eq!((row, draw), (shape.rows, 0));
    }

    #[test]
    fn a_row_that_cannot_be_bound_is_refused() {
        let most = 16 << 20;
        assert!(TablePlan::new(shape(1, most, 1), limits(1 << 20)).is_ok());
        assert_eq!(TablePlan::new(shape(1, most + 1, 1), limits(1 << 20)), Err(most));
    }
}
