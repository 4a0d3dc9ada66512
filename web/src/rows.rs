//! The rows of a call.

use gumbel::half::slice::HalfBitsSliceExt;
use gumbel::{Batch, Error, Logit, Logits, Weight, Weights};
use wasm_bindgen::prelude::*;

use crate::memory::Memory;

/// What the values of rows are.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum Format {
    /// Logits of `f32`.
    F32,
    /// Logits of `f64`.
    F64,
    /// Logits of `f16`, by their bits.
    F16,
    /// Logits of `bf16`, by their bits.
    Bf16,
    /// Weights of `f32`.
    Weights,
    /// Weights of `f64`.
    WeightsF64,
    /// Counts of `u32`.
    Counts,
}

/// Rows in the module's memory.
#[wasm_bindgen]
#[derive(Clone)]
pub struct Rows {
    memory: Memory,
    format: Format,
    categories: usize,
    /// The number of rows and the distance between them; `None` if rows follow each other without a gap to the end.
    spread: Option<(usize, usize)>,
}

#[wasm_bindgen]
impl Rows {
    /// Rows that follow each other without a gap.
    #[wasm_bindgen(constructor)]
    pub fn new(memory: &Memory, format: Format, categories: usize) -> Self {
        Self { memory: memory.clone(), format, categories, spread: None }
    }

    /// Says how many rows there are, and how many values lie from the first of a row to the first of the next.
    pub fn spread(&mut self, rows: usize, stride: usize) {
        self.spread = Some((rows, stride));
    }
}

impl Rows {
    pub(crate) fn batch(&self) -> Result<Batch<'_>, Error> {
        let memory = &self.memory;
        match self.format {
            Format::F32 => self.logits_of::<f32>(memory.numbers()).map(Batch::from),
            Format::F64 => self.logits_of::<f64>(memory.numbers()).map(Batch::from),
            Format::F16 | Format::Bf16 => self.logits().map(Batch::from),
            Format::Weights => self.weights_of::<f32>(memory.numbers(), "weights"),
            Format::WeightsF64 => self.weights_of::<f64>(memory.numbers(), "weights"),
            Format::Counts => self.weights_of::<u32>(memory.numbers(), "counts"),
        }
    }

    /// The rows as logits, for operations that take no others. Weights, which the TypeScript part refuses, are taken for
    /// logits.
    pub(crate) fn logits(&self) -> Result<Logits<'_>, Error> {
        let memory = &self.memory;
        match self.format {
            Format::F16 => {
                self.logits_of::<gumbel::half::f16>(memory.numbers::<u16>().reinterpret_cast())
            }
            Format::Bf16 => {
                self.logits_of::<gumbel::half::bf16>(memory.numbers::<u16>().reinterpret_cast())
            }
            Format::F64 | Format::WeightsF64 => self.logits_of::<f64>(memory.numbers()),
            _ => self.logits_of::<f32>(memory.numbers()),
        }
    }

    fn logits_of<'a, T: Logit>(&self, values: &'a [T]) -> Result<Logits<'a>, Error> {
        let (rows, stride) = self.shape(values.len(), "logits")?;
        Logits::strided(values, rows, self.categories, stride)
    }

    fn weights_of<'a, T: Weight>(
        &self,
        values: &'a [T],
        what: &'static str,
    ) -> Result<Batch<'a>, Error> {
        let (rows, stride) = self.shape(values.len(), what)?;
        Weights::strided(values, rows, self.categories, stride).map(Batch::from)
    }

    fn shape(&self, values: usize, what: &'static str) -> Result<(usize, usize), Error> {
        let categories = self.categories;
        match self.spread {
            Some(spread) => Ok(spread),
            None if categories == 0 => Err(Error::Categories { got: 0 }),
            None if !values.is_multiple_of(categories) => {
                Err(Error::UnevenRows { what, categories, got: values })
            }
            None => Ok((values / categories, categories)),
        }
    }
}
