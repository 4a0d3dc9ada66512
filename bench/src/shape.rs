//! The batches that are measured.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A batch: rows × categories logits, and one draw from each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The number of rows, at least one.
    pub rows: u32,
    /// The number of logits of a row, at least one.
    pub categories: u32,
}

impl Shape {
    /// The shape of the target for draws beside an argmax on software adapters.
    pub const DECODING: Self = Self { rows: 256, categories: 128_256 };

    /// Decoding with few to many sequences; then many rows of middling length, many short rows, and
    /// one long row.
    pub const ALL: [Self; 9] = [
        Self { rows: 1, categories: 128_256 },
        Self { rows: 8, categories: 128_256 },
        Self { rows: 64, categories: 128_256 },
        Self::DECODING,
        Self { rows: 1024, categories: 128_256 },
        Self { rows: 65_536, categories: 1024 },
        Self { rows: 1_000_000, categories: 16 },
        Self { rows: 10_000_000, categories: 16 },
        Self { rows: 1, categories: 1 << 24 },
    ];

    /// The shapes that any device measures in a few seconds.
    pub const QUICK: [Self; 4] = [Self::ALL[0], Self::DECODING, Self::ALL[5], Self::ALL[6]];

    /// The shapes of the targets for restricted draws.
    pub const RESTRICTED: [Self; 2] = [Self::DECODING, Self { rows: 64, categories: 32_000 }];

    /// The number of logits.
    pub fn logits(self) -> u64 {
        u64::from(self.rows) * u64::from(self.categories)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", grouped(self.rows), grouped(self.categories))
    }
}

impl FromStr for Shape {
    type Err = Error;

    /// Reads ROWSxCATEGORIES. Commas and underscores within a number are refused, since commas
    /// separate shapes.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Shape { text: text.to_owned(), what: what.to_owned() };
        let (rows, categories) =
            text.trim().split_once(['x', '×']).ok_or_else(|| wrong("there is no x in it"))?;
        let number = |name: &str, digits: &str| {
            let range = || wrong(&format!("{name} are 1 to {}", u32::MAX - 1));
            let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
            if !plain {
                return Err(wrong(&format!("{name} are \"{digits}\", which is no whole number")));
            }
            let n: u32 = digits.parse().map_err(|_| range())?;
            if n == 0 || n == u32::MAX { Err(range()) } else { Ok(n) }
        };
        Ok(Self { rows: number("rows", rows)?, categories: number("categories", categories)? })
    }
}

/// Returns a number with its digits in groups of three.
fn grouped(n: u32) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read_and_shown() {
        let shape: Shape = "256x128256".parse().unwrap();
        assert_eq!(shape, Shape::DECODING);
        assert_eq!(shape.to_string(), "256 × 128,256");
        assert_eq!("1×16777216".parse::<Shape>().unwrap(), Shape::ALL[8]);
        assert_eq!(Shape { rows: 10_000_000, categories: 16 }.to_string(), "10,000,000 × 16");
        assert_eq!(Shape { rows: u32::MAX - 1, categories: u32::MAX - 1 }.logits() >> 63, 1);
    }

    #[test]
    fn what_is_no_shape_is_refused_by_name() {
        for (text, what) in [
            ("", "there is no x in it"),
            ("256", "there is no x in it"),
            ("x16", "rows are \"\", which is no whole number"),
            ("16x", "categories are \"\", which is no whole number"),
            ("-1x16", "rows are \"-1\", which is no whole number"),
            ("+1x16", "rows are \"+1\", which is no whole number"),
            ("8x1e3", "categories are \"1e3\", which is no whole number"),
            ("2x3x4", "categories are \"3x4\", which is no whole number"),
            ("0x16", "rows are 1 to 4294967294"),
            ("16x0", "categories are 1 to 4294967294"),
            ("1x4294967295", "categories are 1 to 4294967294"),
            ("1x99999999999999999999", "categories are 1 to 4294967294"),
        ] {
            let error = text.parse::<Shape>().unwrap_err().to_string();
            let expected = format!("\"{text}\" is no shape such as 256x128256: {what}");
            assert_eq!(error, expected);
        }
    }
}
