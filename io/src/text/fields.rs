//! The fields of a line.

use std::borrow::Cow;

/// What stands between fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fields {
    /// This byte.
    Byte(u8),
    /// Any number of blanks.
    Blanks,
}

impl Fields {
    /// What stands between the fields of a file whose first line this is.
    pub(crate) fn of_line(line: &[u8]) -> Self {
        let mut quoted = false;
        let bare: Vec<u8> = line
            .iter()
            .copied()
            .filter(|&byte| {
                quoted ^= byte == b'"';
                !quoted
            })
            .collect();
        let byte = [b'\t', b';', b','].into_iter().find(|byte| bare.contains(byte));
        match byte {
            Some(byte) => Self::Byte(byte),
            None if bare.trim_ascii().contains(&b' ') => Self::Blanks,
            None => Self::Byte(b','),
        }
    }

    /// Calls `each` with the number and the text of each field, without the blanks and the quotes around it, until
    /// `each` fails. Returns the number of fields.
    pub(crate) fn each<E>(
        self,
        line: &[u8],
        mut each: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut count = 0;
        let mut next = |field: &[u8]| {
            each(count, field)?;
            count += 1;
            Ok(())
        };
        match self {
            Self::Blanks => {
                let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
                for word in words {
                    next(&unquoted(word))?;
                }
            }
            Self::Byte(byte) if !line.contains(&b'"') => {
                for field in line.split(|&other| other == byte) {
                    next(field.trim_ascii())?;
                }
            }
            Self::Byte(byte) => {
                let mut rest = Some(line);
                while let Some(text) = rest {
                    let mut quoted = false;
                    let end = text.iter().position(|&other| {
                        quoted ^= other == b'"';
                        other == byte && !quoted
                    });
                    let (field, after) = match end {
                        Some(end) => (&text[..end], Some(&text[end + 1..])),
                        None => (text, None),
                    };
                    next(&unquoted(field.trim_ascii()))?;
                    rest = after;
                }
            }
        }
        Ok(count)
    }

    /// All fields as text.
    pub(crate) fn texts(self, line: &[u8]) -> Vec<String> {
        let mut texts = Vec::new();
        let never: Result<usize, std::convert::Infallible> = self.each(line, |_, field| {
            texts.push(String::from_utf8_lossy(field).into_owned());
            Ok(())
        });
        let _ = never;
        texts
    }
}

/// The text within quotes, in which two quotation marks stand for one.
fn unquoted(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")) else {
        return Cow::Borrowed(field);
    };
    if !inner.contains(&b'"') {
        return Cow::Borrowed(inner);
    }
    let mut after_mark = false;
    let kept = inner.iter().copied().filter(|&byte| {
        after_mark = byte == b'"' && !after_mark;
        !after_mark
    });
    Cow::Owned(kept.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_every_kind() {
        for (line, fields, texts) in [
            ("1,2", Fields::Byte(b','), &["1", "2"][..]),
            ("1, 2 ,\r", Fields::Byte(b','), &["1", "2", ""]),
            ("1\t\t2", Fields::Byte(b'\t'), &["1", "", "2"]),
            ("0,5;1", Fields::Byte(b';'), &["0,5", "1"]),
            ("  1   2 ", Fields::Blanks, &["1", "2"]),
            ("\"a b\"", Fields::Byte(b','), &["a b"]),
            ("\"a,\"\"b\"\"\",c", Fields::Byte(b','), &["a,\"b\"", "c"]),
            ("1", Fields::Byte(b','), &["1"]),
        ] {
            assert_eq!(Fields::of_line(line.as_bytes()), fields, "{line}");
            assert_eq!(fields.texts(line.as_bytes()), texts, "{line}");
        }
    }
}
