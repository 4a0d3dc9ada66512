//! The kernel of draws for a device that wgpu has not opened.

use bytemuck::bytes_of;

use crate::error::Error;
use crate::job::Temperature;
use crate::noise::bits::MAX_DRAWS;
use crate::options::ValueFormat;
use crate::shaders::{Restriction, Variant};

use super::kernel::{Pass, words};
use super::layout::{Device, Layout, Races, Teams, has_groups};

/// The workgroups along one dimension, and the invocations of a workgroup, that every device of WebGPU has.
const WORKGROUPS: u32 = 65_535;
const WORKGROUP_SIZE: u32 = 256;

/// A kernel that draws, for devices that wgpu does not know, as in a browser those of other libraries: WGSL, a uniform,
/// and how to dispatch. Every device of WebGPU has what the kernel takes.
///
/// Rows of `f32` logits follow each other without a gap. In bind group 0 the kernel has these bindings:
///
/// | binding | buffer |
/// |---|---|
/// | 0 | the [uniform](Self::uniform) |
/// | 1 | the logits: rows × categories `f32`, read |
/// | 2 | anything of 16 bytes, read; not the draws |
/// | 3 | anything of 16 bytes, written; not the draws |
/// | 4 | the draws: rows × draws `u32`, written |
///
/// A row without a draw gets [`NO_DRAW`](crate::NO_DRAW). The draws are those of
/// [`sample_rows`](crate::reference::sample_rows). No row is cut into parts, so that few long rows leave much of a large
/// GPU idle; [`GpuSampler::bind`](crate::GpuSampler::bind) cuts them.
///
/// ```
/// use gumbel::DrawKernel;
/// let kernel = DrawKernel::new(256, 128_256, 1, 1.0)?.with_seed(7);
/// assert_eq!(kernel.workgroups(), [256, 1]);
/// assert!(kernel.source().contains("fn race("));
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct DrawKernel {
    variant: Variant,
    pass: Pass,
    workgroups: [u32; 2],
}

impl DrawKernel {
    /// The byte offset, in the [uniform](Self::uniform), of the first draw's number. A loop changes only this `u32`.
    pub const FIRST_DRAW: usize = std::mem::offset_of!(Pass, first_draw);

    /// The kernel for `draws` draws from each of `rows` rows, with seed 0, from draw 0 on, and rows that are numbered
    /// from 0.
    ///
    /// # Errors
    /// [`Error::Categories`], [`Error::Draws`] and [`Error::Temperature`]; [`Error::DeviceBuffer`] if there are no rows,
    /// more logits or draws than 32 bits number, or more races than are dispatched at once.
    pub fn new(rows: u32, categories: u32, draws: u32, temperature: f32) -> Result<Self, Error> {
        let temperature = Temperature::new(temperature)?;
        if categories == 0 {
            return Err(Error::Categories { got: 0 });
        }
        if draws == 0 || draws > MAX_DRAWS {
            return Err(Error::Draws { first_draw: 0, draws });
        }
        let races = u64::from(rows) * u64::from(draws);
        let logits = u64::from(rows) * u64::from(categories);
        if rows == 0 || races > u64::from(u32::MAX) || logits > u64::from(u32::MAX) {
            let problem = format!(
                "{rows} rows of {categories} logits with {draws} draws each were asked for, and the kernel takes 1 to \
                 4294967295 logits and draws"
            );
            return Err(Error::DeviceBuffer { what: "the rows", problem });
        }
        let races = Races {
            rows: rows as usize,
            categories: categories as usize,
            draws,
            greedy: temperature == Temperature::Greedy,
            groups: has_groups(categories as usize),
        };
        // with so little to be kept busy no row is cut
        let teams = Teams { busy_invocations: 1, holds_logits: false, ..Teams::HARDWARE };
        let teams = teams.within(WORKGROUP_SIZE);
        let device = Device { teams, subgroups: false, workgroups: WORKGROUPS };
        let layout = Layout::new(races, device);
        let workgroups = layout.workgroups(rows as usize, draws as usize);
        if layout.is_cut() || workgroups[1] > WORKGROUPS {
            let problem = format!(
                "{rows} rows of {categories} logits with {draws} draws each do not fit into one dispatch; take fewer at \
                 a time"
            );
            return Err(Error::DeviceBuffer { what: "the rows", problem });
        }
        let variant = Variant {
            kernel: layout.kernel,
            reduction: layout.reduction,
            groups: layout.has_groups(),
            format: ValueFormat::F32,
            vec4: categories.is_multiple_of(4),
            each: false,
            immediates: false,
            restriction: Restriction::None,
            int64: false,
            emulated: false,
            workgroup_size: layout.workgroup_size,
        };
        let pass = Pass {
            rows,
            draws,
            categories,
            row_stride: categories,
            source_rows: rows,
            ..Pass::laid_out(&layout, ValueFormat::F32, temperature)
        };
        Ok(Self { variant, pass, workgroups })
    }

    /// Draws under this seed.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { pass: Pass { seed: words(seed), ..self.pass }, ..self }
    }

    /// Numbers the rows from `first_row` on, modulo 2⁶⁴.
    pub fn with_first_row(self, first_row: u64) -> Self {
        Self { pass: Pass { first_row: words(first_row), ..self.pass }, ..self }
    }

    /// The WGSL text of the kernel.
    pub fn source(&self) -> String {
        self.variant.source()
    }

    /// The name of the kernel's entry point.
    pub fn entry_point(&self) -> &'static str {
        self.variant.entry_point()
    }

    /// The bytes of the uniform.
    pub fn uniform(&self) -> &[u8] {
        bytes_of(&self.pass)
    }

    /// The number of workgroups to dispatch, along two dimensions.
    pub fn workgroups(&self) -> [u32; 2] {
        self.workgroups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_cut() {
        for (rows, categories, draws) in
            [(1, 1 << 20, 1), (1, 50_257, 3), (9, 16, 100), (70_000, 2, 1)]
        {
            let kernel = DrawKernel::new(rows, categories, draws, 1.0).unwrap();
            assert_eq!(kernel.pass.parts, 1, "{rows} x {categories}");
            assert_eq!(kernel.variant.groups, categories > 4096);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let words = |rows, categories, draws, temperature| {
            let refused = DrawKernel::new(rows, categories, draws, temperature);
            refused.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(words(0, 3, 1, 1.0).contains("takes 1 to 4294967295 logits"));
        assert!(words(1 << 20, 1 << 12, 1, 1.0).contains("takes 1 to 4294967295 logits"));
        assert!(words(1 << 30, 2, 4, 1.0).contains("takes 1 to 4294967295 logits"));
        assert!(words(1, 0, 1, 1.0).contains("1 to 4294967295 categories"));
        assert!(words(1, 1, 0, 1.0).contains("no draws were asked for"));
        assert!(words(1, 1, 1, -1.0).contains("the temperature must be"));
    }
}
