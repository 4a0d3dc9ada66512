//! The kind of plan that a call has: the code that runs for it, on the host and on the device.
//! Pure: no device is asked.
//!
//! Two calls of one kind run the same shaders, cut their batches by the same rules and hand them
//! over in the same way; they differ in numbers alone. A kind has several *aspects*, which are
//! independent of each other: a kernel is put together from pieces that load values and pieces that
//! share findings (`src/shaders.rs`), and neither depends on how the batch came to the device. So a
//! test of everything that an engine can do needs calls that between them have each aspect, and not
//! each combination of aspects.

use crate::error::Error;
use crate::job::{Job, Temperature};
use crate::noise::order::Scale;
use crate::options::{Batch, SampleOptions, ValueFormat};
use crate::shaders::{Kernel, Reduction};

use super::builder::GpuSamplerBuilder;
use super::layout::{HALF_OCTETS, Layout};
use super::plan::{Chunk, Limits, Output, Plan, Shape};

/// An aspect of the plan of a call for draws. Tests choose their calls by aspects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(hidden)]
pub struct PlanKind(Aspect);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Aspect {
    /// How invocations share a race, with which kernel.
    Team(Core, u32, LayoutKind, Number),
    /// How values are loaded: their format, and whether in fours.
    Load(Core, ValueFormat, bool),
    /// How the batch is cut and gets to the device.
    Cut(CutKind, usize),
    /// The properties of the call on which the kernel's work depends.
    Call(Core, CallKind),
}

/// The properties on which all of a kernel's pieces may depend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Core {
    kernel: Kernel,
    reduction: Reduction,
    groups: bool,
    int64: bool,
    emulated: bool,
    filter: bool,
}

/// The properties of a call on which the kernel's work depends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CallKind {
    row_ids: bool,
    unit_scale: bool,
    /// Whether a row without a draw is among the rows.
    undrawable: bool,
    /// Whether the findings of several teams are joined, in a pass of their own.
    in_parts: bool,
    /// Whether findings are joined from one segment to the next.
    in_segments: bool,
}

/// How a pass is laid out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct LayoutKind {
    /// The teams of a workgroup: one of all its invocations, several, or one for each invocation.
    teams_of_workgroup: Number,
    /// How often an invocation goes through the loop over its pairs of blocks.
    turns_of_lane: Number,
    /// Whether the last octet has fewer than eight categories.
    ragged: bool,
    parts: Number,
    /// Whether the last part is shorter than the others.
    short_part: bool,
    draws_at_once: Number,
    /// Whether the last turn of a row has fewer draws than are taken at once.
    short_turn: bool,
    /// Whether workgroups are dispatched in more than one dimension.
    two_dimensions: bool,
}

/// How a batch is cut, and how it gets to the device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CutKind {
    /// Whether the device reads the host's memory.
    direct: bool,
    segments: Number,
    chunks: Number,
    /// Whether a chunk has only some of a row's draws.
    cuts_draws: bool,
    moves_rows: bool,
    /// Whether rows overlap in memory.
    overlaps: bool,
    one_row: bool,
    one_draw: bool,
}

/// How often a loop is taken: once, several times, or so often that a greater number makes no
/// difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Number {
    One,
    Few,
    Many,
}

impl Number {
    fn new(n: usize, many: usize) -> Self {
        match n {
            0 | 1 => Self::One,
            n if n < many => Self::Few,
            _ => Self::Many,
        }
    }
}

/// How a sampler works: its limits, and the optional methods that it uses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) limits: Limits,
    pub(super) int64: bool,
    /// Whether kernels are those for a device that emulates a GPU.
    pub(super) emulated: bool,
    pub(super) filter: bool,
    pub(super) direct: bool,
}

impl PlanKind {
    /// True if invocations share their findings by subgroup operations.
    pub fn has_subgroups(&self) -> bool {
        match &self.0 {
            Aspect::Team(core, ..) | Aspect::Load(core, ..) | Aspect::Call(core, ..) => {
                core.reduction == Reduction::Subgroups
            }
            Aspect::Cut(..) => false,
        }
    }

    /// Returns the aspects of a call with at least one row.
    pub(super) fn all_of(job: &Job<'_>, setup: &Setup) -> Vec<Self> {
        let batch = job.logits;
        let shape = Shape {
            rows: batch.rows(),
            categories: batch.categories(),
            row_stride: batch.row_stride(),
            logit_bytes: batch.format().bytes(),
            draws: job.draws,
            greedy: job.temperature == Temperature::Greedy,
            own: !job.own.are_none(),
            output: Output::Draws,
        };
        let plan = Plan::new(shape, setup.limits);
        let layout = plan.layout;
        let Setup { int64, emulated, filter, direct, .. } = *setup;
        let Layout { kernel, reduction, .. } = layout;
        let groups = layout.has_groups();
        let core = Core { kernel, reduction, groups, int64, emulated, filter };
        let segments = Number::new(plan.segments().take(3).count(), 3);
        let call = CallKind {
            row_ids: job.explicit_ids().is_some(),
            unit_scale: matches!(job.temperature, Temperature::Scaled(Scale::ONE)),
            undrawable: (0..batch.rows()).any(|row| job.undrawable(row).is_some()),
            in_parts: layout.is_cut(),
            in_segments: plan.cuts_rows(),
        };
        let team = LayoutKind::new(&plan, shape);
        vec![
            Self(Aspect::Team(core, layout.workgroup_size, team, segments)),
            Self(Aspect::Load(core, batch.format(), plan.aligned)),
            Self(Aspect::Cut(CutKind::new(&plan, shape, direct), shape.logit_bytes)),
            Self(Aspect::Call(core, call)),
        ]
    }
}

impl LayoutKind {
    fn new(plan: &Plan, shape: Shape) -> Self {
        let layout = plan.layout;
        let segment = plan.segments().next().map_or(0, |segment| segment.len());
        let blocks = segment.div_ceil(8);
        let part = layout.part_octets as usize;
        let chunk = plan.chunks().next().unwrap_or(Chunk { rows: 0..1, draws: 0..1 });
        let [_, y] = layout.workgroups(chunk.rows.len(), chunk.draws.len());
        let teams = (layout.workgroup_size / layout.lanes) as usize;
        let in_turn = if layout.has_groups() { HALF_OCTETS } else { 2 };
        Self {
            teams_of_workgroup: Number::new(teams, layout.workgroup_size as usize),
            // an invocation takes two octets in a turn, or a half-span
            turns_of_lane: Number::new(part.div_ceil(in_turn * layout.lanes as usize), 3),
            ragged: !shape.categories.is_multiple_of(8),
            parts: Number::new(layout.parts as usize, layout.lanes as usize + 1),
            short_part: !blocks.is_multiple_of(part),
            draws_at_once: Number::new(layout.draws_at_once as usize, 3),
            short_turn: !chunk.draws.len().is_multiple_of(layout.draws_at_once as usize),
            two_dimensions: y > 1,
        }
    }
}

impl CutKind {
    fn new(plan: &Plan, shape: Shape, direct: bool) -> Self {
        let slots = super::ring::SLOTS;
        let chunks = plan.chunks().take(slots + 1).count();
        Self {
            direct,
            segments: Number::new(plan.segments().take(3).count(), 3),
            chunks: Number::new(chunks, slots + 1),
            cuts_draws: plan.chunks().next().is_some_and(|c| c.draws.len() < shape.draws as usize),
            moves_rows: plan.row_stride != shape.row_stride,
            overlaps: shape.row_stride < shape.categories,
            one_row: shape.rows == 1,
            one_draw: shape.draws == 1,
        }
    }
}

impl GpuSamplerBuilder {
    /// Returns the aspects of the plan that these draws would have on a device with these limits
    /// and features; none if there is nothing to draw.
    ///
    /// # Errors
    /// The errors of invalid options.
    #[doc(hidden)]
    pub fn plan_kinds<'a>(
        &self,
        (kind, limits, features): (wgpu::DeviceType, &wgpu::Limits, wgpu::Features),
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<PlanKind>, Error> {
        let job = Job::new(batch, options)?;
        let setup = self.setup(kind, limits, features);
        Ok(if job.logits.rows() > 0 { PlanKind::all_of(&job, &setup) } else { Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::{Races, most_halves};
    use super::*;
    use crate::options::Logits;
    use crate::{DeviceKind, GpuSampler};

    const CPU: wgpu::DeviceType = wgpu::DeviceType::Cpu;

    fn kind(
        builder: &GpuSamplerBuilder,
        rows: usize,
        categories: usize,
        draws: u32,
    ) -> Vec<PlanKind> {
        let data = vec![0.0; rows * categories];
        let logits = Logits::new(&data, categories).unwrap();
        let device = (CPU, &wgpu::Limits::default(), GpuSampler::FEATURES);
        let options = SampleOptions::default().with_draws(draws);
        builder.plan_kinds(device, logits, &options).unwrap()
    }

    #[test]
    fn calls_are_of_one_kind_if_they_differ_in_numbers_alone() {
        let builder =
            GpuSampler::builder().tune(|tuning| tuning.with_device_kind(DeviceKind::Hardware));
        let of = |rows, categories, draws| kind(&builder, rows, categories, draws);
        assert_eq!(of(100_000, 203, 1), of(100_001, 205, 1));
        assert_eq!(of(100, 203, 5), of(101, 205, 5));
        let kinds = [
            of(10_000, 203, 1),
            of(10_000, 208, 1),   // whole blocks of eight
            of(10_000, 20, 1),    // an invocation alone
            of(100, 128_256, 1),  // in parts
            of(10_000, 203, 5),   // logits are held
            of(1, 203, 1),        // one row
            of(100_000, 203, 1),  // many chunks
            of(1, 20_000_000, 1), // segments
        ];
        for (i, kind) in kinds.iter().enumerate() {
            assert!(!kinds[..i].contains(kind), "{i}: {kind:?}");
        }
    }

    #[test]
    fn samplers_that_do_otherwise_are_of_another_kind() {
        let builder = GpuSampler::builder;
        let usual = kind(&builder(), 100, 203, 1);
        for other in [
            builder().tune(|tuning| tuning.with_filter(false)),
            builder().tune(|tuning| tuning.with_int64(false)),
            builder().tune(|tuning| tuning.with_direct_memory(false)),
            builder().tune(|tuning| tuning.with_device_kind(DeviceKind::Hardware)),
            builder().tune(|tuning| tuning.with_workgroup_size(8)),
            builder().with_chunk_bytes(1 << 10),
            builder().tune(|tuning| tuning.with_workgroups(1)),
        ] {
            assert_ne!(kind(&other, 100, 203, 1), usual, "{other:?}");
        }
        let hardware = builder().tune(|tuning| tuning.with_device_kind(DeviceKind::Hardware));
        assert!(kind(&hardware, 100, 2003, 1).iter().any(PlanKind::has_subgroups));
        assert!(!kind(&builder(), 100, 5, 1).iter().any(PlanKind::has_subgroups));
    }

    /// `tests/gpu/draws.rs` draws from a row of this length on a device.
    #[test]
    fn a_row_has_as_many_half_spans_for_an_invocation_as_there_may_be_on_any_machine() {
        let races =
            Races { rows: 1, categories: 256 * 8 * 2048, draws: 1, greedy: false, groups: true };
        for device_kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
            let builder = GpuSampler::builder()
                .tune(|tuning| tuning.with_device_kind(device_kind).with_busy_invocations(1));
            let setup = builder.setup(CPU, &wgpu::Limits::default(), GpuSampler::FEATURES);
            let layout = Layout::new(races, setup.limits.device);
            let of_lane = layout.part_octets as usize / HALF_OCTETS / layout.lanes as usize;
            assert_eq!(of_lane, most_halves(layout.lanes as usize), "{layout:?}");
        }
    }
}
