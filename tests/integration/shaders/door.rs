//! Values have one door: a single piece reads their binding, and a single piece calls that.

use std::collections::BTreeSet;

use gumbel::shaders::{Kernel, Variant};
use naga::{Expression, Function, GlobalVariable, Handle, Module, Statement};

use super::{PLAIN, variants};

/// The piece that reads the binding of values, and the one that hands them to kernels.
const LOAD: &str = "load";
const DOOR: &str = "values";

/// Returns the names of the functions in a variant's pieces of this stem.
fn functions_of(variant: Variant, stem: &str) -> BTreeSet<String> {
    let pieces = variant.pieces().filter(|piece| piece.stem == stem);
    let lines = pieces.flat_map(|piece| piece.source.lines());
    let names = lines.filter_map(|line| line.strip_prefix("fn ")?.split_once('('));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Returns all functions of a shader, with their names.
fn functions(module: &Module) -> impl Iterator<Item = (&str, &Function)> {
    let entries = module.entry_points.iter().map(|entry| (entry.name.as_str(), &entry.function));
    let others = module.functions.iter().map(|(_, function)| function);
    others.filter_map(|function| Some((function.name.as_deref()?, function))).chain(entries)
}

/// Returns the variable that values are bound to; none in a shader that has no values.
fn binding_of_values(module: &Module) -> Option<Handle<GlobalVariable>> {
    let is_bound = |variable: &GlobalVariable| {
        variable.binding.is_some_and(|at| (at.group, at.binding) == (0, 1))
    };
    module.global_variables.iter().find(|(_, variable)| is_bound(variable)).map(|(at, _)| at)
}

fn names(function: &Function, variable: Handle<GlobalVariable>) -> bool {
    let mut expressions = function.expressions.iter();
    expressions.any(|(_, e)| matches!(e, Expression::GlobalVariable(other) if *other == variable))
}

/// Adds the names of the functions that a block calls.
fn called<'a>(module: &'a Module, block: &naga::Block, calls: &mut BTreeSet<&'a str>) {
    for statement in block {
        match statement {
            Statement::Call { function, .. } => {
                calls.extend(module.functions[*function].name.as_deref());
            }
            Statement::Block(block) => called(module, block, calls),
            Statement::If { accept, reject, .. } => {
                called(module, accept, calls);
                called(module, reject, calls);
            }
            Statement::Loop { body, continuing, .. } => {
                called(module, body, calls);
                called(module, continuing, calls);
            }
            Statement::Switch { cases, .. } => {
                cases.iter().for_each(|case| called(module, &case.body, calls));
            }
            _ => {}
        }
    }
}

/// Returns the functions of a shader that get values by another way than the door.
fn past_the_door(variant: Variant, source: &str) -> Vec<String> {
    let module = naga::front::wgsl::parse_str(source).unwrap();
    let (load, door) = (functions_of(variant, LOAD), functions_of(variant, DOOR));
    let Some(values) = binding_of_values(&module) else { return Vec::new() };
    let mut past = Vec::new();
    for (name, function) in functions(&module).filter(|(name, _)| !load.contains(*name)) {
        let mut calls = BTreeSet::new();
        called(&module, &function.body, &mut calls);
        let loads = !door.contains(name) && calls.iter().any(|called| load.contains(*called));
        if loads || names(function, values) {
            past.push(name.to_owned());
        }
    }
    past
}

#[test]
fn values_come_through_one_door() {
    for variant in variants() {
        assert_eq!(past_the_door(variant, &variant.source()), Vec::<String>::new(), "{variant:?}");
    }
    // the kernels that need values do have such a door
    for kernel in [Kernel::Stream, Kernel::Greedy, Kernel::Sums, Kernel::SoftWeights, Kernel::Build]
    {
        let variant = Variant { kernel, ..PLAIN };
        let module = naga::front::wgsl::parse_str(&variant.source()).unwrap();
        let values = binding_of_values(&module).unwrap();
        assert!(functions(&module).any(|(_, function)| names(function, values)), "{kernel:?}");
        assert!(!functions_of(variant, DOOR).is_empty(), "{kernel:?}");
    }
}

#[test]
fn another_way_in_is_seen() {
    let variant = Variant { kernel: Kernel::Greedy, ..PLAIN };
    let by_the_door = "octet_in_row(row.values, argmax)";
    for past in [
        "load_eight(row.values.first + argmax * 8u)",
        "Octet(vec4<u32>(logits[argmax]), vec4<u32>(0u))",
    ] {
        let source = variant.source();
        assert_eq!(source.matches(by_the_door).count(), 1);
        assert_eq!(past_the_door(variant, &source.replace(by_the_door, past)), ["greedy"]);
    }
}
