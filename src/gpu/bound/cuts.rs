//! The passes that find where a truncation cuts the rows of a batch on the device.

use bytemuck::{Pod, Zeroable, bytes_of};

use crate::error::Error;
use crate::gpu::Gpu;
use crate::gpu::batch::DeviceBatch;
use crate::gpu::guard::Activity;
use crate::gpu::kernel::{EACH_TEMPERATURE, GATHERED, Pass, bind, bind_at, flag};
use crate::gpu::layout::{Device, Layout, Races, Teams, grid, halves, has_groups};
use crate::job::Temperature;
use crate::noise::order::Scale;
use crate::options::Share;
use crate::shaders::{Kernel, Reduction, Restriction, Variant};

use super::buffers::{Buffers, given};
use super::memory::Memory;
use super::{Dispatch, dispatch};

/// The uniform `Truncation` of `shaders/kernel/truncation.wgsl`, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Uniform {
    top_k: u32,
    top_p: f32,
    min_p: f32,
    epsilon: f32,
    scale: u32,
    share: u32,
    flags: u32,
}

/// The flags of what comes from buffers, in their order.
const EACH: [u32; 4] = [1, 2, 4, 8];

/// The most half-spans of a row that an invocation looks at; see `shaders/kernel/cut.wgsl`.
const MAX_HALVES_PER_LANE: usize = 19;
/// The fewest invocations of a workgroup for short and for long rows: one for each rung of a ladder, and so many that each
/// compares few of the words that are listed; see `shaders/kernel/list.wgsl`.
const LEAST_LANES: [usize; 2] = [8, 16];

/// The passes that find the cuts of a batch.
#[derive(Debug)]
pub(super) struct CutPasses {
    /// For rows whose noise comes from the top down: finds the largest value of each group.
    maxima: Option<Dispatch>,
    cut: Dispatch,
    check: Option<Dispatch>,
    /// The bindings of the rows, of their restriction, and of the truncation.
    bindings: [wgpu::BindGroup; 3],
    /// The bindings of the restriction for the rows whose draws are in doubt.
    again: wgpu::BindGroup,
}

impl CutPasses {
    /// The bindings of the restriction for passes that look at all that is allowed.
    pub(super) fn of_allowed(&self) -> &wgpu::BindGroup {
        &self.bindings[1]
    }

    /// Adds the passes before the races.
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        self.bind(pass, &self.bindings[1]);
        self.maxima.iter().chain([&self.cut]).for_each(|each| dispatch(pass, each));
    }

    /// Adds the pass after races of all rows, or again of those whose draws are in doubt, which finds the rows whose draws
    /// are in doubt. `races` are the bindings of the races.
    pub(super) fn encode_check(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        races: &wgpu::BindGroup,
        again: bool,
    ) {
        if let Some(check) = &self.check {
            pass.set_bind_group(0, races, &[]);
            pass.set_bind_group(1, if again { &self.again } else { &self.bindings[1] }, &[]);
            dispatch(pass, check);
        }
    }

    /// Adds the pass that finds the cuts of rows whose draws are in doubt by exact sums.
    pub(super) fn encode_exactly(&self, pass: &mut wgpu::ComputePass<'_>) {
        self.bind(pass, &self.again);
        dispatch(pass, &self.cut);
    }

    fn bind(&self, pass: &mut wgpu::ComputePass<'_>, restriction: &wgpu::BindGroup) {
        let [rows, _, truncation] = &self.bindings;
        for (bindings, at) in [rows, restriction, truncation].into_iter().zip(0..) {
            pass.set_bind_group(at, bindings, &[]);
        }
    }
}

/// The most draws of a row that are looked at to find whether one of them is in doubt. With more, exact cuts are found at
/// once.
const MAX_CHECKED_DRAWS: u32 = 64;

/// Whether cuts of a batch are found roughly at first: those that depend on the sum of a row, if nobody asks for the sum of
/// what is kept.
pub(super) fn cuts_roughly(batch: &DeviceBatch<'_>) -> bool {
    let epsilon = batch.truncation.epsilon().is_some() || batch.cuts[3].is_some();
    let few = batch.draws_per_row <= MAX_CHECKED_DRAWS && !batch.has_sums_of_kept();
    few && (epsilon || may_cut_to_share(batch))
}

/// Whether top-p may cut rows of a batch to a share of their sums, and not of what other cuts keep.
pub(super) fn may_cut_to_share(batch: &DeviceBatch<'_>) -> bool {
    let DeviceBatch { truncation, cuts, .. } = batch;
    let [top_k, top_p, min_p, epsilon] = cuts.map(|own| own.is_some());
    // cuts of rows may be none
    let by_k = !top_k && truncation.k_of(batch.categories as usize).is_some();
    let by_min_p = !min_p && truncation.min_p().is_some();
    let by_epsilon = !epsilon && truncation.epsilon().is_some();
    let of_all = match truncation.share {
        Share::All => true,
        Share::TopK => !by_k,
        Share::Rest => !(by_k || by_min_p || by_epsilon),
    };
    of_all && (top_p || truncation.p().is_some())
}

/// Whether rows of a batch may be cut. A truncation cuts nothing off draws at temperature 0, but a row whose own cuts are
/// out of range has no draw.
pub(super) fn cuts_rows(batch: &DeviceBatch<'_>) -> bool {
    let greedy = batch.temperature == 0.0 && batch.temperatures.is_none();
    let own = batch.cuts.iter().any(Option::is_some);
    own || !greedy && !batch.truncation.is_none(batch.categories as usize)
}

/// The number of invocations for a row; `None` if a row has more categories than can be cut.
fn lanes(categories: usize, teams: Teams, most: usize) -> Option<usize> {
    let (units, needed) = match has_groups(categories) {
        true => (halves(categories), halves(categories).div_ceil(MAX_HALVES_PER_LANE)),
        false => (categories.div_ceil(8), 1),
    };
    let least = LEAST_LANES[usize::from(has_groups(categories))].min(most);
    let wanted = units.div_ceil(2).next_power_of_two().min(teams.team as usize);
    let lanes = wanted.max(needed.next_power_of_two()).max(least);
    (lanes <= most).then_some(lanes)
}

impl Gpu {
    /// Prepares the passes that find the cuts of a batch. The bindings are those of the restriction, for all rows and for
    /// those whose draws are in doubt; `races_each` says whether races have parameters of each row.
    pub(super) async fn cut_passes(
        &self,
        batch: &DeviceBatch<'_>,
        buffers: &Buffers<'_>,
        races_each: bool,
        [restriction, again]: [wgpu::BindGroup; 2],
        memory: &mut Memory,
    ) -> Result<CutPasses, Error> {
        let (rows, categories) = (batch.rows as usize, batch.categories as usize);
        let groups = has_groups(categories);
        let device = self.limits.device;
        let limits = self.device.limits();
        let most = limits
            .max_compute_workgroup_size_x
            .min(limits.max_compute_invocations_per_workgroup)
            .min(256);
        let Some(lanes) = lanes(categories, device.teams, most as usize) else {
            let problem = format!(
                "rows of {categories} categories are longer than the device can cut: {} categories",
                // workgroups are powers of two
                (1 << most.ilog2()) * MAX_HALVES_PER_LANE * 128
            );
            return Err(Error::DeviceBuffer { what: "the truncation", problem });
        };
        let teams = Teams { holds_logits: false, ..device.teams };
        let races = Races { rows, categories, draws: 1, greedy: false, groups };
        let layout = Layout::new(races, Device { teams, ..device });

        let own = batch.cuts.iter().any(Option::is_some);
        let [_, _, temperatures, _, row_indices] = &buffers.each;
        let each = own || temperatures.is_some() || row_indices.is_some();
        let masked = buffers.masks.is_some();
        let variant = |kernel, groups, workgroup_size| Variant {
            kernel,
            reduction: Reduction::Workgroup,
            groups,
            format: batch.format,
            vec4: buffers.logits.vec4,
            each,
            immediates: false,
            restriction: if masked { Restriction::Masked } else { Restriction::Cut },
            int64: self.kernels.common.int64,
            emulated: self.kernels.common.emulated,
            workgroup_size,
        };
        let layouts = self.kernels.cut_layouts(each)?;
        let guard = &self.guard;
        let cut = variant(Kernel::Cut, groups, lanes as u32);
        let cut = self.kernels.pipeline(guard, cut).await?;
        let maxima = match groups {
            true => {
                let kernel = match cuts_roughly(batch) {
                    true => Kernel::MaximaAndSums,
                    false => Kernel::Maxima,
                };
                let variant = variant(kernel, false, layout.workgroup_size);
                let pipeline = self.kernels.pipeline(guard, variant).await?;
                Some((pipeline, layout.workgroups(rows, 1)))
            }
            false => None,
        };

        let check = match cuts_roughly(batch) {
            true => {
                let variant = variant(Kernel::Check, groups, lanes as u32);
                let variant = Variant { each: races_each, ..variant };
                let pipeline = self.kernels.pipeline(guard, variant).await?;
                Some((pipeline, grid(rows, device.workgroups)))
            }
            false => None,
        };

        let temperature = Temperature::for_format(batch.format, batch.temperature)?;
        let pass = Pass {
            rows: batch.rows,
            draws: 1,
            categories: batch.categories,
            first_logit: buffers.logits.first,
            row_stride: batch.row_stride,
            source_rows: batch.row_indices.map_or(batch.rows, |(_, source_rows)| source_rows),
            flags: flag(temperatures.is_some(), EACH_TEMPERATURE)
                | flag(row_indices.is_some(), GATHERED),
            ..Pass::laid_out(&layout, batch.format, temperature)
        };
        let of_all = &batch.truncation;
        let uniform = Uniform {
            top_k: of_all.top_k.unwrap_or(u32::MAX),
            top_p: of_all.top_p.unwrap_or(1.0),
            min_p: of_all.min_p.unwrap_or(0.0),
            epsilon: of_all.epsilon.unwrap_or(0.0),
            scale: of_all
                .at_temperature
                .and_then(Scale::from_temperature)
                .map_or(0, |scale| scale.reciprocal().to_bits()),
            share: match of_all.share {
                Share::TopK => 0,
                Share::All => 1,
                Share::Rest => 2,
            },
            flags: batch
                .cuts
                .iter()
                .zip(EACH)
                .fold(0, |flags, (own, bit)| flags | flag(own.is_some(), bit)),
        };
        let pass_buffer = memory.uniform(self, "the pass", bytes_of(&pass)).await?;
        let of_cuts = memory.uniform(self, "the truncation", bytes_of(&uniform)).await?;
        let nothing = memory.scratch(self, "nothing", 16).await?;
        let bound = || {
            let device = guard.device();
            let nothing = nothing.as_entire_buffer_binding();
            let given = |buffer| given(buffer, &nothing);
            let of_rows = [
                (0, pass_buffer.as_entire_buffer_binding()),
                (1, buffers.logits.binding.clone()),
                (6, given(temperatures)),
                (8, given(row_indices)),
            ];
            let mut truncation = vec![of_cuts.as_entire_buffer_binding()];
            if each {
                truncation.extend(buffers.cuts.iter().map(given));
            }
            [
                bind_at(device, &layouts.rows, &of_rows),
                bind(device, layouts.truncation(each), &truncation),
            ]
        };
        let [of_rows, truncation] = guard.checked(Activity::Drawing, bound).await?;
        Ok(CutPasses {
            maxima,
            cut: (cut, grid(rows, device.workgroups)),
            check,
            bindings: [of_rows, restriction, truncation],
            again,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fields;
    use super::*;

    #[test]
    fn the_truncation_is_laid_out_as_in_the_shaders() {
        let source = include_str!("../../../shaders/kernel/truncation.wgsl");
        let each = include_str!("../../../shaders/kernel/truncations.each.wgsl");
        let names = ["top_k", "top_p", "min_p", "epsilon", "scale", "share", "flags"];
        assert_eq!(fields(source, "Truncation"), names);
        for (name, value) in [("TOP_K", 0), ("ALL", 1), ("REST", 2)] {
            assert!(source.contains(&format!("const SHARE_OF_{name}: u32 = {value}u;")));
        }
        assert_eq!(size_of::<Uniform>(), 4 * names.len());
        for (name, value) in ["TOP_K", "TOP_P", "MIN_P", "EPSILON"].into_iter().zip(EACH) {
            assert!(each.contains(&format!("const EACH_{name}: u32 = {value}u;")), "{name}");
        }
    }

    /// No invocation gets more half-spans than its loops have iterations for.
    #[test]
    fn rows_have_enough_invocations() {
        for teams in [Teams::HARDWARE, Teams::emulated(2)] {
            for categories in [1, 16, 4096, 4097, 128_256, 1 << 19, 622_592] {
                let lanes = lanes(categories, teams, 256).unwrap();
                let least = LEAST_LANES[usize::from(categories > 4096)];
                assert!(lanes.is_power_of_two() && (least..=256).contains(&lanes));
                assert!(halves(categories) <= lanes * MAX_HALVES_PER_LANE || categories <= 4096);
            }
            assert_eq!(super::lanes(622_593, teams, 256), None);
        }
    }
}
