//! The results as a CSV file and as tables.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::clock::Time;
use crate::shapes::{DECODING, MIDDLING, ONE, SHORT, Shape};

pub(crate) const GUMBEL: &str = "gumbel";
pub(crate) const MAXIMUM: &str = "maximum of all logits";
pub(crate) const ROW_MAXIMA: &str = "maximum of each row";
pub(crate) const INVERSE_CDF: &str = "inverse CDF in f64";
pub(crate) const INVERSE_CDF_F32: &str = "inverse CDF in f32";
pub(crate) const NOISE: &str = "noise on each logit";

/// An operation that was timed.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) what: &'static str,
    pub(crate) isa: &'static str,
    pub(crate) threads: usize,
    pub(crate) shape: Shape,
    pub(crate) time: Time,
    /// The ratio of its time to that of the faster of the two maxima, where there is one.
    pub(crate) ratio: Option<f64>,
}

impl Line {
    /// Returns the nanoseconds for a logit, counted once for each draw.
    pub(crate) fn ns_per_logit(&self) -> f64 {
        self.time.minimum * 1e9 / (self.shape.logits() * self.shape.draws) as f64
    }

    fn draws_per_second(&self) -> String {
        match self.what {
            MAXIMUM | ROW_MAXIMA => String::new(),
            _ => format!("{:.0}", self.shape.races() as f64 / self.time.minimum),
        }
    }

    /// Returns the ratio of the median of the samples to the fastest.
    fn spread(&self) -> f64 {
        self.time.median / self.time.minimum
    }

    fn ratio(&self) -> String {
        self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default()
    }
}

/// Gives each line its ratio to the faster maximum among them.
pub(crate) fn compare(lines: &mut [Line]) {
    let maxima = lines.iter().filter(|line| [MAXIMUM, ROW_MAXIMA].contains(&line.what));
    let Some(least) = maxima.map(|line| line.time.minimum).min_by(f64::total_cmp) else { return };
    for line in lines {
        line.ratio = Some(line.time.minimum / least);
    }
}

/// Prints all times of one shape on some threads.
pub(crate) fn print_lines(lines: &[Line]) {
    let head = ["", "isa", "ns a logit", "draws a second", "× maximum", "median / minimum"];
    print_table(
        &head,
        lines.iter().map(|line| {
            vec![
                line.what.into(),
                line.isa.into(),
                digits(line.ns_per_logit()),
                line.draws_per_second(),
                line.ratio(),
                format!("{:.2}", line.spread()),
            ]
        }),
    );
}

/// Prints the first table of docs/performance.md: a line for each shape and number of threads.
pub(crate) fn print_summary(lines: &[Line], isa: &'static str) {
    println!("## Nanoseconds a logit, counted once a draw ({}; gumbel: {isa})\n", machine());
    let peers = [MAXIMUM, ROW_MAXIMA, INVERSE_CDF, INVERSE_CDF_F32, NOISE];
    let head: Vec<_> = ["rows × categories", "threads", GUMBEL].into_iter().chain(peers).collect();
    let rows = lines.iter().filter(|line| line.what == GUMBEL && line.isa == isa).map(|line| {
        let Shape { rows, categories, draws } = line.shape;
        let mut name = format!("{} × {}", grouped(rows), grouped(categories));
        if draws > 1 {
            let _ = write!(name, ", {} draws", grouped(draws));
        }
        let mut cells = vec![name, line.threads.to_string(), digits(line.ns_per_logit())];
        cells.extend(peers.map(|what| {
            let peer = find(lines, what, None, line.shape, line.threads);
            peer.map(|peer| digits(peer.ns_per_logit())).unwrap_or_default()
        }));
        cells
    });
    print_table(&head, rows);
}

/// Prints the table of the instruction sets, on one thread.
pub(crate) fn print_forms(lines: &[Line], isas: &[&'static str]) {
    println!("## Nanoseconds a logit with each instruction set, on one thread\n");
    let head: Vec<_> = [""].iter().chain(isas).copied().collect();
    let mut shapes: Vec<_> = lines.iter().map(|line| line.shape).collect();
    shapes.dedup();
    print_table(
        &head,
        shapes.into_iter().map(|shape| {
            let of = |isa: &&'static str| {
                let line = find(lines, GUMBEL, Some(isa), shape, 1);
                line.map(|line| digits(line.ns_per_logit())).unwrap_or_default()
            };
            [shape.name()].into_iter().chain(isas.iter().map(of)).collect()
        }),
    );
}

/// Prints the targets for two cores with AVX-512, and the engine's results on this machine.
pub(crate) fn print_targets(lines: &[Line], isa: &'static str, threads: usize) {
    let of = |what, isa, shape| find(lines, what, isa, shape, threads);
    let gumbel = |shape| of(GUMBEL, Some(isa), shape);
    let mut table = Vec::new();
    for (shape, most) in [(DECODING, 2.2), (MIDDLING, 3.0)] {
        if let Some(ratio) = gumbel(shape).and_then(|line| line.ratio) {
            let aim = format!("at most {most} × the maximum");
            table.push(vec![shape.name(), aim, format!("{ratio:.2} ×"), verdict(ratio <= most)]);
        }
    }
    // the aim is relative to the sampler that one writes first; the tuned one in f32 stands beside
    // it
    for (peer, least) in [(INVERSE_CDF, Some(4.0)), (INVERSE_CDF_F32, None)] {
        if let (Some(line), Some(other)) = (gumbel(SHORT), of(peer, None, SHORT)) {
            let ratio = other.time.minimum / line.time.minimum;
            let aim = least.map_or(format!("(as fast as {peer})"), |least| {
                format!("at least {least} × as fast as {peer}")
            });
            let verdict = least.map_or(String::new(), |least| verdict(ratio >= least));
            table.push(vec![SHORT.name(), aim, format!("{ratio:.2} ×"), verdict]);
        }
    }
    if let Some(line) = gumbel(ONE) {
        let ms = line.time.minimum * 1e3;
        let aim = "one draw in less than 0.1 ms".to_owned();
        table.push(vec![ONE.name(), aim, format!("{ms:.3} ms"), verdict(ms < 0.1)]);
    }
    if !table.is_empty() {
        println!("## Targets, on {}\n", self::threads(threads));
        print_table(&["", "aim", "measured", ""], table.into_iter());
    }
}

/// Prints how even the time for a logit is while a shape grows, by minima and by medians: some
/// samples of a millisecond escape all other work on the machine, but a call of a second never
/// does.
pub(crate) fn print_growth(name: &str, lines: &[Line], threads: usize) {
    println!("### {name}, {}\n", self::threads(threads));
    print_lines_by_size(lines);
    for what in [GUMBEL, MAXIMUM] {
        let of = |time: fn(&Line) -> f64| {
            let times = lines.iter().filter(|line| line.what == what).map(time);
            let (least, most) =
                times.fold((f64::MAX, 0.0f64), |(least, most), t| (least.min(t), most.max(t)));
            (most / least - 1.0) * 100.0
        };
        let fastest = of(Line::ns_per_logit);
        let median = of(|line| line.ns_per_logit() * line.spread());
        println!(
            "{what}: the slowest size takes {fastest:.0} % more a logit than the fastest \
             (by medians {median:.0} %)"
        );
    }
    println!();
}

fn print_lines_by_size(lines: &[Line]) {
    print_table(
        &["", "shape", "ns a logit", "median / minimum"],
        lines.iter().map(|line| {
            vec![
                line.what.into(),
                line.shape.name(),
                digits(line.ns_per_logit()),
                format!("{:.2}", line.spread()),
            ]
        }),
    );
}

/// Writes all lines to `benches/results/cpu-YYYY-MM-DD.csv`.
pub(crate) fn write_csv(lines: &[Line]) -> std::io::Result<PathBuf> {
    let mut csv = String::from(
        "machine,isa,threads,rows,categories,draws,ns per logit,draws per second,\
         ratio to the max-reduction,what,median to minimum\n",
    );
    let machine = machine();
    for line in lines {
        let Shape { rows, categories, draws } = line.shape;
        let _ = writeln!(
            csv,
            "{machine},{},{},{rows},{categories},{draws},{:.5},{},{},{},{:.2}",
            line.isa,
            line.threads,
            line.ns_per_logit(),
            line.draws_per_second(),
            line.ratio(),
            line.what,
            line.spread(),
        );
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/results");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("cpu-{}.csv", date()));
    std::fs::write(&path, csv)?;
    Ok(path)
}

fn find<'a>(
    lines: &'a [Line],
    what: &str,
    isa: Option<&str>,
    shape: Shape,
    threads: usize,
) -> Option<&'a Line> {
    lines.iter().find(|line| {
        line.what == what
            && isa.is_none_or(|isa| line.isa == isa)
            && line.shape == shape
            && line.threads == threads
    })
}

/// Returns the name of the processor and its number of threads, but not the host's name.
pub(crate) fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or(std::env::consts::ARCH);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} ({})", model.trim().replace([',', '"'], " "), self::threads(threads))
}

/// Returns today's date in UTC. The calculation counts days in years that begin with March, so that
/// a leap day is the last day of a year.
pub(crate) fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

fn print_table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    println!("| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
    println!();
}

fn verdict(reached: bool) -> String {
    if reached { "reached" } else { "missed" }.to_owned()
}

/// Returns a number of threads, in words.
pub(crate) fn threads(count: usize) -> String {
    format!("{count} thread{}", if count == 1 { "" } else { "s" })
}

/// Returns a number with three significant digits.
fn digits(x: f64) -> String {
    let places = (2 - x.log10().floor() as i32).clamp(0, 6) as usize;
    format!("{x:.places$}")
}

/// Returns a number with its digits in groups of three.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let head = digits.len() % 3;
    let mut parts = if head == 0 { vec![] } else { vec![&digits[..head]] };
    let mut at = head;
    while at < digits.len() {
        parts.push(&digits[at..at + 3]);
        at += 3;
    }
    parts.join(",")
}
