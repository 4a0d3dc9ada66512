//! Sixty-four requests are decoded at once, and each is what it would be alone.
//!
//! `cargo run --release --example decode`
//!
//! The language model is a trigram model of *Alice in Wonderland*, of some 3,000 tokens. Requests have their own seeds,
//! temperatures, truncations, penalties and grammars; they join as others leave. Each step is one call of
//! `sample_rows`.

use std::error::Error;
use std::time::Instant;

use gumbel::Sampler;

mod decoder;
mod model;
mod requests;
mod rule;

use decoder::decode;
use model::Model;
use requests::requests;

const BOOK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/alice.txt"));
/// How many requests are decoded at once.
const SLOTS: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let model = Model::new(BOOK);
    let requests = requests(&model, 160);
    let sampler = Sampler::auto();
    println!("Drawing on the {sampler}: {}.", sampler.reason());
    let started = Instant::now();
    let decoded = decode(&sampler, &model, &requests, SLOTS)?;
    let seconds = started.elapsed().as_secs_f64();
    let written = |i: usize| decoded.texts[i].len() - requests[i].prompt.len();
    let tokens: usize = (0..requests.len()).map(written).sum();
    println!(
        "{} requests, {tokens} tokens of {} kinds, in {} steps and {seconds:.2} s.\n",
        requests.len(),
        model.vocabulary(),
        decoded.steps,
    );
    for (i, request) in requests.iter().enumerate().take(12) {
        let rule = request.rule.map_or(String::new(), |rule| format!(", {rule:?}"));
        println!("{i:>3}: temperature {}{rule}", request.temperature);
        println!("     {}\n", model.text(&decoded.texts[i]).trim_end());
    }
    let alone = |i: usize| decode(&sampler, &model, &requests[i..=i], 1);
    let mut same = 0;
    for (i, text) in decoded.texts.iter().enumerate().take(SLOTS) {
        same += usize::from(alone(i)?.texts[0] == *text);
    }
    println!(
        "Of the first {SLOTS} requests, {same} have the same text when they are decoded alone."
    );
    Ok(())
}
