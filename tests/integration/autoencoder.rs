//! The example `autoencoder`: it reaches the errors that it states, and reaches them through the draws.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../examples/autoencoder/digits.rs"]
mod digits;
#[path = "../../examples/autoencoder/layer.rs"]
mod layer;
#[path = "../../examples/autoencoder/model.rs"]
mod model;

use digits::{Digits, PIXELS};
use gumbel::{CpuSampler, Sampler};
use model::{Autoencoder, CATEGORIES, Through, VARIABLES};

/// The folder of the library's package.
const GUMBEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn error_after(epochs: usize, through: Through) -> f64 {
    let digits = Digits::read(GUMBEL).unwrap();
    let sampler: Sampler = CpuSampler::new().into();
    let mut model = Autoencoder::new(&sampler, 1);
    let losses = model.train(&digits.train, epochs, through).unwrap();
    assert!(losses.windows(2).filter(|pair| pair[1] < pair[0]).count() > epochs / 2);
    model.error(&digits.test).unwrap()
}

/// Seeds 1, 2 and 3 reach 0.0153, 0.0150 and 0.0153.
#[test]
fn codes_of_36_bits_reach_an_error_of_0_0165() {
    assert_eq!((VARIABLES, CATEGORIES), (12, 8));
    let error = error_after(100, Through::Draws);
    assert!(error < 0.0165, "{error}");
}

/// A decoder that learns alone, from as many draws, does not reach that error: the encoder learnt through the draws.
#[test]
fn without_the_gradient_through_the_draws_it_is_not_reached() {
    let error = error_after(100, Through::Nothing);
    assert!((error - 0.068).abs() < 0.003, "{error}");
}

/// There are 1,438 images to learn from and 359 others; simpler codes of them have larger errors.
#[test]
fn the_digits_and_their_baselines() {
    let digits = Digits::read(GUMBEL).unwrap();
    assert_eq!((digits.train.len() / PIXELS, digits.test.len() / PIXELS), (1438, 359));
    assert!(digits.train.iter().chain(&digits.test).all(|x| (0.0..=1.0).contains(x)));
    let mean = digits.pca_error(0);
    assert!((mean - 0.0714).abs() < 0.001, "{mean}");
    let eight = digits.pca_error(8);
    assert!((eight - 0.0244).abs() < 0.001, "{eight}");
    let twelve = digits.pca_error(12);
    assert!((twelve - 0.0160).abs() < 0.0005, "{twelve}");
}
