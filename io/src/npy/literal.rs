//! The literals of Python that a .npy header is made of, as numpy reads them.
//!
//! A header is a dictionary of strings, True, False, numbers, tuples and lists. Python 2 wrote `u'...'` for strings
//! and `2L` for numbers. A file must not bring the program down: nesting has a bound, and memory grows with the text.

/// The deepest nesting of brackets that is read. A record type needs three or four levels.
const MAX_DEPTH: usize = 16;

/// A value of a header.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(u64),
    Bool(bool),
    /// A tuple, or a list.
    Sequence {
        is_tuple: bool,
        items: Vec<Literal>,
    },
    Dictionary(Vec<(Literal, Literal)>),
}

/// The text that is left to read, and where in the header that is.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

/// Reads a header's text, which is one literal.
pub(crate) fn parse(text: &[u8]) -> Result<Literal, String> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let literal = parser.value()?;
    match parser.peek() {
        None => Ok(literal),
        Some(_) => Err(parser.wrong("the end")),
    }
}

impl Parser<'_> {
    fn wrong(&self, wanted: &str) -> String {
        let found = match self.text.get(self.at) {
            Some(&byte) => format!("'{}'", (byte as char).escape_default()),
            None => "its end".to_owned(),
        };
        format!("its header has {found} at byte {} where {wanted} should be", self.at)
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Reads a byte if it is the next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self) -> Result<Literal, String> {
        match self.peek() {
            Some(b'\'' | b'"') => self.string(),
            Some(b'u' | b'U') if matches!(self.text.get(self.at + 1), Some(b'\'' | b'"')) => {
                self.at += 1;
                self.string()
            }
            Some(b'0'..=b'9') => self.number(),
            Some(b'T' | b'F') => self.boolean(),
            Some(b'(') => self.sequence(b')'),
            Some(b'[') => self.sequence(b']'),
            Some(b'{') => self.dictionary(),
            _ => Err(self.wrong("a string, a number of 0 or more, True, False or a bracket")),
        }
    }

    fn string(&mut self) -> Result<Literal, String> {
        let quote = self.text[self.at];
        if self.text[self.at..].starts_with(&[quote, quote, quote]) {
            return Err("its header has a string in triple quotes".to_owned());
        }
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.text[self.at..] {
                [b'\\', byte, ..] => {
                    bytes.push(byte);
                    self.at += 2;
                }
                [byte, ..] if byte == quote => {
                    self.at += 1;
                    return Ok(Literal::Text(String::from_utf8_lossy(&bytes).into_owned()));
                }
                [byte, ..] => {
                    bytes.push(byte);
                    self.at += 1;
                }
                [] => return Err("its header has a string without an end".to_owned()),
            }
        }
    }

    fn number(&mut self) -> Result<Literal, String> {
        let mut number = 0_u64;
        while let Some(&digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            number = number
                .checked_mul(10)
                .and_then(|n| n.checked_add(u64::from(digit - b'0')))
                .ok_or("its shape is larger than any file")?;
            self.at += 1;
        }
        // a long integer of Python 2
        if self.text.get(self.at) == Some(&b'L') {
            self.at += 1;
        }
        match self.text.get(self.at) {
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') => {
                Err(self.wrong("the end of a decimal number"))
            }
            _ => Ok(Literal::Number(number)),
        }
    }

    fn boolean(&mut self) -> Result<Literal, String> {
        for (word, value) in [(&b"True"[..], true), (b"False", false)] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(Literal::Bool(value));
            }
        }
        Err(self.wrong("True or False"))
    }

    /// Goes one bracket deeper.
    fn open(&mut self) -> Result<(), String> {
        if self.depth == MAX_DEPTH {
            return Err("its header is nested deeply".to_owned());
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn sequence(&mut self, end: u8) -> Result<Literal, String> {
        self.open()?;
        let (mut items, mut comma) = (Vec::new(), true);
        while !self.take(end) {
            if !comma {
                return Err(self.wrong("a comma or the end of a sequence"));
            }
            items.push(self.value()?);
            comma = self.take(b',');
        }
        self.depth -= 1;
        // (3) is a number in brackets, (3,) a tuple
        if end == b')' && items.len() == 1 && !comma {
            return items.pop().ok_or_else(String::new);
        }
        Ok(Literal::Sequence { is_tuple: end == b')', items })
    }

    fn dictionary(&mut self) -> Result<Literal, String> {
        self.open()?;
        let (mut entries, mut comma) = (Vec::new(), true);
        while !self.take(b'}') {
            if !comma {
                return Err(self.wrong("a comma or the end of a dictionary"));
            }
            let key = self.value()?;
            if !self.take(b':') {
                return Err(self.wrong("a colon"));
            }
            entries.push((key, self.value()?));
            comma = self.take(b',');
        }
        self.depth -= 1;
        Ok(Literal::Dictionary(entries))
    }
}

impl Literal {
    /// The literal as it is written.
    pub(crate) fn written(&self) -> String {
        let list = |items: &[Self]| items.iter().map(Self::written).collect::<Vec<_>>().join(", ");
        match self {
            Self::Text(text) => format!("'{text}'"),
            Self::Number(number) => number.to_string(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Sequence { is_tuple: false, items } => format!("[{}]", list(items)),
            Self::Sequence { items, .. } if items.len() == 1 => format!("({},)", list(items)),
            Self::Sequence { items, .. } => format!("({})", list(items)),
            Self::Dictionary(entries) => {
                let entries =
                    entries.iter().map(|(k, v)| format!("{}: {}", k.written(), v.written()));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_numpy_reads_is_read() {
        for (text, written) in [
            (
                "{'descr': '<f4', 'shape': (3, 128256), }  \n",
                "{'descr': '<f4', 'shape': (3, 128256)}",
            ),
            ("{u'a':\t(2L, 3L)}", "{'a': (2, 3)}"),
            (
                "{\"it's\": [('a', '|S7'), ('b', '<f4', (2,))]}",
                "{'it's': [('a', '|S7'), ('b', '<f4', (2,))]}",
            ),
            ("(3)", "3"),
            ("()", "()"),
            ("(3,)", "(3,)"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(
                parse(text.as_bytes()).map(|literal| literal.written()),
                Ok(written.to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_plain_literal_is_not() {
        for text in [
            "",
            "(",
            "{",
            "{'a'",
            "{'a':",
            "{'a': 1",
            "(1 2)",
            "[1,,2]",
            "(,)",
            "-1",
            "1_0",
            "0x1f",
            "1.5",
            "1+1",
            "18446744073709551616",
            "'''a'''",
            "'a",
            "'a\\",
            "b'a'",
            "Tru",
            "{1}",
            "1 2",
            "None",
            "(1]",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse("(".repeat(50_000).as_bytes()).is_err());
        let deep = |levels| format!("{}1,{}", "(".repeat(levels), "),".repeat(levels));
        assert!(parse(deep(MAX_DEPTH).trim_end_matches(',').as_bytes()).is_ok());
        assert!(parse(deep(MAX_DEPTH + 1).trim_end_matches(',').as_bytes()).is_err());
    }
}
