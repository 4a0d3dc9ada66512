//! Columns that are carried along with rows, whatever they hold.

/// A column of a table, for some rows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Column {
    /// Text, as a CSV file has it.
    Text(Vec<String>),
    /// A column of Arrow's types.
    #[cfg(feature = "arrow")]
    Arrow(arrow_array::ArrayRef),
}

impl Column {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.len(),
            #[cfg(feature = "arrow")]
            Self::Arrow(array) => arrow_array::Array::len(array),
        }
    }

    /// Each row so many times, one after the other.
    ///
    /// # Errors
    /// Why a column of Arrow's types cannot be had so often: it is too large.
    pub fn repeated(self, times: usize) -> Result<Self, String> {
        if times == 1 {
            return Ok(self);
        }
        match self {
            Self::Text(texts) => {
                let each = texts.into_iter();
                Ok(Self::Text(each.flat_map(|text| std::iter::repeat_n(text, times)).collect()))
            }
            #[cfg(feature = "arrow")]
            Self::Arrow(array) => {
                let rows = arrow_array::Array::len(&array) as u64;
                let indices = (0..rows).flat_map(|row| std::iter::repeat_n(row, times));
                let indices = arrow_array::UInt64Array::from_iter_values(indices);
                let taken = arrow_select::take::take(array.as_ref(), &indices, None);
                taken.map(Self::Arrow).map_err(|error| error.to_string())
            }
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
