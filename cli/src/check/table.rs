//! The table that `gumbel check --verbose` prints, and the verdict that it always prints.

use std::io::Write;

use gumbel::conformance::Case;

use super::engines::Engine;
use super::operations::{Off, Operation};
use crate::error::Error;
use crate::one_line;

/// The width of the first column: enough for the longest name of a case.
const NAME_WIDTH: usize = 64;
/// The width of a cell: enough for "9999999 differ".
const CELL_WIDTH: usize = 14;

/// A table with a line for each case or operation and a cell for each engine, and its verdict so
/// far.
pub(super) struct Table<'a> {
    engines: &'a [Engine],
    out: &'a mut dyn Write,
    /// Whether each line is printed, or only a line for each engine at the end.
    verbose: bool,
    /// What is wrong with each engine: mismatches and errors.
    wrong: Vec<usize>,
    operations: usize,
    cases: usize,
    mismatches: usize,
    /// What engines said when they failed, and which results are further off than they may be.
    errors: Vec<String>,
}

impl<'a> Table<'a> {
    /// Prints the heading.
    pub(super) fn new(
        engines: &'a [Engine],
        verbose: bool,
        out: &'a mut dyn Write,
    ) -> Result<Self, Error> {
        let wrong = vec![0; engines.len()];
        let (cases, operations, mismatches, errors) = (0, 0, 0, Vec::new());
        let mut table =
            Self { engines, out, verbose, wrong, operations, cases, mismatches, errors };
        let labels = engines.iter().map(|engine| engine.label.clone()).collect();
        table.line("rows x categories: case", labels)?;
        Ok(table)
    }

    /// Prints a line for each case, and compares the engines' draws with the expected ones.
    pub(super) fn draws(
        &mut self,
        cases: impl Iterator<Item = (Case, Vec<u32>)>,
    ) -> Result<(), Error> {
        for (case, expected) in cases {
            self.cases += 1;
            let mut cells = Vec::new();
            for (Engine { label, sampler }, wrong) in self.engines.iter().zip(&mut self.wrong) {
                cells.push(match case.mismatches(sampler, &expected) {
                    Ok(count) => {
                        self.mismatches += count;
                        *wrong += count;
                        count.cell()
                    }
                    Err(error) => {
                        let error = one_line(&error.to_string());
                        *wrong += 1;
                        self.errors.push(format!("{label} failed on {case}: {error}"));
                        "error".to_owned()
                    }
                });
            }
            self.line(&case.to_string(), cells)?;
        }
        Ok(())
    }

    /// Prints one line for all cases, and keeps the complaints about single cases for the end.
    pub(super) fn operation<O: Operation>(
        &mut self,
        operation: &O,
        cases: impl Iterator<Item = Case>,
    ) -> Result<(), Error> {
        let name = operation.name();
        self.operations += 1;
        // `None` once an engine has failed
        let mut offs = vec![Some(O::Off::default()); self.engines.len()];
        for case in cases {
            let expected = operation.expected(&case)?;
            let engines = self.engines.iter().zip(&mut offs).zip(&mut self.wrong);
            for ((Engine { label, sampler }, sum), wrong) in engines {
                match operation.off(&case, sampler, &expected) {
                    Ok(off) => {
                        *sum = sum.map(|sum| sum.join(off));
                        self.mismatches += off.mismatches();
                        *wrong += off.mismatches();
                        if let Some(complaint) = operation.complaint(off, sampler) {
                            *wrong += 1;
                            self.errors.push(format!("{label}, {name}, {case}: {complaint}"));
                        }
                    }
                    Err(error) => {
                        *sum = None;
                        *wrong += 1;
                        let error = one_line(&error.to_string());
                        self.errors.push(format!("{label}, {name}, failed on {case}: {error}"));
                    }
                }
            }
        }
        let cell = |off: Option<O::Off>| off.map_or("error".to_owned(), Off::cell);
        self.line(&name, offs.into_iter().map(cell).collect())
    }

    fn line(&mut self, name: &str, cells: Vec<String>) -> Result<(), Error> {
        if !self.verbose {
            return Ok(());
        }
        let mut text = format!("{name:NAME_WIDTH$}");
        for cell in cells {
            text.push_str(&format!("  {cell:CELL_WIDTH$}"));
        }
        writeln!(self.out, "{}", text.trim_end()).map_err(Error::stdout)
    }

    /// Prints the errors and the verdict. Returns true if all is well; `refused` means that an
    /// engine that should be in the table is not.
    pub(super) fn report(self, refused: bool) -> Result<bool, Error> {
        let Self { engines, out, verbose, wrong, operations, cases, mismatches, errors } = self;
        if !verbose {
            for (Engine { label, .. }, wrong) in engines.iter().zip(wrong) {
                let verdict = match wrong {
                    0 => format!("ok, {cases} cases and {operations} operations"),
                    wrong => format!("{wrong} results are wrong"),
                };
                writeln!(out, "{label:CELL_WIDTH$}  {verdict}").map_err(Error::stdout)?;
            }
        }
        for error in &errors {
            writeln!(out, "{error}").map_err(Error::stdout)?;
        }
        let engines = engines.len();
        let errors = match errors.len() {
            0 => String::new(),
            count => format!(", {count} errors"),
        };
        let plural = if engines == 1 { "" } else { "s" };
        writeln!(out, "{cases} cases on {engines} engine{plural}, {mismatches} mismatches{errors}")
            .map_err(Error::stdout)?;
        Ok(!refused && mismatches == 0 && errors.is_empty() && engines > 0 && cases > 0)
    }
}

#[cfg(test)]
mod tests;
