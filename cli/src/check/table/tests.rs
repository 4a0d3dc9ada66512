//! Every line of the table reports the fault that the line is there to find.

use gumbel::conformance::{self, SoftErrors, SumTolerance};
use gumbel::{CpuSampler, DeviceKind, GpuSampler, Sampler};

use super::*;
use crate::adapters::all;
use crate::check::decoding::{Ancestors, Cuts, Estimates, Shards, Verification};
use crate::check::operations::{
    InverseCdf, LogProbs, Race, Soft, Sums, promised_log_probs, promised_soft_samples,
    promised_sums,
};

fn cpu() -> Vec<Engine> {
    vec![engine("cpu", CpuSampler::new().into())]
}

fn engine(label: &str, sampler: Sampler) -> Engine {
    Engine { label: label.to_owned(), sampler }
}

fn few_cases() -> impl Iterator<Item = (Case, Vec<u32>)> {
    conformance::cases().skip(3).take(3).map(|case| {
        let expected = case.expected();
        (case, expected)
    })
}

/// Returns whether a table passes, and its text.
fn table_of(
    engines: &[Engine],
    fill: impl FnOnce(&mut Table<'_>) -> Result<(), Error>,
) -> (bool, String) {
    let mut out = Vec::new();
    let mut table = Table::new(engines, true, &mut out).unwrap();
    fill(&mut table).unwrap();
    let passed = table.report(false).unwrap();
    (passed, String::from_utf8(out).unwrap())
}

fn verdict(cases: impl Iterator<Item = (Case, Vec<u32>)>) -> (bool, String) {
    table_of(&cpu(), |table| table.draws(cases))
}

/// Returns the verdict and the text of one operation alone. The draws of `cases` are known to be
/// right.
fn line_of<O: Operation>(
    engines: &[Engine],
    operation: &O,
    cases: impl Iterator<Item = Case>,
) -> (bool, String) {
    table_of(engines, |table| {
        table.cases = 1;
        table.operation(operation, cases)
    })
}

#[test]
fn an_equal_engine_passes() {
    let (passed, text) = verdict(few_cases());
    assert!(passed, "{text}");
    assert!(text.ends_with("3 cases on 1 engine, 0 mismatches\n"), "{text}");
}

#[test]
fn a_single_wrong_draw_fails() {
    let wrong = few_cases().enumerate().map(|(i, (case, mut expected))| {
        if i == 1 {
            expected[0] ^= 1;
        }
        (case, expected)
    });
    let (passed, text) = verdict(wrong);
    assert!(!passed, "{text}");
    assert!(text.lines().nth(2).unwrap().ends_with("1 differ"), "{text}");
    assert!(text.ends_with("3 cases on 1 engine, 1 mismatches\n"), "{text}");
}

#[test]
fn an_engine_that_fails_fails_the_check() {
    // expects one draw more than the case has, which the engine refuses
    let failing = few_cases().map(|(case, mut expected)| {
        expected.push(0);
        (case, expected)
    });
    let (passed, text) = verdict(failing);
    assert!(!passed, "{text}");
    assert!(text.contains("cpu failed on 1 x 8"), "{text}");
    assert!(text.ends_with("0 mismatches, 3 errors\n"), "{text}");
}

#[test]
fn an_operation_that_fails_fails_the_check() {
    struct Failing;
    impl Operation for Failing {
        type Expected = Vec<u32>;
        type Off = usize;
        fn name(&self) -> String {
            "draws".to_owned()
        }
        fn expected(&self, _: &Case) -> Result<Vec<u32>, gumbel::Error> {
            // fewer sums than the case has rows
            Ok(Vec::new())
        }
        fn off(&self, case: &Case, e: &Sampler, x: &Vec<u32>) -> Result<usize, gumbel::Error> {
            case.inverse_cdf_mismatches(e, x)
        }
        fn complaint(&self, _: usize, _: &Sampler) -> Option<String> {
            None
        }
    }
    let (passed, text) = line_of(&cpu(), &Failing, few_cases().map(|(case, _)| case));
    assert!(!passed, "{text}");
    assert!(text.lines().nth(1).unwrap().ends_with("  error"), "{text}");
    assert!(text.contains("\ncpu, draws, failed on 1 x 8: normal logits: "), "{text}");
    assert!(text.ends_with("0 mismatches, 3 errors\n"), "{text}");
}

/// An operation that expects the results of the case with this name.
struct Swapped<O>(O, &'static str);

impl<O: Operation> Operation for Swapped<O> {
    type Expected = O::Expected;
    type Off = O::Off;

    fn name(&self) -> String {
        self.0.name()
    }
    fn expected(&self, _: &Case) -> Result<O::Expected, gumbel::Error> {
        self.0.expected(&named(self.1))
    }
    fn off(&self, case: &Case, e: &Sampler, x: &O::Expected) -> Result<O::Off, gumbel::Error> {
        self.0.off(case, e, x)
    }
    fn complaint(&self, off: O::Off, engine: &Sampler) -> Option<String> {
        self.0.complaint(off, engine)
    }
}

fn named(name: &str) -> Case {
    let mut all = conformance::cases().chain(conformance::restricted_cases());
    all.find(|case| case.to_string() == name).unwrap()
}

/// Returns the table for an engine that is right, and for an expectation that is another case's.
#[track_caller]
fn both<O: Operation>(operation: O) -> [String; 2] {
    both_of(operation, ["33 x 131: temperature 0.7", "33 x 131: temperature 3"])
}

/// Returns the table for an engine that is right on a case, and for the expectation of another case.
#[track_caller]
fn both_of<O: Operation>(operation: O, [name, other]: [&'static str; 2]) -> [String; 2] {
    let case = || [named(name)].into_iter();
    let (passed, right) = line_of(&cpu(), &operation, case());
    assert!(passed, "{right}");
    assert!(right.ends_with("0 mismatches\n"), "{right}");
    let (passed, wrong) = line_of(&cpu(), &Swapped(operation, other), case());
    assert!(!passed, "{wrong}");
    assert!(wrong.ends_with(", 1 errors\n"), "{wrong}");
    [right, wrong]
}

#[test]
fn what_differs_fails_the_check_and_names_the_case() {
    let lines = [
        both(Race { k: 1 }),
        both(Race { k: 3 }),
        both(InverseCdf { prepared: false }),
        both(InverseCdf { prepared: true }),
        both(Estimates),
        both(Shards),
        both(Verification { by_ratio: false }),
        both(Verification { by_ratio: true }),
        both_of(Cuts, ["41 x 203: top-p 0.9", "41 x 203: top-k 5"]),
        both_of(Ancestors, ["41 x 203: shifted by 1e5", "41 x 203: all equal"]),
    ];
    for [right, wrong] in lines {
        assert!(right.lines().nth(1).unwrap().ends_with("  ok"), "{right}");
        assert!(wrong.lines().nth(1).unwrap().ends_with(" differ"), "{wrong}");
        let error = wrong.lines().nth(2).unwrap();
        let case = [", 33 x 131: temperature 0.7: ", ", 41 x 203: "];
        assert!(case.iter().any(|case| error.contains(case)), "{wrong}");
        assert!(!wrong.contains(" 0 mismatches"), "{wrong}");
    }
}

#[test]
fn sums_further_off_than_promised_fail_the_check() {
    let [right, wrong] = both(Sums { promise: promised_sums });
    assert!(right.lines().nth(1).unwrap().ends_with(" %"), "{right}");
    assert!(wrong.contains("33 x 131: temperature 0.7: off by "), "{wrong}");
    let exact = Sums { promise: |_| SumTolerance { absolute: 1e-12, relative: 0.0 } };
    let (passed, text) = line_of(&cpu(), &exact, [named("33 x 131: temperature 3")].into_iter());
    assert!(!passed, "{text}");
}

#[test]
fn log_probabilities_further_off_than_promised_fail_the_check() {
    let [right, wrong] = both(LogProbs { promise: promised_log_probs });
    assert!(right.lines().nth(1).unwrap().ends_with(" %"), "{right}");
    assert!(wrong.contains("33 x 131: temperature 0.7: off by "), "{wrong}");
    let exact = LogProbs { promise: |_| SumTolerance { absolute: 1e-12, relative: 0.0 } };
    let (passed, text) = line_of(&cpu(), &exact, [named("33 x 131: temperature 3")].into_iter());
    assert!(!passed, "{text}");
}

#[test]
fn soft_samples_further_off_than_promised_fail_the_check() {
    fn none(_: &Sampler) -> SoftErrors {
        SoftErrors { samples: 1e-12, gradients: 1e-12 }
    }
    let kept = Soft { promise: promised_soft_samples };
    for (operation, passes) in [(kept, true), (Soft { promise: none }, false)] {
        let small = conformance::soft_cases().filter(|case| case.work() < 100);
        let (passed, text) = line_of(&cpu(), &operation, small);
        assert_eq!(passed, passes, "{text}");
        assert_eq!(text.ends_with(" errors\n"), !passes, "{text}");
    }
}

/// Injects a fault into shaders on every adapter: each fault shows in its line.
#[test]
fn faults_of_shaders_show_in_their_lines() {
    fn small() -> impl Iterator<Item = Case> {
        let several = [named("33 x 131: 5 draws a row")];
        conformance::cases().filter(|case| case.work() < 6000).chain(several)
    }
    fn check<O: Operation>(operation: &O, plan: DeviceKind, edit: fn(String) -> String) {
        let adapters = all();
        let usable = adapters.iter().filter(|report| report.obstacle.is_none());
        let skipped = std::env::var("GUMBEL_SKIP_GPU_TESTS").is_ok_and(|value| value == "1");
        assert!(skipped || usable.clone().count() > 0, "no adapter: scripts/test installs one");
        for report in usable {
            let builder = GpuSampler::builder()
                .tune(|tuning| tuning.with_device_kind(plan))
                .with_shader_edit(edit);
            let engines = [engine("gpu0", report.open_with(&builder).unwrap().into())];
            let (passed, text) = line_of(&engines, operation, small());
            assert!(!passed, "{report}\n{text}");
        }
    }
    check(&Race { k: 1 }, DeviceKind::Emulation, |source| {
        source.replace("UNFINISHED | KEYED |", "UNFINISHED |")
    });
    check(&Race { k: 3 }, DeviceKind::Hardware, |source| {
        source.replace("draws[to + 2u] = one.key.y;", "draws[to + 2u] = one.key.x;")
    });
    for prepared in [false, true] {
        check(&InverseCdf { prepared }, DeviceKind::Hardware, |source| {
            source.replace("point(uniform_bits(block, draw), total)", "point(block.xy, total)")
        });
    }
    check(&Sums { promise: promised_sums }, DeviceKind::Hardware, |source| {
        source.replace("(2.0 * inverse)", "inverse")
    });
    // a fault in a sum that only draws with log-probabilities take
    check(&LogProbs { promise: promised_log_probs }, DeviceKind::Emulation, |source| {
        source.replace("first_draw && (run.flags", "task.number == 0u && (run.flags")
    });
}

#[test]
fn nothing_checked_is_not_a_pass() {
    assert!(!table_of(&[], |table| table.draws(few_cases())).0);
    assert!(!table_of(&cpu(), |_| Ok(())).0);
}

#[test]
fn an_engine_that_is_missing_fails_the_check() {
    for refused in [false, true] {
        let (engines, mut out) = (cpu(), Vec::new());
        let mut table = Table::new(&engines, true, &mut out).unwrap();
        table.draws(few_cases()).unwrap();
        assert_eq!(table.report(refused).unwrap(), !refused);
    }
}
