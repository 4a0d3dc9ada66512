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

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use gumbel::{Particles, PhiloxRng, Resampling, SampleOptions, Sequence};
use rand::distr::Distribution;
use rand_distr::StandardNormal;

const FLOWS: [u16; 100] = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180,
    799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833,
    701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845,
    864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676,
    649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923,
    975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
];
/// The variances of the level's steps and of what is seen of the level.
const STEP: f64 = 1469.1;
const NOISE: f64 = 15_099.0;
/// What is known of the first level: next to nothing.
const FIRST: (f64, f64) = (1000.0, 1e5);
const PARTICLES: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let default = format!("{}/nile.png", std::env::temp_dir().display());
    let picture = std::env::args().nth(1).unwrap_or(default);
    let started = Instant::now();
    let Filtered { means, log_likelihood, resampled, cloud } = filter()?;
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

struct Filtered {
    /// The mean level of each year.
    means: Vec<f64>,
    log_likelihood: f64,
    resampled: u32,
    /// Some particles of each year.
    cloud: Vec<Vec<f64>>,
}

fn filter() -> Result<Filtered, gumbel::Error> {
    let (mut sequence, mut rng) = (Sequence::new(1871), PhiloxRng::new(1970));
    let mut normal = |deviation: f64| -> f64 {
        let x: f64 = StandardNormal.sample(&mut rng);
        deviation * x
    };
    let mut particles = Particles::default();
    let mut levels: Vec<f64> = (0..PARTICLES).map(|_| FIRST.0 + normal(FIRST.1.sqrt())).collect();
    // the logarithms of the weights that particles have kept since they were resampled
    let mut kept = vec![-(PARTICLES as f64).ln(); PARTICLES];
    let mut filtered = Filtered { means: vec![], log_likelihood: 0.0, resampled: 0, cloud: vec![] };
    for flow in FLOWS {
        for (kept, level) in kept.iter_mut().zip(&levels) {
            *kept += log_density(f64::from(flow) - level, NOISE);
        }
        particles.weigh(&kept)?;
        let sum = particles.logsumexp();
        filtered.log_likelihood += sum;
        kept.iter_mut().for_each(|kept| *kept -= sum);
        filtered.means.push(kept.iter().zip(&levels).map(|(kept, level)| kept.exp() * level).sum());
        if particles.effective_sample_size() < 0.5 * PARTICLES as f64 {
            let options = sequence.take(&SampleOptions::default())?;
            let ancestors = particles.resample(Resampling::Systematic, &options, PARTICLES)?;
            levels = ancestors.iter().map(|&ancestor| levels[ancestor as usize]).collect();
            kept.fill(-(PARTICLES as f64).ln());
            filtered.resampled += 1;
        }
        filtered.cloud.push(levels.iter().step_by(200).copied().collect());
        levels.iter_mut().for_each(|level| *level += normal(STEP.sqrt()));
    }
    Ok(filtered)
}

/// The logarithm of the density of a normal variable with mean 0.
fn log_density(x: f64, variance: f64) -> f64 {
    -0.5 * (x * x / variance + (std::f64::consts::TAU * variance).ln())
}

/// The mean level of each year, and the log-likelihood, by the Kalman filter.
fn kalman() -> (Vec<f64>, f64) {
    let ((mut mean, mut variance), mut log_likelihood) = (FIRST, 0.0);
    let means = FLOWS.map(|flow| {
        let (surprise, of_surprise) = (f64::from(flow) - mean, variance + NOISE);
        log_likelihood += log_density(surprise, of_surprise);
        let gain = variance / of_surprise;
        mean += gain * surprise;
        let filtered = mean;
        variance = variance * (1.0 - gain) + STEP;
        filtered
    });
    (means.to_vec(), log_likelihood)
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
