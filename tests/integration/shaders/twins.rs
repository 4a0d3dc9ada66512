//! Every shader has its place in the table of pieces, and those of the contract their twins in Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use gumbel::shaders::Variant;

use super::variants;

/// Returns `stem → files` under a folder; the stem is the name up to the first dot.
fn stems(folder: &str, extension: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)];
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

/// Returns the shader files that are in no variant.
fn without_a_place(shaders: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let pieces: BTreeSet<_> =
        variants().flat_map(Variant::pieces).map(|piece| piece.source.to_owned()).collect();
    let files = shaders.iter().flat_map(|(stem, texts)| texts.iter().map(move |text| (stem, text)));
    files
        .filter(|(_, text)| !pieces.contains(*text))
        .map(|(stem, _)| format!("{stem}: a file that is not in the table of pieces"))
        .collect()
}

/// Returns the violations of these rules: every shader file is in the table and has a Rust file of
/// its stem, and every function of the contract has a Rust function of its name there.
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
            // this function is a constant in Rust
            let name = if name == "best_none" { "const NONE:" } else { &format!("fn {name}(") };
            if !twins.iter().any(|twin| twin.contains(name)) {
                missing.push(format!("{stem}: no {name} in Rust"));
            }
        }
    }
    missing
}

/// Returns the Rust files of the contract that have no shader of their stem.
fn without_a_shader(
    contract: &BTreeMap<String, Vec<String>>,
    shaders: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    // `mod` only lists files, unit tests are no part of the contract, and the host makes rows relative and
    // verifies drafts for all engines
    let without = ["mod", "tests", "relative", "verification"];
    let files = contract.keys().filter(|stem| !without.contains(&stem.as_str()));
    files.filter(|&stem| !shaders.contains_key(stem)).cloned().collect()
}

#[test]
fn every_file_of_the_contract_has_its_shader() {
    let contract = stems("src/noise", "rs");
    assert_eq!(contract.len(), 11 + 4);
    assert_eq!(without_a_shader(&contract, &stems("shaders", "wgsl")), Vec::<String>::new());
}

#[test]
fn every_shader_has_its_twin_and_its_place_in_the_table() {
    let mut shaders = stems("shaders", "wgsl");
    // the kernels are the GPU engine's own
    let kernels = stems("shaders/kernel", "wgsl");
    shaders.retain(|stem, _| !kernels.contains_key(stem));
    assert_eq!((shaders.len(), kernels.len()), (12, 67));
    assert_eq!(without_a_twin(&shaders), Vec::<String>::new());
    assert_eq!(without_a_place(&kernels), Vec::<String>::new());
}

#[test]
fn a_missing_twin_is_seen() {
    // the name is the beginning of an existing one
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
