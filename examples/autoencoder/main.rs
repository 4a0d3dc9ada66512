//! Training through a draw: an autoencoder of handwritten digits whose code is twelve categories.
//!
//! `cargo run --release --example autoencoder`
//!
//! A draw has no derivative. Its soft sample has one, and shares its noise: the encoder learns by nothing but the
//! gradient that `soften_rows_vjp` brings back through the draws. In the end codes are hard draws, 36 bits an image.
//! The program writes the loss curve, and images with their reconstructions, to `target/autoencoder/autoencoder.png`.
//!
//! Its options, after `--`, have the defaults `--epochs 100`, `--seed 1` and `--folder target/autoencoder`.
//! `docs/autoencoder.png` was made with these.

mod digits;
mod layer;
mod model;
mod picture;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use gumbel::Sampler;

use digits::{Digits, PIXELS};
use model::{Autoencoder, CATEGORIES, Through, VARIABLES};
use picture::Picture;

/// The number of images in the picture.
const SHOWN: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { epochs, seed, folder } = Arguments::parse()?;
    let digits = Digits::read(env!("CARGO_MANIFEST_DIR"))?;
    let sampler = Sampler::auto();
    println!(
        "{} images of 8 x 8 pixels, codes of {VARIABLES} draws from {CATEGORIES} categories, on the {sampler}",
        digits.train.len() / PIXELS
    );

    let started = Instant::now();
    let mut model = Autoencoder::new(&sampler, seed);
    let losses = model.train(&digits.train, epochs, Through::Draws)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("\n  epoch   loss, nats an image");
    for (epoch, loss) in (1..).zip(&losses) {
        if epoch == 1 || epoch % epochs.div_ceil(10) == 0 || epoch == epochs {
            println!("  {epoch:5}   {loss:.3}");
        }
    }
    println!(
        "\n{seconds:.1} s. The mean squared error of a pixel of {} other images:",
        digits.test.len() / PIXELS
    );
    println!(
        "  {:.5}  told by {VARIABLES} draws, {} bits",
        model.error(&digits.test)?,
        VARIABLES * 3
    );
    let mut blind = Autoencoder::new(&sampler, seed);
    blind.train(&digits.train, epochs, Through::Nothing)?;
    let error = blind.error(&digits.test)?;
    println!(
        "  {error:.5}  the same, but nothing went back through the draws: the encoder is random"
    );
    for components in [0, 4, 8, 12] {
        let error = digits.pca_error(components);
        match components {
            0 => println!("  {error:.5}  their mean"),
            _ => println!("  {error:.5}  {components} principal components, real numbers"),
        }
    }

    fs::create_dir_all(&folder)?;
    let path = folder.join("autoencoder.png");
    // these images are spread over all test images
    let apart = digits.test.len() / PIXELS / SHOWN;
    let shown = digits.test.chunks_exact(PIXELS).step_by(apart).take(SHOWN).flatten();
    let originals: Vec<f32> = shown.copied().collect();
    let mut picture = Picture::new();
    picture.curve(&losses);
    picture.images(&originals, &model.reconstruct(&originals)?);
    picture.write(&path)?;
    println!("\nWritten: {}", path.display());
    Ok(())
}

struct Arguments {
    epochs: usize,
    seed: u32,
    folder: PathBuf,
}

impl Arguments {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let mut parsed = Self { epochs: 100, seed: 1, folder: "target/autoencoder".into() };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--epochs" => parsed.epochs = value.parse::<usize>()?.max(1),
                "--seed" => parsed.seed = value.parse()?,
                "--folder" => parsed.folder = value.into(),
                _ => return Err(format!("{name} is not --epochs, --seed or --folder").into()),
            }
        }
        Ok(parsed)
    }
}
