//! Checks of the shaders without a device: they are translated for every backend, and searched for
//! floats.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod door;
mod floats;
mod twins;
mod workgroup;

use gumbel::ValueFormat;
use gumbel::shaders::{Kernel, Reduction, Restriction, Variant};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, back};

/// The plainest variant.
const PLAIN: Variant = Variant {
    kernel: Kernel::Stream,
    reduction: Reduction::Workgroup,
    groups: false,
    format: ValueFormat::F32,
    vec4: false,
    each: false,
    immediates: false,
    restriction: Restriction::None,
    int64: false,
    emulated: false,
    workgroup_size: 64,
};
/// The kernels of draws and of the other operations on races.
const DRAWING: [Kernel; 11] = [
    Kernel::Stream,
    Kernel::Score,
    Kernel::SeveralDraws,
    Kernel::Greedy,
    Kernel::Merge,
    Kernel::TopK,
    Kernel::Sums,
    Kernel::Top,
    Kernel::Build,
    Kernel::Offsets,
    Kernel::Pick,
];
/// Those that have a form for long rows, whose noise comes from the top down.
const OF_GROUPS: [Kernel; 4] = [Kernel::Stream, Kernel::Score, Kernel::SeveralDraws, Kernel::TopK];
/// The kernels of soft samples.
const SOFT: [Kernel; 3] = [Kernel::SoftWeights, Kernel::Total, Kernel::Vjp];

/// Returns all kernels with and without each feature, and each with all kinds of logits.
fn variants() -> impl Iterator<Item = Variant> {
    drawing().chain(soft())
}

/// Draws from rows in which not every category may be drawn, what finds where these rows are cut, and what adjusts rows.
fn restricted() -> impl Iterator<Item = Variant> {
    // emulations have forms of their own
    let some =
        || forms().filter(|form| form.int64 == form.emulated && form.immediates == form.each);
    let races = some().flat_map(|form| {
        let kernels = [Kernel::Stream, Kernel::SeveralDraws, Kernel::Greedy, Kernel::Sums];
        let restrictions = [Restriction::Masked, Restriction::Cut, Restriction::MaskedAndCut];
        kernels.into_iter().flat_map(move |kernel| {
            restrictions.into_iter().flat_map(move |restriction| {
                let has_groups = !matches!(kernel, Kernel::Greedy | Kernel::Sums)
                    && form.reduction != Reduction::Alone;
                let groups = if has_groups { &[false, true][..] } else { &[false] };
                let of = move |&groups| Variant { kernel, restriction, groups, ..form };
                groups.iter().map(of)
            })
        })
    });
    let cuts = some().filter(|form| form.reduction == Reduction::Workgroup).flat_map(|form| {
        Kernel::OF_CUTS.into_iter().flat_map(move |(kernel, groups)| {
            let of =
                |restriction| Variant { kernel, groups, immediates: false, restriction, ..form };
            [of(Restriction::Masked), of(Restriction::Cut)]
        })
    });
    let log_probs = forms()
        .filter(|form| form.reduction == Reduction::Workgroup && !form.immediates)
        .map(|form| Variant { kernel: Kernel::LogProbs, ..form });
    let adjusting = forms()
        .filter(|form| form.reduction == Reduction::Workgroup && !form.immediates)
        .flat_map(|form| [Kernel::Copy, Kernel::Adjust].map(|kernel| Variant { kernel, ..form }));
    races.chain(cuts).chain(log_probs).chain(adjusting)
}

fn drawing() -> impl Iterator<Item = Variant> {
    // the teams of long rows have a workgroup
    let of_groups = forms()
        .filter(|form| form.reduction != Reduction::Alone)
        .flat_map(|variant| OF_GROUPS.map(|kernel| Variant { kernel, groups: true, ..variant }));
    let drawing = forms().flat_map(|variant| DRAWING.map(|kernel| Variant { kernel, ..variant }));
    drawing.chain(of_groups).chain(restricted())
}

fn soft() -> impl Iterator<Item = Variant> {
    let forms =
        forms().filter(|form| form.reduction == Reduction::Alone || form.int64 == PLAIN.int64);
    forms
        .filter(|form| {
            !form.each && !matches!(form.format, ValueFormat::Weights | ValueFormat::Counts)
        })
        .flat_map(|variant| {
            let of_groups = Variant { kernel: Kernel::SoftWeights, groups: true, ..variant };
            SOFT.map(|kernel| Variant { kernel, ..variant }).into_iter().chain([of_groups])
        })
}

fn forms() -> impl Iterator<Item = Variant> {
    let shares = [Reduction::Alone, Reduction::Workgroup, Reduction::Subgroups];
    let features = shares.into_iter().flat_map(|reduction| {
        [(false, false, 1), (true, false, 64), (true, true, 64)].into_iter().flat_map(
            move |(int64, emulated, workgroup_size)| {
                [(false, false), (false, true), (true, false), (true, true)].map(
                    move |(each, immediates)| Variant {
                        reduction,
                        each,
                        immediates,
                        int64,
                        emulated,
                        workgroup_size,
                        ..PLAIN
                    },
                )
            },
        )
    });
    let formats = [
        ValueFormat::F32,
        ValueFormat::F16,
        ValueFormat::Bf16,
        ValueFormat::Weights,
        ValueFormat::Counts,
    ];
    let loads = formats
        .into_iter()
        .flat_map(|format| [false, true].map(|vec4| Variant { format, vec4, ..PLAIN }));
    features.chain(loads)
}

fn validate(source: &str) -> (Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|e| {
        panic!("{}", e.emit_to_string(source));
    });
    let capabilities =
        Capabilities::SHADER_INT64 | Capabilities::SUBGROUP | Capabilities::IMMEDIATES;
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
        .subgroup_operations(naga::valid::SubgroupOperationSet::all())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    (module, info)
}

#[test]
fn every_variant_translates_to_spirv_msl_hlsl_and_glsl() {
    for variant in variants() {
        let (module, info) = validate(&variant.source());
        let spirv = back::spv::write_vec(&module, &info, &back::spv::Options::default(), None);
        assert!(spirv.unwrap().len() > 1000, "{variant:?}");

        let (msl, _) = back::msl::write_string(
            &module,
            &info,
            // 64-bit integers need Metal 2.3
            &back::msl::Options {
                lang_version: (2, 3),
                fake_missing_bindings: true,
                ..Default::default()
            },
            &back::msl::PipelineOptions::default(),
        )
        .unwrap();
        assert!(msl.contains(&format!("kernel void {}", variant.entry_point())), "{variant:?}");

        let mut hlsl = String::new();
        let options = back::hlsl::Options {
            // 64-bit integers need shader model 6.0
            shader_model: back::hlsl::ShaderModel::V6_0,
            fake_missing_bindings: true,
            immediates_target: Some(back::hlsl::BindTarget::default()),
            ..Default::default()
        };
        let pipeline = back::hlsl::PipelineOptions::default();
        back::hlsl::Writer::new(&mut hlsl, &options, &pipeline)
            .write(&module, &info, None)
            .unwrap();
        assert!(hlsl.contains(&format!("void {}(", variant.entry_point())), "{variant:?}");

        // GLSL ES has neither 64-bit integers nor subgroups, and its devices do not offer them
        if !variant.int64 && variant.reduction != Reduction::Subgroups {
            let mut glsl = String::new();
            let options = back::glsl::Options {
                version: back::glsl::Version::new_gles(310),
                ..Default::default()
            };
            let pipeline = back::glsl::PipelineOptions {
                shader_stage: naga::ShaderStage::Compute,
                entry_point: variant.entry_point().into(),
                multiview: None,
            };
            back::glsl::Writer::new(
                &mut glsl,
                &module,
                &info,
                &options,
                &pipeline,
                naga::proc::BoundsCheckPolicies::default(),
            )
            .unwrap()
            .write()
            .unwrap();
            assert!(glsl.contains("local_size_x"), "{variant:?}");
        }
    }
}
