//! The shaders, for devices of the caller's.

use gumbel::DrawKernel;
use js_sys::{Uint8Array, Uint32Array};
use wasm_bindgen::prelude::*;

use crate::error::to_js;
use crate::outcome::{array, object};

/// The functions of the noise: Philox, Gumbel values, keys, weights.
#[wasm_bindgen(js_name = noiseSource)]
pub fn noise_source() -> String {
    gumbel::shaders::noise_source(false)
}

/// A kernel that draws: its text and entry point, its uniform, where that has the number of the first draw, and the
/// workgroups to dispatch.
///
/// # Errors
/// Those of the crate.
#[wasm_bindgen(js_name = drawKernel)]
pub fn draw_kernel(
    rows: u32,
    categories: u32,
    draws: u32,
    temperature: f32,
    seed: u64,
    first_row: u64,
) -> Result<JsValue, JsError> {
    let kernel = DrawKernel::new(rows, categories, draws, temperature);
    let kernel = kernel.map_err(|error| to_js(&error))?.with_seed(seed).with_first_row(first_row);
    Ok(object([
        ("source", kernel.source().into()),
        ("entryPoint", kernel.entry_point().into()),
        ("uniform", array::<Uint8Array, _>(kernel.uniform())),
        ("firstDrawOffset", (DrawKernel::FIRST_DRAW as u32).into()),
        ("workgroups", array::<Uint32Array, _>(&kernel.workgroups())),
    ]))
}
