//! The GPU engine beside an argmax and a copy of the same logits, as `gumbel bench` measures it.
//!
//!     cargo bench --package gumbel-bench                 # the best adapter, two minutes
//!     cargo bench --package gumbel-bench -- 256x128256   # only this shape
//!
//! `gumbel bench` has more options. Without `--bench`, which cargo bench passes, one small shape is
//! measured for a moment, which shows whether all of this runs.
//!
//! Exits with 1, which cargo reports, if a draw differs from the CPU engine's, if something cannot
//! be measured as asked, or if there is no adapter. With `GUMBEL_SKIP_GPU_TESTS=1` a missing
//! adapter is no failure.

use std::process::ExitCode;
use std::time::Duration;

use gumbel_bench::{Config, Error, Shape};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Error> {
    let (switches, shapes): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let mut config = Config::full();
    if !shapes.is_empty() {
        config.shapes = shapes.iter().map(|shape| shape.parse()).collect::<Result<_, _>>()?;
    } else if !switches.iter().any(|switch| switch == "--bench") {
        config.shapes = vec![Shape { rows: 8, categories: 1024 }];
        config.each = Duration::ZERO;
    }
    let adapters = gumbel::adapters(gumbel::wgpu::Backends::all());
    let adapter = match gumbel_bench::choose(&adapters) {
        Ok(adapter) => adapter,
        Err(why) => {
            eprintln!("nothing can be measured: {why}");
            let skipped = std::env::var("GUMBEL_SKIP_GPU_TESTS").is_ok_and(|value| value == "1");
            return Ok(if skipped { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    };
    let results = gumbel_bench::run(adapter, &config, &mut |shape| eprintln!("{shape}"))?;
    print!("{}", results.markdown());
    Ok(if results.wrong().next().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
