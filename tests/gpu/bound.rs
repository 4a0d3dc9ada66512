//! Batches that are on the device already: their draws are the reference's, among the caller's
//! passes too, and a caller's mistake is an error that says so.

mod adjustments;
mod batch;
mod creations;
mod each;
mod errors;
mod faults;
mod forms;
mod limits;
mod lists;
mod masks;
mod rebind;
mod scores;
mod settings;
mod steps;
mod truncations;
mod weights;

use std::sync::{Arc, Mutex, PoisonError};

use gumbel::{AdapterReport, DeviceKind, GpuSampler};
use libtest_mimic::Failed;

use super::draws::sampler;
use super::{Check, Need};

pub(crate) fn checks() -> Vec<(&'static str, Check)> {
    [
        forms::CHECKS,
        each::CHECKS,
        steps::CHECKS,
        errors::CHECKS,
        limits::CHECKS,
        creations::CHECKS,
        faults::CHECKS,
        weights::CHECKS,
        masks::CHECKS,
        scores::CHECKS,
        rebind::CHECKS,
        truncations::CHECKS,
        adjustments::CHECKS,
        settings::CHECKS,
    ]
    .concat()
}

/// Checks that take minutes on a software adapter: `scripts/test --long` runs them.
pub(crate) fn long_checks() -> Vec<(&'static str, Check)> {
    [forms::LONG_CHECKS, masks::LONG_CHECKS, truncations::LONG_CHECKS].concat()
}

pub(crate) const NEEDS: &[(&str, Need)] = limits::NEEDS;

/// Returns a sampler for this kind of plan, which the tests share: some drivers take seconds for
/// each of its pipelines.
fn shared(adapter: &AdapterReport, device_kind: DeviceKind) -> Result<Arc<GpuSampler>, Failed> {
    type Samplers = Vec<((String, DeviceKind), Arc<GpuSampler>)>;
    static SAMPLERS: Mutex<Samplers> = Mutex::new(Vec::new());
    // the key has the adapter's place on the bus: two adapters may have one name
    let key = (format!("{:?}", adapter.info), device_kind);
    let mut samplers = SAMPLERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, sampler)) = samplers.iter().find(|(other, _)| *other == key) {
        return Ok(Arc::clone(sampler));
    }
    let sampler = Arc::new(sampler(
        adapter,
        GpuSampler::builder().tune(|tuning| tuning.with_device_kind(device_kind)),
    )?);
    samplers.push((key, Arc::clone(&sampler)));
    Ok(sampler)
}

/// Runs the check on a sampler for each kind of plan.
fn plans(
    adapter: &AdapterReport,
    check: impl Fn(&GpuSampler) -> Result<(), Failed>,
) -> Result<(), Failed> {
    for device_kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
        check(&*shared(adapter, device_kind)?).map_err(|failed| match failed.message() {
            Some(message) => format!("planned for {device_kind:?}: {message}").into(),
            None => failed,
        })?;
    }
    Ok(())
}
