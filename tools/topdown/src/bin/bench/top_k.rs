//! The top k of rows.

use std::hint::black_box;

use gumbel::{CpuSampler, Logits, SampleOptions};
use gumbel_topdown::noise::order::Scale;
use gumbel_topdown::race::{Draws, top_k};

use crate::timing::{Run, in_turn};
use crate::{instruction_sets, logits};

/// Prints the times of the top k of each row.
pub(crate) fn bench([k, rows, n]: [usize; 3], kind: &str, samples: usize) -> Option<()> {
    let data = logits(kind, rows * n)?;
    for isa in instruction_sets() {
        let sampler = CpuSampler::new().with_isa(isa).expect("it is available");
        let row = |row| black_box(&data[row * n..][..n]);
        let mut winners = Vec::new();
        let mut top_down = |r: usize| {
            let draws = Draws {
                data: row(r),
                categories: n,
                seed: 0,
                first_row: r as u64,
                scale: Scale::ONE,
                draws: 1,
                out: &mut [0],
            };
            top_k(isa, draws, k, &mut winners)
        };
        let counts = top_down(0);
        let runs: Vec<Run<'_>> = vec![
            (
                "today",
                Box::new(|r| {
                    let options = SampleOptions::default().with_first_row(r as u64);
                    let batch = Logits::new(row(r), n).expect("a whole row");
                    black_box(sampler.race_rows(batch, &options, k).expect("a race"));
                }),
            ),
            (
                "top-down",
                Box::new(|r| {
                    top_down(r);
                }),
            ),
        ];
        let times = in_turn(runs, rows, samples);
        let [today, top_down] = &times[..] else { return None };
        let per = 1e6 / rows as f64;
        println!(
            "{:8} top {k} of {rows}x{n} {kind}: today {:.1} top-down {:.1} us a row; \
             today/top-down {:.3} (medians {:.3}); the first row: opened {} members {} exact {}",
            isa.name(),
            today.least * per,
            top_down.least * per,
            today.least / top_down.least,
            today.median / top_down.median,
            counts.opened,
            counts.members,
            counts.exact,
        );
    }
    Some(())
}
