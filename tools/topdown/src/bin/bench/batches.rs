//! Draws of rows: `f32` beside a bare maximum, and halves.

use std::hint::black_box;
use std::ops::Range;

use gumbel::{Batch, CpuSampler, Isa, Logits, SampleOptions};
use gumbel_topdown::noise::order::Scale;
use gumbel_topdown::race::{Counts, Draws, draw};
use gumbel_topdown::vector_value::VectorValue;
use half::{bf16, f16};

use crate::timing::{Run, in_turn};
use crate::{instruction_sets, logits, maximum};

/// Rows, in parts of some 2¹⁹ logits.
#[derive(Clone, Copy)]
struct Shape {
    categories: usize,
    /// The rows of a part.
    rows: usize,
    parts: usize,
}

impl Shape {
    fn new(rows: usize, categories: usize) -> Self {
        let each = ((1 << 19) / categories).clamp(1, rows);
        Self { categories, rows: each, parts: rows / each }
    }

    fn range(self, part: usize) -> Range<usize> {
        let each = self.rows * self.categories;
        part * each..(part + 1) * each
    }
}

/// Draws each row of a part from the top down.
fn top_down<T: VectorValue>(
    isa: Isa,
    data: &[T],
    shape: Shape,
    part: usize,
    out: &mut [u32],
) -> Counts {
    let draws = Draws {
        data: black_box(&data[shape.range(part)]),
        categories: shape.categories,
        seed: 0,
        first_row: (part * shape.rows) as u64,
        scale: Scale::ONE,
        draws: 1,
        out,
    };
    draw(isa, draws)
}

/// Draws each row of a part by the library.
fn today<'a>(
    sampler: &CpuSampler,
    batch: Result<Logits<'a>, gumbel::Error>,
    shape: Shape,
    part: usize,
    out: &mut [u32],
) {
    let batch: Batch<'a> = batch.expect("whole rows").into();
    let options = SampleOptions::default().with_first_row((part * shape.rows) as u64);
    sampler.sample_rows_into(black_box(batch), &options, out).expect("each row has a draw");
}

/// Prints the times of one draw of each row.
pub(crate) fn rows(rows: usize, n: usize, kind: &str, samples: usize) -> Option<()> {
    let data = logits(kind, rows * n)?;
    let shape = Shape::new(rows, n);
    for isa in instruction_sets() {
        let sampler = CpuSampler::new().with_isa(isa).expect("it is available");
        let [mut a, mut b] = [(); 2].map(|()| vec![0u32; shape.rows]);
        let mut largest = vec![0f32; shape.rows];
        let all = Shape { categories: n, rows, parts: 1 };
        let counts = top_down(isa, &data, all, 0, &mut vec![0; rows]);
        let part = |part| &data[shape.range(part)];
        let runs: Vec<Run<'_>> = vec![
            ("maximum", Box::new(|p| maximum::of_rows(isa, black_box(part(p)), n, &mut largest))),
            ("today", Box::new(|p| today(&sampler, Logits::new(part(p), n), shape, p, &mut a))),
            (
                "top-down",
                Box::new(|p| {
                    top_down(isa, &data, shape, p, &mut b);
                }),
            ),
        ];
        let times = in_turn(runs, shape.parts, samples);
        let [most, today, top_down] = &times[..] else { return None };
        let rows_drawn = shape.parts * shape.rows;
        let per = 1e9 / (rows_drawn * n) as f64;
        let each = |count: usize| count as f64 / rows as f64;
        println!(
            "{:8} {rows_drawn}x{n} {kind}: maximum {:.4} today {:.4} top-down {:.4} ns a logit; \
             today/maximum {:.3} top-down/maximum {:.3} today/top-down {:.3} (medians {:.3} {:.3} {:.3}); \
             a row: opened {:.1} members {:.1} exact {:.2}",
            isa.name(),
            most.least * per,
            today.least * per,
            top_down.least * per,
            today.least / most.least,
            top_down.least / most.least,
            today.least / top_down.least,
            today.median / most.median,
            top_down.median / most.median,
            today.median / top_down.median,
            each(counts.opened),
            each(counts.members),
            each(counts.exact),
        );
    }
    Some(())
}

/// Prints the times of one draw of each row, for the three types of logits.
pub(crate) fn halves(rows: usize, n: usize, kind: &str, samples: usize) -> Option<()> {
    let x = logits(kind, rows * n)?;
    let y: Vec<bf16> = x.iter().map(|&x| bf16::from_f32(x)).collect();
    let z: Vec<f16> = x.iter().map(|&x| f16::from_f32(x)).collect();
    let shape = Shape::new(rows, n);
    for isa in instruction_sets() {
        let sampler = CpuSampler::new().with_isa(isa).expect("it is available");
        let [mut a, mut b, mut c, mut d, mut e, mut f] = [(); 6].map(|()| vec![0u32; shape.rows]);
        let at = |part| shape.range(part);
        let runs: Vec<Run<'_>> = vec![
            (
                "f32 today",
                Box::new(|p| today(&sampler, Logits::new(&x[at(p)], n), shape, p, &mut a)),
            ),
            (
                "f32 top-down",
                Box::new(|p| {
                    top_down(isa, &x, shape, p, &mut b);
                }),
            ),
            (
                "bf16 today",
                Box::new(|p| today(&sampler, Logits::from_bf16(&y[at(p)], n), shape, p, &mut c)),
            ),
            (
                "bf16 top-down",
                Box::new(|p| {
                    top_down(isa, &y, shape, p, &mut d);
                }),
            ),
            (
                "f16 today",
                Box::new(|p| today(&sampler, Logits::from_f16(&z[at(p)], n), shape, p, &mut e)),
            ),
            (
                "f16 top-down",
                Box::new(|p| {
                    top_down(isa, &z, shape, p, &mut f);
                }),
            ),
        ];
        let per = 1e9 / (shape.parts * shape.rows * n) as f64;
        let times = in_turn(runs, shape.parts, samples);
        let times: Vec<_> =
            times.iter().map(|time| format!("{} {:.4}", time.name, time.least * per)).collect();
        println!("{:8} {rows}x{n} {kind}: {} ns a logit", isa.name(), times.join(", "));
    }
    Some(())
}
