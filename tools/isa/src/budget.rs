//! What the figures may be at most, so that no change makes kernels dearer in silence.

use std::fmt::Write;

use crate::Error;
use crate::report::{self, Build, Case, Report};

/// A figure may be so many times what it was when the budget was written.
pub const ROOM: f64 = 1.2;

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is of: chip, int64 or not, and the shape or the kernel; and which figure.
    pub of: [String; 4],
    /// How much.
    pub value: f64,
}

/// The figures that a budget holds, of which less is better.
pub fn figures(report: &Report) -> Vec<Figure> {
    let mut all = vec![];
    for build in &report.builds {
        let Build { chip, int64, cases, kernels } = build;
        let int64 = if *int64 { "with" } else { "without" };
        let mut say = |what: &str, figure: &str, value: f64| {
            let of = [*chip, int64, what, figure].map(str::to_string);
            // as it will stand in the file
            all.push(Figure { of, value: (value * 100.0).round() / 100.0 });
        };
        for Case { shape, draws, argmax } in cases {
            let shape = format!("{} x {}", shape.rows, shape.categories);
            for (what, account) in [(shape.clone(), draws), (format!("{shape} argmax"), argmax)] {
                say(&what, "units a logit", account.units_a_logit());
                if let Some(turn) = account.turn_a_logit(4) {
                    say(&what, "units a logit of a turn", turn);
                }
            }
        }
        for kernel in kernels {
            let what = report::name(kernel.variant).replace(',', "");
            let [vectors, _, spilled, _, memory, code, _] = kernel.figures;
            say(&what, "VGPRs", vectors as f64);
            say(&what, "spilled registers", spilled as f64);
            say(&what, "bytes of workgroup memory", memory as f64);
            say(&what, "bytes of code", code as f64);
        }
    }
    all
}

/// A budget as it is kept: the driver, and the figures of its day.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// The driver that the figures are of.
    pub driver: String,
    /// They.
    pub figures: Vec<Figure>,
}

const HEAD: &str = "chip,int64,what,figure,value";

impl Budget {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or("");
        let driver = first.strip_prefix("# ").ok_or("a budget begins with `# ` and a driver")?;
        if lines.next() != Some(HEAD) {
            return Err(format!("the second line of a budget is {HEAD}").into());
        }
        let figures = lines.map(|line| {
            let cells: Vec<_> = line.split(',').collect();
            let [chip, int64, what, figure, value] = cells[..] else {
                return Err(Error::from(format!("five cells were expected in `{line}`")));
            };
            let value = value.parse().map_err(|_| format!("`{value}` in `{line}` is no number"))?;
            Ok(Figure { of: [chip, int64, what, figure].map(str::to_string), value })
        });
        Ok(Self { driver: driver.to_string(), figures: figures.collect::<Result<_, _>>()? })
    }

    /// The file.
    pub fn text(&self) -> String {
        let mut text = format!("# {}\n{HEAD}\n", self.driver);
        for Figure { of, value } in &self.figures {
            let _ = writeln!(text, "{},{value}", of.join(","));
        }
        text
    }

    /// What is wrong with figures by this budget, a line each.
    pub fn faults(&self, now: &[Figure]) -> Vec<String> {
        let find = |all: &[Figure], of| all.iter().find(|f| f.of == of).map(|f| f.value);
        let mut faults = vec![];
        for Figure { of, value } in now {
            let words = of.join(", ");
            match find(&self.figures, of.clone()) {
                None => faults.push(format!("{words}: {value}, which has no budget")),
                Some(then) if *value > then * ROOM => faults.push(format!(
                    "{words}: {value}, more than {:.2} (a fifth above {then})",
                    then * ROOM
                )),
                Some(_) => {}
            }
        }
        for Figure { of, .. } in &self.figures {
            if find(now, of.clone()).is_none() {
                faults.push(format!("{}: in the budget, and no figure of today", of.join(", ")));
            }
        }
        faults
    }

    /// How many figures are so much lower now that the budget no longer holds them.
    pub fn loose(&self, now: &[Figure]) -> usize {
        let loose = |f: &&Figure| {
            self.figures.iter().any(|then| then.of == f.of && f.value * ROOM < then.value)
        };
        now.iter().filter(loose).count()
    }
}
