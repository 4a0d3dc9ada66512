//! Requests that differ in everything.

use gumbel::{Penalty, Truncation};

use super::decoder::Request;
use super::model::Model;
use super::rule::Rule;

const PROMPTS: [&str; 8] = [
    "Alice",
    "`Oh dear!",
    "The Queen",
    "The Cat",
    "`If you please, sir,",
    "The Mock Turtle",
    "Suddenly",
    "`Of course,' said the Hatter,",
];

/// So many requests.
pub(crate) fn requests(model: &Model, count: usize) -> Vec<Request> {
    let request = |i: usize| Request {
        seed: 1000 + i as u64,
        prompt: model.tokens(PROMPTS[i % PROMPTS.len()]),
        temperature: [1.0, 0.7, 0.9, 0.0, 1.2][i % 5],
        truncation: match i % 4 {
            0 => Truncation::new().with_top_p(0.9),
            1 => Truncation::new().with_min_p(0.02),
            2 => Truncation::new().with_top_k(40).with_top_p(0.95),
            _ => Truncation::new(),
        },
        penalty: match i % 3 {
            0 => Penalty::new(),
            1 => Penalty::new().with_repetition(1.1),
            _ => Penalty::new().with_frequency(0.4).with_presence(0.2),
        },
        rule: match i % 6 {
            0 => None,
            3 => Some(Rule::Without('s')),
            _ => Some(Rule::Quotations),
        },
        limit: 40 + i % 7 * 5,
    };
    (0..count).map(request).collect()
}
