//! How a GPU sampler works, as tests and benchmarks vary it.

use super::layout::Teams;

/// The kind of device that work is laid out for. No draw depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceKind {
    /// The kind that the adapter says it is.
    Adapter,
    /// A GPU: many invocations for each row.
    Hardware,
    /// An adapter that emulates a GPU on the CPU: few invocations, and each with much to do.
    Emulation,
    /// Any other teams, lowered to what the device can have.
    Teams(Teams),
}

/// How a GPU sampler works. No setting changes a draw; the defaults are what is fastest, or meant to be, on the
/// device at hand. Tests vary them to run every form of every kernel, benchmarks to find better defaults, and users
/// where a driver refuses a form.
///
/// ```no_run
/// use gumbel::GpuSampler;
/// // a driver whose 64-bit integers are wrong
/// let sampler = GpuSampler::builder().tune(|tuning| tuning.with_int64(false)).build()?;
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Tuning {
    pub(super) filter: bool,
    pub(super) int64: bool,
    pub(super) subgroups: bool,
    pub(super) direct: bool,
    pub(super) device_kind: DeviceKind,
    pub(super) busy_invocations: Option<usize>,
    pub(super) workgroup_size: u32,
    pub(super) workgroups: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            filter: true,
            int64: true,
            subgroups: true,
            direct: true,
            device_kind: DeviceKind::Adapter,
            busy_invocations: None,
            workgroup_size: u32::MAX,
            workgroups: u32::MAX,
        }
    }
}

impl Tuning {
    /// With `false`, evaluates the noise of every category instead of filtering first. On long rows this is many times
    /// slower.
    pub fn with_filter(self, filter: bool) -> Self {
        Self { filter, ..self }
    }

    /// With `false`, multiplies by 16-bit products even where the device has 64-bit integers.
    pub fn with_int64(self, int64: bool) -> Self {
        Self { int64, ..self }
    }

    /// With `false`, invocations share findings through workgroup memory even where the device has subgroup
    /// operations.
    pub fn with_subgroups(self, subgroups: bool) -> Self {
        Self { subgroups, ..self }
    }

    /// With `false`, copies to the device even where its memory is the host's.
    pub fn with_direct_memory(self, direct: bool) -> Self {
        Self { direct, ..self }
    }

    /// Lays work out for another kind of device.
    pub fn with_device_kind(self, device_kind: DeviceKind) -> Self {
        Self { device_kind, ..self }
    }

    /// Sets the number of invocations needed to keep the device busy. If one of the largest teams
    /// for each race has fewer invocations in all, rows are split into parts. A team takes several
    /// draws from a row one after the other only if there would be more invocations otherwise. The
    /// default: 2¹⁶ for a GPU.
    pub fn with_busy_invocations(self, busy_invocations: usize) -> Self {
        Self { busy_invocations: Some(busy_invocations), ..self }
    }

    /// Sets the most invocations of a workgroup, a power of two. The number is lowered to what the
    /// device can do and to what the plans use.
    pub fn with_workgroup_size(self, workgroup_size: u32) -> Self {
        Self { workgroup_size, ..self }
    }

    /// Dispatches no more than this many workgroups along one dimension; at least 1. The default: the device's limit.
    pub fn with_workgroups(self, workgroups: u32) -> Self {
        Self { workgroups, ..self }
    }
}
