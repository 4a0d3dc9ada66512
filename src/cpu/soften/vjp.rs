//! Gradients: cotangents of samples pulled back to logits.

use rayon::prelude::*;

use super::weights::{SHORT, fill, short_weights, sum};
use super::{DIVISION, Drawable, Soften, is_small, with_logits};
use crate::cpu::simd::{Simd, Task};
use crate::cpu::tile::{OCTETS, Tile};
use crate::error::Error;
use crate::noise::bits::OCTET;
use crate::options::{Data, Rows};

/// A function of scratch memory, the number of a chunk, its gradients and its cotangents.
type Pull<'a> = dyn Fn(&mut Vec<f32>, usize, &mut [f32], &[f32]) -> Result<(), Error> + Sync + 'a;

/// Calls `pull` for each chunk of so many gradients and cotangents, on the threads of the current pool if `parallel`.
fn in_chunks_with_scratch(
    gradients: &mut [f32],
    cotangents: &[f32],
    (of_gradients, of_cotangents): (usize, usize),
    parallel: bool,
    pull: &Pull<'_>,
) -> Result<(), Error> {
    if parallel {
        let chunks = gradients.par_chunks_mut(of_gradients);
        let chunks = chunks.zip(cotangents.par_chunks(of_cotangents)).enumerate();
        chunks.try_for_each_init(Vec::new, |scratch, (i, (gradients, cotangents))| {
            pull(scratch, i, gradients, cotangents)
        })
    } else {
        let chunks = gradients.chunks_mut(of_gradients).zip(cotangents.chunks(of_cotangents));
        let mut scratch = Vec::new();
        chunks.enumerate().try_for_each(|(i, (gradients, cotangents))| {
            pull(&mut scratch, i, gradients, cotangents)
        })
    }
}

impl Soften<'_> {
    /// Writes gradients of rows × categories, from cotangents of rows × draws × categories.
    pub(super) fn gradients(&self, cotangents: &[f32], gradients: &mut [f32]) -> Result<(), Error> {
        with_logits!(self.softening.job, rows => self.gradients_of(rows, cotangents, gradients))
    }

    pub(in crate::cpu) fn gradients_of<T: Drawable>(
        &self,
        rows: Rows<'_, T>,
        cotangents: &[f32],
        gradients: &mut [f32],
    ) -> Result<(), Error> {
        let (categories, draws) = (rows.categories(), self.softening.job.draws as usize);
        let per_row = draws * categories;
        if categories > SHORT && self.cuts(gradients.len() / categories) {
            let mut weights = Vec::new();
            let each = gradients.chunks_exact_mut(categories).zip(cotangents.chunks(per_row));
            for (row, (gradient, cotangents)) in each.enumerate() {
                self.long_gradient(rows, row, cotangents, gradient, &mut weights, true)?;
            }
            return Ok(());
        }
        let grain = DIVISION.at_once(per_row);
        let pull = |weights: &mut Vec<f32>, i: usize, gradients: &mut [f32], cotangents: &[f32]| {
            let first = i * grain;
            if categories > SHORT {
                let each = gradients.chunks_exact_mut(categories).zip(cotangents.chunks(per_row));
                for (row, (gradient, cotangents)) in (first..).zip(each) {
                    self.long_gradient(rows, row, cotangents, gradient, weights, false)?;
                }
            } else {
                let first = first * draws;
                self.weigher.isa.run(ShortGradients {
                    of: *self,
                    rows,
                    first,
                    cotangents,
                    gradients,
                });
            }
            Ok(())
        };
        let sizes = (grain * categories, grain * per_row);
        in_chunks_with_scratch(gradients, cotangents, sizes, !is_small(self.softening), &pull)
    }

    /// Writes the gradient of a long row. `weights` is scratch for the sample of each draw, if there are
    /// several draws.
    fn long_gradient<T: Drawable>(
        &self,
        rows: Rows<'_, T>,
        row: usize,
        cotangents: &[f32],
        gradient: &mut [f32],
        weights: &mut Vec<f32>,
        cut: bool,
    ) -> Result<(), Error> {
        let (categories, slope) = (gradient.len(), self.softening.slope());
        let draws = self.softening.job.draws;
        if draws == 1 {
            // the memory of the gradient can hold the sample
            self.long(rows, (row, 0), gradient, cut);
            self.weigher.isa.run(AddVjp { sample: None, cotangents, gradient });
        } else {
            self.softening.lengthen(weights, categories)?;
            gradient.fill(0.0);
            for (draw, cotangents) in (0..draws).zip(cotangents.chunks_exact(categories)) {
                self.long(rows, (row, draw), weights, cut);
                self.weigher.isa.run(AddVjp { sample: Some(weights), cotangents, gradient });
            }
        }
        self.weigher.isa.run(ScaleGradient { gradient, slope });
        Ok(())
    }
}

/// Adds the contribution of a sample and its cotangents to a gradient. If `sample` is `None`, `gradient`
/// holds the sample at first and only that contribution at the end.
struct AddVjp<'a> {
    sample: Option<&'a [f32]>,
    cotangents: &'a [f32],
    gradient: &'a mut [f32],
}

impl Task for AddVjp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { sample, cotangents, gradient } = self;
        match sample {
            Some(sample) => {
                let mean = mean(sample, cotangents) as f32;
                for ((x, &y), &g) in gradient.iter_mut().zip(sample).zip(cotangents) {
                    *x += term(y, g, mean);
                }
            }
            None => {
                let mean = mean(gradient, cotangents) as f32;
                for (y, &g) in gradient.iter_mut().zip(cotangents) {
                    *y = term(*y, g, mean);
                }
            }
        }
    }
}

/// Σ y·g, in which a y of 0 contributes 0 whatever its g is.
#[inline(always)]
fn mean(sample: &[f32], cotangents: &[f32]) -> f64 {
    let pieces = sample.chunks(SHORT).zip(cotangents.chunks(SHORT));
    let product = |(&y, &g): (&f32, &f32)| if y == 0.0 { 0.0 } else { y * g };
    pieces.map(|(sample, cotangents)| sum(sample.iter().zip(cotangents).map(product))).sum()
}

/// The contribution of a category: y·(g − mean), and 0 for a y of 0 whatever its g is. Halves have a difference, even
/// where that of two large numbers of opposite sign is beyond an f32.
#[inline(always)]
fn term(y: f32, g: f32, mean: f32) -> f32 {
    if y == 0.0 { 0.0 } else { 2.0 * (y * (0.5 * g - 0.5 * mean)) }
}

/// The step from derivatives with respect to keys to derivatives with respect to logits.
struct ScaleGradient<'a> {
    gradient: &'a mut [f32],
    slope: f64,
}

impl Task for ScaleGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        scale(self.gradient, self.slope);
    }
}

/// Multiplies a gradient by the slope in f64, in which the slope is finite: so 0 stays 0.
#[inline(always)]
fn scale(gradient: &mut [f32], slope: f64) {
    gradient.iter_mut().for_each(|x| *x = (f64::from(*x) * slope) as f32);
}

/// The gradients of short rows, whose draws are the races `first ..`.
struct ShortGradients<'a, T> {
    of: Soften<'a>,
    rows: Rows<'a, T>,
    first: usize,
    cotangents: &'a [f32],
    gradients: &'a mut [f32],
}

impl<T: Drawable> Task for ShortGradients<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { of, rows, first, cotangents, gradients } = self;
        let categories = rows.categories();
        let draws = of.softening.job.draws as usize;
        let at_once = OCTETS / categories.div_ceil(OCTET);
        let mut tile = Tile::new(categories);
        let mut weights = [0.0; SHORT];
        gradients.fill(0.0);
        let mut races = of.softening.job.races(first);
        let mut race = 0;
        for cotangents in cotangents.chunks(at_once * categories) {
            let these = races.by_ref().take(cotangents.len() / categories);
            let sound = fill(s, &mut tile, of, rows, these);
            let each = tile.keys.as_flattened().chunks(categories.next_multiple_of(OCTET));
            for (i, (cotangents, keys)) in cotangents.chunks(categories).zip(each).enumerate() {
                let gradient = &mut gradients[race / draws * categories..][..categories];
                let weights = &mut weights[..categories];
                match short_weights(keys, sound & 1 << i != 0, of.weigher.fall, weights) {
                    None => gradient.fill(f32::NAN),
                    Some(sum) => {
                        let scale = (1.0 / sum) as f32;
                        weights.iter_mut().for_each(|y| *y *= scale);
                        let mean = mean(weights, cotangents) as f32;
                        for ((x, &y), &g) in gradient.iter_mut().zip(&*weights).zip(cotangents) {
                            *x += term(y, g, mean);
                        }
                    }
                }
                race += 1;
            }
        }
        scale(gradients, of.softening.slope());
    }
}
