//! Finds where rows are cut, for those who ask.

use super::cut::{Cut as Least, measure};
use crate::cpu::simd::{Simd, Task};
use crate::cpu::vector_value::VectorValue;
use crate::cpu::{Adjusted, Copies, Cpu};
use crate::error::Error;
use crate::job::{Job, lengthen};
use crate::noise::order::Scale;
use crate::options::{Data, Rows, Stock, Stored, Truncation, allows, with_rows, with_stock};
use crate::results::Cut;

impl Cpu {
    /// Writes the cut of each row of a job. Threads share its rows.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    pub(crate) fn cut(&self, job: &Job<'_>, cuts: &mut [Cut]) -> Result<(), Error> {
        let at_once = Copies::at_once(job, Copies::IN_CACHE);
        let rows = cuts.len();
        if rows > at_once {
            let (some, others) = cuts.split_at_mut((rows / at_once).div_ceil(2) * at_once);
            let (of_some, of_others) = (job.part(0..some.len()), job.part(some.len()..rows));
            let (some, others) = (|| self.cut(&of_some, some), || self.cut(&of_others, others));
            return self.both(job.work(), some, others);
        }
        if !job.adjustment.is_none() {
            let adjusted = Adjusted::new(self, job)?;
            return self.cut(&job.on_copies(adjusted.batch()?), cuts);
        }
        let free = Job { restriction: job.restriction.without_truncation(), ..*job };
        let copies = match free.is_in_place() {
            true => None,
            false => Some(Copies::new(self, &free)?),
        };
        let drawn = copies.as_ref().map_or(job.logits, Copies::batch);
        let categories = drawn.categories();
        let no_memory = |bytes| Error::NoMemoryForRows { rows: 1, categories, bytes };
        let (mut words, mut kept) = (Vec::new(), Vec::new());
        lengthen(&mut words, categories, 0).map_err(no_memory)?;
        lengthen(&mut kept, categories.div_ceil(32), 0).map_err(no_memory)?;
        for (row, cut) in cuts.iter_mut().enumerate() {
            let (truncation, scale) = job.cut_of(row);
            *cut = with_rows!(drawn.data(), rows => {
                let (values, words) = (rows.row(row), &mut words[..]);
                self.isa.run(FindCut { values, truncation, scale, words, kept: &mut kept })
            });
            if !cut.is_none() {
                cut.threshold = with_stock!(job.logits.stock(), rows => smallest(rows, row, &kept));
            }
        }
        Ok(())
    }
}

/// Finds the cut of a row but for its threshold, and writes the bits of the categories that are kept to `kept`.
struct FindCut<'a, T> {
    values: &'a [T],
    truncation: &'a Truncation,
    scale: Scale,
    words: &'a mut [u32],
    kept: &'a mut [u32],
}

impl<T: VectorValue> Task for FindCut<'_, T> {
    type Output = Cut;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Cut {
        let Self { values, truncation, scale, words, kept } = self;
        let Some(Least { least }) = Least::new(values, truncation, scale, words) else {
            return Cut::NONE;
        };
        for (bits, values) in kept.iter_mut().zip(values.chunks(32)) {
            *bits = 0;
            for (i, value) in values.iter().enumerate() {
                *bits |= u32::from(value.word() >= least) << i;
            }
        }
        let (count, mass, all) = measure(values, scale, least, words);
        Cut { threshold: f64::NAN, kept: count, share: mass as f64 / all as f64 }
    }
}

/// The smallest of the values of a row that a mask has.
fn smallest<T: Stored>(rows: Rows<'_, T>, row: usize, mask: &[u32]) -> f64 {
    let values = rows.values(row, 0..rows.categories()).enumerate();
    let kept = values.filter(|&(i, _)| allows(mask, i));
    kept.map(|(_, value)| value.as_f64()).fold(f64::INFINITY, f64::min)
}
