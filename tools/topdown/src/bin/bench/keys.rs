//! The exact keys of all categories of a row.

use std::hint::black_box;

use gumbel_topdown::keys::{AllKeys, flat, top_down};
use gumbel_topdown::noise::bits::Stream;
use gumbel_topdown::noise::order::Scale;

use crate::timing::{Run, in_turn};
use crate::{instruction_sets, logits};

const PARTS: usize = 16;

/// Prints the times of all keys of a row, in parts of whole spans.
pub(crate) fn bench(n: usize, kind: &str, samples: usize) -> Option<()> {
    let data = logits(kind, n)?;
    let each = n / PARTS / 512 * 512;
    if each == 0 {
        eprintln!("a row of at least {} categories is needed", 512 * PARTS);
        return None;
    }
    for isa in instruction_sets() {
        let (mut a, mut b) = (vec![0; each], vec![0; each]);
        let runs: Vec<Run<'_>> = vec![
            ("today", Box::new(|p| flat(isa, part(&data, p, &mut a)))),
            ("top-down", Box::new(|p| top_down(isa, part(&data, p, &mut b)))),
        ];
        let times = in_turn(runs, PARTS, samples);
        let [today, top_down] = &times[..] else { return None };
        let per = 1e9 / (PARTS * each) as f64;
        println!(
            "{:8} all keys of {n} {kind}: today {:.3} top-down {:.3} ns a category; \
             top-down/today {:.3} (medians {:.3})",
            isa.name(),
            today.least * per,
            top_down.least * per,
            top_down.least / today.least,
            top_down.median / today.median,
        );
    }
    Some(())
}

/// A part of a row, as long as `keys`.
fn part<'a>(data: &'a [f32], part: usize, keys: &'a mut [i64]) -> AllKeys<'a> {
    let each = keys.len();
    AllKeys {
        row: black_box(&data[part * each..][..each]),
        stream: Stream::new(3, 4, 5),
        scale: Scale::ONE,
        seed: 3,
        keys,
    }
}
