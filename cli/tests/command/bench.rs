//! `gumbel bench` on the best adapter of this machine, and what it refuses.

use crate::common::{gumbel, stdout};
use tempfile::tempdir;

/// Returns true if this machine has no adapter that can be used, after checking that the command
/// says so.
fn nothing_to_measure() -> bool {
    let adapters = gumbel::adapters(gumbel::wgpu::Backends::all());
    if adapters.iter().any(|report| report.obstacle.is_none()) {
        return false;
    }
    let output = gumbel(&["bench", "--quick"]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("gumbel: nothing can be measured: this machine"), "{message}");
    assert!(message.contains(": install the driver of your GPU"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(output.stdout.is_empty());
    true
}

#[test]
fn a_small_shape_is_measured() {
    if nothing_to_measure() {
        return;
    }
    let directory = tempdir().unwrap();
    let csv = directory.path().join("times.csv");
    let shapes = ["bench", "--quick", "--shapes", "8x1024,3x5"];
    let output = gumbel(&shapes).arg("--csv").arg(&csv).output().unwrap();
    let text = stdout(output);
    assert!(text.starts_with("* adapter: "), "{text}");
    for heading in ["| rows × categories | sample, ms |", "| rows × categories | sample_rows, ms |"]
    {
        let table: Vec<_> = text.lines().skip_while(|line| !line.starts_with(heading)).collect();
        assert!(table.len() > 4, "{text}");
        for (row, shape) in table[2..].iter().zip(["8 × 1,024", "3 × 5"]) {
            assert!(row.starts_with(&format!("| {shape} | ")), "{text}");
            assert!(row.split(" | ").nth(1).unwrap().parse::<f64>().unwrap() > 0.0, "{text}");
        }
    }
    assert!(text.contains("| sampling at most "), "{text}");

    let csv = std::fs::read_to_string(csv).unwrap();
    let mut lines = csv.lines().skip_while(|line| line.starts_with("# "));
    let head = "rows,categories,format,what,device_ns_min,device_ns_median,wall_ns_min,\
                wall_ns_median,gb_per_s,note";
    assert_eq!(lines.next().unwrap(), head);
    let whats = lines.map(|line| line.split(',').take(4).collect::<Vec<_>>().join(","));
    let whats: Vec<_> = whats.filter(|what| !what.ends_with("upload direct")).collect();
    let each = ["f32,sample", "f32,argmax", ",copy", "f16,sample", "bf16,sample"];
    let calls = ["f32,sample_rows", "f64,sample_rows", "f32,sample_rows cpu", ",upload"];
    let each = each.into_iter().chain(calls);
    let of = |shape: &str| each.clone().map(|what| format!("{shape},{what}")).collect::<Vec<_>>();
    assert_eq!(whats, [of("8,1024"), of("3,5")].concat());
    for what in ["# adapter: ", "# date: 20", "# gumbel "] {
        assert!(csv.contains(what), "{csv}");
    }
}

#[test]
fn restricted_draws_are_measured_alone() {
    if nothing_to_measure() {
        return;
    }
    let output =
        gumbel(&["bench", "--restricted", "--quick", "--shapes", "8x1024"]).output().unwrap();
    let text = stdout(output);
    let head = "| rows × categories | sample, ms | mask | min-p | top-k | top-p | all cuts |";
    let table: Vec<_> = text.lines().skip_while(|&line| line != head).collect();
    let row = table.get(2).unwrap_or_else(|| panic!("{text}"));
    assert!(row.starts_with("| 8 × 1,024 | ") && !row.contains('—'), "{text}");
    assert!(!text.contains("argmax") && !text.contains("sample_rows"), "{text}");
}

#[test]
fn the_times_can_go_to_standard_output() {
    if nothing_to_measure() {
        return;
    }
    let args = ["bench", "--quick", "--shapes", "1x16", "--csv", "-", "--chunk-mib", "2"];
    let args = [&args[..], &["--teams", "team=32,octets-per-lane=1"]].concat();
    let text = stdout(gumbel(&args).output().unwrap());
    assert!(text.starts_with("# adapter: "), "{text}");
    assert!(!text.contains("| "), "{text}");
    assert!(text.contains("\n# chunks: of 2 MiB at most\n"), "{text}");
    assert!(text.contains(",in chunks of 2 MiB at most\n"), "{text}");
    assert!(text.contains("\n# teams asked for: team=32,shared-workgroup=64,"), "{text}");
}

#[test]
fn what_cannot_be_measured_is_refused_in_a_line() {
    let nowhere = ["bench", "--csv", "/nowhere/times.csv"];
    for (args, why) in [
        (&["bench", "--shapes", "256"][..], "\"256\" is no shape such as 256x128256"),
        (&["bench", "--shapes", "8x1024,,1x16"], "\"\" is no shape"),
        (&["bench", "--shapes", "0x16"], "rows are 1 to 4294967294"),
        (
            &["bench", "--teams", "team=8,lanes=2"],
            "\"lanes=2\" says nothing of teams: \"lanes\" is",
        ),
        (&["bench", "--chunk-mib", "0"], "0 is not in 1..=4096"),
        (&["bench", "--adapter", "nowhere"], "no adapter is called \"nowhere\""),
        (&nowhere, "cannot write /nowhere/times.csv: "),
    ] {
        if args == nowhere && nothing_to_measure() {
            continue;
        }
        let output = gumbel(args).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.starts_with("gumbel: ") && message.contains(why), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
