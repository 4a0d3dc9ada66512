//! The GPU engine on every adapter of this machine, software or hardware.
//!
//! A machine without an adapter fails, unless `GUMBEL_SKIP_GPU_TESTS=1` asks for these tests to be
//! shown as ignored instead. `scripts/test` installs a software adapter where there is none, and
//! `scripts/test-adapters` runs these tests on three.

mod bound;
mod cdf;
mod device;
mod draws;
mod faults;
mod filter;
mod operations;
mod pairs;
mod potts;
mod probe;
mod soften;
mod sums;
#[path = "../common/values.rs"]
mod values;
mod words;

use gumbel::{AdapterReport, wgpu};
use libtest_mimic::{Arguments, Failed, Trial};

/// A test of one adapter.
type Check = fn(&AdapterReport) -> Result<(), Failed>;

fn main() {
    let adapters = gumbel::adapters(wgpu::Backends::all());
    let skipped = std::env::var("GUMBEL_SKIP_GPU_TESTS").is_ok_and(|value| value == "1");
    let checks = [
        words::CHECKS,
        pairs::CHECKS,
        filter::CHECKS,
        draws::CHECKS,
        faults::CHECKS,
        device::CHECKS,
        operations::CHECKS,
        sums::CHECKS,
        potts::CHECKS,
        soften::CHECKS,
        cdf::CHECKS,
        cdf::kept::CHECKS,
        &bound::checks(),
    ]
    .concat();
    let trials = if adapters.is_empty() || skipped {
        let found = adapters.len();
        let checks = checks.iter().chain(draws::LONG_CHECKS);
        checks.map(|&(name, _)| absent(name, found, skipped)).collect()
    } else {
        let trial = |adapter: &AdapterReport, &(name, check): &(&'static str, Check)| {
            let adapter = adapter.clone();
            let kind = match &adapter.obstacle {
                None => adapter.to_string(),
                Some(obstacle) => format!("{adapter} cannot be used: {obstacle}"),
            };
            let unusable = adapter.obstacle.is_some();
            Trial::test(name, move || check(&adapter)).with_kind(kind).with_ignored_flag(unusable)
        };
        adapters
            .iter()
            .enumerate()
            .flat_map(|(i, adapter)| {
                let long = draws::LONG_CHECKS
                    .iter()
                    .map(move |check| trial(adapter, check).with_ignored_flag(i > 0));
                checks.iter().map(move |check| trial(adapter, check)).chain(long)
            })
            .collect()
    };
    let mut arguments = Arguments::from_args();
    // what is to be skipped stays skipped, whatever else is included
    arguments.include_ignored &= !skipped;
    libtest_mimic::run(&arguments, trials).exit();
}

/// A test that has no adapter to run on, or is not to run: it fails, or shows as ignored.
fn absent(name: &str, found: usize, skipped: bool) -> Trial {
    let hint = "scripts/test installs one; GUMBEL_SKIP_GPU_TESTS=1 skips this test";
    Trial::test(name, move || Err(format!("{found} adapters to test on: {hint}").into()))
        .with_ignored_flag(skipped)
}

/// Fails with the message unless the condition holds.
fn ensure(condition: bool, message: impl FnOnce() -> String) -> Result<(), Failed> {
    if condition { Ok(()) } else { Err(message().into()) }
}

/// A device of the test's own on this adapter, as large as the adapter allows.
fn device(
    adapter: &AdapterReport,
    features: wgpu::Features,
) -> Result<(wgpu::Device, wgpu::Queue), Failed> {
    Ok(pollster::block_on(adapter.adapter().request_device(&wgpu::DeviceDescriptor {
        required_features: features,
        required_limits: adapter.limits.clone(),
        ..Default::default()
    }))?)
}
