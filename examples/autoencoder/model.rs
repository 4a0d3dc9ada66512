//! An autoencoder whose code is a handful of categorical draws.
//!
//! image → tanh layer → logits → **draws** → tanh layer → pixels
//!
//! The loss is the error of the reconstruction alone: all that the encoder learns comes to it through the draws.

use gumbel::noise::philox::philox4x32_10;
use gumbel::{Error, Logits, Relaxation, SampleOptions, Sampler, Sequence};

use super::digits::PIXELS;
use super::layer::Layer;

/// The number of variables of a code, and the number of categories of each: 36 bits.
pub(crate) const VARIABLES: usize = 12;
pub(crate) const CATEGORIES: usize = 8;
const CODE: usize = VARIABLES * CATEGORIES;
const HIDDEN: usize = 128;
const BATCH: usize = 32;
/// The learning rate of Adam at the beginning; it falls to 0.
const RATE: f32 = 3e-3;
/// The τ at the beginning and at the end.
const TAUS: [f32; 2] = [1.0, 0.25];

/// The use of the gradient that comes back through the draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Through {
    /// The encoder learns from the gradient.
    Draws,
    /// The gradient is not used: the encoder stays as it was, and the decoder learns what it can.
    Nothing,
}

/// An encoder and a decoder.
#[derive(Debug)]
pub(crate) struct Autoencoder<'a> {
    sampler: &'a Sampler,
    encoder: [Layer; 2],
    decoder: [Layer; 2],
    seed: u32,
    /// Numbers the draws: each step of training has noise that no step before it had.
    sequence: Sequence,
    steps: i32,
}

/// The layers' values for some images.
struct Values {
    hidden: Vec<f32>,
    logits: Vec<f32>,
    code: Vec<f32>,
    decoded: Vec<f32>,
    /// Logits of pixels.
    pixels: Vec<f32>,
}

impl<'a> Autoencoder<'a> {
    pub(crate) fn new(sampler: &'a Sampler, seed: u32) -> Self {
        let layer = |i, inputs, outputs| Layer::new(inputs, outputs, 4 * seed + i);
        let encoder = [layer(0, PIXELS, HIDDEN), layer(1, HIDDEN, CODE)];
        let decoder = [layer(2, CODE, HIDDEN), layer(3, HIDDEN, PIXELS)];
        Self { sampler, encoder, decoder, seed, sequence: Sequence::new(seed.into()), steps: 0 }
    }

    /// Learns from images. Returns the loss of each epoch in nats an image, less the least loss that is possible for
    /// pixels between 0 and 1.
    pub(crate) fn train(
        &mut self,
        images: &[f32],
        epochs: usize,
        through: Through,
    ) -> Result<Vec<f64>, Error> {
        let count = images.len() / PIXELS;
        let mut losses = Vec::with_capacity(epochs);
        for epoch in 0..epochs {
            let mut order: Vec<_> = (0..count as u32).collect();
            order.sort_by_key(|&i| philox4x32_10([i, epoch as u32, 0, 0], [self.seed, 0x0de4])[0]);
            let mut loss = 0.0;
            for (i, batch) in order.chunks(BATCH).enumerate() {
                let pixels = |&i: &u32| &images[i as usize * PIXELS..][..PIXELS];
                let batch: Vec<f32> = batch.iter().flat_map(pixels).copied().collect();
                let done = (epoch as f32 + (i * BATCH) as f32 / count as f32) / epochs as f32;
                loss += self.learn(&batch, done, through)?;
            }
            losses.push(loss / count as f64);
        }
        Ok(losses)
    }

    /// Takes a step of Adam. Returns the loss of the batch.
    fn learn(&mut self, batch: &[f32], done: f32, through: Through) -> Result<f64, Error> {
        let relaxation = Relaxation::soft(TAUS[0] * (TAUS[1] / TAUS[0]).powf(done));
        let options = self.sequence.take(&SampleOptions::default())?;
        let values = self.values(batch, &options, relaxation)?;
        let images = (batch.len() / PIXELS) as f32;
        let mut by_pixels = Vec::with_capacity(batch.len());
        let mut loss = 0.0;
        for (&logit, &x) in values.pixels.iter().zip(batch) {
            by_pixels.push((sigmoid(logit) - x) / images);
            loss += f64::from(cross_entropy(logit, x));
        }

        let by_decoded = self.decoder[1].backward(&values.decoded, &by_pixels);
        let by_decoded = through_tanh(by_decoded, &values.decoded);
        let by_code = self.decoder[0].backward(&values.code, &by_decoded);
        // the gradient computes the noise again, from the same options
        let logits = Logits::new(&values.logits, CATEGORIES)?;
        let by_logits = self.sampler.soften_rows_vjp(logits, &options, relaxation, &by_code)?;
        let by_hidden = self.encoder[1].backward(&values.hidden, &by_logits);
        let by_hidden = through_tanh(by_hidden, &values.hidden);
        self.encoder[0].backward(batch, &by_hidden);

        self.steps += 1;
        let rate = RATE * (1.0 - done);
        self.decoder.iter_mut().for_each(|layer| layer.step(self.steps, rate));
        if through == Through::Draws {
            self.encoder.iter_mut().for_each(|layer| layer.step(self.steps, rate));
        }
        Ok(loss)
    }

    fn values(
        &self,
        images: &[f32],
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
    ) -> Result<Values, Error> {
        let hidden = tanh(self.encoder[0].forward(images));
        let logits = self.encoder[1].forward(&hidden);
        let rows = Logits::new(&logits, CATEGORIES)?;
        let code = self.sampler.soften_rows(rows, options, relaxation)?;
        let decoded = tanh(self.decoder[0].forward(&code));
        let pixels = self.decoder[1].forward(&decoded);
        Ok(Values { hidden, logits, code, decoded, pixels })
    }

    /// Returns images that are decoded from drawn categories alone, one for each variable.
    pub(crate) fn reconstruct(&self, images: &[f32]) -> Result<Vec<f32>, Error> {
        // a clone repeats its noise, so that the same images are reconstructed in the same way
        let options = self.sequence.clone().take(&SampleOptions::default())?;
        let values = self.values(images, &options, Relaxation::straight_through(TAUS[1]))?;
        Ok(values.pixels.into_iter().map(sigmoid).collect())
    }

    /// Returns the mean squared error of a pixel of the reconstructions.
    pub(crate) fn error(&self, images: &[f32]) -> Result<f64, Error> {
        let squares = self.reconstruct(images)?;
        let squares = squares.iter().zip(images).map(|(y, x)| f64::from((y - x).powi(2)));
        Ok(squares.sum::<f64>() / images.len() as f64)
    }
}

fn tanh(mut x: Vec<f32>) -> Vec<f32> {
    x.iter_mut().for_each(|x| *x = x.tanh());
    x
}

/// Returns the gradient with respect to x, given that with respect to y = tanh x.
fn through_tanh(mut dy: Vec<f32>, y: &[f32]) -> Vec<f32> {
    dy.iter_mut().zip(y).for_each(|(dy, y)| *dy *= 1.0 - y * y);
    dy
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// Returns the loss of a pixel with this logit, less the loss of the best logit.
fn cross_entropy(logit: f32, x: f32) -> f32 {
    let entropy = |x: f32| if x > 0.0 { -x * x.ln() } else { 0.0 };
    // ln(1 + e^logit) - logit·x, without overflow
    logit.max(0.0) - logit * x + (-logit.abs()).exp().ln_1p() - entropy(x) - entropy(1.0 - x)
}
