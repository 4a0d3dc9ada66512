//! CSV and JSON lines.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Cells;
use crate::Column;

/// A text that is being written.
pub(super) struct Text<W> {
    is_json: bool,
    names: Vec<String>,
    to: W,
    begun: bool,
    line: String,
}

impl<W: Write> Text<W> {
    pub(super) fn new(is_json: bool, names: Vec<String>, to: W) -> Self {
        Self { is_json, names, to, begun: false, line: String::new() }
    }

    fn begin(&mut self) -> io::Result<()> {
        if !self.is_json && !self.begun {
            let names: Vec<String> = self.names.iter().map(|name| quoted(name)).collect();
            writeln!(self.to, "{}", names.join(","))?;
        }
        self.begun = true;
        Ok(())
    }

    pub(super) fn write(&mut self, columns: &[Cells]) -> io::Result<()> {
        self.begin()?;
        let is_json = self.is_json;
        let keys = self.names.iter().map(serde_json::to_string);
        let keys: Vec<String> = keys.collect::<Result<_, _>>()?;
        for row in 0..columns.first().map_or(0, Cells::len) {
            let line = &mut self.line;
            line.clear();
            for (i, cells) in columns.iter().enumerate() {
                line.push_str(match (is_json, i) {
                    (true, 0) => "{",
                    (_, 0) => "",
                    _ => ",",
                });
                if is_json {
                    line.push_str(&keys[i]);
                    line.push(':');
                }
                cell(cells, row, is_json, line)?;
            }
            line.push_str(if is_json { "}\n" } else { "\n" });
            self.to.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.begin()?;
        Ok(self.to)
    }
}

/// Appends a cell.
fn cell(cells: &Cells, row: usize, is_json: bool, line: &mut String) -> io::Result<()> {
    // writing to a String does not fail
    let _ = match cells {
        Cells::Ids(ids) => write!(line, "{}", ids[row]),
        Cells::Categories(categories) => match categories[row] {
            Some(category) => write!(line, "{category}"),
            None => write!(line, "{}", if is_json { "null" } else { "" }),
        },
        Cells::Numbers(numbers) => number(numbers[row], is_json, line),
        Cells::Kept(Column::Text(texts)) => text(&texts[row], is_json, line)?,
        #[cfg(feature = "arrow")]
        Cells::Kept(Column::Arrow(array)) => {
            super::arrow::cell(array.as_ref(), row, is_json, line)?
        }
    };
    Ok(())
}

/// Appends a number: JSON has none that are not finite, and CSV has them as numpy reads them.
pub(super) fn number(number: f64, is_json: bool, line: &mut String) -> std::fmt::Result {
    if is_json && !number.is_finite() {
        line.push_str("null");
        return Ok(());
    }
    write!(line, "{number:?}")
}

/// Appends a text.
pub(super) fn text(text: &str, is_json: bool, line: &mut String) -> io::Result<std::fmt::Result> {
    if is_json {
        line.push_str(&serde_json::to_string(text)?);
    } else {
        line.push_str(&quoted(text));
    }
    Ok(Ok(()))
}

/// A field of CSV, in quotes if it needs them.
fn quoted(text: &str) -> String {
    let plain = !text.contains([',', '"', '\n', '\r']) && text.trim() == text;
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}
