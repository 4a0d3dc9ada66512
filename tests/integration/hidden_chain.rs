//! The example `hidden_chain`: as many paths pass each place at each step as the exact probabilities say.

#[path = "../../examples/hidden_chain/chain.rs"]
mod chain;

use chain::{PLACES, filter, moves, passing, paths, smoothed, walk, worst};
use gumbel::{CpuSampler, Sampler};

const PATHS: usize = 100_000;

/// No fraction of the paths is further than 6 standard errors from its probability: each of the 5,000 fractions
/// would be with probability 10⁻⁸, and with a few times that where only some paths are expected.
#[test]
fn fractions_of_paths_are_the_exact_probabilities() {
    let sampler: Sampler = CpuSampler::new().into();
    let moves = moves();
    let (_, seen) = walk(&sampler, &moves).unwrap();
    let filtered = filter(&moves, &seen);
    let passing = passing(&paths(&sampler, &moves, &filtered, PATHS).unwrap());
    let exact = smoothed(&moves, &seen, &filtered);
    let error = worst(&passing, &exact, PATHS);
    assert!(error < 6.0, "{error}");

    // the probabilities given what was seen so far are others, but for those of the last step
    let so_far: Vec<[f64; PLACES]> = filtered
        .iter()
        .map(|weights| {
            let sum: f64 = weights.iter().copied().map(f64::from).sum();
            std::array::from_fn(|place| f64::from(weights[place]) / sum)
        })
        .collect();
    assert!(worst(&passing, &so_far, PATHS) > 50.0);
    assert!(worst(&passing[99..], &so_far[99..], PATHS) < 6.0);
}
