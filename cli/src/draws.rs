//! One call of the sampler, for whatever the user asked.

use gumbel::{Batch, SampleOptions, Sampler};

use crate::args::With;

/// The results that the user asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// The number of categories to draw from each race without replacement; `None` for its winner
    /// alone.
    pub(crate) top: Option<u32>,
    /// The kind of number to give with each draw.
    pub(crate) with: Option<With>,
}

/// The draws, race by race, and the numbers that belong to them.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    pub(crate) categories: Vec<u32>,
    /// A number for each category, or none at all.
    pub(crate) values: Vec<f64>,
}

impl Asked {
    /// The number of categories that each race gives.
    pub(crate) fn k(self) -> usize {
        self.top.map_or(1, |top| top as usize)
    }

    /// Draws. Replaces the contents of `drawn`.
    pub(crate) fn draw(
        self,
        sampler: &Sampler,
        batch: Batch<'_>,
        options: &SampleOptions<'_>,
        drawn: &mut Drawn,
    ) -> Result<(), gumbel::Error> {
        let Drawn { categories, values } = drawn;
        values.clear();
        match (self.top, self.with) {
            (None, None) => {
                categories.resize(batch.rows() * options.draws as usize, 0);
                sampler.sample_rows_into(batch, options, categories)?;
            }
            (_, Some(With::Logprob)) => {
                let scored = sampler.sample_rows_scored(batch, options)?;
                (*categories, *values) = (scored.draws, scored.log_probs);
            }
            (_, with) => {
                let top_k = sampler.race_rows(batch, options, self.k())?;
                if with == Some(With::Time) {
                    (*categories, *values) = top_k.into_times();
                } else {
                    categories.clear();
                    categories.extend_from_slice(top_k.categories());
                    if with == Some(With::Max) {
                        values.extend(top_k.perturbed_logits());
                    }
                }
            }
        }
        Ok(())
    }
}
