//! The shaders where they cannot be run: translated for every backend, and read for floats.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use gumbel::shaders::Variant;
use naga::valid::{Capabilities, FunctionInfo, ModuleInfo, ValidationFlags, Validator};
use naga::{Expression, Handle, MathFunction, Module, ScalarKind, back};

fn variants() -> impl Iterator<Item = Variant> {
    [false, true]
        .into_iter()
        .flat_map(|int64| [1, 64, 256].map(|workgroup_size| Variant { int64, workgroup_size }))
}

fn validate(source: &str) -> (Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|e| {
        panic!("{}", e.emit_to_string(source));
    });
    let info = Validator::new(ValidationFlags::all(), Capabilities::SHADER_INT64)
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
        assert!(msl.contains("kernel void race"), "{variant:?}");

        let mut hlsl = String::new();
        let options = back::hlsl::Options {
            // 64-bit integers need shader model 6.0
            shader_model: back::hlsl::ShaderModel::V6_0,
            fake_missing_bindings: true,
            ..Default::default()
        };
        let pipeline = back::hlsl::PipelineOptions::default();
        back::hlsl::Writer::new(&mut hlsl, &options, &pipeline)
            .write(&module, &info, None)
            .unwrap();
        assert!(hlsl.contains("void race("), "{variant:?}");

        // GLSL ES has no 64-bit integers, and its devices do not offer them
        if !variant.int64 {
            let mut glsl = String::new();
            let options = back::glsl::Options {
                version: back::glsl::Version::new_gles(310),
                ..Default::default()
            };
            let pipeline = back::glsl::PipelineOptions {
                shader_stage: naga::ShaderStage::Compute,
                entry_point: "race".into(),
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

/// No float operation decides a draw: of the functions, the filter's alone have floats, and
/// `settle`, which decides, is none of them. What the entry point does with floats is below.
#[test]
fn floats_are_in_the_filter_alone() {
    let filter = ["floor_of", "log2_low", "standing"].map(str::to_owned).into();
    for variant in variants() {
        assert_eq!(functions_with_floats(&variant.source()), filter, "{variant:?}");
    }
}

/// The check above sees a float in a deciding function.
#[test]
fn a_float_in_the_order_is_seen() {
    let source = Variant { int64: false, workgroup_size: 64 }.source();
    let from = "return add64(fixed(logit, scale), extend64(gumbel_units));";
    assert!(source.contains(from));
    let to = "return vec2<u32>(u32(bitcast<f32>(logit) * 16777216.0), 0u);";
    assert!(functions_with_floats(&source.replace(from, to)).contains("key"));
}

/// What the entry point does with floats beyond handing them to the filter's functions and
/// comparing what these return, as the shader words it; of a built-in function the name.
fn float_operations_of_the_entry_point(source: &str) -> Vec<String> {
    use Expression as E;
    use naga::BinaryOperator as Op;

    let (module, info) = validate(source);
    let [entry_point] = &module.entry_points[..] else { panic!("one entry point") };
    let (function, info) = (&entry_point.function, info.get_entry_point(0));
    let float = |expression| is_float(&module, info, expression);
    let is_allowed = |handle, expression: &Expression| match *expression {
        // to name a value, and to move it unchanged
        E::Literal(_) | E::Constant(_) | E::ZeroValue(_) | E::Compose { .. } => true,
        E::FunctionArgument(_) | E::GlobalVariable(_) | E::LocalVariable(_) => true,
        E::Access { .. } | E::AccessIndex { .. } | E::Load { .. } => true,
        E::Splat { .. } | E::Swizzle { .. } | E::Select { .. } => true,
        // what the filter returns
        E::CallResult(called) => {
            let name = module.functions[called].name.as_deref();
            !float(handle) || matches!(name, Some("standing" | "floor_of"))
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
        E::AtomicResult { .. } => !float(handle),
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
fn the_entry_point_hands_floats_on_and_compares_them() {
    for variant in variants() {
        let operations = float_operations_of_the_entry_point(&variant.source());
        assert_eq!(operations, Vec::<String>::new(), "{variant:?}");
    }
}

/// The check above sees conversions, arithmetic and functions of floats, also those of a function
/// that is not the filter's.
#[test]
fn a_float_operation_in_the_entry_point_is_seen() {
    let source = Variant { int64: false, workgroup_size: 64 }.source();
    let faults: [(_, _, &[_]); 7] = [
        (
            "let first_logit = row * run.row_stride;",
            "let first_logit = u32(f32(row)) * run.row_stride;",
            &["f32(row)", "u32(f32(row))"],
        ),
        ("s > highest", "s * 2.0 > highest", &["s * 2.0"]),
        ("s > highest", "s - highest > 0.0", &["s - highest"]),
        ("s > highest", "-s < highest", &["-s"]),
        ("s > highest", "trunc(s) > highest", &["trunc"]),
        ("s > highest", "min(s, 1.0) > highest", &["min"]),
        ("s > highest", "log2_low(leader) > highest", &["log2_low(leader)"]),
    ];
    for (from, to, seen) in faults {
        assert_eq!(source.matches(from).count(), 1, "{from}");
        let operations = float_operations_of_the_entry_point(&source.replace(from, to));
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

/// What is missing of: every shader file is in the table, has a Rust file of its stem, and every
/// function of the contract has a Rust function of its name there.
fn without_a_twin(shaders: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let rust = stems("src", "rs");
    let pieces: BTreeSet<_> =
        variants().flat_map(Variant::pieces).map(|piece| piece.source.to_owned()).collect();
    let mut missing = Vec::new();
    for (stem, texts) in shaders {
        for text in texts {
            if !pieces.contains(text) {
                missing.push(format!("{stem}: a file that is not in the table of pieces"));
            }
        }
        let Some(twins) = rust.get(stem) else {
            missing.push(format!("{stem}: no Rust file"));
            continue;
        };
        // the race is one entry point here and a type with methods there
        if stem == "race" {
            continue;
        }
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
    assert_eq!(contract.len(), 6 + 2);
    assert_eq!(without_a_shader(&contract, &stems("shaders", "wgsl")), Vec::<String>::new());
}

#[test]
fn every_shader_has_its_twin_and_its_place_in_the_table() {
    let shaders = stems("shaders", "wgsl");
    assert_eq!(shaders.len(), 8);
    assert_eq!(without_a_twin(&shaders), Vec::<String>::new());
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
