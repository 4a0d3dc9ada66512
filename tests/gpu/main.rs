//! The GPU engine on every adapter of this machine, software or hardware.
//!
//! A machine without an adapter fails, unless `GUMBEL_SKIP_GPU_TESTS=1` asks for these tests to be
//! shown as ignored instead. `scripts/test` installs a software adapter where there is none, and
//! `scripts/test-adapters` runs these tests on three.

mod bound;
#[path = "../integration/common/per_row.rs"]
mod calls_of_rows;
mod cdf;
mod conformance;
mod decode;
mod device;
mod doubles;
mod draws;
mod faults;
mod filter;
#[path = "../integration/common/forms.rs"]
mod forms;
mod futures;
mod operations;
mod pairs;
mod per_row;
mod potts;
mod probe;
#[path = "../integration/common/settings.rs"]
mod settings;
#[path = "../integration/common/shards.rs"]
mod shards;
mod soften;
mod sums;
#[path = "../integration/common/values.rs"]
mod values;
mod words;

use std::sync::{Mutex, MutexGuard, PoisonError};

use gumbel::{AdapterReport, wgpu};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// A test that runs on one adapter.
type Check = fn(&AdapterReport) -> Result<(), Failed>;

/// Returns why a check has nothing to test on an adapter, if so: it then shows as ignored.
type Need = fn(&AdapterReport) -> Option<&'static str>;

fn main() {
    let adapters = gumbel::adapters(wgpu::Backends::all());
    let skipped = std::env::var("GUMBEL_SKIP_GPU_TESTS").is_ok_and(|value| value == "1");
    let checks = [
        words::CHECKS,
        pairs::CHECKS,
        doubles::CHECKS,
        filter::CHECKS,
        conformance::CHECKS,
        decode::CHECKS,
        draws::CHECKS,
        faults::CHECKS,
        device::CHECKS,
        futures::CHECKS,
        operations::CHECKS,
        per_row::CHECKS,
        sums::CHECKS,
        potts::CHECKS,
        soften::CHECKS,
        cdf::CHECKS,
        cdf::prepared::CHECKS,
        &bound::checks(),
    ]
    .concat();
    let long_checks =
        [bound::long_checks(), operations::LONG_CHECKS.to_vec(), sums::LONG_CHECKS.to_vec()]
            .concat();
    let needs = &[faults::NEEDS, bound::NEEDS].concat();
    let trials: Vec<_> = if adapters.is_empty() || skipped {
        let found = adapters.len();
        let checks = checks.iter().chain(draws::LONG_CHECKS).chain(&long_checks);
        checks.map(|&(name, _)| absent(name, found, skipped)).collect()
    } else {
        let of_adapters = adapters
            .iter()
            .enumerate()
            .map(|(i, adapter)| {
                let long = draws::LONG_CHECKS.iter().map(move |&check| {
                    let trial = trial(adapter, check, needs);
                    let ignored = i > 0 || trial.has_ignored_flag();
                    trial.with_ignored_flag(ignored)
                });
                let again =
                    adapters[..i].iter().any(|before| before.info.name == adapter.info.name);
                let all = checks.iter().map(move |&check| {
                    let trial = trial(adapter, check, needs);
                    let ignored = again && !asks_the_backend(check.0) || trial.has_ignored_flag();
                    trial.with_ignored_flag(ignored)
                });
                let longest = long_checks
                    .iter()
                    .map(move |&check| trial(adapter, check, needs).with_ignored_flag(true));
                all.chain(long).chain(longest).collect()
            })
            .collect();
        interleaved(of_adapters)
    };
    let trials = conformance::of_no_adapter().into_iter().chain(trials).collect();
    let mut arguments = Arguments::from_args();
    // tests that are skipped stay skipped, whatever else is included
    arguments.include_ignored &= !skipped;
    // a thread more than cores, for the one that waits in `alone`
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    if adapters.iter().any(|adapter| adapter.info.backend == wgpu::Backend::Gl) {
        arguments.test_threads.get_or_insert(cores + 1);
    }
    if !arguments.list && !skipped {
        adapters.iter().for_each(|adapter| eprintln!("{}", exercised(adapter)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Spreads the tests of each adapter evenly among those of the others. Those of the backend GL run one at a time, and on
/// end they would leave all cores but one without work.
fn interleaved(of_adapters: Vec<Vec<Trial>>) -> Vec<Trial> {
    let places = of_adapters.into_iter().flat_map(|trials| {
        let step = 1.0 / trials.len() as f64;
        trials.into_iter().enumerate().map(move |(i, trial)| ((i as f64 + 0.5) * step, trial))
    });
    let mut places: Vec<_> = places.collect();
    places.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    places.into_iter().map(|(_, trial)| trial).collect()
}

/// Returns whether a test may come out differently on another backend of a device on which all tests have run. If not,
/// it shows as ignored there, and `scripts/test --long` runs it. A backend adds another translation of the shaders and
/// other calls of the driver. How plans cut batches, which layouts there are and what a fault changes depend on neither.
fn asks_the_backend(name: &str) -> bool {
    // the functions of the contract one by one, and what is asked of a device
    let modules = ["words::", "pairs::", "doubles::", "filter::", "device::", "futures::"];
    // which together compile every kernel
    let of_all_kernels = [
        "conformance::of_every_case",
        "conformance::without_the_filter",
        "per_row::a_call_gives_what_the_calls_for_its_rows_give",
        "sums::scores_of_shifted_rows",
        "soften::conformance",
        "cdf::conformance",
        "bound::strides_and_draws",
        "bound::scores_of_rows_with_options_of_their_own",
        "bound::biases_and_penalties",
        "bound::truncations_of_awkward_rows",
    ];
    let is_of_a_module = modules.iter().any(|module| name.starts_with(module));
    is_of_a_module && !name.ends_with("_seen") || of_all_kernels.contains(&name)
}

/// On the backend GL, lets one test run at a time: all devices of the adapter share a context, and wgpu panics if one waits
/// some seconds for it. A software adapter takes as long to compile a kernel.
fn alone(adapter: &AdapterReport) -> Option<MutexGuard<'static, ()>> {
    static CONTEXT: Mutex<()> = Mutex::new(());
    let shared = adapter.info.backend == wgpu::Backend::Gl;
    shared.then(|| CONTEXT.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs a check on a thread of its own and waits for the end of the thread, whose last act is to free what drivers gave
/// it. A harness waits only for its tests; Mesa aborts the process ("double free or corruption") if it ends meanwhile.
/// A panic names the thread, and so the test.
fn on_a_thread(
    title: &str,
    check: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Result<(), Failed> {
    let thread = std::thread::Builder::new().name(title.to_owned()).spawn(check)?;
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A test of an adapter, which shows as ignored, with the reason, where the test has nothing to
/// look at.
fn trial(adapter: &AdapterReport, (name, check): (&str, Check), needs: &[(&str, Need)]) -> Trial {
    let own = adapter.clone();
    let title = format!("{name} on {adapter}");
    let test = Trial::test(name, move || {
        let _alone = alone(&own);
        // said at once: a process that its driver ends comes to no summary
        on_a_thread(&title, move || check(&own))
            .inspect_err(|failed| eprintln!("{title}: {failed:?}"))
    });
    if let Some(obstacle) = &adapter.obstacle {
        let kind = format!("{adapter} cannot be used: {obstacle}");
        return test.with_kind(kind).with_ignored_flag(true);
    }
    let mut needs = needs.iter().filter(|(other, _)| *other == name);
    match needs.find_map(|(_, need)| need(adapter)) {
        // even if ignored tests are included
        Some(reason) => Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason)))
            .with_kind(format!("{adapter}: {reason}"))
            .with_ignored_flag(true),
        None => test.with_kind(adapter.to_string()),
    }
}

/// Says which variants of the engine an adapter has, and so which of them the tests have run. If a
/// variant is missing, the tests have seen only the draws of the others.
fn exercised(adapter: &AdapterReport) -> String {
    if let Some(obstacle) = &adapter.obstacle {
        return format!("{adapter} cannot be used: {obstacle}");
    }
    let yes = |feature| if adapter.features.contains(feature) { "yes" } else { "no" };
    use wgpu::DeviceType::{Cpu, IntegratedGpu};
    let hosts = matches!(adapter.info.device_type, Cpu | IntegratedGpu);
    let direct = if hosts { yes(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS) } else { "no" };
    format!(
        "{adapter}: subgroup operations {}, 64-bit integers {}, memory that the host maps {direct}, \
         logits on the device {}",
        yes(wgpu::Features::SUBGROUP),
        yes(wgpu::Features::SHADER_INT64),
        yes(wgpu::Features::IMMEDIATES),
    )
}

/// A test that has no adapter to run on, or is to be skipped: it fails, or shows as ignored.
fn absent(name: &str, found: usize, skipped: bool) -> Trial {
    let hint = "scripts/test installs one; GUMBEL_SKIP_GPU_TESTS=1 skips this test";
    Trial::test(name, move || Err(format!("{found} adapters to test on: {hint}").into()))
        .with_ignored_flag(skipped)
}

/// Fails with the message unless the condition holds.
fn ensure(condition: bool, message: impl FnOnce() -> String) -> Result<(), Failed> {
    if condition { Ok(()) } else { Err(message().into()) }
}

/// Returns a device of the test's own on this adapter, as large as the adapter allows.
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
