//! Restricts the rows of a batch on the device: what `shaders/kernel/restriction.wgsl` reads, and the passes that find
//! where rows are cut.

use std::num::NonZeroU64;

use bytemuck::{Pod, Zeroable, bytes_of};

use crate::error::Error;
use crate::gpu::Gpu;
use crate::gpu::batch::DeviceBatch;
use crate::gpu::guard::Activity;
use crate::gpu::kernel::{bind, flag};
use crate::gpu::layout::{halves, has_groups};

use super::buffers::{Bindable, Buffers};
use super::cuts::{CutPasses, cuts_roughly, cuts_rows, may_cut_to_share};
use super::memory::Memory;

/// The uniform `Restriction` of the shader, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Uniform {
    flags: u32,
    mask_stride: u32,
    groups_at: u32,
    halves_at: u32,
    bounds_at: u32,
    halves: u32,
}

const CUT: u32 = 1;
const IN_DOUBT: u32 = 2;
const ROUGH: u32 = 4;
/// The vectors that are kept of each row, and the bytes of one.
const RECORD: u64 = 2;
const BYTES: u128 = 16;
/// How often rows are drawn from again, each time cut above what was drawn, before their cuts are found by exact sums. The
/// first draw is cut with probability 1 − p, and what is above a draw that is cut is a random share of what was left. So the
/// number of draws that are cut has a Poisson distribution with mean −ln p: more than three are cut in 1 row of 200,000 at
/// p = 0.9, in 1 of 180 at 0.5, and in 1 of 5 at 0.1.
const ROUNDS: u32 = 3;

/// The restriction of the rows of a bound batch.
#[derive(Debug)]
pub(super) struct Restriction {
    /// The bindings of the races.
    bindings: wgpu::BindGroup,
    /// The passes before the races, if rows are cut.
    cuts: Option<CutPasses>,
    /// The bindings of the races of rows whose draws are in doubt, if that can be, and how often these are drawn from
    /// again before their cuts are found exactly.
    again: Option<(wgpu::BindGroup, u32)>,
}

/// The memory for the cuts of a batch: where what is kept of half-spans begins, in vectors, and its size.
#[derive(Clone, Copy, Debug, Default)]
struct CutMemory {
    groups_at: u32,
    halves_at: u32,
    bounds_at: u32,
    halves: u32,
    bytes: u64,
}

impl CutMemory {
    /// # Errors
    /// [`Error::DeviceBuffer`] if the device binds fewer words, or if a shader cannot number them.
    fn new(batch: &DeviceBatch<'_>, device: Bindable) -> Result<Self, Error> {
        let categories = batch.categories as usize;
        let halves = if has_groups(categories) { halves(categories) as u64 } else { 0 };
        let rows = u64::from(batch.rows);
        // of each half-span the largest values of groups, the largest word and the sum, and perhaps bounds of sums of groups
        let of_half = if cuts_roughly(batch) { 4 } else { 3 };
        let vectors = u128::from(rows) * u128::from(RECORD + of_half * halves);
        let most = device.most.min(BYTES as u64 * u64::from(u32::MAX));
        if BYTES * vectors > u128::from(most) {
            let problem = format!(
                "the largest values of the groups of {rows} rows of {categories} categories need {} bytes, and the \
                 device binds {most} at most; bind fewer rows at a time",
                BYTES * vectors
            );
            return Err(Error::DeviceBuffer { what: "the truncation", problem });
        }
        // as checked, all of these are below 2³²
        Ok(Self {
            groups_at: (rows * RECORD) as u32,
            halves_at: (rows * (RECORD + 2 * halves)) as u32,
            bounds_at: (rows * (RECORD + 3 * halves)) as u32,
            halves: halves as u32,
            bytes: (BYTES * vectors) as u64,
        })
    }
}

impl Restriction {
    /// The bindings with which rows are masked and not cut.
    pub(super) fn of_allowed(&self) -> &wgpu::BindGroup {
        self.cuts.as_ref().map_or(&self.bindings, CutPasses::of_allowed)
    }

    /// Adds the races to a compute pass, with what has to come before them, and once more for rows whose draws are in doubt.
    /// `races` adds the races of a bound batch, of which `bindings` are the bindings.
    pub(super) fn encode(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        bindings: &wgpu::BindGroup,
        races: impl Fn(&mut wgpu::ComputePass<'_>),
    ) {
        if let Some(cuts) = &self.cuts {
            cuts.encode(pass);
        }
        pass.set_bind_group(1, &self.bindings, &[]);
        races(pass);
        let (Some(cuts), Some((again, rounds))) = (&self.cuts, &self.again) else { return };
        for round in 0..=*rounds {
            cuts.encode_check(pass, bindings, round > 0);
            if round == *rounds {
                cuts.encode_exactly(pass);
            }
            pass.set_bind_group(1, again, &[]);
            races(pass);
        }
    }
}

impl Gpu {
    /// Prepares the restriction of a batch, for races with parameters of each row if `each`. `None` if every category may
    /// be drawn.
    pub(super) async fn restriction(
        &self,
        batch: &DeviceBatch<'_>,
        buffers: &Buffers<'_>,
        device: Bindable,
        each: bool,
        memory: &mut Memory,
    ) -> Result<Option<Restriction>, Error> {
        let cut = cuts_rows(batch);
        if buffers.masks.is_none() && !cut {
            return Ok(None);
        }
        let layout = self.kernels.restriction_layout(each)?;
        let places = match cut {
            true => CutMemory::new(batch, device)?,
            false => CutMemory::default(),
        };
        let CutMemory { groups_at, halves_at, bounds_at, halves, bytes } = places;
        let rough = cut && cuts_roughly(batch);
        // those of the races, and of the passes before them; then those of both for rows in doubt
        let flags = [flag(cut, CUT), flag(rough, ROUGH), flag(cut, CUT) | IN_DOUBT, IN_DOUBT];
        let masks = buffers.masks.as_ref();
        let alignment = self.device.limits().min_uniform_buffer_offset_alignment as usize;
        let apart = size_of::<Uniform>().next_multiple_of(alignment);
        let mut contents = vec![0; 4 * apart];
        for (flags, to) in flags.into_iter().zip(contents.chunks_exact_mut(apart)) {
            let uniform = Uniform {
                flags,
                mask_stride: batch.allowed.map_or(0, |(_, words_per_row)| words_per_row),
                groups_at,
                halves_at,
                bounds_at,
                halves,
            };
            to[..size_of::<Uniform>()].copy_from_slice(bytes_of(&uniform));
        }
        let uniforms = memory.uniform(self, "the restriction", &contents).await?;
        let cuts = memory.scratch(self, "the cuts", bytes.max(BYTES as u64)).await?;
        let nothing = memory.scratch(self, "nothing", 16).await?;
        let guard = &self.guard;
        let bound = || {
            [0, 1, 2, 3].map(|i| {
                let uniform = wgpu::BufferBinding {
                    buffer: &uniforms,
                    offset: i * apart as u64,
                    size: NonZeroU64::new(size_of::<Uniform>() as u64),
                };
                let masks = masks.cloned().unwrap_or(nothing.as_entire_buffer_binding());
                bind(guard.device(), layout, &[uniform, masks, cuts.as_entire_buffer_binding()])
            })
        };
        let [bindings, before, again, before_again] =
            guard.checked(Activity::Drawing, bound).await?;
        let cuts = match cut {
            true => {
                let bindings = [before, before_again];
                Some(self.cut_passes(batch, buffers, each, bindings, memory).await?)
            }
            false => None,
        };
        let rounds = if may_cut_to_share(batch) { ROUNDS } else { 0 };
        Ok(Some(Restriction { bindings, cuts, again: rough.then_some((again, rounds)) }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fields;
    use super::*;

    #[test]
    fn the_restriction_is_laid_out_as_in_the_shader() {
        let source = include_str!("../../../shaders/kernel/restriction.wgsl");
        let names = ["flags", "mask_stride", "groups_at", "halves_at", "bounds_at", "halves"];
        assert_eq!(fields(source, "Restriction"), names);
        assert_eq!(size_of::<Uniform>(), 4 * names.len());
        let record = RECORD as u32;
        for (name, value) in
            [("CUT", CUT), ("IN_DOUBT", IN_DOUBT), ("ROUGH", ROUGH), ("RECORD", record)]
        {
            assert!(source.contains(&format!("const {name}: u32 = {value}u;")), "{name}");
        }
    }
}
