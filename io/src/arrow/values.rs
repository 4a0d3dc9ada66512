//! Numbers of Arrow's types as values.

use std::collections::TryReserveError;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use half::{bf16, f16};

use super::plan::Fault;
use crate::values::{Values, grow, with_vector};

/// A column of numbers without nulls.
pub(crate) struct Numbers(ArrayRef);

impl Numbers {
    pub(crate) fn new(array: ArrayRef) -> Self {
        Self(array)
    }
}

/// The integers of a column; of booleans 0 and 1, and none of other types.
pub(crate) fn integers(array: &dyn Array) -> Box<dyn Iterator<Item = i128> + '_> {
    macro_rules! of {
        ($type:ty) => {
            Box::new(array.as_primitive::<$type>().values().iter().map(|&n| i128::from(n)))
        };
    }
    match array.data_type() {
        DataType::Int8 => of!(Int8Type),
        DataType::Int16 => of!(Int16Type),
        DataType::Int32 => of!(Int32Type),
        DataType::Int64 => of!(Int64Type),
        DataType::UInt8 => of!(UInt8Type),
        DataType::UInt16 => of!(UInt16Type),
        DataType::UInt32 => of!(UInt32Type),
        DataType::UInt64 => of!(UInt64Type),
        DataType::Boolean => Box::new(array.as_boolean().values().iter().map(i128::from)),
        _ => Box::new(std::iter::empty()),
    }
}

/// A type of values that numbers become.
trait Value: Copy + Default {
    /// Sets values to numbers. Fails with the position of the first that is no such value, and the number.
    fn set<'a>(
        array: &dyn Array,
        places: impl Iterator<Item = &'a mut Self>,
    ) -> Result<(), (usize, i128)>
    where
        Self: 'a;
}

fn put<'a, T: 'a>(
    places: impl Iterator<Item = &'a mut T>,
    numbers: impl Iterator<Item = T>,
) -> Result<(), (usize, i128)> {
    for (place, number) in places.zip(numbers) {
        *place = number;
    }
    Ok(())
}

impl Value for f16 {
    fn set<'a>(
        array: &dyn Array,
        places: impl Iterator<Item = &'a mut Self>,
    ) -> Result<(), (usize, i128)> {
        put(places, array.as_primitive::<Float16Type>().values().iter().copied())
    }
}

/// No column has this type.
impl Value for bf16 {
    fn set<'a>(_: &dyn Array, _: impl Iterator<Item = &'a mut Self>) -> Result<(), (usize, i128)> {
        Ok(())
    }
}

impl Value for f32 {
    fn set<'a>(
        array: &dyn Array,
        places: impl Iterator<Item = &'a mut Self>,
    ) -> Result<(), (usize, i128)> {
        match array.data_type() {
            DataType::Float16 => {
                put(places, array.as_primitive::<Float16Type>().values().iter().map(|x| x.to_f32()))
            }
            _ => put(places, array.as_primitive::<Float32Type>().values().iter().copied()),
        }
    }
}

impl Value for f64 {
    fn set<'a>(
        array: &dyn Array,
        places: impl Iterator<Item = &'a mut Self>,
    ) -> Result<(), (usize, i128)> {
        match array.data_type() {
            DataType::Float64 => {
                put(places, array.as_primitive::<Float64Type>().values().iter().copied())
            }
            DataType::Float32 => {
                put(places, array.as_primitive::<Float32Type>().values().iter().map(|&x| x.into()))
            }
            DataType::Float16 => {
                put(places, array.as_primitive::<Float16Type>().values().iter().map(|x| x.to_f64()))
            }
            // beside columns of floats; nearest, as numpy does it
            _ => put(places, integers(array).map(|n| n as f64)),
        }
    }
}

impl Value for u32 {
    fn set<'a>(
        array: &dyn Array,
        places: impl Iterator<Item = &'a mut Self>,
    ) -> Result<(), (usize, i128)> {
        for (at, (place, number)) in places.zip(integers(array)).enumerate() {
            *place = Self::try_from(number).map_err(|_| (at, number))?;
        }
        Ok(())
    }
}

/// Appends zeros.
pub(crate) fn extend(values: &mut Values, more: usize) -> Result<(), TryReserveError> {
    with_vector!(values, vector => grow(vector, more))
}

/// Appends rows × categories numbers; `place_of` tells the row and the category of a position.
pub(crate) fn append(
    numbers: &Numbers,
    values: &mut Values,
    rows: usize,
    categories: usize,
    first_row: usize,
    place_of: impl Fn(usize) -> (usize, usize),
) -> Result<(), Fault> {
    let from = values.len();
    extend(values, rows * categories).map_err(|_| Fault::Memory)?;
    let set =
        with_vector!(values, vector => Value::set(numbers.0.as_ref(), vector[from..].iter_mut()));
    set.map_err(|(at, count)| {
        let (row, category) = place_of(at);
        Fault::Count { row: first_row + row, category, count }
    })
}

/// Sets a category of the rows from `first_row` on.
pub(crate) fn set_column(
    numbers: &Numbers,
    values: &mut Values,
    first_row: usize,
    categories: usize,
    category: usize,
) -> Result<(), Fault> {
    let from = first_row * categories + category;
    let set = with_vector!(values, vector => {
        Value::set(numbers.0.as_ref(), vector[from..].iter_mut().step_by(categories))
    });
    set.map_err(|(row, count)| Fault::Count { row, category, count })
}
