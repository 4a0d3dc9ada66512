//! `gumbel explain`: pictures of rows of all kinds, and what it refuses.

use std::path::Path;

use crate::common::{check_refused, gumbel, logits, stdout, write_f32};
use tempfile::tempdir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The command that the documentation gives for its picture.
const DOCUMENTED: [&str; 6] =
    ["explain", "data/letters.npy", "--row", "19", "--labels", "data/letters.txt"];

/// The picture of a row, as text.
fn picture(input: &Path, args: &[&str]) -> String {
    let mut command = gumbel(&["explain", "--engine", "cpu"]);
    stdout(command.arg(input).args(args).output().unwrap())
}

/// How many elements of a kind a picture has.
fn count(svg: &str, element: &str) -> usize {
    svg.matches(&format!("<{element} ")).count()
}

#[test]
fn the_picture_in_the_documentation_is_the_one_that_its_command_draws() {
    let mut command = gumbel(&DOCUMENTED);
    let drawn = stdout(command.args(["--engine", "cpu"]).current_dir(ROOT).output().unwrap());
    let kept = std::fs::read_to_string(Path::new(ROOT).join("docs/explain.svg")).unwrap();
    assert!(drawn == kept, "cargo run --release -p gumbel-cli -- {} -o ...", DOCUMENTED.join(" "));
    // the comparison would notice another seed
    let mut command = gumbel(&DOCUMENTED);
    command.args(["--engine", "cpu", "--seed", "1"]).current_dir(ROOT);
    assert_ne!(stdout(command.output().unwrap()), kept);
}

#[test]
fn its_first_draw_is_the_race_that_is_shown() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[30, 9], &logits(270));
    let drawn = stdout(crate::common::sample(&input, &["--seed", "5"]));
    for (row, draw) in drawn.lines().enumerate() {
        let svg = picture(&input, &["--row", &row.to_string(), "--seed", "5"]);
        let wins = format!("the highest wins, \"{draw}\"");
        assert!(svg.contains(&wins) || svg.contains(&wins.replace('"', "&quot;")), "{svg}");
    }
}

#[test]
fn rows_of_all_kinds_have_a_picture() {
    let directory = tempdir().unwrap();
    let many = logits(5000);
    let huge = [1e30, -1e30, 5.0, 1e30, f32::NEG_INFINITY];
    for (values, shown) in [
        (&[3.0][..], 1),
        (&[0.0, 1.0], 2),
        (&many[..100], 100),
        (&many[..101], 61),
        (&many, 61),
        (&huge, 5),
        (&[f32::MAX, f32::MAX, f32::MIN], 3),
        (&[-1e-30, 200.0], 2),
    ] {
        let input = write_f32(directory.path(), &[values.len() as u64], values);
        for more in [&[][..], &["--draws", "1"], &["--temperature", "0.01"]] {
            let svg = picture(&input, &[&["--row", "0"], more].concat());
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
            // two bars for each category, and the background
            assert!(count(&svg, "rect") > 2 * shown, "{} of {shown}", count(&svg, "rect"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert_eq!(svg.contains(">\nrest\n<"), values.len() > 100);
        }
    }
}

#[test]
fn weights_have_the_picture_of_their_logarithms() {
    let directory = tempdir().unwrap();
    let weights = write_f32(directory.path(), &[4], &[0.0, 1.0, 2.0, 4.0]);
    let svg = picture(&weights, &["--row", "0", "--weights"]);
    assert!(svg.contains("Race of draw 0"), "{svg}");
    // the first category has neither a logit nor a frequency
    assert_eq!(count(&svg, "circle"), 3 + 2 * 3);
}

/// The letters of the rules over the bars, in the order of the categories.
fn letters(svg: &str) -> String {
    let texts = svg.split("</text>").filter_map(|text| text.rsplit('>').next());
    let short = texts.map(str::trim).filter(|text| text.len() == 1);
    short.filter(|text| "xkmep".contains(*text)).collect()
}

#[test]
fn what_is_cut_is_shown_with_the_rule_that_cut_it() {
    let directory = tempdir().unwrap();
    // e³, e², e, 1, e⁻⁵ over their sum: 0.643, 0.237, 0.087, 0.032, 0.0002
    let input = write_f32(directory.path(), &[2, 5], &[0., 1., 2., 3., -5., 0., 0., 0., 0., 0.]);
    let mut mask = crate::common::header("'<u4'", "False", "(2, 1)");
    mask.extend([0b11101u32, 0b11111].iter().flat_map(|word| word.to_le_bytes()));
    std::fs::write(directory.path().join("mask.npy"), mask).unwrap();
    let mask = directory.path().join("mask.npy");
    let mask = mask.to_str().unwrap();
    for (args, rules, kept) in [
        (
            &["--top-k", "3"][..],
            "kk",
            "the 3 of 5 categories that are kept: from logit 1.0000 on, 0.9677",
        ),
        (
            &["--top-p", "0.8"],
            "ppp",
            "the 2 of 5 categories that are kept: from logit 2.0000 on, 0.8806",
        ),
        (&["--min-p", "0.1"], "mm", "the 3 of 5"),
        (&["--epsilon", "0.01"], "e", "the 4 of 5"),
        (&["--allowed", mask], "x", "the 4 of 5"),
        (
            &["--allowed", mask, "--top-k", "3", "--min-p", "0.1", "--top-p", "0.5"],
            "mxpk",
            "the 1 of 5",
        ),
        (&["--top-k", "5"], "", "the 5 of 5"),
        (&["--top-p", "1"], "", "the 5 of 5"),
    ] {
        let svg = picture(&input, &[&["--row", "0"], args].concat());
        assert!(svg.contains(kept), "{args:?}: {svg}");
        assert_eq!(letters(&svg), rules, "{args:?}");
        assert_eq!(svg.contains("cut (grey):"), !rules.is_empty(), "{args:?}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        // the race that is shown, and the frequencies, are of what is kept
        let drawn = stdout(crate::common::sample(&input, args));
        let wins = format!("the highest wins, &quot;{}&quot;", drawn.lines().next().unwrap());
        assert!(svg.contains(&wins) || svg.contains(&wins.replace("&quot;", "\"")), "{svg}");
    }
    // the mask of the second row is another one
    let svg = picture(&input, &["--row", "1", "--allowed", mask]);
    assert!(svg.contains("the 5 of 5") && letters(&svg).is_empty(), "{svg}");
    // weights are cut as their logarithms are, and what is not allowed may be anything
    let weights = write_f32(directory.path(), &[1, 4], &[f32::NAN, 1.0, 2.0, 4.0]);
    let mut mask = crate::common::header("'<u4'", "False", "(1,)");
    mask.extend(0b1110u32.to_le_bytes());
    let path = directory.path().join("one.npy");
    std::fs::write(&path, mask).unwrap();
    let args = ["--row", "0", "--weights", "--top-k", "2", "--allowed", path.to_str().unwrap()];
    let svg = picture(&weights, &args);
    assert!(svg.contains("the 2 of 4 categories that are kept: from weight 2.0000 on"), "{svg}");
    assert_eq!(letters(&svg), "xk");
    assert!(!svg.contains("NaN"), "{svg}");
}

#[test]
fn long_rows_show_what_is_kept_first() {
    let directory = tempdir().unwrap();
    let values: Vec<f32> = (0..5000).map(|i| (i * 37 % 5000) as f32 / 500.0).collect();
    let input = write_f32(directory.path(), &[5000], &values);
    let svg = picture(&input, &["--row", "0", "--top-k", "3"]);
    // the 57 that are shown beside the 3, and the rest
    assert_eq!(letters(&svg), "k".repeat(58));
}

#[test]
fn names_are_those_of_the_file_and_harmless() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[3], &[0.0; 3]);
    let labels = directory.path().join("labels");
    std::fs::write(&labels, "one\n<b>&\nfar too long\n").unwrap();
    let svg = picture(&input, &["--row", "0", "--labels", labels.to_str().unwrap()]);
    for label in ["\none\n", "\n&lt;b&gt;&amp;\n", "\nfar to…\n"] {
        assert!(svg.contains(label), "{svg}");
    }
}

#[test]
fn what_has_no_picture_is_refused_and_leaves_no_file() {
    let directory = tempdir().unwrap();
    let mut values = logits(30);
    values[22] = f32::NAN;
    let input = write_f32(directory.path(), &[10, 3], &values);
    std::fs::write(directory.path().join("two"), "a\nb\n").unwrap();
    for (args, why) in [
        (&["--row", "7"][..], "row 7 has no draw: its logit of category 1 is NaN"),
        (&["--row", "10"], "--row 10 of 10 rows, which are numbered from 0"),
        (&["--row", "-1"], "'-1' for '--row <R>': invalid digit"),
        (&[], "arguments were not provided: --row <R>"),
        (&["--row", "0", "--draws", "0"], "'--draws <N>': 0 is not in 1..="),
        (&["--row", "0", "--temperature", "0"], "no meaning at temperature 0"),
        (&["--row", "0", "--labels", "two"], "two has 2 lines, a label each, but a row has 3"),
        (&["--row", "0", "--labels", "three"], "cannot read three: "),
        (&["--row", "0", "--top-k", "0"], "top-k must be 1 or more, got 0"),
        (&["--row", "0", "--allowed", "no.npy"], "cannot read no.npy"),
        (&["--row", "0", "--adapter", "x"], "--engine cpu has no adapter"),
    ] {
        let mut command = gumbel(&["explain", "--engine", "cpu", "-o", "out.svg"]);
        command.arg(&input).args(args).current_dir(directory.path());
        check_refused(&command.output().unwrap(), why);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }
    let mut command = gumbel(&["explain", "--row", "0", "-o", "out.PNG"]);
    command.arg(&input).current_dir(directory.path());
    check_refused(&command.output().unwrap(), "the picture is an SVG");
    let mut command = gumbel(&["explain", "--row", "0", "-o", "nowhere/out.svg"]);
    command.arg(&input).current_dir(directory.path());
    check_refused(&command.output().unwrap(), "cannot write nowhere/out.svg: ");
    // the rows before the row may be invalid
    assert!(picture(&input, &["--row", "8"]).starts_with("<svg "));
}
