//! A progress bar, shown only for long work on a terminal.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The time before a bar appears: shorter work shows none.
const PATIENCE: Duration = Duration::from_millis(500);

/// A progress bar on standard error, which is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// Whether a bar may still appear.
    waiting: bool,
}

impl Progress {
    /// A bar for `total` steps of work, or for as many as there will be, whose `unit` is a word such as "draws". With
    /// `text_on_stdout`, no bar is shown if standard output is a terminal, since the text would
    /// tear the bar apart.
    pub(crate) fn new(total: impl Into<Option<u64>>, unit: &str, text_on_stdout: bool) -> Self {
        let total = total.into();
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = match total {
            Some(_) => format!("{{wide_bar}} {{human_pos}} of {{human_len}} {unit}, {{eta}} to go"),
            None => format!("{{spinner}} {{human_pos}} {unit}, {{per_sec}}"),
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        let waiting = !(text_on_stdout && std::io::stdout().is_terminal());
        Self { bar, started: Instant::now(), waiting }
    }

    /// Shows no bar if nothing is to be said.
    pub(crate) fn hidden_if(mut self, quiet: bool) -> Self {
        self.waiting &= !quiet;
        self
    }

    /// Counts `steps` more steps as done.
    pub(crate) fn add(&mut self, steps: u64) {
        if self.waiting && self.started.elapsed() > PATIENCE {
            // indicatif draws nothing where standard error is not a terminal
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.waiting = false;
        }
        self.bar.inc(steps);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
