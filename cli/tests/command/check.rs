//! `gumbel check` on the one engine that every machine has, and what it refuses.

use gumbel::conformance::{self, Case};

use crate::common::{gumbel, stdout};

/// The cases of a quick check. The library's tests compare the engines with the reference on all of them.
fn quick_cases() -> impl Iterator<Item = Case> {
    let others = conformance::per_row_cases().chain(conformance::copied_cases());
    let others = others.chain(conformance::restricted_cases());
    let all = conformance::cases().chain(others);
    all.filter(|case| case.work() <= 1000)
}

/// Without --verbose there is a line for each engine, and the verdict.
#[test]
fn it_sums_up() {
    let text = stdout(gumbel(&["check", "--quick", "--engine", "cpu"]).output().unwrap());
    let isas = gumbel::Isa::available().count();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 1 + isas + 1 + isas + 1, "{text}");
    let cases = quick_cases().count();
    let verdict = format!("  ok, {cases} cases and ");
    assert!(lines[2 + isas..][..isas].iter().all(|line| line.contains(&verdict)), "{text}");
}

/// The files have the cases, the reference's draws and the shaders.
#[test]
fn it_writes_the_cases() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let output = gumbel(&["check", "--quick", "--write-cases", path]).output().unwrap();
    assert_eq!(stdout(output), "");
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let json = |name: &str| serde_json::from_slice::<serde_json::Value>(&read(name)).unwrap();
    let (index, numbers) = (json("cases.json"), read("cases.bin"));
    let index = index.as_array().unwrap();
    // the files have rows side by side, and no options that adjust logits
    let is_written = |case: &Case| {
        let (batch, options) = (case.batch(), case.options());
        let side_by_side = (0..batch.rows()).all(|row| batch.bytes_of_row(row).is_some());
        side_by_side && options.bias.is_none() && options.history.is_none()
    };
    let cases: Vec<_> = quick_cases().filter(is_written).collect();
    assert_eq!(index.len(), cases.len());
    for (entry, case) in index.iter().zip(&cases) {
        assert_eq!(entry["name"], case.to_string());
        let [at, bytes] = [0, 1].map(|i| entry["draws"][i].as_u64().unwrap() as usize);
        let draws: Vec<_> = case.expected().iter().flat_map(|draw| draw.to_le_bytes()).collect();
        assert_eq!(numbers[at..at + bytes], draws, "{case}");
    }
    assert!(json("shaders.json").as_array().unwrap().len() > 300);
}

#[test]
fn the_cpu_engine_is_the_references_equal() {
    let text =
        stdout(gumbel(&["check", "--quick", "--engine", "cpu", "--verbose"]).output().unwrap());
    let lines: Vec<_> = text.lines().collect();
    let cases = quick_cases().count();
    let version = format!("gumbel {} (", env!("CARGO_PKG_VERSION"));
    assert!(lines[0].starts_with(&version), "{}", lines[0]);
    let isas: Vec<_> = gumbel::Isa::available().collect();
    for (line, isa) in lines[1..].iter().zip(&isas) {
        assert_eq!(*line, format!("cpu/{isa}: the CPU engine, {isa}"));
    }
    let lines = &lines[1 + isas.len()..];
    assert_eq!(lines[0], "no adapter is checked");
    assert!(lines[1].ends_with("  cpu/portable"), "{}", lines[1]);
    let (table, operations) = lines[2..lines.len() - 1].split_at(cases.min(lines.len() - 3));
    assert_eq!(table.len(), cases);
    for (line, case) in table.iter().zip(quick_cases()) {
        assert!(line.starts_with(&case.to_string()), "{line}");
        assert!(line.ends_with("  ok"), "{line}");
        assert_eq!(line.rfind("ok"), lines[1].rfind("cpu"), "the columns stand in line: {line}");
    }
    let [first, places, cdf, prepared, sums, probs, soft, others @ ..] = operations else {
        panic!("{operations:?}")
    };
    let [log_z, cuts, shards, drafts, by_ratio, ancestors] = others else { panic!("{others:?}") };
    for (line, name) in [
        (first, "the first of each race, and its key"),
        (places, "the first 3 of each race, and their keys"),
        (cdf, "draws by inverse CDF"),
        (prepared, "draws from prepared tables"),
        (log_z, "estimates of log Z"),
        (cuts, "where rows are cut"),
        (shards, "draws of rows that are split into shards"),
        (drafts, "verified drafts"),
        (by_ratio, "drafts verified by ratio"),
        (ancestors, "ancestors of particles, on the CPU"),
    ] {
        let cells = line.strip_prefix(name).unwrap();
        assert_eq!(cells.split_whitespace().collect::<Vec<_>>(), vec!["ok"; isas.len()], "{line}");
        assert_eq!(line.rfind("ok"), lines[1].rfind("cpu"), "the columns stand in line: {line}");
    }
    // none of these results is exact, and none is further off than promised
    let numbers = |line: &str, name| {
        let cells = line.strip_prefix(name).unwrap().replace('%', "");
        let numbers = cells.split_whitespace().map(|number| number.parse().unwrap());
        let numbers: Vec<f64> = numbers.collect();
        assert_eq!(numbers.len(), isas.len(), "{line}");
        numbers
    };
    let used = numbers(sums, "logsumexp, greatest error as a share of the promised one");
    assert!(used.iter().all(|&percent| percent > 0.0 && percent <= 100.0), "{used:?}");
    let used = numbers(probs, "log-probabilities of draws, as a share of the promised error");
    assert!(used.iter().all(|&percent| percent > 0.0 && percent <= 100.0), "{used:?}");
    let off = numbers(soft, "soft samples and gradients, at most off by");
    let promised = conformance::SoftErrors::CPU;
    let promised = promised.samples.max(promised.gradients);
    assert!(off.iter().all(|&off| off > 0.0 && off <= promised), "{off:?}");
    let plural = if isas.len() == 1 { "" } else { "s" };
    let sum = format!("{cases} cases on {} engine{plural}, 0 mismatches", isas.len());
    assert_eq!(lines[lines.len() - 1], sum);
}

#[test]
fn every_adapter_that_can_be_used_is_checked_in_three_ways() {
    let usable = gumbel::adapters(gumbel::wgpu::Backends::all())
        .iter()
        .filter(|report| report.obstacle.is_none())
        .count();
    let text = stdout(gumbel(&["check", "--quick", "--verbose"]).output().unwrap());
    let head = text.lines().find(|line| line.starts_with("rows x categories")).unwrap();
    let labels: Vec<_> = head.split_whitespace().skip(4).collect();
    let isas = gumbel::Isa::available().count();
    assert_eq!(labels.len(), isas + 3 * usable, "{text}");
    for three in labels[isas..].chunks(3) {
        let whole = three[0];
        assert_eq!(three[1..], [format!("{whole}/plain"), format!("{whole}/cut")]);
        assert!(text.contains(&format!("\n{}: {whole} without ", three[1])), "{text}");
        assert!(text.contains(&format!("\n{}: {whole} in pieces: ", three[2])), "{text}");
    }
    let cases = quick_cases().count();
    let plural = if labels.len() == 1 { "" } else { "s" };
    let engines = format!("{} engine{plural}", labels.len());
    assert!(text.ends_with(&format!("\n{cases} cases on {engines}, 0 mismatches\n")), "{text}");
}

#[test]
fn an_adapter_that_is_not_there_cannot_be_checked() {
    for args in
        [&["check", "--adapter", "nowhere"][..], &["check", "--engine", "cpu", "--adapter", "x"]]
    {
        let output = gumbel(args).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.starts_with("gumbel: "), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
