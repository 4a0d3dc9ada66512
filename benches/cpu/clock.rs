//! Times that are taken in turn, so that other work on the machine affects all of them alike.

use std::time::{Duration, Instant};

const LEAST_SAMPLES: usize = 3;
const MOST_SAMPLES: usize = 200;

/// The seconds of a call, over all samples.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    pub(crate) minimum: f64,
    pub(crate) median: f64,
}

struct Runner<'a> {
    run: Box<dyn FnMut() + 'a>,
    calls: u32,
    spent: Duration,
    samples: Vec<f64>,
}

/// Runs these functions one after another, again and again, until each has had its time.
///
/// A sample is as many calls as take a given time. Samples of single calls would favour fast
/// functions: the shorter a sample, the sooner one escapes all other work on the machine.
pub(crate) fn in_turn(
    runs: Vec<Box<dyn FnMut() + '_>>,
    each: Duration,
    sample: Duration,
) -> Vec<Time> {
    let mut runners: Vec<_> = runs
        .into_iter()
        .map(|mut run| {
            // the first call allocates memory and starts threads, the second shows how long a call
            // takes
            run();
            let start = Instant::now();
            run();
            let once = start.elapsed().max(Duration::from_nanos(20));
            let calls = sample.as_nanos().div_ceil(once.as_nanos()) as u32;
            Runner { run, calls, spent: Duration::ZERO, samples: Vec::new() }
        })
        .collect();
    let mut going = true;
    while going {
        going = false;
        for runner in &mut runners {
            let done = runner.samples.len();
            if done >= LEAST_SAMPLES && (runner.spent >= each || done >= MOST_SAMPLES) {
                continue;
            }
            going = true;
            let start = Instant::now();
            for _ in 0..runner.calls {
                (runner.run)();
            }
            let spent = start.elapsed();
            runner.spent += spent;
            runner.samples.push(spent.as_secs_f64() / f64::from(runner.calls));
        }
    }
    runners
        .into_iter()
        .map(|Runner { mut samples, .. }| {
            samples.sort_unstable_by(f64::total_cmp);
            Time { minimum: samples[0], median: samples[samples.len() / 2] }
        })
        .collect()
}
