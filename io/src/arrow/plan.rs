//! What the columns of a table are.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema};

use super::list_values;
use super::values::{self, Numbers};
use crate::columns::{find, one};
use crate::stored::unsuitable;
use crate::values::{Block, Values};
use crate::{Kind, Request};

/// Where the values are.
#[derive(Clone, Debug)]
enum Place {
    /// In a column of lists.
    List(usize),
    /// In a column of numbers for each category.
    Columns(Vec<usize>),
}

/// What the columns of a table are.
pub(crate) struct Plan {
    place: Place,
    row_id: Option<usize>,
    keep: Vec<usize>,
    /// An empty vector of the values' type.
    values: Values,
    categories: Option<usize>,
    names: Vec<String>,
}

/// Why rows cannot be had; rows are counted from the first of the batch.
pub(crate) enum Fault {
    Memory,
    Row(usize, String),
    Count { row: usize, category: usize, count: i128 },
}

impl Plan {
    /// The plan of a table, and the numbers of the columns that it needs, in their order.
    pub(crate) fn new(
        schema: &Schema,
        names: &[String],
        request: &Request,
    ) -> Result<(Self, Vec<usize>), String> {
        let row_id =
            request.row_id.as_deref().map(|name| one("--row-id", name, names)).transpose()?;
        if let Some(column) = row_id
            && !schema.field(column).data_type().is_integer()
        {
            let dtype = schema.field(column).data_type();
            return Err(format!(
                "--row-id names '{}', a column of {dtype}, and a row's id is an integer",
                names[column]
            ));
        }
        let keep: Vec<usize> =
            request.keep.iter().map(|name| one("--keep", name, names)).collect::<Result<_, _>>()?;
        let place = if request.columns.is_empty() {
            guess(schema, names, row_id, &keep, request.kind)?
        } else {
            let found = find(&request.columns, names)?;
            let is_list = |&column: &usize| item(schema.field(column).data_type()).is_some();
            match (&found[..], found.iter().find(|column| is_list(column))) {
                ([only], Some(_)) => Place::List(*only),
                (_, Some(list)) => {
                    return Err(format!(
                        "--columns names the column '{}', of lists, and others",
                        names[*list]
                    ));
                }
                _ => Place::Columns(found),
            }
        };
        let (columns, categories) = match &place {
            Place::List(column) => (vec![*column], None),
            Place::Columns(columns) => (columns.clone(), Some(columns.len())),
        };
        let values = values_of(schema, names, &columns, request)?;
        let fixed = match (&place, schema.field(columns[0]).data_type()) {
            (Place::List(_), DataType::FixedSizeList(_, length)) => usize::try_from(*length).ok(),
            _ => categories,
        };
        let mut needed: Vec<usize> = columns.iter().chain(&row_id).chain(&keep).copied().collect();
        needed.sort_unstable();
        needed.dedup();
        let names = names.to_vec();
        Ok((Self { place, row_id, keep, values, categories: fixed, names }, needed))
    }

    /// Only these columns are read.
    pub(crate) fn project(&mut self, columns: &[usize]) {
        let new = |old: &mut usize| *old = columns.binary_search(old).unwrap_or(0);
        match &mut self.place {
            Place::List(column) => new(column),
            Place::Columns(columns) => columns.iter_mut().for_each(new),
        }
        self.row_id.iter_mut().chain(&mut self.keep).for_each(new);
        self.names = columns.iter().map(|&column| self.names[column].clone()).collect();
    }

    pub(crate) fn categories(&self) -> Option<usize> {
        self.categories
    }

    pub(crate) fn set_categories(&mut self, categories: usize) {
        self.categories = Some(categories);
    }

    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// The length of a batch's first list.
    pub(crate) fn list_length(&self, batch: &RecordBatch) -> Result<usize, String> {
        let Place::List(column) = self.place else { return Ok(0) };
        let (from, to) = ends(batch.column(column).as_ref(), 0);
        Ok(to - from)
    }

    /// The columns that are kept.
    pub(crate) fn kept(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        self.keep.iter().map(|&column| batch.column(column).clone()).collect()
    }

    /// Appends the rows of a batch to a block, which counts them itself.
    pub(crate) fn append(&self, batch: &RecordBatch, block: &mut Block) -> Result<(), Fault> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        match &self.place {
            Place::List(column) => {
                let list = batch.column(*column);
                let categories = self.categories.unwrap_or(0);
                let numbers =
                    self.list_numbers(list.as_ref(), rows, categories, &self.names[*column])?;
                let fault = |at: usize| (at / categories.max(1), at % categories.max(1));
                values::append(&numbers, &mut block.values, rows, categories, 0, fault)?;
            }
            Place::Columns(columns) => {
                let categories = columns.len();
                values::extend(&mut block.values, rows * categories).map_err(|_| Fault::Memory)?;
                for (category, &column) in columns.iter().enumerate() {
                    let array = batch.column(column);
                    let name = &self.names[column];
                    if let Some(row) = first_null(array.as_ref()) {
                        return Err(Fault::Row(row, format!("column '{name}' is null")));
                    }
                    let numbers = Numbers::new(array.clone());
                    values::set_column(
                        &numbers,
                        &mut block.values,
                        block.rows,
                        categories,
                        category,
                    )?;
                }
            }
        }
        if let Some(column) = self.row_id {
            let ids = self.ids(batch.column(column).as_ref(), &self.names[column])?;
            block.row_ids.get_or_insert_default().extend(ids);
        }
        Ok(())
    }

    /// The numbers of lists, which must be as long as each other and have no nulls.
    fn list_numbers(
        &self,
        list: &dyn Array,
        rows: usize,
        categories: usize,
        name: &str,
    ) -> Result<Numbers, Fault> {
        if let Some(row) = first_null(list) {
            return Err(Fault::Row(row, format!("column '{name}' is null")));
        }
        for row in 0..rows {
            let (from, to) = ends(list, row);
            if to - from != categories {
                let what = format!(
                    "column '{name}' has {} values, and the rows before {categories}",
                    to - from
                );
                return Err(Fault::Row(row, what));
            }
        }
        let Some(values) = list_values(list) else { return Err(Fault::Row(0, String::new())) };
        let values = values.slice(ends(list, 0).0, rows * categories);
        if let Some(at) = first_null(values.as_ref()) {
            let (row, category) = (at / categories, at % categories);
            return Err(Fault::Row(row, format!("category {category} of column '{name}' is null")));
        }
        Ok(Numbers::new(values))
    }

    fn ids(&self, array: &dyn Array, name: &str) -> Result<Vec<u64>, Fault> {
        if let Some(row) = first_null(array) {
            return Err(Fault::Row(
                row,
                format!("column '{name}' is null, and a row's id is an integer"),
            ));
        }
        values::integers(array)
            .enumerate()
            .map(|(row, id)| {
                u64::try_from(id).map_err(|_| {
                    Fault::Row(
                        row,
                        format!("column '{name}' is {id}, and a row's id is 0 to 2^64 - 1"),
                    )
                })
            })
            .collect()
    }
}

/// Where the values of a row's list begin and end.
fn ends(list: &dyn Array, row: usize) -> (usize, usize) {
    match list.data_type() {
        DataType::List(_) => {
            let offsets = list.as_list::<i32>().value_offsets();
            (offsets[row] as usize, offsets[row + 1] as usize)
        }
        DataType::LargeList(_) => {
            let offsets = list.as_list::<i64>().value_offsets();
            (offsets[row] as usize, offsets[row + 1] as usize)
        }
        DataType::FixedSizeList(..) => {
            let list = list.as_fixed_size_list();
            let from = list.value_offset_at(row);
            (from, from + list.value_length() as usize)
        }
        _ => (0, 0),
    }
}

fn first_null(array: &dyn Array) -> Option<usize> {
    (array.null_count() > 0).then(|| (0..array.len()).find(|&at| array.is_null(at))).flatten()
}

/// The type of a list's items.
fn item(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        _ => None,
    }
}

fn is_float(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Float16 | DataType::Float32 | DataType::Float64)
}

/// Whether values of this kind can be of this type.
fn fits(dtype: &DataType, kind: Kind) -> bool {
    is_float(dtype)
        || (kind == Kind::Weights && (dtype.is_integer() || *dtype == DataType::Boolean))
}

/// Finds the column of lists, or else the columns of numbers.
fn guess(
    schema: &Schema,
    names: &[String],
    row_id: Option<usize>,
    keep: &[usize],
    kind: Kind,
) -> Result<Place, String> {
    let free = |column: &usize| Some(*column) != row_id && !keep.contains(column);
    let types = || schema.fields().iter().map(|field| field.data_type());
    let lists: Vec<usize> = types()
        .enumerate()
        .filter(|(_, dtype)| item(dtype).is_some_and(|dtype| fits(dtype, kind)))
        .map(|(column, _)| column)
        .filter(free)
        .collect();
    let numbers: Vec<usize> = types()
        .enumerate()
        .filter(|(_, dtype)| fits(dtype, kind))
        .map(|(column, _)| column)
        .filter(free)
        .collect();
    let described = || {
        let all: Vec<String> =
            names.iter().zip(types()).map(|(name, dtype)| format!("{name} ({dtype})")).collect();
        crate::columns::listed(&all)
    };
    match (&lists[..], &numbers[..]) {
        ([only], _) => Ok(Place::List(*only)),
        ([], [_, ..]) => Ok(Place::Columns(numbers)),
        ([], []) => {
            let what = if kind == Kind::Weights { "weights" } else { "logits" };
            Err(format!("none of its columns has {what}: {}", described()))
        }
        _ => Err(format!(
            "several of its columns are lists, of which --columns names one: {}",
            described()
        )),
    }
}

/// An empty vector of the type that holds the values of these columns.
fn values_of(
    schema: &Schema,
    names: &[String],
    columns: &[usize],
    request: &Request,
) -> Result<Values, String> {
    let weights = request.kind == Kind::Weights;
    let (mut floats, mut integers, mut widest) = (false, false, 0);
    let mut halves = true;
    for &column in columns {
        let whole = schema.field(column).data_type();
        let dtype = item(whole).unwrap_or(whole);
        if !fits(dtype, request.kind) {
            let what = unsuitable(&whole.to_string(), request.kind, *dtype == DataType::Boolean);
            return Err(format!("its column '{}' is no such: {what}", names[column]));
        }
        floats |= is_float(dtype);
        integers |= !is_float(dtype);
        halves &= *dtype == DataType::Float16;
        widest = widest.max(dtype.primitive_width().unwrap_or(1));
    }
    if let Some(dtype) = request.dtype {
        return Err(format!(
            "its columns have types, so there is nothing for --dtype {dtype} to say"
        ));
    }
    Ok(match (floats, integers) {
        (false, _) => Values::Counts(Vec::new()),
        (true, true) => Values::F64(Vec::new()),
        (true, false) if widest == 8 => Values::F64(Vec::new()),
        (true, false) if halves && !weights => Values::F16(Vec::new()),
        (true, false) => Values::F32(Vec::new()),
    })
}
