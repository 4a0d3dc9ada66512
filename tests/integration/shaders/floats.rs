//! No float decides a draw.

use std::collections::BTreeSet;

use gumbel::shaders::{Kernel, Variant};
use naga::valid::FunctionInfo;
use naga::{Expression, Handle, MathFunction, Module, ScalarKind};

use super::{PLAIN, drawing, soft, validate};

/// Returns the functions with a float anywhere in them: an argument, a variable or an intermediate
/// value.
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

/// The functions that compute with floats: the filter, the bounds, and their logarithms of weights.
const FILTER: [&str; 29] = [
    "count_sure",
    "least_noise",
    "most_noise",
    "log2_low_of",
    "upper_score_in_group",
    "sure_cutoff_in_group",
    "sure_cutoff_in_group_measured",
    "filter_of",
    "floats_of",
    "cutoff_at",
    "cutoff_of",
    "log2_low",
    "log2_of",
    "lower_end",
    "mantissa",
    "measured_four",
    "scaled",
    "upper_score",
    "sure_cutoff",
    "sure_cutoff_measured",
    "threshold",
    "threshold_measured",
    "upper",
    "highest_of_others",
    "with_numbered",
    "with_scores",
    "with_upper_end",
    "with_upper_ends_of",
    "without_number",
];
/// The functions that pass on the filter's floats and compare them; no function that decides a draw
/// is among these.
const HANDS_ON: [&str; 37] = [
    "count_first_alarms",
    "count_member",
    "count_members",
    "noise_before",
    "noise_of_member",
    "score_in_group",
    "scores_of_groups",
    "scores_with_first",
    "set_cutoff_of_top_k",
    "settle",
    "settle_member",
    "sure_cutoff_of_first",
    "sure_cutoff_of_half",
    "take_members",
    "evaluate_passing",
    "passing_at",
    "passing_of_pair",
    "count_octet",
    "cutoff_after",
    "highest_lower_end",
    "highest_of",
    "open_cutoff",
    "ordered",
    "pair_at",
    "pair_of",
    "raise_cutoff",
    "reach_of",
    "reach_of_pair",
    "row_of",
    "shared_cutoff",
    "upper_scores",
    "opening_of",
    "bounds_of_passing",
    "argmax_of",
    "sure_cutoff_of_pair",
    "take",
    "decided_by_bounds",
];

/// The functions that compute and compare sums in floats, which tell whether a draw is sure to be kept, or sure not to be. Of a
/// row of which neither is sure, the cut is found by integers alone.
const ROUGH: [&str; 22] = [
    "added_up",
    "largest_of",
    "least_weight",
    "log_of",
    "log_ratio",
    "most_above",
    "relative",
    "relative_in_octet",
    "relative_octet",
    "relative_to",
    "rough_sum",
    "standing",
    "standing_by_bound",
    "standing_by_sum",
    "sum_above",
    "sum_of_row",
    "sum_of_workgroup",
    "sums_of_two",
    "sums_relative_to",
    "taken_in",
    "total_of_four",
    "with_bounds",
];

/// Returns all variants but those that sum rows, and those that write what follows from sums, on which no draw depends.
fn deciding() -> impl Iterator<Item = Variant> {
    let sums = [Kernel::Sums, Kernel::Score, Kernel::LogProbs];
    drawing().filter(move |variant| !sums.contains(&variant.kernel))
}

/// A kernel that sums rows beside their draws is the kernel that draws, plus the pieces that sum.
#[test]
fn a_race_that_sums_decides_as_one_that_does_not() {
    for variant in drawing().filter(|variant| variant.kernel == Kernel::Score) {
        let sums = ["logarithm", "positive", "sum", "running_sums", "half_sums"];
        let deciding = |kernel| {
            let pieces = Variant { kernel, ..variant }.pieces();
            pieces
                .filter(|piece| !sums.contains(&piece.stem))
                .map(|piece| piece.source)
                .collect::<Vec<_>>()
        };
        assert_eq!(deciding(Kernel::Score), deciding(Kernel::Stream), "{variant:?}");
    }
}

/// No float operation decides a draw: `evaluate`, `beats`, `joined` and `winner`, which decide,
/// have none. The functions that load logits, and the kernels without noise, have none either.
#[test]
fn no_float_is_in_what_decides() {
    let allowed: BTreeSet<_> = FILTER
        .into_iter()
        .chain(HANDS_ON)
        .chain(ROUGH)
        .chain(["unordered"])
        .map(str::to_owned)
        .collect();
    for variant in deciding() {
        let source = variant.source();
        let found = functions_with_floats(&source);
        assert!(found.is_subset(&allowed), "{variant:?}: {found:?}");
        if !matches!(variant.kernel, Kernel::Stream | Kernel::SeveralDraws | Kernel::TopK) {
            let (module, info) = validate(&source);
            let mut expressions = module.entry_points[0].function.expressions.iter();
            let info = info.get_entry_point(0);
            assert!(!expressions.any(|(e, _)| is_float(&module, info, e)), "{variant:?}");
        }
    }
}

/// In the kernels of soft samples floats come after the keys: these functions have some, and the functions of the
/// contract have none.
#[test]
fn soft_samples_have_floats_after_the_keys() {
    let weights = [
        "keep",
        "keep_before",
        "weight_of_member",
        "keep_four",
        "soft_weight",
        "weights_of",
        "weights_of_two",
    ];
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

/// Returns the operations of a shader on floats outside the filter, in the shader's words; of a
/// built-in function the name. Passing floats to functions, and comparing the results, do not
/// count.
fn float_operations_outside_the_filter(source: &str) -> Vec<String> {
    let (module, info) = validate(source);
    let mut found = Vec::new();
    for (handle, function) in module.functions.iter() {
        let name = function.name.as_deref().unwrap();
        if !FILTER.contains(&name) && !ROUGH.contains(&name) {
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
        // these name a value, or move it unchanged
        E::Literal(_) | E::Constant(_) | E::ZeroValue(_) | E::Compose { .. } => true,
        E::FunctionArgument(_) | E::GlobalVariable(_) | E::LocalVariable(_) => true,
        E::Access { .. } | E::AccessIndex { .. } | E::Load { .. } => true,
        E::Splat { .. } | E::Swizzle { .. } | E::Select { .. } => true,
        // the result of the filter, or of a function that this test checks itself
        E::CallResult(called) => {
            let name = module.functions[called].name.as_deref().unwrap();
            !float(handle)
                || !["log2_low", "log2_low_of", "log2_of", "mantissa", "scaled"].contains(&name)
        }
        // comparisons
        E::Binary { op: Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual, .. } => true,
        E::Binary { op: Op::Equal | Op::NotEqual, .. } => true,
        E::Math { fun: MathFunction::Max, .. } => true,
        // a reinterpretation of bits, but no conversion from a float or to one
        E::As { convert: None, .. } => true,
        E::As { expr, .. } => !float(expr) && !float(handle),
        // arithmetic of integers
        E::Unary { expr, .. } => !float(expr),
        E::Binary { left, right, .. } => !float(left) && !float(right),
        E::Math { arg, .. } => !float(arg) && !float(handle),
        E::Relational { argument, .. } => !float(argument),
        E::AtomicResult { .. }
        | E::SubgroupOperationResult { .. }
        | E::WorkGroupUniformLoadResult { .. } => !float(handle),
        E::ArrayLength(_) => true,
        // any other expression needs a decision here when a shader first has it
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
/// of the filter that the other functions do not call.
#[test]
fn a_float_operation_outside_the_filter_is_seen() {
    let source = PLAIN.source();
    let compare = "if reach_of_pair(row, pair) >= running_best.cutoff {";
    let faults: [(_, _, &[_]); 7] = [
        (
            "return row_values(position, run.first_logit + position * run.row_stride);",
            "return row_values(position, run.first_logit + u32(f32(position)) * run.row_stride);",
            &["f32(position)", "u32(f32(position))"],
        ),
        (compare, "if running_best.cutoff * 2.0 > 1.0 {", &["running_best.cutoff * 2.0"]),
        (compare, "if running_best.cutoff - 2.0 > 1.0 {", &["running_best.cutoff - 2.0"]),
        (compare, "if -running_best.cutoff > 1.0 {", &["-running_best.cutoff"]),
        (compare, "if trunc(running_best.cutoff) > 1.0 {", &["trunc"]),
        (compare, "if min(running_best.cutoff, 1.0) > 0.5 {", &["min"]),
        (compare, "if log2_low(octet) > running_best.cutoff {", &["log2_low(octet)"]),
    ];
    for (from, to, seen) in faults {
        assert_eq!(source.matches(from).count(), 1, "{from}");
        let operations = float_operations_outside_the_filter(&source.replace(from, to));
        assert_eq!(operations, seen, "{to}");
    }
}
