//! The options of a call.

use gumbel::{Allowed, Method, RowIds, SampleOptions, Share, Truncation};
use wasm_bindgen::prelude::*;

use crate::memory::Memory;

/// What top-p is a share of.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum ShareOf {
    /// The categories that top-k keeps.
    TopK,
    /// All categories.
    All,
    /// The categories that all other cuts keep.
    Rest,
}

/// The options of a call: those that are set, and the crate's defaults. The TypeScript part checks types and ranges of
/// integers, and the crate all else.
#[wasm_bindgen]
#[derive(Clone, Default)]
pub struct Call {
    seed: u64,
    first_row: u64,
    first_draw: u32,
    draws: Option<u32>,
    temperature: Option<f32>,
    method: Method,
    sentinels: bool,
    truncation: Truncation,
    truncations: Option<Vec<Truncation>>,
    seeds: Option<Memory>,
    row_ids: Option<Memory>,
    temperatures: Option<Memory>,
    first_draws: Option<Memory>,
    row_indices: Option<Memory>,
    /// Masks, and the words of each if each row has its own.
    allowed: Option<(Memory, Option<usize>)>,
}

#[wasm_bindgen]
impl Call {
    /// The crate's defaults.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }
    /// The seed.
    pub fn seed(&mut self, seed: u64) {
        self.seed = seed;
    }
    /// The number of the first row.
    #[wasm_bindgen(js_name = firstRow)]
    pub fn first_row(&mut self, first_row: u64) {
        self.first_row = first_row;
    }
    /// The number of the first draw.
    #[wasm_bindgen(js_name = firstDraw)]
    pub fn first_draw(&mut self, first_draw: u32) {
        self.first_draw = first_draw;
    }
    /// The number of draws from each row.
    pub fn draws(&mut self, draws: u32) {
        self.draws = Some(draws);
    }
    /// The temperature.
    pub fn temperature(&mut self, temperature: f32) {
        self.temperature = Some(temperature);
    }
    /// The method, by its name.
    ///
    /// # Errors
    /// The crate's, for another name.
    pub fn method(&mut self, name: &str) -> Result<(), JsError> {
        self.method = name.parse().map_err(|error| crate::error::to_js(&error))?;
        Ok(())
    }
    /// Marks rows without a draw instead of failing.
    pub fn sentinels(&mut self) {
        self.sentinels = true;
    }
    /// A seed for each row.
    pub fn seeds(&mut self, seeds: &Memory) {
        self.seeds = Some(seeds.clone());
    }
    /// An id for each row.
    #[wasm_bindgen(js_name = rowIds)]
    pub fn row_ids(&mut self, row_ids: &Memory) {
        self.row_ids = Some(row_ids.clone());
    }
    /// A temperature for each row.
    pub fn temperatures(&mut self, temperatures: &Memory) {
        self.temperatures = Some(temperatures.clone());
    }
    /// A first draw for each row.
    #[wasm_bindgen(js_name = firstDraws)]
    pub fn first_draws(&mut self, first_draws: &Memory) {
        self.first_draws = Some(first_draws.clone());
    }
    /// The row to draw from for each row.
    #[wasm_bindgen(js_name = rowIndices)]
    pub fn row_indices(&mut self, row_indices: &Memory) {
        self.row_indices = Some(row_indices.clone());
    }
    /// The masks of allowed categories: one for all rows, or so many words for each.
    pub fn allowed(&mut self, words: &Memory, words_per_row: Option<usize>) {
        self.allowed = Some((words.clone(), words_per_row));
    }
    /// The cuts of all rows.
    pub fn truncation(
        &mut self,
        top_k: Option<u32>,
        top_p: Option<f32>,
        min_p: Option<f32>,
        epsilon: Option<f32>,
    ) {
        self.truncation = cut(self.truncation, top_k, top_p, min_p, epsilon);
    }
    /// How the cuts of all rows, and of each row that is added later, are made.
    pub fn cuts(&mut self, share: ShareOf, at_temperature: Option<f32>) {
        let share = match share {
            ShareOf::TopK => Share::TopK,
            ShareOf::All => Share::All,
            ShareOf::Rest => Share::Rest,
        };
        self.truncation.share = share;
        self.truncation.at_temperature = at_temperature;
    }
    /// Adds the cuts of the next row.
    ///
    /// # Errors
    /// If there is no more memory.
    #[wasm_bindgen(js_name = addTruncation)]
    pub fn add_truncation(
        &mut self,
        top_k: Option<u32>,
        top_p: Option<f32>,
        min_p: Option<f32>,
        epsilon: Option<f32>,
    ) -> Result<(), JsError> {
        let truncations = self.truncations.get_or_insert_default();
        if truncations.try_reserve(1).is_err() {
            return Err(JsError::new("the cuts of so many rows do not fit into memory"));
        }
        truncations.push(cut(self.truncation, top_k, top_p, min_p, epsilon));
        Ok(())
    }
}

/// A truncation with these cuts.
fn cut(
    mut truncation: Truncation,
    top_k: Option<u32>,
    top_p: Option<f32>,
    min_p: Option<f32>,
    epsilon: Option<f32>,
) -> Truncation {
    truncation.top_k = top_k;
    truncation.top_p = top_p;
    truncation.min_p = min_p;
    truncation.epsilon = epsilon;
    truncation
}

impl Call {
    pub(crate) fn options(&self) -> SampleOptions<'_> {
        let defaults = SampleOptions::default();
        let mut options = defaults
            .with_seed(self.seed)
            .with_first_row(self.first_row)
            .with_first_draw(self.first_draw)
            .with_draws(self.draws.unwrap_or(defaults.draws))
            .with_temperature(self.temperature.unwrap_or(defaults.temperature))
            .with_method(self.method)
            .with_sentinels(self.sentinels)
            .with_truncation(self.truncation);
        if let Some(ids) = &self.row_ids {
            options.row_ids = RowIds::Each(ids.numbers());
        }
        options.seeds = self.seeds.as_ref().map(Memory::numbers);
        options.temperatures = self.temperatures.as_ref().map(Memory::numbers);
        options.first_draws = self.first_draws.as_ref().map(Memory::numbers);
        options.row_indices = self.row_indices.as_ref().map(Memory::numbers);
        options.truncations = self.truncations.as_deref();
        options.allowed = self.allowed.as_ref().map(|(words, words_per_row)| match words_per_row {
            None => Allowed::shared(words.numbers()),
            Some(each) => Allowed::each(words.numbers(), *each),
        });
        options
    }
}
