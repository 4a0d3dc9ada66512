//! Text: a row a line, with commas, semicolons, tabs or blanks between the numbers.
//!
//! Lines are divided among all threads. Empty lines, and lines that begin with `#` as those of `numpy.savetxt`, are no
//! rows.

mod fields;
mod lines;
mod number;
mod plan;

use rayon::prelude::*;

use self::fields::Fields;
use self::lines::Lines;
use self::number::Number;
use self::plan::Plan;
use crate::error::{Error, Name};
use crate::format::Format;
use crate::source::Source;
use crate::values::{Block, Values, set_length, with_vector};
use crate::{Column, Request, Rows};

/// A text that is being read.
struct Text {
    name: Name,
    lines: Lines,
    plan: Plan,
    /// An empty vector of the values' type.
    values: Values,
    keep: Vec<String>,
    position: u64,
}

/// Opens a text.
pub(crate) fn open(name: Name, source: Source, request: &Request) -> Result<Box<dyn Rows>, Error> {
    let mut lines = Lines::new(source);
    let bad = |what: String| name.malformed(Format::Text, what);
    lines.fill(1).map_err(|fault| fault.error(&name, 0))?;
    let Some(first) = lines.first() else {
        return Err(bad("it has no line with a number".to_owned()));
    };
    let fields = Fields::of_line(first);
    let (plan, has_names) = Plan::new(first, fields, request).map_err(bad)?;
    if has_names {
        lines.drop_first();
    }
    let values = number::values(request.dtype);
    let keep = request.keep.clone();
    Ok(Box::new(Text { name, lines, plan, values, keep, position: 0 }))
}

impl Text {
    /// Reads the numbers of the lines that have been taken.
    fn parse<T: Number>(&self, values: &mut Vec<T>) -> Result<(), Error> {
        let (lines, plan) = (self.lines.rows(), &self.plan);
        let (rows, categories) = (lines.count(), plan.categories);
        let all = rows.checked_mul(categories);
        all.and_then(|all| set_length(values, all).ok())
            .ok_or(Error::OutOfMemory { rows, categories })?;
        let numbered = values.par_chunks_mut(categories).enumerate();
        let faults = numbered.filter_map(|(row, out)| {
            plan.numbers(lines.get(row), out).err().map(|what| (row, what))
        });
        faults.min_by_key(|&(row, _)| row).map_or(Ok(()), |(row, what)| Err(self.error(row, &what)))
    }

    /// The error of a row, counted from the first of the block.
    fn error(&self, row: usize, what: &str) -> Error {
        let what = format!("{what} (line {})", self.lines.rows().number(row));
        self.name.row(self.position + row as u64, what)
    }
}

impl Rows for Text {
    fn categories(&self) -> usize {
        self.plan.categories
    }

    fn rows(&self) -> Option<u64> {
        None
    }

    fn kept(&self) -> &[String] {
        &self.keep
    }

    fn read(&mut self, most: usize, block: &mut Block) -> Result<bool, Error> {
        block.begin(self.position, &self.values, self.plan.categories);
        if most == 0 {
            return Ok(false);
        }
        self.lines.fill(most).map_err(|fault| fault.error(&self.name, self.position))?;
        let (lines, plan) = (self.lines.rows(), &self.plan);
        let rows = lines.count();
        let mut values = std::mem::take(&mut block.values);
        with_vector!(&mut values, vector => self.parse(vector))?;
        block.values = values;
        block.rows = rows;
        if plan.has_id() {
            let ids: Vec<_> =
                (0..rows).into_par_iter().map(|row| plan.id(lines.get(row))).collect();
            let ids = ids.into_iter().enumerate();
            let ids = ids.map(|(row, id)| id.map_err(|what| self.error(row, &what)));
            block.row_ids = Some(ids.collect::<Result<_, _>>()?);
        }
        block.kept = (0..self.keep.len())
            .map(|which| {
                let rows = (0..rows).into_par_iter();
                Column::Text(rows.map(|row| plan.kept(lines.get(row), which)).collect())
            })
            .collect();
        self.position += rows as u64;
        self.lines.take();
        Ok(rows > 0)
    }
}
