//! How work is divided among threads: in which pool work runs, from which size on other threads take part,
//! and in which pieces they get it.
//!
//! A [`Division`] holds the sizes for one kind of work. No draw and no sum depends on the number of threads:
//! sums in floats are made of segments, and segments are the same for any number of threads.

use std::sync::Arc;

use rayon::prelude::*;
use rayon::{ThreadPool, current_num_threads};

/// How work of some kind is divided. The amount of work is counted in values, each of them once for each
/// draw.
#[derive(Clone, Copy)]
pub(super) struct Division {
    /// The work that is worth the hand-over to another thread.
    grain: usize,
    /// The number of values in each segment of a long row that is cut.
    pub(super) segment: usize,
}

impl Division {
    /// The division of work that reads values and evaluates few of them: races, maxima, sums.
    pub(super) const READING: Self = Self { grain: 1 << 16, segment: 1 << 16 };
    /// The division of inverse CDFs, whose work is the values that become weights, and the draws.
    pub(super) const WEIGHING: Self = Self { grain: 1 << 14, segment: 1 << 15 };
    /// The division of work that needs the key of every category: soft samples and gradients.
    pub(super) const SOFTENING: Self = Self { grain: 1 << 13, segment: 1 << 14 };

    /// True if other threads would not pay. No pool is woken then.
    pub(super) fn is_small(self, work: usize) -> bool {
        work < 2 * self.grain
    }

    /// The number of items that a thread is given at once if each item is `each` work.
    pub(super) fn at_once(self, each: usize) -> usize {
        (self.grain / each).max(1)
    }

    /// True if a row is so long that it is cut when there are [few](are_few) such rows.
    pub(super) fn is_long(self, categories: usize) -> bool {
        categories > 2 * self.segment
    }
}

/// True if `items` items are too few to keep all threads of the current pool busy to the end. A single thread
/// is always busy.
pub(super) fn are_few(items: usize) -> bool {
    let threads = current_num_threads();
    threads > 1 && items < 4 * threads
}

/// The number of items that a thread is given at once if each thread is to be given `times` portions of
/// `items`.
pub(super) fn portion(items: usize, times: usize) -> usize {
    items / (times * current_num_threads())
}

/// How often each thread is given work: often enough that all threads end at about the same time, and so
/// seldom that the hand-overs take no time.
pub(super) const TIMES: usize = 64;

/// Runs work in a pool if there is one, and otherwise in the current pool. `is_small` work runs on this thread.
pub(super) fn on_pool<R: Send>(
    pool: Option<&Arc<ThreadPool>>,
    is_small: bool,
    work: impl FnOnce() -> R + Send,
) -> R {
    let Some(pool) = pool.filter(|_| !is_small) else { return work() };
    let (mut work, mut result) = (Some(work), None);
    install(pool, &mut || result = work.take().map(|work| work()));
    let Some(result) = result else { unreachable!("a pool runs its work once") };
    result
}

/// Runs work in a pool. Rayon's code is compiled once for all kinds of work.
fn install(pool: &ThreadPool, work: &mut (dyn FnMut() + Send)) {
    pool.install(work);
}

/// Calls `work` with the number and the items of each chunk of `len` items: one chunk after the other, or on
/// the threads of the current pool if `parallel`.
pub(super) fn in_chunks<T: Send>(
    all: &mut [T],
    len: usize,
    parallel: bool,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    if parallel {
        each(all.par_chunks_mut(len), &work);
    } else {
        all.chunks_mut(len).enumerate().for_each(|(i, chunk)| work(i, chunk));
    }
}

/// Calls `work` with the number of each item and the item, on the threads of the current pool. For each type of items
/// rayon's code is compiled once, whatever the work: most of the work is generic over values.
pub(super) fn each<I: IndexedParallelIterator>(items: I, work: &(dyn Fn(usize, I::Item) + Sync)) {
    items.enumerate().for_each(|(i, item)| work(i, item));
}

/// The results of `work` for the numbers below `count`, found on the threads of the current pool.
pub(super) fn results<R: Send>(count: usize, work: &(dyn Fn(usize) -> R + Sync)) -> Vec<R> {
    (0..count).into_par_iter().map(work).collect()
}
