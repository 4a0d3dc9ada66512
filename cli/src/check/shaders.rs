//! The shaders as files, by which another compiler of WGSL than wgpu's is checked.

use gumbel::ValueFormat;
use gumbel::shaders::{Kernel, Reduction, Variant};
use serde_json::{Value, json};

const KERNELS: [Kernel; 14] = [
    Kernel::Stream,
    Kernel::SeveralDraws,
    Kernel::Greedy,
    Kernel::Merge,
    Kernel::TopK,
    Kernel::Score,
    Kernel::Sums,
    Kernel::SoftWeights,
    Kernel::Total,
    Kernel::Vjp,
    Kernel::Top,
    Kernel::Build,
    Kernel::Offsets,
    Kernel::Pick,
];
const FORMATS: [ValueFormat; 5] = [
    ValueFormat::F32,
    ValueFormat::F16,
    ValueFormat::Bf16,
    ValueFormat::Weights,
    ValueFormat::Counts,
];

/// Every variant for devices with neither 64-bit integers nor immediate data, as browsers have them, with its name. Those
/// with subgroups, which wgpu does not ask of a browser, begin with the directive that the standard demands and wgpu's
/// compiler does not take.
pub(super) fn all() -> Value {
    let mut all = Vec::new();
    for kernel in KERNELS {
        let soft = kernel.is_soft();
        let of_races = !soft && !kernel.is_of_tables();
        for reduction in [Reduction::Alone, Reduction::Workgroup, Reduction::Subgroups] {
            // the others have no piece that shares
            if !of_races && reduction != Reduction::Workgroup {
                continue;
            }
            for (groups, vec4, each) in
                (0..8).map(|bits| (bits & 1 == 1, bits & 2 == 2, bits & 4 == 4))
            {
                // a group takes a team, and so does a merge
                let alone = reduction == Reduction::Alone;
                if each && !of_races || groups && alone || alone && kernel == Kernel::Merge {
                    continue;
                }
                for format in FORMATS {
                    if soft && matches!(format, ValueFormat::Weights | ValueFormat::Counts) {
                        continue;
                    }
                    let variant = Variant {
                        kernel,
                        reduction,
                        groups,
                        format,
                        vec4,
                        each,
                        immediates: false,
                        int64: false,
                        emulated: vec4 == each,
                        workgroup_size: if alone { 64 } else { 256 },
                    };
                    let enable = match reduction {
                        Reduction::Subgroups => "enable subgroups;\n",
                        _ => "",
                    };
                    all.push(json!({
                        "name": format!("{variant:?}"),
                        "entryPoint": variant.entry_point(),
                        "source": format!("{enable}{}", variant.source()),
                    }));
                }
            }
        }
    }
    Value::from(all)
}
