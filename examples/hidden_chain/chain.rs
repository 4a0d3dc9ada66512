//! A hidden Markov chain: its paths, given what was seen, and the exact probabilities of these.

use gumbel::{Method, SampleOptions, Sampler, Sequence, Weights};

pub(crate) const PLACES: usize = 50;
pub(crate) const STEPS: usize = 100;
/// The standard deviation of what is seen of a place.
const NOISE: f32 = 6.0;

/// The weights of the place after (column) for each place before (row): mostly near, and now and then anywhere.
pub(crate) fn moves() -> Vec<f32> {
    let weight = |i: usize| {
        let distance = (i / PLACES).abs_diff(i % PLACES) as f32;
        (-distance / 1.5).exp() + 1e-4
    };
    (0..PLACES * PLACES).map(weight).collect()
}

/// A path of the walker, and what is seen of it.
pub(crate) fn walk(
    sampler: &Sampler,
    moves: &[f32],
) -> Result<(Vec<usize>, Vec<f32>), gumbel::Error> {
    let mut sequence = Sequence::new(2026);
    let (moves, mut place) = (Weights::new(moves, PLACES)?, [25]);
    // a sum of twelve uniform numbers is about normal
    let uniform = [1.0; 1000];
    let (mut truth, mut seen) = (Vec::new(), Vec::new());
    for _ in 0..STEPS {
        let options = sequence.take(&SampleOptions::default())?;
        sampler.sample_rows_into(moves, &options.with_row_indices(&place.clone()), &mut place)?;
        let twelve = sequence.take(&SampleOptions::default().with_draws(12))?;
        let twelve = sampler.sample_rows(Weights::new(&uniform, 1000)?, &twelve)?;
        let normal = twelve.iter().map(|&draw| draw as f32 / 999.0 - 0.5).sum::<f32>();
        truth.push(place[0] as usize);
        seen.push(place[0] as f32 + NOISE * normal);
    }
    Ok((truth, seen))
}

/// How likely it is to see this from each place.
fn likelihood(seen: f32) -> impl Fn(usize) -> f32 {
    move |place| (-((place as f32 - seen) / NOISE).powi(2) / 2.0).exp()
}

/// For each step the weights of the places, given what was seen so far.
pub(crate) fn filter(moves: &[f32], seen: &[f32]) -> Vec<Vec<f32>> {
    let mut before = vec![1.0; PLACES];
    let steps = seen.iter().map(|&seen| {
        let likelihood = likelihood(seen);
        let reached =
            |to| (0..PLACES).map(|from| before[from] * moves[from * PLACES + to]).sum::<f32>();
        before = normalised((0..PLACES).map(|to| likelihood(to) * reached(to)).collect());
        before.clone()
    });
    steps.collect()
}

fn normalised(weights: Vec<f32>) -> Vec<f32> {
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The place of each path at each step, step by step, drawn from the last step to the first.
pub(crate) fn paths(
    sampler: &Sampler,
    moves: &[f32],
    filtered: &[Vec<f32>],
    count: usize,
) -> Result<Vec<Vec<u32>>, gumbel::Error> {
    let mut sequence = Sequence::new(42);
    let mut paths = vec![vec![0; count]; STEPS];
    let options = SampleOptions::default().with_method(Method::Auto);
    // all paths end with a draw from the same row
    let mut places = vec![0; count];
    let mut rows = filtered[STEPS - 1].clone();
    for step in (0..STEPS).rev() {
        let options = sequence.take(&options)?.with_row_indices(&places);
        sampler.sample_rows_into(Weights::new(&rows, PLACES)?, &options, &mut paths[step])?;
        places.copy_from_slice(&paths[step]);
        if step > 0 {
            // row `to`: the weights of the places from which a path may have come to `to`
            let weight = |i: usize| {
                let (to, from) = (i / PLACES, i % PLACES);
                filtered[step - 1][from] * moves[from * PLACES + to]
            };
            rows = (0..PLACES * PLACES).map(weight).collect();
        }
    }
    Ok(paths)
}

/// For each step the fraction of the paths at each place.
pub(crate) fn passing(paths: &[Vec<u32>]) -> Vec<[f64; PLACES]> {
    let fractions = paths.iter().map(|places| {
        let mut fractions = [0.0; PLACES];
        places.iter().for_each(|&place| fractions[place as usize] += 1.0 / places.len() as f64);
        fractions
    });
    fractions.collect()
}

/// For each step the exact probability of each place, given all that was seen.
pub(crate) fn smoothed(moves: &[f32], seen: &[f32], filtered: &[Vec<f32>]) -> Vec<[f64; PLACES]> {
    let mut after = [1.0; PLACES];
    let mut smoothed = vec![[0.0; PLACES]; STEPS];
    for step in (0..STEPS).rev() {
        let both = |place: usize| f64::from(filtered[step][place]) * after[place];
        let sum: f64 = (0..PLACES).map(both).sum();
        smoothed[step] = std::array::from_fn(|place| both(place) / sum);
        let likelihood = likelihood(seen[step]);
        let of = |from: usize, to: usize| {
            f64::from(moves[from * PLACES + to]) * f64::from(likelihood(to)) * after[to]
        };
        let before: [f64; PLACES] =
            std::array::from_fn(|from| (0..PLACES).map(|to| of(from, to)).sum());
        let most = before.iter().copied().fold(0.0, f64::max);
        after = before.map(|weight| weight / most);
    }
    smoothed
}

/// The largest difference of a fraction of so many paths from its probability, in standard errors.
pub(crate) fn worst(fractions: &[[f64; PLACES]], exact: &[[f64; PLACES]], paths: usize) -> f64 {
    let pairs = fractions.as_flattened().iter().zip(exact.as_flattened());
    let errors = pairs.map(|(fraction, p)| {
        // where less than one path is expected, one may be there all the same
        let variance = (p * (1.0 - p)).max(1.0 / paths as f64) / paths as f64;
        (fraction - p).abs() / variance.sqrt()
    });
    errors.fold(0.0, f64::max)
}
