//! Many draws of one row: the maxima of groups are computed once.

use std::hint::black_box;

use gumbel::{CpuSampler, Logits, SampleOptions};
use gumbel_topdown::noise::order::Scale;
use gumbel_topdown::race::{Draws, draw};

use crate::timing::{Run, in_turn};
use crate::{instruction_sets, logits};

/// Prints the times of `draws` draws of a row of `n` categories.
pub(crate) fn bench(draws: usize, n: usize, kind: &str, samples: usize) -> Option<()> {
    let data = logits(kind, n)?;
    let options = SampleOptions::default().with_draws(u32::try_from(draws).ok()?);
    for isa in instruction_sets() {
        let sampler = CpuSampler::new().with_isa(isa).expect("it is available");
        let batch = Logits::new(&data, n).expect("a whole row");
        let (mut a, mut b) = (vec![0u32; draws], vec![0u32; draws]);
        let top_down = |out: &mut [u32]| {
            let (data, scale) = (black_box(&data[..]), Scale::ONE);
            draw(isa, Draws { data, categories: n, seed: 0, first_row: 0, scale, draws, out })
        };
        let counts = top_down(&mut b);
        let runs: Vec<Run<'_>> = vec![
            (
                "today",
                Box::new(|_| {
                    sampler.sample_rows_into(black_box(batch), &options, &mut a).expect("draws");
                }),
            ),
            (
                "top-down",
                Box::new(|_| {
                    top_down(&mut b);
                }),
            ),
        ];
        let times = in_turn(runs, 1, samples);
        let [today, top_down] = &times[..] else { return None };
        let per = 1e6 / draws as f64;
        let each = |count: usize| count as f64 / draws as f64;
        println!(
            "{:8} {draws} draws of 1x{n} {kind}: today {:.2} top-down {:.2} us a draw; \
             today/top-down {:.3} (medians {:.3}); a draw: opened {:.1} members {:.1} exact {:.2}",
            isa.name(),
            today.least * per,
            top_down.least * per,
            today.least / top_down.least,
            today.median / top_down.median,
            each(counts.opened),
            each(counts.members),
            each(counts.exact),
        );
    }
    Some(())
}
