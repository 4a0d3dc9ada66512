//! How work is divided among threads: in which pool it runs, from what size on other threads are asked, and in
//! which pieces they get it.
//!
//! A [`Division`] says that for a kind of work. No draw and no sum depends on how many threads there are: the
//! pieces that are added up in floats, segments, are the same for any number.

use std::sync::Arc;

use rayon::prelude::*;
use rayon::{ThreadPool, current_num_threads};

/// How work of some kind is divided. Work is counted in values, once a draw.
#[derive(Clone, Copy)]
pub(super) struct Division {
    /// The work that is worth the hand-over to another thread.
    grain: usize,
    /// The values of a segment, in which a long row is cut.
    pub(super) segment: usize,
}

impl Division {
    /// Of what reads values and evaluates few of them: races, maxima, sums.
    pub(super) const READING: Self = Self { grain: 1 << 16, segment: 1 << 16 };
    /// Of inverse CDFs, whose work is values that are weighed, or draws.
    pub(super) const WEIGHING: Self = Self { grain: 1 << 14, segment: 1 << 15 };
    /// Of what takes the key of every category: soft samples and gradients.
    pub(super) const SOFTENING: Self = Self { grain: 1 << 13, segment: 1 << 14 };

    /// Whether other threads would not pay: then no pool is woken.
    pub(super) fn is_small(self, work: usize) -> bool {
        work < 2 * self.grain
    }

    /// How many items of so much work each a thread is given at once.
    pub(super) fn at_once(self, each: usize) -> usize {
        (self.grain / each).max(1)
    }

    /// Whether a row is so long that it is cut if there are [few](are_few) of them.
    pub(super) fn is_long(self, categories: usize) -> bool {
        categories > 2 * self.segment
    }
}

/// Whether so many items are too few to keep all threads of the current pool busy to the end; one thread always is.
pub(super) fn are_few(items: usize) -> bool {
    let threads = current_num_threads();
    threads > 1 && items < 4 * threads
}

/// How many of so many items a thread is given at once if each thread is to be asked `times` times.
pub(super) fn portion(items: usize, times: usize) -> usize {
    items / (times * current_num_threads())
}

/// Often enough that all threads end at about the same time, and not so often that it takes time.
pub(super) const TIMES: usize = 64;

/// Runs work in a pool if there is one, and otherwise in the current pool. `is_small` work runs on this thread.
pub(super) fn on_pool<R: Send>(
    pool: Option<&Arc<ThreadPool>>,
    is_small: bool,
    work: impl FnOnce() -> R + Send,
) -> R {
    match pool {
        Some(pool) if !is_small => pool.install(work),
        _ => work(),
    }
}

/// Does something with each chunk of `len` items and its number: one after the other, or on the threads of the
/// current pool.
pub(super) fn in_chunks<T: Send>(
    all: &mut [T],
    len: usize,
    parallel: bool,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    if parallel {
        all.par_chunks_mut(len).enumerate().for_each(|(i, chunk)| work(i, chunk));
    } else {
        all.chunks_mut(len).enumerate().for_each(|(i, chunk)| work(i, chunk));
    }
}
