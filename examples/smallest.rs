//! The smallest program: three rows of logits, one draw from each.
//!
//! `cargo run --example smallest`

use gumbel::{Logits, SampleOptions, Sampler};

fn main() -> Result<(), gumbel::Error> {
    let logits = [
        0.0,
        0.0,
        0.0,
        0.0, // four equal chances
        0.0,
        1.0,
        2.0,
        3.0, // each e times as likely as the one before
        0.0,
        f32::NEG_INFINITY,
        f32::NEG_INFINITY,
        f32::NEG_INFINITY, // only the first
    ];
    let sampler = Sampler::auto();
    let options = SampleOptions::default().with_seed(42);
    let draws = sampler.sample_rows(Logits::new(&logits, 4)?, &options)?;
    println!("{draws:?}, drawn on the {sampler}");
    Ok(())
}
