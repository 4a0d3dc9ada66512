//! What `gumbel sample` refuses: with status 2, one line that says why, and no file left behind.

use std::path::Path;

use crate::common::{check_refused as check, f32s, gumbel, header, raw_header, run_with};
use tempfile::tempdir;

/// Runs with the bytes as a file and on standard input, to a .npy file. Both must be refused with
/// a message that contains `why`.
#[track_caller]
fn refused(bytes: &[u8], args: &[&str], why: &str) {
    let directory = tempdir().unwrap();
    let input = directory.path().join("in.npy");
    std::fs::write(&input, bytes).unwrap();
    for input in [input.to_str().unwrap(), "-"] {
        let mut command = gumbel(&["sample", input, "--engine", "cpu", "-o", "out.npy"]);
        command.args(args).current_dir(directory.path());
        check(&run_with(command, bytes), why);
        let left: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(left, ["in.npy"]);
    }
}

/// A file of f64.
fn f64s(shape: &str, values: &[f64]) -> Vec<u8> {
    let mut bytes = header("'<f8'", "False", shape);
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

#[test]
fn files_of_another_kind() {
    refused(b"", &[], "is in no format that gumbel reads: it is empty");
    refused(b"", &["--format", "npy"], "is not a .npy file: it is empty");
    refused(&[0x1f, 0x8b, 8, 0], &[], "it is compressed with gzip: zcat FILE | gumbel ... -");
    refused(&[0; 40], &[], "--format says what it is");
    refused(b"0,0\n", &["--format", "xls"], "the formats are npy, npz, safetensors, arrow");
    refused(b"\x93NUMP", &[], "is not a .npy file: it ends in its header");
    refused(b"\x93NUMPY\x01", &[], "it ends in its header");
    refused(b"PK\x03\x04 is a .npz file", &[], "is not an .npz file: ");
    refused(&f32s("(2, 3)", &[0.0; 6])[..70], &[], "it ends in its header");
    refused(b"\x93NUMPY\x09\x00\x01\x00{", &[], "format version 9.0");
    refused(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", &[], "4294967295 bytes long");
}

#[test]
fn malformed_headers() {
    for text in [
        "",
        "[]",
        "{'descr': '<f4'",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ('3',)}",
        "{'descr': 'f', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<q7', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f99999999999999999999', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        &"(".repeat(50_000),
    ] {
        refused(&raw_header(text), &[], "is not a .npy file: ");
    }
}

#[test]
fn types_that_are_no_logits() {
    for descr in ["'<i4'", "'|u1'", "'<c8'", "'<f16'", "'|O'", "[('a', '<f4')]"] {
        let mut bytes = header(descr, "False", "(2,)");
        bytes.extend([0; 32]);
        refused(
            &bytes,
            &[],
            "logits are floats of 16, 32 or 64 bits (for weights there is --weights)",
        );
    }
}

#[test]
fn types_that_are_no_weights() {
    for descr in ["'<c8'", "'<f16'", "'|O'", "[('a', '<f4')]", "'<M8[s]'"] {
        let mut bytes = header(descr, "False", "(2,)");
        bytes.extend([0; 32]);
        refused(
            &bytes,
            &["--weights"],
            "weights are floats of 16, 32 or 64 bits, or integers or booleans",
        );
    }
}

#[test]
fn shapes_that_are_no_rows() {
    refused(&f32s("()", &[0.0]), &[], "0 dimensions");
    refused(&f32s("(2, 1, 1)", &[0.0; 2]), &[], "3 dimensions");
    refused(&f32s("(0,)", &[]), &[], "1 to 4294967295 categories, got 0");
    refused(&f32s("(3, 0)", &[]), &[], "1 to 4294967295 categories, got 0");
    refused(&f32s("(0, 0)", &[]), &[], "1 to 4294967295 categories, got 0");
    refused(&f32s("(0, 4294967296)", &[]), &[], "categories, got 4294967296");
    let shape = "(4294967296, 1073741824)";
    refused(&f32s(shape, &[0.0; 6]), &[], "larger than any file");
    refused(&f32s("(4294967296, 4294967296)", &[]), &[], "larger than any file");
}

#[test]
fn too_little_or_too_much_data() {
    let whole = f32s("(4, 3)", &[0.0; 12]);
    let why = "is truncated: its header announces 48 bytes of data, it has ";
    for (cut, left) in [(1, "47"), (4, "44"), (24, "24"), (48, "0")] {
        for args in [&[][..], &["--chunk", "3"]] {
            refused(&whole[..whole.len() - cut], args, &format!("{why}{left}"));
        }
    }
    for more in [1, 4, 48, 100_000] {
        let mut bytes = whole.clone();
        bytes.resize(whole.len() + more, 0);
        refused(&bytes, &[], "trailing bytes after the 48 bytes");
    }
    // the data are far shorter than a row: the command must not reserve the memory that the header
    // announces
    refused(&f32s("(1, 4294967295)", &[0.0]), &[], "is truncated");
    refused(&f32s("(4294967295, 1000000000)", &[0.0]), &[], "is truncated");
    refused(&[&f32s("(0, 3)", &[])[..], b"x"].concat(), &[], "trailing bytes");
}

#[test]
fn rows_without_a_draw_are_named_by_their_place_in_the_file() {
    for (value, why) in [
        (f32::NAN, "row 7 has no draw: its logit of category 1 is NaN"),
        (f32::INFINITY, "row 7 has no draw: its logit of category 1 is +infinity"),
    ] {
        let mut values = [0.0; 30];
        values[22] = value;
        for args in [&[][..], &["--chunk", "6"], &["--chunk", "3"], &["--first-row", "100"]] {
            refused(&f32s("(10, 3)", &values), args, why);
            refused(&f64s("(10, 3)", &values.map(f64::from)), args, why);
        }
    }
    let mut values = [0.0; 30];
    values[21..24].fill(f32::NEG_INFINITY);
    for args in [&[][..], &["--chunk", "6"], &["--chunk", "3", "--draws", "4"]] {
        let why = "row 7 has no draw: all its logits are -infinity";
        refused(&f32s("(10, 3)", &values), args, why);
    }
    refused(&f32s("(2,)", &[f32::NAN, 0.0]), &[], "row 0 has no draw");
}

#[test]
fn weights_that_are_none() {
    for (value, why) in [
        (-0.5, "its weight of category 1 is -0.5; a weight is 0 or positive, and finite"),
        (f32::NAN, "its weight of category 1 is NaN"),
        (f32::INFINITY, "its weight of category 1 is inf"),
    ] {
        let mut values = [1.0; 30];
        values[22] = value;
        for args in
            [&["--weights"][..], &["--weights", "--chunk", "6", "--without-replacement", "2"]]
        {
            refused(&f32s("(10, 3)", &values), args, &format!("row 7 has no draw: {why}"));
            refused(&f64s("(10, 3)", &values.map(f64::from)), args, why);
        }
    }
    let mut values = [1.0; 30];
    values[21..24].fill(0.0);
    let why = "row 7 has no draw: all its weights are 0";
    refused(&f32s("(10, 3)", &values), &["--weights", "--chunk", "6"], why);
    // f32 has no number for it
    let mut values = [1.0; 30];
    values[22] = -1e-50;
    let why = "row 7 has no draw: its weight of category 1 is -1e-50; a weight is 0 or positive, and finite";
    refused(&f64s("(10, 3)", &values), &["--weights", "--chunk", "6"], why);
    let rows = f32s("(2, 3)", &[1.0; 6]);
    refused(&rows, &["--weights", "--temperature", "1e-9"], "with weights the temperature must be");
}

#[test]
fn integers_that_are_no_counts() {
    for (descr, value, said) in [
        ("'|i1'", &[0xff][..], "-1"),
        ("'<i2'", &[0, 0x80], "-32768"),
        ("'>i4'", &[0xff, 0xff, 0xff, 0xfe], "-2"),
        ("'<i8'", &[0, 0, 0, 0, 1, 0, 0, 0], "4294967296"),
        ("'>u8'", &[0xff; 8], "18446744073709551615"),
    ] {
        let mut bytes = header(descr, "False", "(10, 3)");
        for i in 0..30 {
            let one = if i == 22 { value } else { &vec![0; value.len()][..] };
            bytes.extend(one);
        }
        for args in [&["--weights"][..], &["--weights", "--chunk", "30"]] {
            let why = format!("its count of category 1 is {said}; a count is 0 to 4294967295");
            refused(&bytes, args, &format!("row 7 has no draw: {why}"));
        }
    }
}

#[test]
fn what_is_asked_for_with_draws_must_fit_them() {
    let rows = f32s("(2, 3)", &[0.0; 6]);
    refused(&rows, &["--with", "time"], "--with needs a --with-output");
    refused(
        &rows,
        &["--with-output", "v.npy"],
        "--with-output has nothing to write without --with",
    );
    let max = ["--with", "max", "--with-output"];
    let with = |more: &[&'static str]| [&max[..], more].concat();
    refused(&rows, &with(&["out.npy"]), "--output and --with-output are the same file");
    refused(&rows, &with(&["./out.npy"]), "--output and --with-output are the same file");
    refused(&rows, &with(&["-", "--json"]), "cannot both write to standard output");
    refused(&rows, &with(&["nowhere/v.npy"]), "cannot write nowhere/v.npy: ");
    let greedy = "no meaning at temperature 0";
    refused(&rows, &with(&["v.npy", "--temperature", "0"]), greedy);
    refused(&rows, &["--without-replacement", "2", "--temperature", "0"], greedy);
    let logprob = ["--with", "logprob", "--with-output", "v.npy"];
    refused(&rows, &[&logprob[..], &["--temperature", "0"]].concat(), greedy);
    refused(
        &rows,
        &[&logprob[..], &["--without-replacement", "2"]].concat(),
        "--without-replacement draws without replacement",
    );
    refused(
        &rows,
        &["--without-replacement", "4"],
        "--without-replacement 4 is more than the 3 categories of a row",
    );
    refused(
        &rows,
        &["--without-replacement", "0"],
        "'--without-replacement <K>': 0 is not in 1..=4294967295",
    );
    let among = "--logprob-of says what the numbers of --with logprob are among";
    refused(&rows, &["--logprob-of", "allowed"], among);
    refused(&rows, &with(&["v.npy", "--logprob-of", "kept"]), among);
    refused(&rows, &["--with", "luck"], "'luck' for '--with <WHAT>'");
    // without an --output the numbers are part of the text
    let mut command = gumbel(&["sample", "-", "--engine", "cpu"]);
    command.args(with(&["v.npy"]));
    check(&run_with(command, &rows), "--with-output needs an --output beside it");
    let mut command = gumbel(&["sample", "-", "--engine", "cpu", "-o", "-"]);
    command.args(with(&["-"]));
    check(&run_with(command, &rows), "--output and --with-output are the same file");
}

#[test]
fn what_logz_refuses() {
    let logz = |bytes: &[u8], args: &[&str], why: &str| {
        let directory = tempdir().unwrap();
        let mut command = gumbel(&["logz", "-", "--engine", "cpu", "-o", "out.npy"]);
        command.args(args).current_dir(directory.path());
        check(&run_with(command, bytes), why);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    };
    let rows = f32s("(10, 3)", &[0.0; 30]);
    logz(&rows, &["--temperature", "0"], "logsumexp has no meaning at temperature 0");
    logz(&rows, &["--temperature", "-1"], "the temperature must be");
    logz(&rows, &["--draws", "0"], "'--draws <N>': 0 is not in 1..=");
    logz(&rows, &["--adapter", "x"], "--engine cpu has no adapter");
    logz(&f32s("(0, 0)", &[]), &[], "1 to 4294967295 categories, got 0");
    logz(&rows[..rows.len() - 1], &[], "is truncated");
    logz(&[&rows[..], b"x"].concat(), &[], "trailing bytes");
    let mut values = [0.0; 30];
    values[22] = f32::NAN;
    for args in [&[][..], &["--chunk", "6"], &["--chunk", "6", "--draws", "5"]] {
        let why = "row 7 has no draw: its logit of category 1 is NaN";
        logz(&f32s("(10, 3)", &values), args, why);
    }
}

#[test]
fn options_without_a_meaning() {
    let rows = f32s("(2, 3)", &[0.0; 6]);
    for temperature in ["-1", "-0.5", "NaN", "inf", "-inf", "1e-40"] {
        refused(&rows, &["--temperature", temperature], "the temperature must be");
    }
    refused(&rows, &["--draws", "0"], "'--draws <N>': 0 is not in 1..=2147483648");
    refused(&rows, &["--draws", "2147483649"], "'--draws <N>': 2147483649 is not in 1..=");
    refused(&rows, &["--adapter", "llvmpipe"], "--engine cpu has no adapter");
    let none = "no-such-adapter-anywhere";
    let named = gumbel(&["sample", "-", "--adapter", none]);
    check(&run_with(named, &rows), none);
    // the header announces 2^55 rows: the shape of a file for their draws would overflow
    let many = gumbel(&["sample", "-", "--draws", "2147483648"]);
    let why = "are more than any file holds";
    check(&run_with(many, &f32s("(36028797018963968, 1)", &[])), why);
    for (args, why) in [
        (&["--temperature", "abc"][..], "'abc' for '--temperature <T>': invalid float literal"),
        (&["--seed", "x"], "'x' for '--seed <N>': invalid digit"),
        (&["--seed", "-1"], "'-1' for '--seed <N>': invalid digit"),
        (&["--seed", "18446744073709551616"], "'--seed <N>': number too large"),
        (&["--first-row", "-1"], "'-1' for '--first-row <N>': invalid digit"),
        (&["--draws", "-1"], "'-1' for '--draws <N>': -1 is not in 1..="),
        (&["--draws", "99999999999999999999"], "'--draws <N>': number too large"),
        (&["--adapter"], "a value is required for '--adapter <NAME>'"),
        (&["--sead", "1"], "'--sead' found (tip: a similar argument exists: '--seed')"),
        (&["in.npy"], "unexpected argument 'in.npy' found"),
    ] {
        refused(&rows, args, why);
    }
    let engine = gumbel(&["check", "--engine", "tpu"]).output().unwrap();
    let why = "'tpu' for '--engine <ENGINE>' [possible values: cpu, gpu] (tip: a similar value";
    check(&engine, why);
    check(&gumbel(&["sample"]).output().unwrap(), "arguments were not provided: <INPUT>");
    check(&gumbel(&["simple"]).output().unwrap(), "unrecognized subcommand 'simple' (tip: ");
}

#[test]
fn help_and_version_are_no_refusals() {
    for args in [&["--help"][..], &["-h"], &["help", "sample"], &["check", "--help"], &["-V"]] {
        let output = gumbel(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{args:?}");
    }
    // without arguments the command prints the help, but does not succeed
    let output = gumbel(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("\nUsage: gumbel <COMMAND>\n"));
}

#[test]
fn inputs_and_outputs_that_are_not_there() {
    let directory = tempdir().unwrap();
    let input = directory.path().join("in.npy");
    std::fs::write(&input, f32s("(2, 3)", &[0.0; 6])).unwrap();
    let run = |input: &Path, output: &Path| {
        let mut command = gumbel(&["sample", "--engine", "cpu", "-o"]);
        command.arg(output).arg(input).output().unwrap()
    };
    let missing = directory.path().join("missing");
    check(&run(&missing, &directory.path().join("out.npy")), "cannot read ");
    check(&run(directory.path(), &directory.path().join("out.npy")), "cannot read ");
    check(&run(&input, &missing.join("out.npy")), "cannot write ");
    check(&run(&input, directory.path()), "cannot write ");
    check(&run(&input, &directory.path().join("new/")), "new/: is a directory");
    check(&run(&input, Path::new("..")), "cannot write ");
    if Path::new("/dev/full").exists() {
        check(&run(&input, Path::new("/dev/full")), "cannot write /dev/full");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    let both = gumbel(&["sample", "--json", "-o", "-"]).arg(&input).output().unwrap();
    check(&both, "cannot both write to standard output");
}

#[test]
fn a_refusal_keeps_the_file_that_was_there() {
    let directory = tempdir().unwrap();
    let (input, out) = (directory.path().join("in.npy"), directory.path().join("out.npy"));
    std::fs::write(&out, "precious").unwrap();
    std::fs::write(&input, f32s("(3, 1)", &[0.0, 0.0, f32::NAN])).unwrap();
    let mut command = gumbel(&["sample", "--engine", "cpu", "--chunk", "1", "-o"]);
    check(&command.arg(&out).arg(&input).output().unwrap(), "row 2");
    assert_eq!(std::fs::read(&out).unwrap(), b"precious");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}
