//! `gumbel adapters`: the adapters of this machine, and the one that `--engine auto` takes.

use std::io::Write;

use gumbel::wgpu::{Backends, DeviceType, Features};
use gumbel::{AdapterReport, Sampler};

use crate::error::Error;
use crate::one_line;

/// Lists all adapters.
pub(crate) fn run() -> Result<(), Error> {
    let text = describe(&all());
    std::io::stdout().write_all(text.as_bytes()).map_err(Error::stdout)
}

/// All adapters of this machine, the best first.
pub(crate) fn all() -> Vec<AdapterReport> {
    gumbel::adapters(Backends::all())
}

/// Hardware or software, and which.
pub(crate) fn kind(device: DeviceType) -> &'static str {
    match device {
        DeviceType::DiscreteGpu => "hardware, discrete GPU",
        DeviceType::IntegratedGpu => "hardware, integrated GPU",
        DeviceType::VirtualGpu => "hardware, virtual GPU",
        DeviceType::Cpu => "software, emulates a GPU on the CPU",
        DeviceType::Other => "hardware of an unknown kind",
    }
}

fn describe(reports: &[AdapterReport]) -> String {
    let mut text: String = reports.iter().map(entry).collect();
    if reports.is_empty() {
        text.push_str("no adapters\n\n");
    }
    let taken = match Sampler::auto_adapter(reports) {
        Ok(report) => report.to_string(),
        Err(why) => format!("the CPU engine: {why}"),
    };
    text.push_str(&format!("--engine auto takes {}\n", one_line(&taken)));
    text
}

fn entry(report: &AdapterReport) -> String {
    let AdapterReport { info, limits, features, .. } = report;
    let yes = |feature| if features.contains(feature) { "yes" } else { "no" };
    let driver = one_line(&format!("{} {}", info.driver, info.driver_info));
    let obstacle = report.obstacle.as_deref().map_or_else(|| "none".to_owned(), one_line);
    let lines: [(&str, &dyn std::fmt::Display); 10] = [
        ("backend", &info.backend),
        ("driver", &driver),
        ("kind", &kind(info.device_type)),
        ("max_storage_buffer_binding_size", &limits.max_storage_buffer_binding_size),
        ("max_buffer_size", &limits.max_buffer_size),
        ("max_compute_workgroups_per_dimension", &limits.max_compute_workgroups_per_dimension),
        ("max_compute_invocations_per_workgroup", &limits.max_compute_invocations_per_workgroup),
        ("SHADER_INT64", &yes(Features::SHADER_INT64)),
        ("SUBGROUP", &yes(Features::SUBGROUP)),
        ("obstacle", &obstacle),
    ];
    let lines = lines.map(|(key, value)| format!("  {key:37}  {value}\n"));
    format!("{}\n{}\n", one_line(&info.name), lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_adapters_auto_is_the_cpu() {
        let text = "no adapters\n\n--engine auto takes the CPU engine: no adapter is a hardware GPU; \
                    this machine has none\n";
        assert_eq!(describe(&[]), text);
    }
}
