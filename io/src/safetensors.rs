//! safetensors files: a length, a header of JSON, and the values of all tensors.

use std::io::Read;

use ::safetensors::Dtype as Type;
use ::safetensors::tensor::{Metadata, TensorInfo};

use crate::dense::{Dense, Order, Shape};
use crate::error::{Error, Name};
use crate::format::{Format, MAX_SAFETENSORS_HEADER};
use crate::source::Source;
use crate::stored::{Decoder, Stored, unsuitable};
use crate::{Request, Rows};

/// Opens a tensor.
pub(crate) fn open(
    name: Name,
    mut source: Source,
    request: &Request,
) -> Result<Box<dyn Rows>, Error> {
    let bad = |what: String| name.malformed(Format::Safetensors, what);
    let in_header = |error| name.in_header(Format::Safetensors, error);
    let mut length = [0; 8];
    source.read_exact(&mut length).map_err(in_header)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_SAFETENSORS_HEADER {
        return Err(bad(format!("its header is {length} bytes long")));
    }
    let mut header = Vec::new();
    (&mut source).take(length).read_to_end(&mut header).map_err(in_header)?;
    if (header.len() as u64) < length {
        return Err(in_header(std::io::ErrorKind::UnexpectedEof.into()));
    }
    // the crate checks that tensors follow each other and have the bytes of their shapes
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|error| bad(error.to_string()))?;
    let (tensor, info) =
        choose(&metadata, request.tensor.as_deref()).map_err(|what| name.unsuitable(what))?;
    let (from, to) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
    let stored = stored(info.dtype)
        .ok_or_else(|| unsuitable(&info.dtype.to_string(), request.kind, false))
        .and_then(|stored| match request.dtype {
            Some(dtype) if dtype.stored() != stored => {
                Err(format!("its type is {}, and not --dtype {dtype}", info.dtype))
            }
            _ => Ok(stored),
        });
    let inner = Name(format!("{}:{tensor}", name.0).into());
    let decoder = stored
        .and_then(|stored| Decoder::new(stored, false, request.kind, &info.dtype.to_string()))
        .map_err(|what| inner.unsuitable(what))?;
    let shape: Vec<u64> = info.shape.iter().map(|&n| n as u64).collect();
    let shape = Shape::new(&shape).map_err(|what| inner.unsuitable(what))?;
    let all = metadata.data_len() as u64;
    let source = match source {
        Source::Section(section) => {
            let got = section.length();
            if got < all {
                return Err(Error::Truncated { name: name.0, expected: all, got });
            }
            if got > all {
                return Err(Error::Trailing { name: name.0, expected: all });
            }
            Source::Section(section.from(from).first(to - from))
        }
        Source::Stream(mut stream) => {
            let skipped = std::io::copy(&mut (&mut stream).take(from), &mut std::io::sink())
                .map_err(|error| name.read(error))?;
            if skipped < from {
                return Err(Error::Truncated { name: name.0, expected: all, got: skipped });
            }
            Source::Stream(stream)
        }
    };
    Ok(Box::new(Dense::new(inner, source, decoder, shape, Order::C)?.followed_by(all - to)))
}

/// How a type is stored, if it can be drawn from.
fn stored(dtype: Type) -> Option<Stored> {
    let int = |bytes, signed| Some(Stored::Int { bytes, signed });
    match dtype {
        Type::F16 => Some(Stored::F16),
        Type::BF16 => Some(Stored::Bf16),
        Type::F32 => Some(Stored::F32),
        Type::F64 => Some(Stored::F64),
        Type::BOOL => Some(Stored::Bool),
        Type::U8 => int(1, false),
        Type::I8 => int(1, true),
        Type::U16 => int(2, false),
        Type::I16 => int(2, true),
        Type::U32 => int(4, false),
        Type::I32 => int(4, true),
        Type::U64 => int(8, false),
        Type::I64 => int(8, true),
        _ => None,
    }
}

/// Chooses a tensor by its name, or the only one, or the only one of two dimensions.
fn choose<'a>(
    metadata: &'a Metadata,
    wanted: Option<&str>,
) -> Result<(String, &'a TensorInfo), String> {
    let names = metadata.offset_keys();
    let listed = || {
        let described = names.iter().filter_map(|name| {
            let info = metadata.info(name)?;
            Some(format!("{name} ({} {:?})", info.dtype, info.shape))
        });
        let (mut few, more) =
            (described.take(8).collect::<Vec<_>>(), names.len().saturating_sub(8));
        if more > 0 {
            few.push(format!("and {more} more"));
        }
        few.join(", ")
    };
    let named = |name: &String| Some((name.clone(), metadata.info(name)?));
    if let Some(wanted) = wanted {
        return named(&wanted.to_owned())
            .ok_or_else(|| format!("it has no tensor '{wanted}'; its tensors are: {}", listed()));
    }
    let of_rows = |name: &&String| metadata.info(name).is_some_and(|info| info.shape.len() == 2);
    let mut two = names.iter().filter(of_rows);
    let chosen = match (&names[..], two.next(), two.next()) {
        ([], ..) => return Err("it has no tensors".to_owned()),
        ([only], ..) | (_, Some(only), None) => named(only),
        _ => None,
    };
    chosen.ok_or_else(|| {
        format!("it has several tensors, of which --tensor NAME takes one: {}", listed())
    })
}
