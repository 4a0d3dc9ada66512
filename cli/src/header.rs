//! The header of a .npy file: npyz parses it, once it is known to be harmless.
//!
//! npyz multiplies the shape without a check for overflow, and its parser uses one stack frame for
//! each level of brackets. Both are fine for the headers that numpy writes. A malformed file must
//! not bring the program down, so this module looks at the text first, and lets only plain headers
//! pass.

use std::io::{self, Read};

use npyz::NpyHeader;

/// The longest header that is read, in bytes; numpy itself reads none above 10,000 bytes unless
/// told to.
const MAX_TEXT: usize = 1 << 16;
/// The deepest nesting of brackets that is read. A record type needs three or four levels.
const MAX_DEPTH: usize = 16;

/// Reads a header. Returns it, and the number of bytes that it took.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] or [`io::ErrorKind::UnexpectedEof`] for bytes that are no header,
/// and the reader's errors.
pub(crate) fn read(reader: &mut dyn Read) -> io::Result<(NpyHeader, u64)> {
    let mut bytes = Vec::new();
    match Read::take(&mut *reader, 8).read_to_end(&mut bytes)? {
        0 => return Err(invalid("it is empty")),
        8 => {}
        _ => return Err(io::ErrorKind::UnexpectedEof.into()),
    }
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err(invalid("it does not start with \\x93NUMPY"));
    }
    let (major, minor) = (bytes[6], bytes[7]);
    let mut length = [0; 4];
    let length_bytes = match (major, minor) {
        (1, 0) => 2,
        (2 | 3, 0) => 4,
        _ => return Err(invalid(format!("its format version {major}.{minor} is unknown"))),
    };
    reader.read_exact(&mut length[..length_bytes])?;
    bytes.extend_from_slice(&length[..length_bytes]);
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_TEXT {
        return Err(invalid(format!("its header is {length} bytes long")));
    }
    let start = bytes.len();
    bytes.resize(start + length, 0);
    reader.read_exact(&mut bytes[start..])?;
    check_text(&bytes[start..]).map_err(invalid)?;
    Ok((NpyHeader::from_reader(&bytes[..])?, bytes.len() as u64))
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Checks that a header is made of strings, True, False, decimal numbers, brackets, commas and
/// colons, is not nested deeply, and has numbers whose product is below 2⁶⁴.
fn check_text(text: &[u8]) -> Result<(), &'static str> {
    let mut product = 1_u64;
    let mut depth = 0;
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\'' | b'"' => rest = skip_string(byte, after)?,
            b'(' | b'[' | b'{' if depth == MAX_DEPTH => return Err("its header is nested deeply"),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' | b':' => {}
            _ if byte.is_ascii_whitespace() => {}
            _ if byte.is_ascii_alphanumeric() => {
                let more = after.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
                let word = &text[text.len() - after.len() - 1..][..1 + more];
                rest = &after[more..];
                if word != b"True" && word != b"False" {
                    product = multiply(product, word)?;
                }
            }
            _ => return Err("its header is not a plain dictionary"),
        }
    }
    Ok(())
}

/// Returns the text after a string whose opening quote has been read.
fn skip_string(quote: u8, mut rest: &[u8]) -> Result<&[u8], &'static str> {
    if rest.starts_with(&[quote, quote]) {
        return Err("its header has a string in triple quotes");
    }
    loop {
        match rest {
            [b'\\', _, after @ ..] => rest = after,
            [byte, after @ ..] if *byte == quote => return Ok(after),
            [_, after @ ..] => rest = after,
            [] => return Err("its header has a string without an end"),
        }
    }
}

/// Returns `product` times a decimal number; 0 counts as 1, since npyz may multiply by it last.
fn multiply(product: u64, digits: &[u8]) -> Result<u64, &'static str> {
    let mut number = 0_u64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err("its header is not a plain dictionary");
        }
        number = number
            .checked_mul(10)
            .and_then(|n| n.checked_add(u64::from(digit - b'0')))
            .ok_or("its shape is larger than any file")?;
    }
    product.checked_mul(number.max(1)).ok_or("its shape is larger than any file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_numpy_writes_passes() {
        for text in [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 128256), }   \n",
            "{\"descr\": \">f8\", \"fortran_order\": True, \"shape\": (0, 4611686018427387904), }",
            "{'descr': [('a', '<f4', (2, 3)), ('it\\'s', '|S7')], 'shape': (), 'x': '''}\n",
        ] {
            let passed = check_text(text.as_bytes());
            assert_eq!(passed.is_ok(), !text.contains("'''"), "{text}: {passed:?}");
        }
    }

    #[test]
    fn what_could_bring_npyz_down_does_not() {
        for text in [
            "(".repeat(50_000),
            "{'shape': (4294967296, 4294967296)}".to_owned(),
            "{'shape': (0, 4294967296, 4294967296)}".to_owned(),
            "{'shape': (18446744073709551616,)}".to_owned(),
            "{'shape': (0xffffffffffffffff, 0xffffffffffffffff)}".to_owned(),
            "{'shape': (1_0,)}".to_owned(),
            "{'shape': (1+1,)}".to_owned(),
            "{'shape': (-1,)}".to_owned(),
            "{'''a'1''': 2, 'shape': (4294967296, 4294967296)}".to_owned(),
            "{b'shape': 3}".to_owned(),
            "{'shape".to_owned(),
            "{'shape\\".to_owned(),
        ] {
            assert!(check_text(text.as_bytes()).is_err(), "{text}");
        }
    }
}
