//! Draws and soft samples as text: a line a row.

use std::fmt::Write;

use gumbel::NO_DRAW;

use crate::draws::Drawn;

/// The state of a text of draws or soft samples. A space separates the draws of a row; commas
/// separate the k categories of a draw, and a number that belongs to a category follows the
/// category after a colon. In soft samples, the numbers of the categories take the place of the k
/// categories.
#[derive(Debug)]
pub(crate) struct Lines {
    k: usize,
    /// The number of categories in a line (draws × k), and how many of them have been written.
    in_row: usize,
    column: usize,
    text: String,
}

impl Lines {
    pub(crate) fn new(draws: u32, k: usize) -> Self {
        let in_row = (draws as usize).saturating_mul(k);
        Self { k, in_row, column: 0, text: String::new() }
    }

    /// Returns the text of the next draws: some draws of a row, or some rows.
    pub(crate) fn text(&mut self, drawn: &Drawn) -> &str {
        self.text.clear();
        for (i, &category) in drawn.categories.iter().enumerate() {
            // writing to a String does not fail
            let _ = match (category, drawn.values.get(i)) {
                (NO_DRAW, _) => write!(self.text, "-"),
                (_, None) => write!(self.text, "{category}"),
                (_, Some(value)) => write!(self.text, "{category}:{value:?}"),
            };
            self.end_place();
        }
        &self.text
    }

    /// Returns the text of the next numbers of soft samples; the numbers may begin and end within a
    /// sample.
    pub(crate) fn text_of(&mut self, numbers: &[f32]) -> &str {
        self.text.clear();
        for number in numbers {
            let _ = write!(self.text, "{number:?}");
            self.end_place();
        }
        &self.text
    }

    fn end_place(&mut self) {
        self.column += 1;
        let row_ends = self.column == self.in_row;
        let draw_ends = self.column.is_multiple_of(self.k);
        self.text.push(if row_ends {
            '\n'
        } else if draw_ends {
            ' '
        } else {
            ','
        });
        if row_ends {
            self.column = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_row_however_it_comes() {
        let drawn = |categories: &[u32], values: &[f64]| Drawn {
            categories: categories.to_vec(),
            values: values.to_vec(),
        };
        let mut plain = Lines::new(2, 1);
        assert_eq!(plain.text(&drawn(&[1, 2, 3], &[])), "1 2\n3 ");
        assert_eq!(plain.text(&drawn(&[4], &[])), "4\n");
        let mut k = Lines::new(2, 2);
        assert_eq!(k.text(&drawn(&[1, 2, 3, NO_DRAW], &[])), "1,2 3,-\n");
        let mut with = Lines::new(1, 2);
        let infinite = f64::INFINITY;
        assert_eq!(with.text(&drawn(&[1, NO_DRAW], &[1e-9, infinite])), "1:1e-9,-\n");
        let mut soft = Lines::new(2, 2);
        assert_eq!(soft.text_of(&[0.25, 0.75, 1.0]), "0.25,0.75 1.0,");
        assert_eq!(soft.text_of(&[0.0, 1e-9]), "0.0\n1e-9,");
    }
}
