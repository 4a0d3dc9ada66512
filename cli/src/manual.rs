//! `gumbel completions` and `gumbel man`: what shells and `man` want to know.

use std::io::Write;

use clap::CommandFactory;

use crate::args::Args;
use crate::error::Error;

/// Prints the completions of a shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Error> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "gumbel", &mut text);
    print(&text)
}

/// Prints the page of the manual, with the options of all commands.
pub(crate) fn page() -> Result<(), Error> {
    let mut text = Vec::new();
    let command = Args::command();
    clap_mangen::Man::new(command.clone()).render(&mut text).map_err(Error::stdout)?;
    for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
        let name = part.get_name().to_uppercase();
        writeln!(text, ".SH GUMBEL {name}").map_err(Error::stdout)?;
        let man = clap_mangen::Man::new(part.clone());
        man.render_description_section(&mut text).map_err(Error::stdout)?;
        man.render_options_section(&mut text).map_err(Error::stdout)?;
    }
    print(&text)
}

fn print(text: &[u8]) -> Result<(), Error> {
    std::io::stdout().write_all(text).map_err(Error::stdout)
}
