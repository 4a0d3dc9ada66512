//! How large a call of the sampler is.

/// At most so many values, and so many draws, are in memory at a time: 64 MiB of each. A row is
/// never cut, though, nor are the places of a race.
pub(crate) const CHUNK: usize = 1 << 24;
/// At most so many categories are drawn from in one call, draws × categories: some seconds on the
/// CPU, after which the progress bar moves.
const WORK: u64 = 1 << 33;

/// How much one call is given: all draws of some rows, or some draws of one row, so that the draws
/// come in the order of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) rows: usize,
    pub(crate) draws: u32,
}

impl Call {
    /// For `draws` draws from each row, of each of which `places` are kept.
    pub(crate) fn new(categories: usize, draws: u32, places: usize, chunk: usize) -> Self {
        let work = WORK / categories as u64;
        let kept = chunk / places;
        let draws_at_once = work.min(kept as u64).clamp(1, u64::from(draws)) as u32;
        let rows = (chunk / categories)
            .min(kept / draws as usize)
            .min(usize::try_from(work / u64::from(draws)).unwrap_or(usize::MAX));
        Self { rows: rows.max(1), draws: if rows == 0 { draws_at_once } else { draws } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::MAX_DRAWS;

    #[test]
    fn a_call_is_bounded_in_values_draws_and_work() {
        for categories in [1, 2, 1000, 128_256, CHUNK, 1 << 31] {
            for (draws, places) in [1, 2, 1000, 1 << 20, MAX_DRAWS]
                .into_iter()
                .flat_map(|draws| [1, 3, 1000].map(|places| (draws, places)))
            {
                for chunk in [1, 7, CHUNK] {
                    let call = Call::new(categories, draws, places, chunk);
                    let what = format!("{categories} {draws} {places} {chunk} {call:?}");
                    assert!(call.rows >= 1 && call.draws >= 1 && call.draws <= draws, "{what}");
                    assert!(call.rows == 1 || call.draws == draws, "{what}");
                    assert!(call.rows == 1 || call.rows * categories <= chunk, "{what}");
                    let size = call.rows * call.draws as usize;
                    assert!(size == 1 || size * places <= chunk, "{what}");
                    assert!(size == 1 || size as u64 * categories as u64 <= WORK, "{what}");
                }
            }
        }
    }

    #[test]
    fn usual_shapes_are_drawn_from_in_few_calls() {
        assert_eq!(Call::new(16, 1, 1, CHUNK), Call { rows: 1 << 20, draws: 1 });
        assert_eq!(Call::new(128_256, 1, 1, CHUNK), Call { rows: 130, draws: 1 });
        assert_eq!(Call::new(1000, 1_000_000, 1, CHUNK), Call { rows: 8, draws: 1_000_000 });
        assert_eq!(Call::new(16, 1, 16, CHUNK), Call { rows: 1 << 20, draws: 1 });
    }
}
