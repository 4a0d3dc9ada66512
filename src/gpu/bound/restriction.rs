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
use super::cuts::{CutPasses, cuts_roughly, cuts_rows};
use super::memory::Memory;

/// The uniform `Restriction` of the shader, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Uniform {
    flags: u32,
    mask_stride: u32,
    sure_at: u32,
    doubts_at: u32,
    groups_at: u32,
    halves_at: u32,
    halves: u32,
}

const MASKED: u32 = 1;
const CUT: u32 = 2;
const IN_DOUBT: u32 = 4;
const ROUGH: u32 = 8;

/// The restriction of the rows of a bound batch.
#[derive(Debug)]
pub(super) struct Restriction {
    /// The bindings of the races.
    bindings: wgpu::BindGroup,
    /// The passes before the races, if rows are cut.
    cuts: Option<CutPasses>,
    /// The bindings of the races of rows whose draws are in doubt, if that can be.
    again: Option<wgpu::BindGroup>,
}

/// The memory for the cuts of a batch, in words.
#[derive(Clone, Copy, Debug)]
struct CutMemory {
    groups_at: u32,
    halves_at: u32,
    halves: u32,
    words: u32,
}

impl CutMemory {
    /// # Errors
    /// [`Error::DeviceBuffer`] if the device binds fewer words, or if a shader cannot number them.
    fn new(batch: &DeviceBatch<'_>, device: Bindable) -> Result<Self, Error> {
        let categories = batch.categories as usize;
        let halves = if has_groups(categories) { halves(categories) as u64 } else { 0 };
        let rows = u64::from(batch.rows);
        let words = u128::from(rows) * u128::from(3 + 9 * halves);
        let most = device.most.min(4 * u64::from(u32::MAX));
        if 4 * words > u128::from(most) {
            let problem = format!(
                "the largest values of the groups of {rows} rows of {categories} categories need {} bytes, and the \
                 device binds {most} at most; bind fewer rows at a time",
                4 * words
            );
            return Err(Error::DeviceBuffer { what: "the truncation", problem });
        }
        // as checked, all of these are below 2^32
        Ok(Self {
            groups_at: (3 * rows) as u32,
            halves_at: (rows * (3 + 8 * halves)) as u32,
            halves: halves as u32,
            words: words as u32,
        })
    }
}

impl Restriction {
    /// Adds to a compute pass what has to come before the races.
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        if let Some(cuts) = &self.cuts {
            cuts.encode(pass);
        }
        pass.set_bind_group(1, &self.bindings, &[]);
    }

    /// Adds to a compute pass what has to come between the races and races once more, of the rows whose draws are in
    /// doubt. Adds nothing, and returns false, if none can be. `races` are the bindings of the races.
    pub(super) fn encode_again(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        races: &wgpu::BindGroup,
    ) -> bool {
        let (Some(cuts), Some(again)) = (&self.cuts, &self.again) else { return false };
        cuts.encode_again(pass, races);
        pass.set_bind_group(1, again, &[]);
        true
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
            false => CutMemory { groups_at: 0, halves_at: 0, halves: 0, words: 4 },
        };
        let CutMemory { groups_at, halves_at, halves, words } = places;
        let rough = cut && cuts_roughly(batch);
        // those of the races, and of the passes before them; then those of both for rows in doubt
        let flags = [flag(cut, CUT), flag(rough, ROUGH), flag(cut, CUT) | IN_DOUBT, IN_DOUBT];
        let masks = buffers.masks.as_ref();
        let alignment = self.device.limits().min_uniform_buffer_offset_alignment as usize;
        let apart = size_of::<Uniform>().next_multiple_of(alignment);
        let mut contents = vec![0; 4 * apart];
        for (flags, to) in flags.into_iter().zip(contents.chunks_exact_mut(apart)) {
            let uniform = Uniform {
                flags: flags | flag(masks.is_some(), MASKED),
                mask_stride: batch.allowed.map_or(0, |(_, words_per_row)| words_per_row),
                sure_at: batch.rows,
                doubts_at: batch.rows.wrapping_mul(2),
                groups_at,
                halves_at,
                halves,
            };
            to[..size_of::<Uniform>()].copy_from_slice(bytes_of(&uniform));
        }
        let uniforms = memory.uniform(self, "the restriction", &contents).await?;
        let words = 4 * u64::from(words).max(4);
        let cuts = memory.scratch(self, "the cuts", words).await?;
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
        Ok(Some(Restriction { bindings, cuts, again: rough.then_some(again) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The uniform is laid out by two compilers; in both it is words.
    #[test]
    fn the_restriction_is_laid_out_as_in_the_shader() {
        let source = include_str!("../../../shaders/kernel/restriction.wgsl");
        let begin = source.find("struct Restriction {").unwrap();
        let body = &source[begin..][..source[begin..].find('}').unwrap()];
        let fields: Vec<_> = body
            .lines()
            .filter_map(|line| line.trim().strip_suffix(": u32,").map(str::to_owned))
            .collect();
        assert_eq!(
            fields,
            ["flags", "mask_stride", "sure_at", "doubts_at", "groups_at", "halves_at", "halves"]
        );
        assert_eq!(size_of::<Uniform>(), 4 * fields.len());
        for (name, value) in
            [("MASKED", MASKED), ("CUT", CUT), ("IN_DOUBT", IN_DOUBT), ("ROUGH", ROUGH)]
        {
            assert!(source.contains(&format!("const {name}: u32 = {value}u;")), "{name}");
        }
    }
}
