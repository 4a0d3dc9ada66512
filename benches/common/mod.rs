//! What benchmarks of the CPU engine share: logits, and ways to do a thing that run in turn.

use std::time::{Duration, Instant};

/// The name of a way to do a thing, and the function to time.
pub(crate) type Way<'a> = (&'static str, Box<dyn FnMut() + 'a>);

/// A roughly normal number with standard deviation 1, and the random word from which it is made.
pub(crate) fn normal(i: usize) -> (f64, u32) {
    let word = (i as u32).wrapping_mul(2_654_435_761).rotate_left(13);
    let word = (word ^ i as u32).wrapping_mul(0x85eb_ca6b);
    let bytes: u32 = word.to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
    ((f64::from(bytes) - 510.0) / 147.8, word)
}

/// Roughly normal logits with standard deviation 3.
#[allow(dead_code, reason = "not every benchmark draws from logits")]
pub(crate) fn logits(count: usize) -> Vec<f32> {
    (0..count).map(|i| 3.0 * normal(i).0 as f32).collect()
}

/// The least time that each of the ways takes, in seconds. The ways run in turn for about so long, since the machines are
/// shared; each of them once if nothing is to be timed.
pub(crate) fn minima(ways: &mut [Way<'_>], timed: Option<Duration>) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; ways.len()];
    let start = Instant::now();
    loop {
        for ((_, way), best) in ways.iter_mut().zip(&mut best) {
            let before = Instant::now();
            way();
            *best = best.min(before.elapsed().as_secs_f64());
        }
        if timed.is_none_or(|timed| start.elapsed() > timed) {
            return best;
        }
    }
}

/// Whether the benchmark is to be timed, as `cargo bench` asks for.
pub(crate) fn is_timed() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}
