//! A physical system simulated on the device: a Potts model below, at and above the temperature at
//! which its order melts.
//!
//! `cargo run --release --example potts`
//!
//! Thousands of sweeps over three lattices run without the host reading or deciding anything: a shader counts
//! neighbours, gumbel draws the new states from the counts, and the shader counts again. The program writes the three
//! final states as PNG files, and side by side as `potts.png`, to `target/potts`, and prints how near each lattice is
//! to complete order.
//!
//! Its options, after `--`, have the defaults `--side 128`, `--states 3`, `--sweeps 2000` and `--folder target/potts`.
//! `docs/potts.png` was made with `--side 192 --sweeps 4000`.

mod lattice;
mod picture;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use gumbel::{AdapterReport, wgpu};

use lattice::{Lattice, Model, SHADER, critical_temperature};
use picture::Picture;

/// The temperatures in units of the critical one.
const TEMPERATURES: [f64; 3] = [0.9, 1.0, 1.1];
/// The number of sweeps from one measurement to the next.
const INTERVAL: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { side, states, sweeps, folder } = Arguments::parse()?;
    let adapter = adapter()?;
    let sampler = adapter.open()?;
    println!("{states} states on {side} x {side} sites, {sweeps} sweeps on {adapter}\n");

    let lattices = (0..).zip(TEMPERATURES).map(|(seed, relative)| {
        let temperature = (relative * critical_temperature(states)) as f32;
        let model = Model { side, states, temperature, seed };
        Lattice::new(&sampler, model, sweeps / INTERVAL, SHADER)
    });
    let lattices = lattices.collect::<Result<Vec<_>, _>>()?;

    let started = Instant::now();
    lattice::run(&sampler, &lattices, sweeps, INTERVAL)?;
    // reading the first lattice waits for all of them
    let pictures =
        lattices.iter().map(|lattice| Ok(Picture::new(side as usize, &lattice.states(&sampler)?)));
    let pictures = pictures.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let seconds = started.elapsed().as_secs_f64();

    fs::create_dir_all(&folder)?;
    println!("  T / T_c   magnetisation   energy per site");
    for ((relative, lattice), picture) in TEMPERATURES.iter().zip(&lattices).zip(&pictures) {
        picture.write(&folder.join(format!("potts-{relative:.2}.png")))?;
        // the first half of the sweeps lets the lattice forget its start
        let count = (sweeps / INTERVAL) as usize;
        let records = lattice.records(&sampler, count)?.split_off(count / 2);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let magnetisation = mean(records.iter().map(|record| record.magnetisation()).collect());
        let energy = mean(records.iter().map(|record| record.energy()).collect());
        println!("  {relative:7.2}   {magnetisation:13.3}   {energy:15.4}");
    }
    Picture::side_by_side(&pictures).write(&folder.join("potts.png"))?;

    let known = -(1.0 + 1.0 / f64::from(states).sqrt());
    println!("\nAn infinite lattice has {known:.4} at T_c, and magnetisation only below.");
    let draws = f64::from(sweeps) * f64::from(side).powi(2) * lattices.len() as f64;
    println!(
        "{:.0} sweeps of all three a second, {:.1} million draws a second; pictures in {}",
        f64::from(sweeps) / seconds,
        draws / seconds / 1e6,
        folder.display()
    );
    Ok(())
}

/// Returns a GPU if there is one, else an adapter that emulates one.
fn adapter() -> Result<AdapterReport, Box<dyn Error>> {
    let usable = |report: &AdapterReport| {
        report.obstacle.is_none() && report.features.contains(wgpu::Features::IMMEDIATES)
    };
    // hardware comes first
    gumbel::adapters(wgpu::Backends::all()).into_iter().find(usable).ok_or_else(|| {
        "no adapter can be used, neither a GPU nor an emulation: install your GPU's driver, or \
         lavapipe, which needs no GPU (Debian and Ubuntu: apt-get install libvulkan1 \
         mesa-vulkan-drivers)"
            .into()
    })
}

struct Arguments {
    side: u32,
    states: u32,
    sweeps: u32,
    folder: PathBuf,
}

impl Arguments {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/potts").into();
        let mut arguments = Self { side: 128, states: 3, sweeps: 2000, folder };
        let mut words = std::env::args().skip(1);
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--side" => arguments.side = value.parse()?,
                "--states" => arguments.states = value.parse()?,
                "--sweeps" => arguments.sweeps = value.parse()?,
                "--folder" => arguments.folder = value.into(),
                _ => {
                    return Err(
                        format!("{name}: there is --side, --states, --sweeps, --folder").into()
                    );
                }
            }
        }
        if arguments.sweeps < 2 * INTERVAL {
            return Err(format!("--sweeps: {} at least", 2 * INTERVAL).into());
        }
        Ok(arguments)
    }
}
