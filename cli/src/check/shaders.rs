//! The shaders as files, by which another compiler of WGSL than wgpu's is checked.

use gumbel::ValueFormat;
use gumbel::shaders::{Kernel, Reduction, Restriction, Variant};
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
                        restriction: Restriction::None,
                        int64: false,
                        emulated: vec4 == each,
                        workgroup_size: if alone { 64 } else { 256 },
                    };
                    all.push(variant);
                }
            }
        }
    }
    all.extend(restricted());
    all.into_iter().map(described).collect()
}

/// Draws from rows that are masked or cut, what finds the cuts, and what writes log-probabilities of batches on a device.
fn restricted() -> impl Iterator<Item = Variant> {
    let plain = Variant {
        kernel: Kernel::Stream,
        reduction: Reduction::Workgroup,
        groups: false,
        format: ValueFormat::F32,
        vec4: false,
        each: false,
        immediates: false,
        restriction: Restriction::Masked,
        int64: false,
        emulated: false,
        workgroup_size: 256,
    };
    let forms = FORMATS.into_iter().flat_map(move |format| {
        let both = [(false, false), (false, true), (true, false), (true, true)];
        both.map(|(vec4, each)| Variant { format, vec4, each, emulated: vec4 == each, ..plain })
    });
    let of_cuts = |form: Variant| {
        let restrictions = [Restriction::Masked, Restriction::Cut];
        restrictions.into_iter().flat_map(move |restriction| {
            Kernel::OF_CUTS.map(|(kernel, groups)| Variant { kernel, groups, restriction, ..form })
        })
    };
    let of_races = |form: Variant| {
        let kernels = [
            (Kernel::Stream, false),
            (Kernel::Stream, true),
            (Kernel::SeveralDraws, false),
            (Kernel::SeveralDraws, true),
            (Kernel::Greedy, false),
            (Kernel::Sums, false),
        ];
        let reductions =
            [(Reduction::Alone, 64), (Reduction::Workgroup, 256), (Reduction::Subgroups, 256)];
        let all = [Restriction::Masked, Restriction::Cut, Restriction::MaskedAndCut];
        let restricted = all.into_iter().flat_map(move |restriction| {
            reductions.map(|(reduction, workgroup_size)| Variant {
                reduction,
                workgroup_size,
                restriction,
                ..form
            })
        });
        let all = kernels.into_iter().flat_map(move |(kernel, groups)| {
            restricted.clone().map(move |variant| Variant { kernel, groups, ..variant })
        });
        // a group takes a team
        all.filter(|variant| !(variant.groups && variant.reduction == Reduction::Alone))
    };
    // before the races, and after them
    let of_rows = |form: Variant| {
        let kernels = [Kernel::Copy, Kernel::Adjust, Kernel::LogProbs];
        kernels.map(|kernel| Variant { kernel, restriction: Restriction::None, ..form })
    };
    let ends = forms.clone().flat_map(of_rows);
    forms.clone().flat_map(of_cuts).chain(forms.flat_map(of_races)).chain(ends)
}

/// A variant with its name, as a file has it.
fn described(variant: Variant) -> Value {
    let enable = match variant.reduction {
        Reduction::Subgroups => "enable subgroups;\n",
        _ => "",
    };
    json!({
        "name": format!("{variant:?}"),
        "entryPoint": variant.entry_point(),
        "source": format!("{enable}{}", variant.source()),
    })
}
