//! A progress bar that only long work on a terminal gets to see.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// How far the work has come, on standard error. It is gone from there when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// Whether a bar may still appear.
    waiting: bool,
}

impl Progress {
    /// `total` steps of work, such as "draws". Nothing is ever shown when `text_on_stdout` would
    /// tear the bar apart on the same terminal.
    pub(crate) fn new(total: u64, unit: &str, text_on_stdout: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let template = format!("{{wide_bar}} {{human_pos}} of {{human_len}} {unit}, {{eta}} to go");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        let waiting = !(text_on_stdout && std::io::stdout().is_terminal());
        Self { bar, started: Instant::now(), waiting }
    }

    /// So many more steps are done.
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
