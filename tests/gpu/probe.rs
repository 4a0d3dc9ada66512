//! Runs one function on the GPU and its twin on the CPU, on many words.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use gumbel::ValueFormat;
use gumbel::noise::pair::{pair, unpair};
use gumbel::noise::philox;
use gumbel::shaders::{Kernel, Reduction, Restriction, Variant};
use gumbel::{AdapterReport, wgpu};
use libtest_mimic::Failed;

use super::ensure;

/// Four words: an argument or a result.
pub(crate) type Words = [u32; 4];

/// A function in WGSL, of `x: vec4<u32>` and `y: vec4<u32>`, and the same function in Rust.
pub(crate) struct Twin {
    pub(crate) wgsl: &'static str,
    pub(crate) rust: fn(Words, Words) -> Words,
}

const PROBE: &str = "
fn probe_noise(x: vec4<u32>, y: vec4<u32>) -> vec4<u32> {
    let stream = Stream(x.xy, x.zw, y.x >> 1u);
    let c = coarse(coarse_block(stream, y.y / 8u), y.y);
    let v = noise(stream, y.y, c);
    return vec4<u32>(v, bitcast<u32>(gumbel(v)), c);
}
@group(0) @binding(0) var<storage, read> items: array<array<vec4<u32>, 2>>;
@group(0) @binding(1) var<storage, read_write> results: array<vec4<u32>>;
@compute @workgroup_size(64)
fn probe(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * 64u + id.x;
    if i < arrayLength(&results) {
        let x = items[i][0];
        let y = items[i][1];
        results[i] = PROBED;
    }
}";

/// Returns the GPU's results for the items. The results start as poison, so that an unwritten one
/// shows.
fn on_gpu(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    source: &str,
    items: &[[Words; 2]],
) -> Result<Vec<Words>, Failed> {
    use wgpu::BufferUsages as Usage;
    let buffer = |size: usize, usage| {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: size as u64,
            usage,
            mapped_at_creation: false,
        })
    };
    let input = buffer(size_of_val(items), Usage::STORAGE | Usage::COPY_DST);
    let size = 16 * items.len();
    let output = buffer(size, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
    let readback = buffer(size, Usage::MAP_READ | Usage::COPY_DST);
    queue.write_buffer(&input, 0, bytemuck::cast_slice(items));
    queue.write_buffer(&output, 0, &vec![0xa5; size]);

    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some("probe"),
        compilation_options: Default::default(),
        cache: None,
    });
    let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: input.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: output.as_entire_binding() },
        ],
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &bindings, &[]);
    let workgroups = items.len().div_ceil(64) as u32;
    pass.dispatch_workgroups(workgroups.min(1024), workgroups.div_ceil(1024), 1);
    drop(pass);
    encoder.copy_buffer_to_buffer(&output, 0, &readback, 0, size as u64);
    queue.submit([encoder.finish()]);
    readback.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let view = readback.get_mapped_range(..)?;
    Ok(bytemuck::cast_slice(&view).to_vec())
}

/// The pieces of the engine that a function is probed with.
#[derive(Clone, Copy)]
pub(crate) enum Engine {
    /// The contract and the filter.
    Contract,
    /// The contract, the filter and a kernel in which each row has its own parameters.
    EachRow,
    /// The contract, the filter and a kernel for logits of 16 bits.
    Halves(ValueFormat),
    /// The contract and the kernel that adjusts rows.
    Adjusting,
}

impl Engine {
    /// Returns the source without the entry point, which has bindings of its own.
    fn pieces(self, int64: bool, emulated: bool) -> String {
        let plain = Variant {
            kernel: Kernel::Stream,
            reduction: Reduction::Workgroup,
            groups: false,
            format: ValueFormat::F32,
            vec4: false,
            each: false,
            immediates: false,
            restriction: Restriction::None,
            int64,
            emulated,
            workgroup_size: 64,
        };
        let (variant, end) = match self {
            Self::Contract => (plain, "run"),
            Self::EachRow => (Variant { each: true, ..plain }, "stream"),
            Self::Halves(format) => (Variant { format, ..plain }, "stream"),
            Self::Adjusting => (Variant { kernel: Kernel::Adjust, ..plain }, "adjust"),
        };
        let pieces = variant.pieces().take_while(|piece| piece.stem != end);
        let texts = pieces.map(|piece| piece.source);
        ["const WORKGROUP: u32 = 64u;\nconst EMULATED: bool = false;"]
            .into_iter()
            .chain(texts)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Returns in how many items GPU and CPU differ, for each variant of the product that the adapter
/// has.
pub(crate) fn differences(
    adapter: &AdapterReport,
    twin: &Twin,
    items: &[[Words; 2]],
    edit: impl Fn(String) -> String,
) -> Result<Vec<usize>, Failed> {
    differences_in(adapter, Engine::Contract, twin, items, edit)
}

/// Returns what [`differences`] does, with the pieces of `engine`.
pub(crate) fn differences_in(
    adapter: &AdapterReport,
    engine: Engine,
    twin: &Twin,
    items: &[[Words; 2]],
    edit: impl Fn(String) -> String,
) -> Result<Vec<usize>, Failed> {
    let expected: Vec<_> = items.iter().map(|&[x, y]| (twin.rust)(x, y)).collect();
    let feature = adapter.features & wgpu::Features::SHADER_INT64;
    // with 64-bit integers or without, and as an emulation has them
    let forms = [(false, false), (true, false), (true, true)];
    let forms = if feature.is_empty() { &forms[..1] } else { &forms };
    forms
        .iter()
        .map(|&(int64, emulated)| {
            let (device, queue) = super::device(adapter, feature)?;
            let source = edit(engine.pieces(int64, emulated) + PROBE).replace("PROBED", twin.wgsl);
            let words = on_gpu(&device, &queue, &source, items)?;
            Ok(words.iter().zip(&expected).filter(|(got, expected)| got != expected).count())
        })
        .collect()
}

pub(crate) fn same(
    adapter: &AdapterReport,
    twin: &Twin,
    items: &[[Words; 2]],
) -> Result<(), Failed> {
    same_in(adapter, Engine::Contract, twin, items)
}

/// Checks what [`same`] does, with the pieces of `engine`.
pub(crate) fn same_in(
    adapter: &AdapterReport,
    engine: Engine,
    twin: &Twin,
    items: &[[Words; 2]],
) -> Result<(), Failed> {
    let differences = differences_in(adapter, engine, twin, items, |source| source)?;
    ensure(differences.iter().all(|&n| n == 0), || {
        format!("{differences:?} of {} items differ in {}", items.len(), twin.wgsl)
    })
}

pub(crate) fn random(n: u32) -> impl Iterator<Item = [Words; 2]> {
    (0..n).map(|i| [0, 1].map(|k| philox::philox4x32_10([i, k, 0, 0], [3, 4])))
}

/// Returns words at the edges of 16 and 32 bits, in all combinations of four.
pub(crate) fn edges() -> impl Iterator<Item = [Words; 2]> {
    const EDGES: [u32; 9] =
        [0, 1, 2, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_0000, u32::MAX];
    (0..9usize.pow(4)).map(|i| {
        let words = [i, i / 9, i / 81, i / 729].map(|k| EDGES[k % 9]);
        [words, words]
    })
}

/// Returns pairs of every length with their complements: either side of every power of two, and
/// random pairs.
pub(crate) fn of_every_length() -> impl Iterator<Item = [Words; 2]> {
    let around = (0..64).flat_map(|e| (-2..=2).map(move |d| (1u64 << e).wrapping_add_signed(d)));
    let lengths = random(100_000).map(|[[low, high, n, _], _]| unpair([low, high]) >> (n % 64));
    around.chain(lengths).map(|v| {
        let ([a, b], [c, d]) = (pair(v), pair(!v));
        [[a, b, c, d], [0; 4]]
    })
}
