//! Cuts and masks of decoders, and `gumbel cuts`.

use gumbel::{
    Allowed, CpuSampler, LogProbsOf, Logits, Relaxation, SampleOptions, Share, Truncation,
};

use crate::common::{f32s, gumbel, header, sample, stdout};

const ROWS: usize = 5;
const CATEGORIES: usize = 70;

fn logits() -> Vec<f32> {
    (0..ROWS * CATEGORIES).map(|i| ((i * 37) % 101) as f32 / 12.0).collect()
}

/// A file of the logits, and a mask of every third category for each row, of words with a sign.
fn files(folder: &std::path::Path) -> (std::path::PathBuf, std::path::PathBuf, Vec<u32>) {
    let (rows, masks) = (folder.join("rows.npy"), folder.join("masks.npy"));
    std::fs::write(&rows, f32s("(5, 70)", &logits())).unwrap();
    let word = |i: usize| {
        (0..32).map(|j| u32::from((32 * (i % 3) + j + i / 3).is_multiple_of(3)) << j).sum()
    };
    let words: Vec<u32> = (0..ROWS * 3).map(word).collect();
    let mut bytes = header("'<i4'", "False", "(5, 3)");
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    std::fs::write(&masks, bytes).unwrap();
    (rows, masks, words)
}

#[test]
fn draws_and_cuts_are_the_library_s() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, masks, words) = files(folder.path());
    let masks = masks.to_str().unwrap();
    let logits = logits();
    let batch = Logits::new(&logits, CATEGORIES).unwrap();
    let cpu = CpuSampler::new();
    let new = Truncation::new;
    let plain = SampleOptions::default().with_temperature(0.7);
    let allowed = Allowed::each(&words, 3);
    let all = new().with_top_k(20).with_top_p(0.8).with_min_p(0.01).with_epsilon(0.001);
    let cases: [(&[&str], SampleOptions<'_>); 5] = [
        (&["--top-k", "3"], plain.with_truncation(new().with_top_k(3))),
        (
            &["--top-p", "0.5", "--cut-temperature", "1"],
            plain.with_truncation(new().with_top_p(0.5).with_at_temperature(1.0)),
        ),
        (
            &[
                "--top-k",
                "20",
                "--top-p",
                "0.8",
                "--min-p",
                "0.01",
                "--epsilon",
                "0.001",
                "--share",
                "rest",
            ],
            plain.with_truncation(all.with_share(Share::Rest)),
        ),
        (&["--allowed", masks], plain.with_allowed(allowed)),
        (
            &["--allowed", masks, "--top-k", "2"],
            plain.with_allowed(allowed).with_truncation(new().with_top_k(2)),
        ),
    ];
    for (flags, options) in cases {
        // a row at a time, too, as masks are of rows of the file
        for chunk in [&[][..], &["--chunk", "70"]] {
            let args = [flags, &["--temperature", "0.7", "--draws", "9"], chunk].concat();
            let text = stdout(sample(&rows, &args));
            let draws = cpu.sample_rows(batch, &options.with_draws(9)).unwrap();
            let lines: Vec<String> = draws
                .chunks(9)
                .map(|row| row.iter().map(u32::to_string).collect::<Vec<_>>().join(" "))
                .collect();
            assert_eq!(text.lines().collect::<Vec<_>>(), lines, "{args:?}");

            for (among, of) in [("kept", LogProbsOf::Kept), ("allowed", LogProbsOf::Allowed)] {
                let args = [&args[..], &["--with", "logprob", "--logprob-of", among]].concat();
                let text = stdout(sample(&rows, &args));
                let options = options.with_draws(9).with_log_probs_of(of);
                let scored = cpu.sample_rows_scored(batch, &options).unwrap();
                let pairs = scored.draws.iter().zip(scored.log_probs);
                let pairs: Vec<String> = pairs.map(|(c, x)| format!("{c}:{x:?}")).collect();
                let lines: Vec<String> = pairs.chunks(9).map(|row| row.join(" ")).collect();
                assert_eq!(text.lines().collect::<Vec<_>>(), lines, "{args:?}");
            }

            let cuts = [flags, &["--temperature", "0.7"], chunk].concat();
            let text = stdout(gumbel(&["cuts"]).arg(&rows).args(&cuts).output().unwrap());
            let expected = cpu.cut_rows(batch, &options).unwrap();
            for (line, cut) in text.lines().zip(&expected) {
                assert_eq!(line, format!("{:?} {} {:?}", cut.threshold, cut.kept, cut.share));
            }
            assert_eq!(text.lines().count(), ROWS);

            let logz = [flags, &["--temperature", "0.7", "--engine", "cpu"], chunk].concat();
            let text = stdout(gumbel(&["logz"]).arg(&rows).args(&logz).output().unwrap());
            let sums = cpu.logsumexp_rows(batch, &options).unwrap();
            for (line, sum) in text.lines().zip(sums) {
                assert_eq!(line, format!("{sum:?}"));
            }

            let soft = [flags, &["--tau", "0.7", "--temperature", "0.7", "--engine", "cpu"], chunk];
            let text = stdout(gumbel(&["soften"]).arg(&rows).args(soft.concat()).output().unwrap());
            let samples = cpu.soften_rows(batch, &options, Relaxation::soft(0.7)).unwrap();
            let line = |row: &[f32]| row.iter().map(|y| format!("{y:?}")).collect::<Vec<_>>();
            let lines = samples.chunks(CATEGORIES).map(|row| line(row).join(","));
            assert_eq!(text.lines().collect::<Vec<_>>(), lines.collect::<Vec<_>>(), "{flags:?}");
        }
    }
}

#[test]
fn what_is_refused_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, _, _) = files(folder.path());
    let short = folder.path().join("short.npy");
    let mut bytes = header("'<u4'", "False", "(2, 3)");
    bytes.extend([0xff; 24]);
    std::fs::write(&short, &bytes).unwrap();
    let narrow = folder.path().join("narrow.npy");
    let mut bytes = header("'<u4'", "False", "(2,)");
    bytes.extend([0xff; 8]);
    std::fs::write(&narrow, &bytes).unwrap();
    let (short, narrow) = (short.to_str().unwrap(), narrow.to_str().unwrap());
    for (args, why) in [
        (&["--top-k", "0"][..], "top-k must be 1 or more, got 0"),
        (&["--top-p", "0"], "top-p must be above 0"),
        (&["--min-p", "2"], "min-p must be from 0 to 1, got 2"),
        (&["--allowed", short], "has 2 masks, and the file has more rows"),
        (&["--allowed", narrow], "has 2 words for a row of 70 categories, which needs 3"),
        (&["--allowed", "no.npy"], "cannot read no.npy"),
    ] {
        let soften = [&["--tau", "1", "--engine", "cpu"], args].concat();
        for output in [
            sample(&rows, args),
            gumbel(&["cuts"]).arg(&rows).args(args).output().unwrap(),
            gumbel(&["soften"]).arg(&rows).args(soften).output().unwrap(),
        ] {
            assert!(!output.status.success(), "{args:?}");
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(error.starts_with("gumbel: ") && error.contains(why), "{error}");
        }
    }
}
