//! A particle filter on a real series: the level of the Nile from the flows of a hundred years.
//!
//! `cargo run --release --example nile [PICTURE]`
//!
//! The series is the annual flow at Aswan from 1871 to 1970, in 10⁸ m³ (G. W. Cobb, The problem of the Nile, 1978). The
//! model is the local level model of J. Durbin and S. J. Koopman, Time Series Analysis by State Space Methods (2001):
//! the level moves by normal steps of variance 1469.1, and a flow is the level and normal noise of variance 15,099. For
//! this model the Kalman filter is exact, so that it tells how well particles do.
//!
//! Each particle is a level. A step moves all of them, weighs them by the flow, and resamples them when the effective
//! sample size is below half of their number. The picture shows the particles in blue, their mean as a line, and the
//! flows in red: the level falls when the dam was begun in 1898.

mod filter;

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use filter::{FLOWS, Filtered, filter, kalman};

const PARTICLES: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let default = format!("{}/nile.png", std::env::temp_dir().display());
    let picture = std::env::args().nth(1).unwrap_or(default);
    let started = Instant::now();
    let Filtered { means, log_likelihood, resampled, cloud } = filter(PARTICLES)?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{PARTICLES} particles over 100 years in {seconds:.2} s, resampled {resampled} times."
    );
    let (exact, exact_likelihood) = kalman();
    let worst = means.iter().zip(&exact).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    println!("The level is within {worst:.2} of the Kalman filter's in each year.");
    println!("The log-likelihood is {log_likelihood:.2}, and exactly {exact_likelihood:.2}.");
    draw(&picture, &means, &cloud)?;
    println!("The particles, their mean, and the flows: {picture}");
    Ok(())
}

/// Writes a PNG: years from left to right, flows from 400 at the bottom to 1400 at the top.
fn draw(path: &str, means: &[f64], cloud: &[Vec<f64>]) -> Result<(), Box<dyn Error>> {
    const YEAR: usize = 8;
    const HEIGHT: usize = 400;
    let width = YEAR * FLOWS.len();
    let mut pixels = vec![[0xff_u8; 3]; width * HEIGHT];
    let y_of = |flow: f64| {
        let y = (1400.0 - flow) * HEIGHT as f64 / 1000.0;
        (y.max(0.0) as usize).min(HEIGHT - 1)
    };
    let mut block = |year: usize, y: usize, size: usize, colour: [u8; 3]| {
        for dy in 0..size {
            for dx in 0..size {
                let (x, y) =
                    (year * YEAR + (YEAR - size) / 2 + dx, y.saturating_sub(size / 2) + dy);
                if let Some(pixel) = pixels.get_mut(y.min(HEIGHT - 1) * width + x) {
                    *pixel = colour;
                }
            }
        }
    };
    for (year, levels) in cloud.iter().enumerate() {
        levels.iter().for_each(|&level| block(year, y_of(level), 2, [0xb8, 0xc8, 0xea]));
    }
    for (year, &mean) in means.iter().enumerate() {
        block(year, y_of(mean), 6, [0x1d, 0x35, 0x77]);
    }
    for (year, &flow) in FLOWS.iter().enumerate() {
        block(year, y_of(f64::from(flow)), 4, [0xd0, 0x30, 0x28]);
    }
    let mut encoder =
        png::Encoder::new(BufWriter::new(File::create(path)?), width as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels.as_flattened())?;
    writer.finish()?;
    Ok(())
}
