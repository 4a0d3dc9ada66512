//! A hundred thousand histories that explain a noisy series: backward sampling of a hidden Markov chain.
//!
//! `cargo run --release --example hidden_chain [PICTURE]`
//!
//! A walker moves among 50 places for 100 steps, and is only seen through noise. What was its path? The forward filter
//! gives the weights of the places at each step. Then paths are drawn backwards: the place before is drawn with weights
//! that depend on the place after, so that each step draws from one of 50 rows, chosen by each path. One call gathers
//! these rows for all paths (`with_row_indices`), and adds each of them up once (`Method::Auto`).
//!
//! The picture shows how many paths pass each place at each step, darker where more pass, with the true path in red. The
//! fractions are compared with the exact ones, which the forward-backward algorithm gives.

mod chain;

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use chain::{PLACES, STEPS, filter, moves, passing, paths, smoothed, walk, worst};
use gumbel::Sampler;

const PATHS: usize = 100_000;
/// The pixels of a place, or a step, in the picture.
const ZOOM: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let default = format!("{}/hidden_chain.png", std::env::temp_dir().display());
    let picture = std::env::args().nth(1).unwrap_or(default);
    let sampler = Sampler::auto();
    let moves = moves();
    let (truth, seen) = walk(&sampler, &moves)?;
    let filtered = filter(&moves, &seen);

    let started = Instant::now();
    let paths = paths(&sampler, &moves, &filtered, PATHS)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{PATHS} paths of {STEPS} steps among {PLACES} places in {seconds:.2} s.");

    let passing = passing(&paths);
    let worst = worst(&passing, &smoothed(&moves, &seen, &filtered), PATHS);
    println!("No fraction is further than {worst:.1} standard errors from the exact one.");
    draw(&picture, &passing, &truth)?;
    println!("How many paths pass each place at each step, and the true path: {picture}");
    Ok(())
}

/// Writes a PNG: steps from left to right, places from bottom to top.
fn draw(path: &str, passing: &[[f64; PLACES]], truth: &[usize]) -> Result<(), Box<dyn Error>> {
    let (width, height) = (STEPS * ZOOM, PLACES * ZOOM);
    let mut pixels = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        let place = PLACES - 1 - y / ZOOM;
        for x in 0..width {
            let step = x / ZOOM;
            // the middle of the field of the true place
            let inside = |at: usize| (2..ZOOM - 2).contains(&(at % ZOOM));
            if truth[step] == place && inside(x) && inside(y) {
                pixels.extend([0xd0, 0x30, 0x28]);
            } else {
                // a square root shows the rare ones too
                let shade = 255.0 * (1.0 - passing[step][place].sqrt().min(0.6) / 0.6);
                pixels.extend([shade as u8, shade as u8, (shade * 0.6 + 102.0) as u8]);
            }
        }
    }
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(())
}
