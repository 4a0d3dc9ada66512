//! What is bound to the shaders of an inverse CDF: the tables, what they are built from, and the draws from them.

use bytemuck::{Pod, Zeroable};

use crate::error::Error;

use super::super::guard::Guard;
use super::plan::{PickPlan, TablePlan};

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

/// The tables of a chunk of rows.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) tops: wgpu::Buffer,
    pub(super) offsets: wgpu::Buffer,
    pub(super) sums: wgpu::Buffer,
}

impl Tables {
    /// Memory for so many.
    pub(super) async fn new(guard: &Guard, plan: &TablePlan, tables: usize) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let offsets = 8 * tables as u64 * (plan.blocks as u64 + 1);
        let sums = 8 * tables as u64 * plan.shape.categories as u64;
        let (cleared, made) = (Usage::STORAGE | Usage::COPY_DST, Usage::STORAGE);
        Ok(Self {
            tops: guard.buffer("the largest logits", 4 * tables as u64, cleared).await?,
            offsets: guard.buffer("the offsets of sums", offsets, made).await?,
            sums: guard.buffer("the sums", sums, made).await?,
        })
    }
}

/// What the tables of a chunk are built from; of use for one chunk after another, and for none of the draws.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) pass: wgpu::Buffer,
    pub(super) logits: wgpu::Buffer,
    /// In the place of draws.
    pub(super) nothing: wgpu::Buffer,
}

impl Source {
    pub(super) async fn new(guard: &Guard, plan: &TablePlan) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let logits = plan.most_tables() as u64 * (plan.row_stride * plan.shape.logit_bytes) as u64;
        let filled = Usage::STORAGE | Usage::COPY_DST;
        Ok(Self {
            pass: uniform(guard).await?,
            logits: guard.buffer("the logits", logits, filled).await?,
            nothing: guard.buffer("no draws", 4, Usage::STORAGE).await?,
        })
    }
}

/// The draws of a pick and of a pick's rows, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    rows: usize,
    draws: usize,
}

impl Sizes {
    pub(super) fn of(picking: &PickPlan) -> Self {
        Self { rows: picking.most_rows(), draws: picking.most_picks() }
    }

    fn max(self, other: Self) -> Self {
        Self { rows: self.rows.max(other.rows), draws: self.draws.max(other.draws) }
    }
}

/// Room for draws on their way, and what is bound to draw from each of some tables.
#[derive(Debug)]
pub(super) struct Room {
    sizes: Sizes,
    pub(super) pass: wgpu::Buffer,
    pub(super) row_ids: wgpu::Buffer,
    pub(super) draws: wgpu::Buffer,
    pub(super) readback: wgpu::Buffer,
    pub(super) bindings: Vec<wgpu::BindGroup>,
}

impl Room {
    pub(super) async fn new(guard: &Guard, sizes: Sizes) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let (ids, draws) = (8 * sizes.rows as u64, 4 * sizes.draws as u64);
        let (filled, made) = (Usage::STORAGE | Usage::COPY_DST, Usage::STORAGE | Usage::COPY_SRC);
        let read = Usage::MAP_READ | Usage::COPY_DST;
        Ok(Self {
            sizes,
            pass: uniform(guard).await?,
            row_ids: guard.buffer("the row ids", ids, filled).await?,
            draws: guard.buffer("the draws", draws, made).await?,
            readback: guard.buffer("the draws read back", draws, read).await?,
            bindings: Vec::new(),
        })
    }

    /// `None` if there is room for picks of these sizes, or else the sizes that would suffice for what
    /// there is room for too.
    pub(super) fn lacks(&self, sizes: Sizes) -> Option<Sizes> {
        let enough = self.sizes.rows >= sizes.rows && self.sizes.draws >= sizes.draws;
        (!enough).then(|| self.sizes.max(sizes))
    }
}

async fn uniform(guard: &Guard) -> Result<wgpu::Buffer, Error> {
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    guard.buffer("the uniform", size_of::<TablePass>() as u64, usage).await
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::options::ValueFormat;
    use crate::shaders::{Kernel, Share, Variant};

    /// The uniform is laid out by two compilers: their offsets agree, field by field.
    #[test]
    fn the_pass_is_laid_out_as_in_the_shader() {
        let source = Variant {
            kernel: Kernel::Pick,
            share: Share::Alone,
            format: ValueFormat::F32,
            vec4: true,
            each: false,
            immediates: false,
            int64: false,
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
