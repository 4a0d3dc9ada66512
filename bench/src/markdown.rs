//! The results as Markdown: two tables, and which targets are reached.

use std::fmt::Write as _;

use crate::logits::Rows;
use crate::results::{
    ALL_CUTS, ARGMAX, COPY, Line, MASK, MIN_P, Results, SAMPLE, SAMPLE_ROWS, SAMPLE_ROWS_CPU,
    TOP_K, TOP_P, UPLOAD, UPLOAD_DIRECT,
};
use crate::shape::Shape;

/// The most that a draw may cost, in units of an argmax: on hardware, and on an emulated GPU.
const MOST_OF_ARGMAX: f64 = 1.25;
const MOST_OF_ARGMAX_EMULATED: f64 = 2.0;
/// The least rate at which an argmax reads, as a fraction of the rate at which a copy reads and
/// writes.
const LEAST_OF_COPY: f64 = 0.8;
/// The bytes that a copy moves for each byte of logits: it reads the byte and writes it.
///
/// The target says "at least 80 % of the device's copy bandwidth counted as read bytes". A device's copy bandwidth
/// counts both the bytes that it reads and those that it writes; "counted as read bytes" refers to the argmax, which
/// writes next to nothing. If the copy's writes were left out, an argmax would pass that moves two fifths of what the
/// memory can. benches/peers/table.py reads the target the same way, and compares minima too.
const MOVED_BY_COPY: f64 = 2.0;

/// The most that restricted draws may cost, in units of draws from all categories, on an emulated GPU: there is no figure
/// for hardware yet.
const MOST_OF_SAMPLE_EMULATED: [(&str, f64); 4] =
    [(MASK, 1.15), (MIN_P, 1.25), (TOP_K, 1.7), (TOP_P, 2.2)];

/// The cell of a measurement that is missing; the notes say why.
const NONE: &str = "—";

impl Results {
    /// Returns all tables and notes.
    pub fn markdown(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        parts.push(self.comments.iter().map(|comment| format!("* {comment}\n")).collect());
        if self.is_restricted() {
            parts.push(
                "On the device, the shortest of all times. Of each restricted draw, the ratio to a draw of the same logits \
                 among all categories: a mask of about 95 % of the categories, min-p 0.05, top-k 50, top-p 0.9, and all \
                 three cuts with min-p 0.02.\n"
                    .to_owned(),
            );
            parts.push(self.restricted());
            parts.push(self.restricted_targets());
            parts.push(self.notes());
            parts.retain(|part| !part.is_empty());
            return parts.join("\n");
        }
        parts.push(
            "On the device, the shortest of all times; GB/s are of logits read. × argmax is the \
             ratio to gumbel's kernel for the largest logits, laid out the same; × copy that to a \
             copy of the same bytes, which moves twice as many. f16 and bf16 are the ratios of \
             their times to that of f32.\n"
                .to_owned(),
        );
        parts.push(self.on_device());
        parts.push(
            "From the host's memory and back, by the wall clock. The upload is the same bytes in \
             the same chunks to the device, and nothing else, in the faster way if there are two. f64 is \
             the ratio of the time of the same logits in f64, which the host makes relative rows of f32 of.\n"
                .to_owned(),
        );
        parts.push(self.calls());
        parts.push(self.targets());
        parts.push(self.notes());
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }

    fn on_device(&self) -> String {
        let head = [
            "rows × categories",
            "sample, ms",
            "wall, ms",
            "GB/s",
            "× argmax",
            "× copy",
            "f16",
            "bf16",
        ];
        let rows = self.shapes().into_iter().map(|shape| {
            let sample = self.find(shape, SAMPLE, "f32");
            let ratio = |own: Option<&Line>, other: Option<&Line>| {
                digits(own.zip(other).and_then(|(own, other)| own.times(other)))
            };
            vec![
                shape.to_string(),
                ms(sample.and_then(|line| line.device).map(|time| time.min)),
                ms(sample.and_then(|line| line.wall).map(|time| time.min)),
                digits(sample.and_then(Line::gb_per_s)),
                ratio(sample, self.find(shape, ARGMAX, "f32")),
                ratio(sample, self.find(shape, COPY, "")),
                ratio(self.find(shape, SAMPLE, "f16"), sample),
                ratio(self.find(shape, SAMPLE, "bf16"), sample),
            ]
        });
        table(&head, rows)
    }

    fn is_restricted(&self) -> bool {
        self.lines.iter().any(|line| line.what == TOP_P)
    }

    fn restricted(&self) -> String {
        let head = ["rows × categories", "sample, ms", MASK, MIN_P, TOP_K, TOP_P, ALL_CUTS];
        let rows = self.shapes().into_iter().map(|shape| {
            let sample = self.find(shape, SAMPLE, "f32").and_then(Line::time);
            let mut row = vec![shape.to_string(), ms(sample.map(|time| time.min))];
            let ratio = |&what: &&str| digits(self.ratio(shape, what, SAMPLE));
            row.extend(head[2..].iter().map(ratio));
            row
        });
        table(&head, rows)
    }

    fn restricted_targets(&self) -> String {
        if self.hardware || self.rows != Rows::Normal {
            return String::new();
        }
        let rows = MOST_OF_SAMPLE_EMULATED.into_iter().map(|(what, most)| {
            let ratio = |shape| (shape, self.ratio(shape, what, SAMPLE));
            let ratios: Vec<_> = self.shapes().into_iter().map(ratio).collect();
            let aim = format!("{what} at most {most} × a draw from all, on a software adapter");
            verdict(aim, &ratios, |ratio| ratio <= most, |x| digits(Some(x)))
        });
        table(&["target", "", "where"], rows)
    }

    fn calls(&self) -> String {
        let head = [
            "rows × categories",
            "sample_rows, ms",
            "logits a second",
            "of the upload's rate",
            "f64",
            "CPU engine, ms",
        ];
        let rows = self.shapes().into_iter().map(|shape| {
            let call = self.find(shape, SAMPLE_ROWS, "f32").and_then(Line::time);
            let doubles = self.find(shape, SAMPLE_ROWS, "f64").and_then(Line::time);
            let cpu = self.find(shape, SAMPLE_ROWS_CPU, "f32").and_then(Line::time);
            let share = call.zip(self.upload(shape)).map(|(call, upload)| upload / call.min);
            let rate = call.map(|call| shape.logits() as f64 / call.min * 1e9);
            vec![
                shape.to_string(),
                ms(call.map(|call| call.min)),
                rate.map_or(NONE.to_owned(), in_words),
                share.map_or(NONE.to_owned(), percent),
                digits(doubles.zip(call).map(|(doubles, call)| doubles.min / call.min)),
                ms(cpu.map(|cpu| cpu.min)),
            ]
        });
        table(&head, rows)
    }

    /// Returns the shortest time of an upload.
    fn upload(&self, shape: Shape) -> Option<f64> {
        [UPLOAD, UPLOAD_DIRECT]
            .into_iter()
            .filter_map(|what| self.find(shape, what, "")?.time())
            .map(|time| time.min)
            .min_by(f64::total_cmp)
    }

    /// Returns the targets for such a device, and whether they are reached.
    fn targets(&self) -> String {
        if self.rows != Rows::Normal {
            return String::new();
        }
        let sample: Vec<_> = self
            .shapes()
            .into_iter()
            .filter(|&shape| self.hardware || shape == Shape::DECODING)
            .map(|shape| (shape, self.ratio(shape, SAMPLE, ARGMAX)))
            .collect();
        let (most, kind) = if self.hardware {
            (MOST_OF_ARGMAX, "hardware")
        } else {
            (MOST_OF_ARGMAX_EMULATED, "a software adapter")
        };
        let aim = format!("sampling at most {most} × argmax, on {kind}");
        let mut rows = vec![verdict(aim, &sample, |ratio| ratio <= most, |x| digits(Some(x)))];
        if self.hardware {
            // both have the same logits, so the ratio of rates is the inverse ratio of times
            let share = |shape| Some(self.ratio(shape, COPY, ARGMAX)? / MOVED_BY_COPY);
            let argmax: Vec<_> =
                self.shapes().into_iter().map(|shape| (shape, share(shape))).collect();
            let aim =
                "argmax reads at least 80 % of what gumbel's copy reads and writes".to_owned();
            rows.push(verdict(aim, &argmax, |share| share >= LEAST_OF_COPY, percent));
        }
        table(&["target", "", "where"], rows.into_iter())
    }

    fn ratio(&self, shape: Shape, what: &str, other: &str) -> Option<f64> {
        let find = |what| self.find(shape, what, if what == COPY { "" } else { "f32" });
        find(what)?.times(find(other)?)
    }

    /// Returns why times are missing, with one note for all shapes that have the same reason.
    fn notes(&self) -> String {
        let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
        for line in self.lines.iter().filter(|line| line.time().is_none()) {
            let what = format!("{} {}", line.what, line.format);
            let reason = format!("{}: {}", what.trim_end(), line.note);
            let shape = line.shape.to_string();
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, shapes)) => shapes.push(shape),
                None => reasons.push((reason, vec![shape])),
            }
        }
        reasons.iter().fold(String::new(), |mut text, (reason, shapes)| {
            let _ = writeln!(text, "* {}: {reason}", shapes.join(", "));
            text
        })
    }
}

/// Returns a line of the targets: reached only if it was measured everywhere.
fn verdict(
    aim: String,
    values: &[(Shape, Option<f64>)],
    is_reached: impl Fn(f64) -> bool,
    show: impl Fn(f64) -> String,
) -> Vec<String> {
    let mut parts = [("missed", Vec::new()), ("not measured", Vec::new()), ("reached", Vec::new())];
    for (shape, value) in values {
        let (part, text) = match value {
            Some(value) if is_reached(*value) => (2, format!("{shape} ({})", show(*value))),
            Some(value) => (0, format!("{shape} ({})", show(*value))),
            None => (1, shape.to_string()),
        };
        parts[part].1.push(text);
    }
    let word = parts.iter().find(|(_, shapes)| !shapes.is_empty()).map_or("not measured", |p| p.0);
    let texts = parts.iter().filter(|(_, shapes)| !shapes.is_empty());
    let texts: Vec<_> =
        texts.map(|(word, shapes)| format!("{word}: {}", shapes.join(", "))).collect();
    let all = if texts.is_empty() { "no such shape".to_owned() } else { texts.join("; ") };
    vec![aim, format!("**{word}**"), all]
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn ms(ns: Option<f64>) -> String {
    digits(ns.map(|ns| ns / 1e6))
}

/// Returns a number with three significant digits.
fn digits(x: Option<f64>) -> String {
    let Some(x) = x.filter(|x| x.is_finite() && *x > 0.0) else { return NONE.to_owned() };
    let places = (2 - x.log10().floor() as i32).clamp(0, 6) as usize;
    format!("{x:.places$}")
}

/// Returns a rate in words, such as millions or billions.
fn in_words(x: f64) -> String {
    let (unit, name) = if x >= 1e9 { (1e9, "billion") } else { (1e6, "million") };
    format!("{} {name}", digits(Some(x / unit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::results::tests::results;

    #[test]
    fn the_targets_are_those_of_the_kind_of_device() {
        let times = [(SAMPLE, 1.9e6), (ARGMAX, 1e6)];
        let software = results(false, Shape::DECODING, &times).markdown();
        let line = "| sampling at most 2 × argmax, on a software adapter | **reached** | reached: \
                    256 × 128,256 (1.90) |\n";
        assert!(software.contains(line), "{software}");
        assert!(!software.contains("gumbel's copy"), "{software}");
        let hardware = results(true, Shape::DECODING, &times).markdown();
        assert!(hardware.contains("| **missed** | missed: 256 × 128,256 (1.90) |"), "{hardware}");
        assert!(hardware.contains("| **not measured** | not measured: 256 × 128,256 |"));
        let elsewhere = results(false, Shape::ALL[0], &times).markdown();
        assert!(elsewhere.contains("| **not measured** | no such shape |"), "{elsewhere}");
    }

    #[test]
    fn an_argmax_is_held_against_what_a_copy_reads_and_writes() {
        // the same times are in benches/peers/test_table.py, with the same verdicts
        for (argmax, share, verdict) in [(625_000.0, 80, "reached"), (635_000.0, 79, "missed")] {
            let mut results = results(true, Shape::DECODING, &[(ARGMAX, argmax), (COPY, 1e6)]);
            results.lines[1].format = "";
            // the verdict depends on minima alone
            results.lines[0].device = Some(Time { min: argmax, median: 9e6 });
            let text = results.markdown();
            let line = format!(
                "| argmax reads at least 80 % of what gumbel's copy reads and writes | **{verdict}** \
                 | {verdict}: 256 × 128,256 ({share} %) |\n"
            );
            assert!(text.contains(&line), "{text}");
        }
    }

    #[test]
    fn the_tables_have_what_was_measured_and_dashes() {
        let times = [(SAMPLE, 2e6), (ARGMAX, 1e6), (SAMPLE_ROWS, 40e6), (UPLOAD, 30e6)];
        let mut results = results(true, Shape::DECODING, &times);
        results.lines[3].format = "";
        let text = results.markdown();
        let device = "| 256 × 128,256 | 2.00 | 2.00 | 65.7 | 2.00 | — | — | — |\n";
        assert!(text.contains(device), "{text}");
        let host = "| 256 × 128,256 | 40.0 | 821 million | 75 % | — | — |\n";
        assert!(text.contains(host), "{text}");
    }

    #[test]
    fn restricted_draws_have_a_table_and_targets_of_their_own() {
        let times = [(SAMPLE, 2e6), (MASK, 2.2e6), (MIN_P, 3e6), (TOP_K, 4e6), (TOP_P, 4.4e6)];
        let text = results(false, Shape::DECODING, &times).markdown();
        let row = "| 256 × 128,256 | 2.00 | 1.10 | 1.50 | 2.00 | 2.20 | — |\n";
        assert!(text.contains(row), "{text}");
        for verdict in [
            "| mask at most 1.15 × a draw from all, on a software adapter | **reached** |",
            "| min-p at most 1.25 × a draw from all, on a software adapter | **missed** |",
            "| top-p at most 2.2 × a draw from all, on a software adapter | **reached** |",
        ] {
            assert!(text.contains(verdict), "{text}");
        }
        assert!(!text.contains("argmax"), "{text}");
        let hardware = results(true, Shape::DECODING, &times).markdown();
        assert!(hardware.contains(row) && !hardware.contains("target"), "{hardware}");
        // nor are there targets for rows that are not normal
        let equal = Results { rows: Rows::Equal, ..results(false, Shape::DECODING, &times) };
        let equal = equal.markdown();
        assert!(equal.contains(row) && !equal.contains("target"), "{equal}");
    }

    #[test]
    fn numbers_have_three_digits() {
        for (x, text) in [(0.012345, "0.0123"), (1.0, "1.00"), (99.96, "100.0"), (1234.5, "1234")] {
            assert_eq!(digits(Some(x)), text);
        }
        assert_eq!(digits(None), NONE);
        assert_eq!(
            (in_words(2.34e9), in_words(821e6)),
            ("2.34 billion".into(), "821 million".into())
        );
    }
}
