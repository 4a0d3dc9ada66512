//! Checks of noise from the top down: the definition, the engine and the keys.

use std::process::ExitCode;

mod chi;
mod definition;
mod engines;
mod keys;
mod samples;
mod top_k;

const USAGE: &str = "\
usage: check definition    P, V, G, the counters, and independence within a group
       check chi           draws against softmax
       check engines [N]   draws of N awkward rows (300) against the reference, with every instruction set
       check keys          all keys of rows against the reference
       check top           the top k of rows against the reference";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let passed = match arguments[..] {
        ["definition"] => definition::check(),
        ["chi"] => chi::check(),
        ["engines"] => engines::check(300),
        ["engines", rows] => match rows.parse() {
            Ok(rows) => engines::check(rows),
            Err(_) => usage(),
        },
        ["keys"] => keys::check(),
        ["top"] => top_k::check(),
        _ => usage(),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> bool {
    eprintln!("{USAGE}");
    false
}
