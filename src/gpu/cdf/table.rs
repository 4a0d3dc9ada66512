//! The uniform of the shaders of an inverse CDF, and the tables that they build and draw from.

use bytemuck::{Pod, Zeroable};

use crate::error::Error;

use super::super::guard::{Activity, Guard};
use super::super::kernel::bind;
use super::plan::TablePlan;

/// The uniform `TablePass` of `shaders/kernel/table.wgsl`, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct TablePass {
    pub(super) seed: [u32; 2],
    pub(super) first_row: [u32; 2],
    pub(super) tables: u32,
    pub(super) first_table: u32,
    pub(super) rows: u32,
    pub(super) draws: u32,
    pub(super) first_draw: u32,
    pub(super) categories: u32,
    pub(super) row_stride: u32,
    pub(super) blocks: u32,
    pub(super) turns: u32,
    pub(super) block_categories: u32,
    pub(super) scale: u32,
    pub(super) flags: u32,
}

pub(super) const EACH_ID: u32 = 1;

/// The prepared tables of a chunk of rows.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) tops: wgpu::Buffer,
    /// The bindings by which tables are built and drawn from: tops, offsets and sums.
    pub(super) bindings: wgpu::BindGroup,
}

impl Tables {
    /// Allocates memory for `tables` tables.
    pub(super) async fn new(
        guard: &Guard,
        layout: &wgpu::BindGroupLayout,
        plan: &TablePlan,
        tables: usize,
    ) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let [tops, offsets, sums] = plan.bytes_of_table().map(|bytes| tables as u64 * bytes);
        let (cleared, made) = (Usage::STORAGE | Usage::COPY_DST, Usage::STORAGE);
        let tops = guard.buffer("the largest logits", tops, cleared).await?;
        let offsets = guard.buffer("the offsets of sums", offsets, made).await?;
        let sums = guard.buffer("the sums", sums, made).await?;
        let bound = [&tops, &offsets, &sums].map(wgpu::Buffer::as_entire_buffer_binding);
        let bind = || bind(guard.device(), layout, &bound);
        let bindings = guard.checked(Activity::Drawing, bind).await?;
        Ok(Self { tops, bindings })
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::options::ValueFormat;
    use crate::shaders::{Kernel, Reduction, Restriction, Variant};

    /// The uniform is laid out by two compilers: their offsets agree, field by field.
    #[test]
    fn the_pass_is_laid_out_as_in_the_shader() {
        let source = Variant {
            kernel: Kernel::Pick,
            reduction: Reduction::Alone,
            groups: false,
            format: ValueFormat::F32,
            vec4: true,
            each: false,
            immediates: false,
            restriction: Restriction::None,
            int64: false,
            emulated: false,
            workgroup_size: 64,
        }
        .source();
        assert!(source.contains(&format!("const EACH_ID: u32 = {EACH_ID}u;")));
        let module = naga::front::wgsl::parse_str(&source).unwrap();
        let of_name = |ty: &naga::Type| ty.name.as_deref() == Some("TablePass");
        let (_, ty) = module.types.iter().find(|(_, ty)| of_name(ty)).unwrap();
        let naga::TypeInner::Struct { members, span } = &ty.inner else {
            panic!("TablePass is a struct");
        };
        let shader: Vec<_> =
            members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
        macro_rules! offsets {
            ($($field:ident),*) => {
                vec![$((stringify!($field), offset_of!(TablePass, $field))),*]
            };
        }
        let host = offsets![
            seed,
            first_row,
            tables,
            first_table,
            rows,
            draws,
            first_draw,
            categories,
            row_stride,
            blocks,
            turns,
            block_categories,
            scale,
            flags
        ];
        assert_eq!(shader, host);
        assert_eq!(*span as usize, size_of::<TablePass>());
    }
}
