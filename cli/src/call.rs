//! The size of one call of the sampler.

use gumbel::Sampler;

use crate::input::Input;

/// The most values, and the most draws, in a call on the CPU, for each thread: 512 KiB of `f32`, which stay in the cache
/// from when they are read until they are drawn from. But a row is never cut, nor are the k categories of a race.
const THREAD_CHUNK: usize = 1 << 17;
/// The same on a GPU, to which values are brought in chunks of 16 MiB, two at a time at least.
const GPU_CHUNK: usize = 1 << 23;
/// The same where few rows take as long to read as many.
pub(crate) const FAR_CHUNK: usize = 1 << 24;
/// The most categories that one call draws from, draws × categories: some seconds on the CPU, after
/// which the progress bar moves.
const WORK: u64 = 1 << 33;

/// The size of one call: all draws of some rows, or some draws of one row, so that draws come in
/// the order of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) rows: usize,
    pub(crate) draws: u32,
}

/// The same for several draws of each row: a call that searches in sums takes the sums anew.
const DRAWS_CHUNK: usize = 1 << 22;

/// The most values in a call that draws so often from each row, unless the user says how many.
pub(crate) fn chunk(asked: Option<usize>, sampler: &Sampler, input: &Input, draws: u32) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let usual = match (input.reads_far_apart(), sampler.as_gpu()) {
        (true, _) => FAR_CHUNK,
        (false, Some(_)) => GPU_CHUNK,
        (false, None) => threads.saturating_mul(THREAD_CHUNK).min(GPU_CHUNK),
    };
    let usual = if draws > 1 { usual.max(DRAWS_CHUNK) } else { usual };
    asked.unwrap_or(usual)
}

impl Call {
    /// The size of a call that races each row `draws` times and keeps the first `k` categories of
    /// each race.
    pub(crate) fn new(categories: usize, draws: u32, k: usize, chunk: usize) -> Self {
        let work = WORK / categories as u64;
        let kept = chunk / k;
        let draws_at_once = work.min(kept as u64).clamp(1, u64::from(draws)) as u32;
        let rows = (chunk / categories)
            .min(kept / draws as usize)
            .min(usize::try_from(work / u64::from(draws)).unwrap_or(usize::MAX));
        Self { rows: rows.max(1), draws: if rows == 0 { draws_at_once } else { draws } }
    }

    /// The size of a call that searches the sums of each row `draws` times. Every call adds up the
    /// sums anew, so a call that takes only some draws of a row takes at least as many as the row
    /// has categories.
    pub(crate) fn of_searches(categories: usize, draws: u32, chunk: usize) -> Self {
        let most = u32::try_from(chunk.max(categories)).unwrap_or(u32::MAX);
        let rows = (chunk / categories).min(chunk / draws as usize);
        Self { rows: rows.max(1), draws: if rows == 0 { draws.min(most) } else { draws } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::MAX_DRAWS;

    #[test]
    fn a_call_is_bounded_in_values_draws_and_work() {
        for categories in [1, 2, 1000, 128_256, FAR_CHUNK, 1 << 31] {
            for (draws, k) in [1, 2, 1000, 1 << 20, MAX_DRAWS]
                .into_iter()
                .flat_map(|draws| [1, 3, 1000].map(|k| (draws, k)))
            {
                for chunk in [1, 7, FAR_CHUNK] {
                    let call = Call::new(categories, draws, k, chunk);
                    let what = format!("{categories} {draws} {k} {chunk} {call:?}");
                    assert!(call.rows >= 1 && call.draws >= 1 && call.draws <= draws, "{what}");
                    assert!(call.rows == 1 || call.draws == draws, "{what}");
                    assert!(call.rows == 1 || call.rows * categories <= chunk, "{what}");
                    let size = call.rows * call.draws as usize;
                    assert!(size == 1 || size * k <= chunk, "{what}");
                    assert!(size == 1 || size as u64 * categories as u64 <= WORK, "{what}");
                }
            }
        }
    }

    #[test]
    fn sums_are_taken_no_more_often_than_searches_make_up_for() {
        for categories in [1, 2, 1000, 128_256, FAR_CHUNK, 1 << 31] {
            for draws in [1, 2, 1000, 1 << 20, MAX_DRAWS] {
                for chunk in [1, 7, FAR_CHUNK] {
                    let call = Call::of_searches(categories, draws, chunk);
                    let what = format!("{categories} {draws} {chunk} {call:?}");
                    assert!(call.rows >= 1 && call.draws >= 1 && call.draws <= draws, "{what}");
                    assert!(call.rows == 1 || call.draws == draws, "{what}");
                    assert!(call.rows == 1 || call.rows * categories <= chunk, "{what}");
                    // no more draws than the row has categories, or the chunk values
                    let size = call.rows * call.draws as usize;
                    assert!(size <= chunk.max(categories), "{what}");
                    assert!(call.draws == draws || call.draws as usize >= categories, "{what}");
                }
            }
        }
        // a call of races takes 512 draws of such a row at most, and a call of searches all 10,000
        let categories = FAR_CHUNK;
        assert_eq!(Call::new(categories, 10_000, 1, FAR_CHUNK).draws, 512);
        assert_eq!(
            Call::of_searches(categories, 10_000, FAR_CHUNK),
            Call { rows: 1, draws: 10_000 }
        );
    }

    #[test]
    fn usual_shapes_are_drawn_from_in_few_calls() {
        assert_eq!(Call::new(16, 1, 1, FAR_CHUNK), Call { rows: 1 << 20, draws: 1 });
        assert_eq!(Call::new(128_256, 1, 1, FAR_CHUNK), Call { rows: 130, draws: 1 });
        assert_eq!(Call::new(1000, 1_000_000, 1, FAR_CHUNK), Call { rows: 8, draws: 1_000_000 });
        assert_eq!(Call::new(16, 1, 16, FAR_CHUNK), Call { rows: 1 << 20, draws: 1 });
    }
}
