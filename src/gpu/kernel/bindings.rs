//! The bindings of the kernels, by number.

/// Binds buffers in the order of the bindings.
pub(in crate::gpu) fn bind(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    bound: &[wgpu::BufferBinding<'_>],
) -> wgpu::BindGroup {
    bind_at(device, layout, &(0..).zip(bound.iter().cloned()).collect::<Vec<_>>())
}

/// Binds buffers at these bindings.
pub(in crate::gpu) fn bind_at(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    bound: &[(u32, wgpu::BufferBinding<'_>)],
) -> wgpu::BindGroup {
    let entries: Vec<_> = bound
        .iter()
        .map(|(binding, buffer)| wgpu::BindGroupEntry {
            binding: *binding,
            resource: wgpu::BindingResource::Buffer(buffer.clone()),
        })
        .collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("gumbel"),
        layout,
        entries: &entries,
    })
}

pub(super) type Entry = wgpu::BindGroupLayoutEntry;

fn entry(binding: u32, ty: wgpu::BufferBindingType) -> Entry {
    Entry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}

fn uniform(binding: u32) -> Entry {
    entry(binding, wgpu::BufferBindingType::Uniform)
}

fn storage(binding: u32, read_only: bool) -> Entry {
    entry(binding, wgpu::BufferBindingType::Storage { read_only })
}

/// The bindings that all kernels of draws have.
pub(super) fn plain() -> Vec<Entry> {
    vec![uniform(0), storage(1, true), storage(2, true), storage(3, false), storage(4, false)]
}

/// The bindings of a kernel of races, with the parameters that each row may have of its own.
pub(super) fn each() -> Vec<Entry> {
    plain().into_iter().chain((5..9).map(|binding| storage(binding, true))).collect()
}

/// The bindings of soft samples: those of a race without its draws, and those of
/// `shaders/kernel/soften.wgsl`.
pub(super) fn soft() -> Vec<Entry> {
    let own =
        [uniform(5), storage(6, false), storage(7, true), storage(8, false), storage(9, false)];
    plain().into_iter().take(4).chain(own).collect()
}

/// The bindings of `shaders/kernel/restriction.wgsl`.
pub(super) fn of_restriction() -> Vec<Entry> {
    vec![uniform(0), storage(1, true), storage(2, false)]
}

/// The bindings of rows that are to be cut: those of a race that say where their values are, and how these are scaled.
pub(super) fn of_cut_rows() -> Vec<Entry> {
    vec![uniform(0), storage(1, true), storage(6, true), storage(8, true)]
}

/// The bindings of a truncation, with cuts of each row if `each`.
pub(super) fn of_truncation(each: bool) -> Vec<Entry> {
    let own = if each { 1..5 } else { 0..0 };
    [uniform(0)].into_iter().chain(own.map(|binding| storage(binding, true))).collect()
}

/// The bindings of `shaders/kernel/log_probs.wgsl`.
pub(super) fn of_log_probs() -> Vec<Entry> {
    vec![storage(0, false), storage(1, false)]
}

/// The bindings of copies of rows.
pub(super) fn of_copies() -> Vec<Entry> {
    vec![storage(0, false)]
}

/// The bindings of `shaders/kernel/adjust.wgsl`.
pub(super) fn of_lists() -> Vec<Entry> {
    let lists = (2..9).map(|binding| storage(binding, true));
    [uniform(0), storage(9, false)].into_iter().chain(lists).collect()
}

/// The layouts of the bindings of rows that are to be adjusted, of their copies, and of the lists by which these are.
#[derive(Clone, Copy, Debug)]
pub(in crate::gpu) struct AdjustmentLayouts<'a> {
    pub(in crate::gpu) rows: &'a wgpu::BindGroupLayout,
    pub(in crate::gpu) copies: &'a wgpu::BindGroupLayout,
    pub(in crate::gpu) lists: &'a wgpu::BindGroupLayout,
}

/// The layouts of the bindings of cuts.
#[derive(Clone, Debug)]
pub(in crate::gpu) struct CutLayouts {
    pub(in crate::gpu) rows: wgpu::BindGroupLayout,
    pub(super) plain: wgpu::BindGroupLayout,
    pub(super) each: wgpu::BindGroupLayout,
}

impl CutLayouts {
    /// The layout of a truncation, with cuts of each row if `each`.
    pub(in crate::gpu) fn truncation(&self, each: bool) -> &wgpu::BindGroupLayout {
        if each { &self.each } else { &self.plain }
    }
}

/// The bindings of the uniform, logits, row ids and draws of `shaders/kernel/table.wgsl`.
pub(super) fn of_table_chunk() -> Vec<Entry> {
    vec![uniform(0), storage(1, true), storage(2, true), storage(3, false)]
}

/// The bindings of the tops, offsets and sums of `shaders/kernel/table.wgsl`.
pub(super) fn of_tables() -> Vec<Entry> {
    (0..3).map(|binding| storage(binding, false)).collect()
}

/// The layouts of the bindings of an inverse CDF: those of a chunk on its way, and those of its
/// tables.
#[derive(Clone, Debug)]
pub(in crate::gpu) struct TableLayouts {
    pub(in crate::gpu) chunk: wgpu::BindGroupLayout,
    pub(in crate::gpu) tables: wgpu::BindGroupLayout,
}

pub(super) fn bind_group_layout(device: &wgpu::Device, entries: &[Entry]) -> wgpu::BindGroupLayout {
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("gumbel"),
        entries,
    })
}
