//! Times that are taken in turn, so that other work on the machine affects all of them alike.

use std::time::{Duration, Instant};

use crate::error::Error;

const LEAST_SAMPLES: usize = 5;
const MOST_SAMPLES: usize = 300;

/// The time of one run in nanoseconds, over all samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time {
    /// The shortest.
    pub min: f64,
    /// The median.
    pub median: f64,
}

impl Time {
    /// Returns `None` if there are no samples.
    fn new(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_unstable_by(f64::total_cmp);
        let min = *samples.first()?;
        Some(Self { min, median: samples[samples.len() / 2] })
    }
}

/// The nanoseconds of one sample: by the device's clock, if it has one, and by the wall clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) device: Option<f64>,
    pub(crate) wall: f64,
}

/// The times of all samples, by the clock of the device and by the wall clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spans {
    pub(crate) device: Option<Time>,
    pub(crate) wall: Option<Time>,
}

/// An operation to time: each call is a sample.
pub(crate) type Run<'a> = Box<dyn FnMut() -> Result<Span, Error> + 'a>;

/// Runs all operations one after another, again and again, until the time spent is `each` times
/// their number. All get the same number of samples. An operation that fails gets no more samples,
/// and one that has failed already gets none.
///
/// The caller has run each operation once before: first calls compile shaders and allocate memory.
pub(crate) fn in_turn(
    runs: Vec<Result<Run<'_>, Error>>,
    each: Duration,
) -> Vec<Result<Spans, Error>> {
    let mut runs: Vec<_> =
        runs.into_iter().map(|run| run.map(|run| (run, Vec::<Span>::new()))).collect();
    let time = each * runs.len() as u32;
    let start = Instant::now();
    for round in 0..MOST_SAMPLES {
        if round >= LEAST_SAMPLES && start.elapsed() >= time {
            break;
        }
        for timed in &mut runs {
            if let Ok((run, samples)) = timed {
                match run() {
                    Ok(span) => samples.push(span),
                    Err(error) => *timed = Err(error),
                }
            }
        }
    }
    let spans = |samples: Vec<Span>| {
        let device: Option<Vec<f64>> = samples.iter().map(|span| span.device).collect();
        let wall = samples.iter().map(|span| span.wall).collect();
        Spans { device: device.and_then(Time::new), wall: Time::new(wall) }
    };
    runs.into_iter().map(|timed| timed.map(|(_, samples)| spans(samples))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_get_as_many_samples_and_a_failure_stops_itself_alone() {
        let (mut first, mut second) = (0, 0);
        let spans = in_turn(
            vec![
                Ok(Box::new(|| {
                    first += 1;
                    Ok(Span { device: Some(f64::from(first % 5)), wall: f64::from(first) })
                })),
                Err(Error::Device("never there".to_owned())),
                Ok(Box::new(|| {
                    second += 1;
                    if second == 3 {
                        return Err(Error::Device("gone".to_owned()));
                    }
                    Ok(Span { device: None, wall: 1.0 })
                })),
            ],
            Duration::ZERO,
        );
        assert_eq!((first, second), (5, 3));
        let spans: Vec<_> = spans.into_iter().map(Result::ok).collect();
        let one = spans[0].unwrap();
        assert_eq!(one.device, Some(Time { min: 0.0, median: 2.0 }));
        assert_eq!(one.wall, Some(Time { min: 1.0, median: 3.0 }));
        assert!(spans[1].is_none() && spans[2].is_none());
    }

    #[test]
    fn a_device_that_fails_to_tell_the_time_once_has_none() {
        let mut calls = 0;
        let run: Run<'_> = Box::new(|| {
            calls += 1;
            Ok(Span { device: (calls != 2).then_some(1.0), wall: 2.0 })
        });
        let spans = in_turn(vec![Ok(run)], Duration::ZERO).remove(0).ok().unwrap();
        assert_eq!((spans.device, spans.wall), (None, Some(Time { min: 2.0, median: 2.0 })));
    }
}
