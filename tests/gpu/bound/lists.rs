//! Biases and histories of rows, in memory and on a device.

use gumbel::{GpuSampler, NO_DRAW, wgpu};

use super::batch::buffer;

/// For each row, or for all rows together, categories with a number for each.
#[derive(Clone)]
pub(crate) struct Lists<V> {
    rows: Vec<List<V>>,
    is_shared: bool,
}

/// The entries of a row.
#[derive(Clone)]
pub(crate) struct List<V> {
    /// 0 and the number of entries.
    pub(crate) offsets: [usize; 2],
    pub(crate) categories: Vec<u32>,
    pub(crate) values: Vec<V>,
}

/// The buffers of lists: offsets, unless all rows have one list, categories and numbers.
pub(crate) type ListBuffers = (Option<wgpu::Buffer>, wgpu::Buffer, wgpu::Buffer);

impl<V: bytemuck::Pod> Lists<V> {
    pub(crate) fn each(rows: impl IntoIterator<Item = Vec<(u32, V)>>) -> Self {
        let list = |entries: Vec<(u32, V)>| {
            let offsets = [0, entries.len()];
            let (categories, values) = entries.into_iter().unzip();
            List { offsets, categories, values }
        };
        Self { rows: rows.into_iter().map(list).collect(), is_shared: false }
    }

    pub(crate) fn shared(entries: Vec<(u32, V)>) -> Self {
        Self { is_shared: true, ..Self::each([entries]) }
    }

    /// The list of a row.
    pub(crate) fn of(&self, row: usize) -> &List<V> {
        &self.rows[if self.is_shared { 0 } else { row }]
    }

    /// Writes the lists to buffers, each with an entry more that is of no category.
    pub(crate) fn buffers(&self, gpu: &GpuSampler) -> ListBuffers {
        let (mut offsets, mut categories, mut values) = (vec![0u32], Vec::new(), Vec::new());
        for list in &self.rows {
            categories.extend_from_slice(&list.categories);
            values.extend_from_slice(&list.values);
            categories.push(NO_DRAW);
            values.push(V::zeroed());
            offsets.push(categories.len() as u32);
        }
        let offsets = (!self.is_shared).then(|| buffer(gpu, &offsets));
        (offsets, buffer(gpu, &categories), buffer(gpu, &values))
    }
}
