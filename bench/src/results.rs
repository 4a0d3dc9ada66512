//! The results of a run, and their CSV file.

use std::fmt::Write as _;

use crate::clock::{Spans, Time};
use crate::error::Error;
use crate::logits::Rows;
use crate::shape::Shape;

/// A draw of each row of logits on the device.
pub const SAMPLE: &str = "sample";
/// The largest logit of each row, by gumbel's kernel for temperature 0, laid out as for draws.
pub const ARGMAX: &str = "argmax";
/// A copy of the logits within the device.
pub const COPY: &str = "copy";
/// A draw of each row among about 95 % of its categories, by a mask of the row.
pub const MASK: &str = "mask";
/// A draw of each row with min-p 0.05.
pub const MIN_P: &str = "min-p";
/// A draw of each row with top-k 50.
pub const TOP_K: &str = "top-k";
/// A draw of each row with top-p 0.9.
pub const TOP_P: &str = "top-p";
/// A draw of each row with top-k 50, top-p 0.9 and min-p 0.02.
pub const ALL_CUTS: &str = "all cuts";
/// `GpuSampler::sample_rows`: logits from the host's memory, and draws to it.
pub const SAMPLE_ROWS: &str = "sample_rows";
/// `CpuSampler::sample_rows`: the same draws without a device.
pub const SAMPLE_ROWS_CPU: &str = "sample_rows cpu";
/// An upload of the logits alone, through memory that both host and device can reach.
pub const UPLOAD: &str = "upload";
/// An upload of the logits alone, to memory of the device that the host can write to.
pub const UPLOAD_DIRECT: &str = "upload direct";

/// One operation that was timed in one shape, or that could not be.
#[derive(Clone, Debug)]
pub struct Line {
    /// The batch.
    pub shape: Shape,
    /// The type of the logits; empty where the type does not matter.
    pub format: &'static str,
    /// The operation that was timed.
    pub what: &'static str,
    /// Its time by the device's clock.
    pub device: Option<Time>,
    /// Its time by the wall clock, from the submission of one run to its end.
    pub wall: Option<Time>,
    /// The bytes of the logits.
    pub bytes: u64,
    /// How it was timed, or why it was not.
    pub note: String,
    /// Whether it was not timed because its results are wrong.
    pub wrong: bool,
}

impl Line {
    /// A line with the times of an operation, or with the reason why it has none.
    pub(crate) fn new(
        shape: Shape,
        format: &'static str,
        what: &'static str,
        spans: &Result<Spans, Error>,
        note: &str,
    ) -> Self {
        let logit = match format {
            "f16" | "bf16" => 2,
            "f64" => 8,
            _ => 4,
        };
        let bytes = shape.logits().saturating_mul(logit);
        let (device, wall, note, wrong) = match spans {
            Ok(Spans { device, wall }) => (*device, *wall, note.to_owned(), false),
            Err(error) => (None, None, error.to_string(), matches!(error, Error::Wrong(_))),
        };
        Self { shape, format, what, device, wall, bytes, note: one_line(&note), wrong }
    }

    /// Returns the device's time where it is known, and the wall clock's otherwise.
    pub fn time(&self) -> Option<Time> {
        self.device.or(self.wall)
    }

    /// Returns the rate of the shortest time: GB of logits in a second.
    pub fn gb_per_s(&self) -> Option<f64> {
        self.time().map(|time| self.bytes as f64 / time.min)
    }

    /// Returns how many times as long as another operation this one takes, by the same clock.
    pub fn times(&self, other: &Self) -> Option<f64> {
        let clocks = match (self.device, other.device) {
            (Some(own), Some(other)) => Some((own, other)),
            _ => self.wall.zip(other.wall),
        };
        clocks.map(|(own, other)| own.min / other.min)
    }
}

/// The results of a run.
#[derive(Clone, Debug)]
pub struct Results {
    /// Adapter, driver, date and so on, a line each.
    pub comments: Vec<String>,
    /// False for an adapter that emulates a GPU on the CPU.
    pub hardware: bool,
    /// What the logits of rows are. Targets are for normal ones.
    pub rows: Rows,
    /// The lines, shape by shape.
    pub lines: Vec<Line>,
}

impl Results {
    /// The shapes, in the order in which they were measured.
    pub fn shapes(&self) -> Vec<Shape> {
        let mut shapes = Vec::new();
        for line in &self.lines {
            if !shapes.contains(&line.shape) {
                shapes.push(line.shape);
            }
        }
        shapes
    }

    /// Returns the line of an operation on a shape.
    pub fn find(&self, shape: Shape, what: &str, format: &str) -> Option<&Line> {
        let wanted =
            |line: &&Line| line.shape == shape && line.what == what && line.format == format;
        self.lines.iter().find(wanted)
    }

    /// Returns the lines whose results are not the CPU engine's.
    pub fn wrong(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.wrong)
    }

    /// Returns the lines as CSV, with the comments before them.
    pub fn csv(&self) -> String {
        let mut csv = String::new();
        for comment in &self.comments {
            let _ = writeln!(csv, "# {comment}");
        }
        csv.push_str(
            "rows,categories,format,what,device_ns_min,device_ns_median,wall_ns_min,\
             wall_ns_median,gb_per_s,note\n",
        );
        for line in &self.lines {
            let Line { shape: Shape { rows, categories }, format, what, device, wall, .. } = line;
            let ns = |time: Option<Time>| match time {
                Some(Time { min, median }) => format!("{min:.0},{median:.0}"),
                None => ",".to_owned(),
            };
            let rate = line.gb_per_s().map(|rate| format!("{rate:.3}")).unwrap_or_default();
            let _ = writeln!(
                csv,
                "{rows},{categories},{format},{what},{},{},{rate},{}",
                ns(*device),
                ns(*wall),
                quoted(&line.note)
            );
        }
        csv
    }
}

/// Returns a field of a CSV file.
fn quoted(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Returns a message without line breaks: drivers may have some.
pub(crate) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the results of one shape on a device whose times are these, in nanoseconds.
    pub(crate) fn results(hardware: bool, shape: Shape, times: &[(&'static str, f64)]) -> Results {
        let line = |&(what, ns): &(&'static str, f64)| {
            let time = Some(Time { min: ns, median: 1.5 * ns });
            let device = if what.starts_with("sample_rows") { None } else { time };
            let spans = Ok(Spans { device, wall: time });
            Line::new(shape, "f32", what, &spans, "")
        };
        Results {
            comments: vec!["adapter: Made Up".to_owned()],
            hardware,
            rows: Rows::Normal,
            lines: times.iter().map(line).collect(),
        }
    }

    #[test]
    fn the_csv_has_its_columns_whatever_the_notes() {
        let mut results = results(true, Shape::DECODING, &[(SAMPLE, 1e6), (SAMPLE_ROWS, 2e6)]);
        let why = Error::LeftOut("no \"room\",\nor so".to_owned());
        results.lines.push(Line::new(Shape::DECODING, "", COPY, &Err(why), ""));
        let csv = results.csv();
        assert!(csv.starts_with("# adapter: Made Up\nrows,categories,format,what,"), "{csv}");
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(csv.as_bytes());
        let head = "rows,categories,format,what,device_ns_min,device_ns_median,wall_ns_min,\
                    wall_ns_median,gb_per_s,note";
        assert_eq!(reader.headers().unwrap(), head.split(',').collect::<Vec<_>>());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let first = ["256", "128256", "f32", "sample", "1000000", "1500000", "1000000"];
        assert_eq!(rows[0].iter().take(7).collect::<Vec<_>>(), first);
        assert_eq!(&rows[0][8], "131.334");
        assert_eq!(&rows[1][4], "");
        let missing = ["256", "128256", "", "copy", "", "", "", "", ""];
        assert_eq!(rows[2].iter().take(9).collect::<Vec<_>>(), missing);
        assert_eq!(&rows[2][9], "left out: no \"room\", or so");
    }

    #[test]
    fn ratios_are_of_the_same_clock() {
        let results = results(true, Shape::DECODING, &[(SAMPLE, 3.0), (ARGMAX, 2.0)]);
        let (mut sample, argmax) = (results.lines[0].clone(), &results.lines[1]);
        assert_eq!(sample.times(argmax), Some(1.5));
        sample.device = None;
        sample.wall = Some(Time { min: 8.0, median: 8.0 });
        assert_eq!(sample.times(argmax), Some(4.0));
        sample.wall = None;
        assert_eq!(sample.times(argmax), None);
    }
}
