//! Times of several functions that are called in turn, so that a busy machine slows all of them.

use std::time::Instant;

/// A function of the number of a part of its data, and its name.
pub(crate) type Run<'a> = (&'static str, Box<dyn FnMut(usize) + 'a>);

/// Seconds for all parts.
pub(crate) struct Time {
    pub(crate) name: &'static str,
    /// The sum of the parts' least times.
    pub(crate) least: f64,
    /// The sum of the parts' medians.
    pub(crate) median: f64,
}

/// Times each part of each function, one sample after the other.
pub(crate) fn in_turn(mut runs: Vec<Run<'_>>, parts: usize, samples: usize) -> Vec<Time> {
    for (_, run) in &mut runs {
        run(0);
        run(0);
    }
    let mut times = vec![vec![Vec::new(); parts]; runs.len()];
    for _ in 0..samples.max(1) {
        for (i, (_, run)) in runs.iter_mut().enumerate() {
            for part in 0..parts {
                let start = Instant::now();
                run(part);
                times[i][part].push(start.elapsed().as_secs_f64());
            }
        }
    }
    let sum = |(run, times): (Run<'_>, Vec<Vec<f64>>)| {
        let mut time = Time { name: run.0, least: 0.0, median: 0.0 };
        for mut times in times {
            times.sort_by(f64::total_cmp);
            time.least += times[0];
            time.median += times[times.len() / 2];
        }
        time
    };
    runs.into_iter().zip(times).map(sum).collect()
}
