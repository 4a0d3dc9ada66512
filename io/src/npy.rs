//! .npy files: a header, and the values of one array.

mod header;
mod literal;

use crate::dense::{Dense, Order, Shape};
use crate::error::{Error, Name};
use crate::format::Format;
use crate::source::Source;
use crate::{Request, Rows};

/// Opens a .npy file.
pub(crate) fn open(
    name: Name,
    mut source: Source,
    request: &Request,
) -> Result<Box<dyn Rows>, Error> {
    let header = header::read(&mut source).map_err(|error| name.in_header(Format::Npy, error))?;
    let decoder = header::decoder(&header.descr, request.kind, request.dtype)
        .map_err(|what| name.malformed(Format::Npy, what))?
        .map_err(|what| name.unsuitable(what))?;
    let shape = Shape::new(&header.shape).map_err(|what| name.unsuitable(what))?;
    // one row, or rows of one value, lie the same way in both orders
    let is_flat = shape.rows <= 1 || shape.categories <= 1;
    let order = if is_flat { Order::C } else { header.order };
    Ok(Box::new(Dense::new(name, source, decoder, shape, order)?))
}
