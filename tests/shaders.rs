//! The shaders where they cannot be run: translated for every backend, and read for floats.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use gumbel::LogitsFormat;
use gumbel::shaders::{Kernel, Share, Variant};
use naga::valid::{Capabilities, FunctionInfo, ModuleInfo, ValidationFlags, Validator};
use naga::{Expression, Handle, MathFunction, Module, ScalarKind, back};

/// The plainest form.
const PLAIN: Variant = Variant {
    kernel: Kernel::Stream,
    share: Share::Workgroup,
    format: LogitsFormat::F32,
    vec4: false,
    each: false,
    immediates: false,
    int64: false,
    workgroup_size: 64,
};
/// The kernels of draws and of what is told of them.
const DRAWING: [Kernel; 10] = [
    Kernel::Stream,
    Kernel::Hold,
    Kernel::Greedy,
    Kernel::Merge,
    Kernel::Places,
    Kernel::Sums,
    Kernel::Top,
    Kernel::Build,
    Kernel::Offsets,
    Kernel::Pick,
];
/// Those of soft samples.
const SOFT: [Kernel; 3] = [Kernel::Weigh, Kernel::Total, Kernel::Pull];

/// All kernels with and without each feature, and each with all kinds of logits.
fn variants() -> impl Iterator<Item = Variant> {
    drawing().chain(soft())
}

fn drawing() -> impl Iterator<Item = Variant> {
    forms().flat_map(|variant| DRAWING.map(|kernel| Variant { kernel, ..variant }))
}

fn soft() -> impl Iterator<Item = Variant> {
    let forms = forms().filter(|form| form.share == Share::Alone || form.int64 == PLAIN.int64);
    forms
        .filter(|form| {
            !form.each && !matches!(form.format, LogitsFormat::Weights | LogitsFormat::Counts)
        })
        .flat_map(|variant| SOFT.map(|kernel| Variant { kernel, ..variant }))
}

fn forms() -> impl Iterator<Item = Variant> {
    let shares = [Share::Alone, Share::Workgroup, Share::Subgroups];
    let features =
        shares.into_iter().flat_map(|share| {
            [(false, 1), (true, 64)].into_iter().flat_map(move |(int64, workgroup_size)| {
                [(false, false), (false, true), (true, true)].map(move |(each, immediates)| {
                    Variant { share, each, immediates, int64, workgroup_size, ..PLAIN }
                })
            })
        });
    let formats = [
        LogitsFormat::F32,
        LogitsFormat::F16,
        LogitsFormat::Bf16,
        LogitsFormat::Weights,
        LogitsFormat::Counts,
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
        if !variant.int64 && variant.share != Share::Subgroups {
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

/// The functions with a float anywhere in them: an argument, a variable or a value on the way.
fn functions_with_floats(source: &str) -> BTreeSet<String> {
    let (module, info) = validate(source);
    let mut found = BTreeSet::new();
    for (handle, function) in module.functions.iter() {
        let mut expressions = function.expressions.iter();
        if expressions.any(|(e, _)| is_float(&module, &info[handle], e)) {
            found.insert(function.name.clone().unwrap());
        }
    }
    found
}

fn is_float(module: &Module, info: &FunctionInfo, expression: Handle<Expression>) -> bool {
    let inner = info[expression].ty.inner_with(&module.types);
    inner.scalar_kind() == Some(ScalarKind::Float)
}

/// What computes with floats: the filter and the bounds, and what they see of weights.
const FILTER: [&str; 14] = [
    "count_at",
    "filter_of",
    "floats_of",
    "floor_of",
    "log2_low",
    "log2_of",
    "lower_end",
    "mantissa",
    "measured_four",
    "scaled",
    "standing",
    "sure_floor",
    "threshold",
    "upper",
];
/// What hands the filter's floats on and compares them; what decides a draw is not among these.
const HANDS_ON: [&str; 20] = [
    "admit",
    "admit_pair",
    "admitted_at",
    "count_octet",
    "floor_after",
    "highest_of",
    "highest_of_pair",
    "open_floor",
    "ordered",
    "pair_at",
    "pair_of",
    "paired",
    "raise_floor",
    "row_of",
    "shared_floor",
    "standings",
    "sure_floor_of",
    "sure_floor_of_pair",
    "take",
    "told",
];

/// All but what sums rows, on which no draw depends.
fn deciding() -> impl Iterator<Item = Variant> {
    drawing().filter(|variant| variant.kernel != Kernel::Sums)
}

/// No float operation decides a draw: `settle`, `beats`, `joined` and `winner`, which decide, have
/// none, nor have the functions that load logits and the kernels without noise.
#[test]
fn no_float_is_in_what_decides() {
    let allowed: BTreeSet<_> =
        FILTER.into_iter().chain(HANDS_ON).chain(["unordered"]).map(str::to_owned).collect();
    for variant in deciding() {
        let source = variant.source();
        let found = functions_with_floats(&source);
        assert!(found.is_subset(&allowed), "{variant:?}: {found:?}");
        if !matches!(variant.kernel, Kernel::Stream | Kernel::Hold | Kernel::Places) {
            let (module, info) = validate(&source);
            let mut expressions = module.entry_points[0].function.expressions.iter();
            let info = info.get_entry_point(0);
            assert!(!expressions.any(|(e, _)| is_float(&module, info, e)), "{variant:?}");
        }
    }
}

/// In the kernels of soft samples floats come after the keys: these functions have some, and those of the
/// contract none.
#[test]
fn soft_samples_have_floats_after_the_keys() {
    let weights = ["keep", "keep_four", "soft_weight", "weights_of", "weights_of_two"];
    let allowed: BTreeSet<_> =
        FILTER.into_iter().chain(["ordered", "row_of", "unordered"]).chain(weights).collect();
    for variant in soft() {
        let found = functions_with_floats(&variant.source());
        assert!(found.iter().all(|name| allowed.contains(&**name)), "{variant:?}: {found:?}");
    }
}

/// The check above sees a float in a deciding function.
#[test]
fn a_float_in_the_order_is_seen() {
    let source = PLAIN.source();
    let from = "return add64(fixed(logit, scale), extend64(gumbel_units));";
    assert!(source.contains(from));
    let to = "return vec2<u32>(u32(bitcast<f32>(logit) * 16777216.0), 0u);";
    assert!(functions_with_floats(&source.replace(from, to)).contains("key"));
}

/// What a shader does with floats, outside the filter, beyond handing them to functions and comparing
/// what these return, as the shader words it; of a built-in function the name.
fn float_operations_outside_the_filter(source: &str) -> Vec<String> {
    let (module, info) = validate(source);
    let mut found = Vec::new();
    for (handle, function) in module.functions.iter() {
        if !FILTER.contains(&function.name.as_deref().unwrap()) {
            found.extend(float_operations(&module, function, &info[handle], source));
        }
    }
    let [entry_point] = &module.entry_points[..] else { panic!("one entry point") };
    found.extend(float_operations(&module, &entry_point.function, info.get_entry_point(0), source));
    found
}

fn float_operations(
    module: &Module,
    function: &naga::Function,
    info: &FunctionInfo,
    source: &str,
) -> Vec<String> {
    use Expression as E;
    use naga::BinaryOperator as Op;

    let float = |expression| is_float(module, info, expression);
    let is_allowed = |handle, expression: &Expression| match *expression {
        // to name a value, and to move it unchanged
        E::Literal(_) | E::Constant(_) | E::ZeroValue(_) | E::Compose { .. } => true,
        E::FunctionArgument(_) | E::GlobalVariable(_) | E::LocalVariable(_) => true,
        E::Access { .. } | E::AccessIndex { .. } | E::Load { .. } => true,
        E::Splat { .. } | E::Swizzle { .. } | E::Select { .. } => true,
        // what the filter returns, or a function that is itself looked at here
        E::CallResult(called) => {
            let name = module.functions[called].name.as_deref().unwrap();
            !float(handle) || !["log2_low", "log2_of", "mantissa", "scaled"].contains(&name)
        }
        // to compare
        E::Binary { op: Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual, .. } => true,
        E::Binary { op: Op::Equal | Op::NotEqual, .. } => true,
        E::Math { fun: MathFunction::Max, .. } => true,
        // the bits as they are, but no conversion from a float or to one
        E::As { convert: None, .. } => true,
        E::As { expr, .. } => !float(expr) && !float(handle),
        // arithmetic of integers
        E::Unary { expr, .. } => !float(expr),
        E::Binary { left, right, .. } => !float(left) && !float(right),
        E::Math { arg, .. } => !float(arg) && !float(handle),
        E::Relational { argument, .. } => !float(argument),
        E::AtomicResult { .. } | E::SubgroupOperationResult { .. } => !float(handle),
        // whatever comes into the shader next is to be thought about
        _ => false,
    };
    let expressions = function.expressions.iter();
    expressions
        .filter(|&(handle, expression)| !is_allowed(handle, expression))
        .map(|(handle, expression)| match function.expressions.get_span(handle).to_range() {
            Some(range) => source[range].to_owned(),
            None => format!("{expression:?}"),
        })
        .collect()
}

#[test]
fn floats_are_handed_on_and_compared() {
    for variant in deciding() {
        let operations = float_operations_outside_the_filter(&variant.source());
        assert_eq!(operations, Vec::<String>::new(), "{variant:?}");
    }
}

/// The check above sees conversions, arithmetic and functions of floats, also those of a function
/// of the filter that others do not call.
#[test]
fn a_float_operation_outside_the_filter_is_seen() {
    let source = PLAIN.source();
    let compare = "if highest_of_pair(pair) >= lead.floor {";
    let faults: [(_, _, &[_]); 7] = [
        (
            "let first_logit = run.first_logit + position * run.row_stride;",
            "let first_logit = run.first_logit + u32(f32(position)) * run.row_stride;",
            &["f32(position)", "u32(f32(position))"],
        ),
        (compare, "if lead.floor * 2.0 > 1.0 {", &["lead.floor * 2.0"]),
        (compare, "if lead.floor - 2.0 > 1.0 {", &["lead.floor - 2.0"]),
        (compare, "if -lead.floor > 1.0 {", &["-lead.floor"]),
        (compare, "if trunc(lead.floor) > 1.0 {", &["trunc"]),
        (compare, "if min(lead.floor, 1.0) > 0.5 {", &["min"]),
        (compare, "if log2_low(octet) > lead.floor {", &["log2_low(octet)"]),
    ];
    for (from, to, seen) in faults {
        assert_eq!(source.matches(from).count(), 1, "{from}");
        let operations = float_operations_outside_the_filter(&source.replace(from, to));
        assert_eq!(operations, seen, "{to}");
    }
}

/// `stem → files` under a folder; the stem is the name up to the first dot.
fn stems(folder: &str, extension: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                let name = path.file_name().unwrap().to_str().unwrap();
                let stem = name.split('.').next().unwrap().to_owned();
                found.entry(stem).or_default().push(fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The shader files that are in no variant.
fn without_a_place(shaders: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let pieces: BTreeSet<_> =
        variants().flat_map(Variant::pieces).map(|piece| piece.source.to_owned()).collect();
    let files = shaders.iter().flat_map(|(stem, texts)| texts.iter().map(move |text| (stem, text)));
    files
        .filter(|(_, text)| !pieces.contains(*text))
        .map(|(stem, _)| format!("{stem}: a file that is not in the table of pieces"))
        .collect()
}

/// What is missing of: every shader file is in the table, has a Rust file of its stem, and every
/// function of the contract has a Rust function of its name there.
fn without_a_twin(shaders: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let rust = stems("src", "rs");
    let mut missing = without_a_place(shaders);
    for (stem, texts) in shaders {
        let Some(twins) = rust.get(stem) else {
            missing.push(format!("{stem}: no Rust file"));
            continue;
        };
        for line in texts.iter().flat_map(|text| text.lines()) {
            let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('('))
            else {
                continue;
            };
            // a constant in Rust
            let name = if name == "best_none" { "const NONE:" } else { &format!("fn {name}(") };
            if !twins.iter().any(|twin| twin.contains(name)) {
                missing.push(format!("{stem}: no {name} in Rust"));
            }
        }
    }
    missing
}

/// The Rust files of the contract that have no shader of their stem.
fn without_a_shader(
    contract: &BTreeMap<String, Vec<String>>,
    shaders: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    // what is listed in `mod` has a shader, not the list; and unit tests are no part of it
    let files = contract.keys().filter(|stem| !["mod", "tests"].contains(&stem.as_str()));
    files.filter(|&stem| !shaders.contains_key(stem)).cloned().collect()
}

#[test]
fn every_file_of_the_contract_has_its_shader() {
    let contract = stems("src/noise", "rs");
    assert_eq!(contract.len(), 9 + 2);
    assert_eq!(without_a_shader(&contract, &stems("shaders", "wgsl")), Vec::<String>::new());
}

#[test]
fn every_shader_has_its_twin_and_its_place_in_the_table() {
    let mut shaders = stems("shaders", "wgsl");
    // the kernels are the GPU engine's own
    let kernels = stems("shaders/kernel", "wgsl");
    shaders.retain(|stem, _| !kernels.contains_key(stem));
    assert_eq!((shaders.len(), kernels.len()), (10, 31));
    assert_eq!(without_a_twin(&shaders), Vec::<String>::new());
    assert_eq!(without_a_place(&kernels), Vec::<String>::new());
}

#[test]
fn a_missing_twin_is_seen() {
    // the beginning of a name that there is
    let text = "fn gumb(x: u32) -> u32 {".to_owned();
    let shaders =
        BTreeMap::from([("gumbel".to_owned(), vec![text.clone()]), ("new".to_owned(), vec![text])]);
    assert_eq!(without_a_twin(&shaders).len(), 4);
}

#[test]
fn a_missing_shader_is_seen() {
    let contract = stems("src/noise", "rs");
    let mut shaders = stems("shaders", "wgsl");
    shaders.remove("order");
    assert_eq!(without_a_shader(&contract, &shaders), ["order"]);
}
