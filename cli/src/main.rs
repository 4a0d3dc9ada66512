//! The `gumbel` command: draws from the rows of a file, softens the draws, sums the rows up and
//! explains one of them in a picture; lists a machine's adapters, holds its engines against the reference, and measures them.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
#[cfg(target_os = "linux")]
use crate::args::{Engine, Where};
use crate::error::Error;

mod adapters;
mod args;
mod bench;
mod call;
mod check;
mod cuts;
mod draws;
mod engine;
mod error;
mod explain;
mod input;
mod lines;
mod logz;
mod manual;
mod output;
mod picture;
mod progress;
mod restrict;
mod sample;
mod sink;
mod soften;
mod summary;
mod table;

/// The exit status of `gumbel check` and `gumbel bench` when an engine does not agree with the
/// reference, or when there is no engine.
const MISMATCH: u8 = 1;
/// The exit status when gumbel cannot do what it was asked to.
const REFUSED: u8 = 2;
/// The exit status when the reader of the output has gone: the one that a shell reports for a
/// SIGPIPE, so that a pipeline can know that not everything was written.
const CLOSED_PIPE: u8 = 128 + 13;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => match args::refusal(&error) {
            Some(refusal) => return refused(&refusal),
            None => error.exit(),
        },
    };
    #[cfg(target_os = "linux")]
    if looks_for_gpus(&args.command) {
        silence_drivers();
    }
    let result = match args.command {
        Command::Sample(args) => sample::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Soften(args) => soften::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Logz(args) => logz::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Cuts(args) => cuts::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Explain(args) => explain::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Adapters => adapters::run().map(|()| ExitCode::SUCCESS),
        Command::Check(args) => check::run(&args).map(verdict),
        Command::Bench(args) => bench::run(&args).map(verdict),
        Command::Completions { shell } => manual::completions(shell).map(|()| ExitCode::SUCCESS),
        Command::Man => manual::page().map(|()| ExitCode::SUCCESS),
    };
    match result {
        Ok(code) => code,
        Err(Error::ClosedPipe) => ExitCode::from(CLOSED_PIPE),
        Err(error) => refused(&error),
    }
}

/// Whether a command may look for the GPUs of this machine.
#[cfg(target_os = "linux")]
fn looks_for_gpus(command: &Command) -> bool {
    let at = |place: &Where| place.engine != Engine::Cpu;
    match command {
        Command::Sample(args) => at(&args.place),
        Command::Soften(args) => at(&args.place),
        Command::Logz(args) => at(&args.place),
        Command::Explain(args) => at(&args.place),
        Command::Adapters | Command::Check(_) | Command::Bench(_) => true,
        Command::Cuts(_) | Command::Completions { .. } | Command::Man => false,
    }
}

/// Goes on as a process with another environment, where a layer of Mesa's drivers would write errors of its own to
/// standard error: without `XDG_RUNTIME_DIR`, as in containers, it finds no display server to ask for its GPU. (To change
/// the environment of a running process is not safe.)
#[cfg(target_os = "linux")]
fn silence_drivers() {
    use std::os::unix::process::CommandExt;
    /// The switch of that layer.
    const SWITCH: &str = "NODEVICE_SELECT";
    let is_unset = |name| std::env::var_os(name).is_none();
    if !is_unset("XDG_RUNTIME_DIR") || !is_unset(SWITCH) {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let mut arguments = std::env::args_os();
        let mut command = std::process::Command::new(program);
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        // returns only if it fails, and then this process goes on as it is
        let _ = command.args(arguments).env(SWITCH, "1").exec();
    }
}

fn verdict(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::from(MISMATCH) }
}

/// Prints the error in one line.
fn refused(error: &Error) -> ExitCode {
    say(&format!("gumbel: {}", one_line(&error.to_string())));
    ExitCode::from(REFUSED)
}

/// Writes a line to standard error. Unlike `eprintln`, this does not panic when nobody reads the
/// line.
fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Returns a message without line breaks: drivers and file names may contain some.
fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
