//! Rows that are added up once, to be drawn from again and again.

use std::rc::Rc;

use gumbel::InverseCdf;
use js_sys::Uint32Array;
use wasm_bindgen::prelude::*;

use crate::outcome::{array, outcome};

/// The sums of rows.
#[wasm_bindgen]
pub struct Table {
    table: Rc<InverseCdf>,
}

impl From<InverseCdf> for Table {
    fn from(table: InverseCdf) -> Self {
        Self { table: Rc::new(table) }
    }
}

#[wasm_bindgen]
impl Table {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// The number of categories in each row.
    pub fn categories(&self) -> usize {
        self.table.categories()
    }

    /// rows x draws categories.
    ///
    /// # Errors
    /// Those of the crate; from a GPU they come by the promise.
    pub fn sample(&self, first_draw: u32, draws: u32) -> Result<JsValue, JsError> {
        let table = Rc::clone(&self.table);
        outcome(async move {
            let draws = table.sample_rows_async(first_draw, draws).await?;
            Ok(array::<Uint32Array, _>(&draws))
        })
    }
}
