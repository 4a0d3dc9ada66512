//! Draws from one row of weights, by the crate rand and by gumbel, with the same generator.
//!
//!     cargo run --release --example weighted
//!
//! `WeightedIndex` (of `rand`) searches the sums of the weights, `WeightedAliasIndex` (of `rand_distr`) has an alias
//! table. gumbel's `CdfRow` searches its sums by way of a guide, and its `GumbelRow` adds nothing up: it runs a race for
//! each draw. All four are a `Distribution`. The last two lines are calls for many draws at once.

use std::time::Instant;

use gumbel::{CpuSampler, GumbelRow, Method, PhiloxRng, SampleOptions, Sequence, Weights};
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand_distr::weighted::WeightedAliasIndex;

const CATEGORIES: usize = 100_000;
const MANY: usize = 100_000;
const FEW: usize = 2_000;

/// Prints how long draws take, and how often one of the first ten categories was drawn.
fn line(
    name: &str,
    draws: impl FnOnce() -> Result<Vec<u32>, gumbel::Error>,
) -> Result<(), gumbel::Error> {
    let start = Instant::now();
    let draws = draws()?;
    let each = start.elapsed().as_secs_f64() * 1e9 / draws.len() as f64;
    let first = draws.iter().filter(|&&draw| draw < 10).count() as f64 / draws.len() as f64;
    println!("{name:<36}{:>10}{each:>12.1}{first:>12.4}", draws.len());
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Zipf's law: category i has the weight 1/(i + 1)
    let weights: Vec<f32> = (1..=CATEGORIES).map(|i| 1.0 / i as f32).collect();
    let sum = |weights: &[f32]| weights.iter().map(|&weight| f64::from(weight)).sum::<f64>();
    println!(
        "{CATEGORIES} weights; the first ten have {:.4} of the sum.\n",
        sum(&weights[..10]) / sum(&weights)
    );
    println!("{:<36}{:>10}{:>12}{:>12}", "", "draws", "ns a draw", "first ten");

    // one generator for all: each stream of it is independent of the others
    let rng = |stream| PhiloxRng::new(42).with_stream(stream);
    let index = WeightedIndex::new(&weights)?;
    line("rand: WeightedIndex", || {
        Ok(index.sample_iter(rng(0)).take(MANY).map(|i| i as u32).collect())
    })?;
    let alias = WeightedAliasIndex::new(weights.clone())?;
    line("rand_distr: WeightedAliasIndex", || {
        Ok(alias.sample_iter(rng(1)).take(MANY).map(|i| i as u32).collect())
    })?;

    let (sampler, options) = (CpuSampler::new(), SampleOptions::default());
    let row = Weights::new(&weights, CATEGORIES)?;
    let cdf = sampler.inverse_cdf(row, &options)?.row(0)?;
    line("gumbel: CdfRow", || Ok(cdf.sample_iter(rng(2)).take(MANY).collect()))?;
    let race = GumbelRow::new(row, 0, &options)?;
    line("gumbel: GumbelRow", || Ok(race.sample_iter(rng(3)).take(FEW).collect()))?;

    // the seed comes from the same generator, and the sequence numbers the draws of both calls
    let mut sequence = Sequence::from_rng(&mut rng(4));
    let many = sequence.take(&options.with_draws(MANY as u32).with_method(Method::Auto))?;
    line("gumbel: sample_rows, Method::Auto", || sampler.sample_rows(row, &many))?;
    let few = sequence.take(&options.with_draws(FEW as u32))?;
    line("gumbel: sample_rows, Method::Gumbel", || sampler.sample_rows(row, &few))?;
    Ok(())
}
