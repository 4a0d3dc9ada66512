//! The header of a .npy file.

use std::io::{self, Read};

use super::literal::{Literal, parse};
use crate::stored::{Decoder, Stored, unsuitable};
use crate::values::Kind;
use crate::{Dtype, dense::Order};

/// The longest header that is read, in bytes; numpy itself reads none above 10,000 bytes unless told to.
const MAX_TEXT: usize = 1 << 16;

/// What a header says.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) descr: Literal,
    pub(crate) order: Order,
    pub(crate) shape: Vec<u64>,
}

/// Reads a header.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] or [`io::ErrorKind::UnexpectedEof`] for bytes that are no header, and the reader's
/// errors.
pub(crate) fn read(reader: &mut dyn Read) -> io::Result<Header> {
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
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_TEXT {
        return Err(invalid(format!("its header is {length} bytes long")));
    }
    let mut text = vec![0; length];
    reader.read_exact(&mut text)?;
    let (descr, order, shape) = fields(parse(&text).map_err(invalid)?).map_err(invalid)?;
    Ok(Header { descr, order, shape })
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Takes the three entries out of a header.
fn fields(header: Literal) -> Result<(Literal, Order, Vec<u64>), String> {
    let Literal::Dictionary(entries) = header else {
        return Err("its header is no dictionary".to_owned());
    };
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    for (key, value) in entries {
        let Literal::Text(key) = key else {
            return Err(format!(
                "its header has {} where the name of an entry should be",
                key.written()
            ));
        };
        match key.as_str() {
            "descr" => descr = Some(value),
            "fortran_order" => fortran = Some(value),
            "shape" => shape = Some(value),
            _ => return Err(format!("its header has an entry '{key}'")),
        }
    }
    let missing = |name| format!("its header has no entry '{name}'");
    let descr = descr.ok_or_else(|| missing("descr"))?;
    let order = match fortran.ok_or_else(|| missing("fortran_order"))? {
        Literal::Bool(true) => Order::Fortran,
        Literal::Bool(false) => Order::C,
        other => {
            return Err(format!(
                "its 'fortran_order' is {}, neither True nor False",
                other.written()
            ));
        }
    };
    let shape = shape.ok_or_else(|| missing("shape"))?;
    let no_shape = || format!("its 'shape' is {}, no tuple of numbers", shape.written());
    let Literal::Sequence { is_tuple: true, items } = &shape else { return Err(no_shape()) };
    let numbers: Option<Vec<u64>> = items
        .iter()
        .map(|item| if let Literal::Number(n) = item { Some(*n) } else { None })
        .collect();
    Ok((descr, order, numbers.ok_or_else(no_shape)?))
}

/// Returns how values of this type are decoded.
pub(crate) fn decoder(
    descr: &Literal,
    kind: Kind,
    dtype: Option<Dtype>,
) -> Result<Result<Decoder, String>, String> {
    let called = descr.written();
    let Literal::Text(text) = descr else {
        return match descr {
            // a record, which numpy reads and nobody can draw from
            Literal::Sequence { is_tuple: false, .. } => Ok(Err(unsuitable(&called, kind, false))),
            _ => Err(format!("its 'descr' is {called}, no type")),
        };
    };
    let (order, rest) = match text.as_bytes() {
        [order @ (b'<' | b'>' | b'=' | b'|'), rest @ ..] => (*order, rest),
        rest => (b'=', rest),
    };
    let big_endian = order == b'>' || (order == b'=' && cfg!(target_endian = "big"));
    let bad = || format!("its 'descr' is {called}, no type");
    let (&letter, size) = rest.split_first().ok_or_else(bad)?;
    // dates have a unit behind their size
    let digits = size.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let size = std::str::from_utf8(&size[..digits]).ok().filter(|digits| !digits.is_empty());
    if letter == b'O' && size.is_none() {
        return Ok(Err(unsuitable(&called, kind, false)));
    }
    let size: u64 = size.and_then(|digits| digits.parse().ok()).ok_or_else(bad)?;
    let is_bf16 = dtype == Some(Dtype::Bf16);
    let stored = match (letter, size) {
        (b'f', 2) => Stored::F16,
        (b'f', 4) => Stored::F32,
        (b'f', 8) => Stored::F64,
        (b'b', 1) => Stored::Bool,
        (b'V' | b'u', 2) if is_bf16 => Stored::Bf16,
        (b'i' | b'u', bytes @ (1 | 2 | 4 | 8)) => {
            Stored::Int { bytes: bytes as usize, signed: letter == b'i' }
        }
        (b'V', 2) => {
            return Ok(Err(format!(
                "its type is {called}, two bytes: --dtype bf16 says that they are bfloat16"
            )));
        }
        (b'f' | b'i' | b'u' | b'b' | b'c' | b'S' | b'U' | b'V' | b'a' | b'm' | b'M' | b'O', _) => {
            return Ok(Err(unsuitable(&called, kind, false)));
        }
        _ => return Err(bad()),
    };
    if let Some(dtype) = dtype.filter(|dtype| dtype.stored() != stored) {
        return Ok(Err(format!("its type is {called}, and not --dtype {dtype}")));
    }
    Ok(Decoder::new(stored, big_endian, kind, &called))
}
