//! The crate's errors in JavaScript's words.

use gumbel::Error;
use wasm_bindgen::JsError;

/// The error as one of JavaScript.
pub(crate) fn to_js(error: &Error) -> JsError {
    JsError::new(&words(error))
}

fn words(error: &Error) -> String {
    match error {
        Error::OfRow { row, error } => format!("row {row}: {}", words(error)),
        Error::Draws { first_draw, draws } if *draws > 0 => {
            format!(
                "firstDraw + draws must not exceed 2147483648 (2**31), got {first_draw} + {draws}"
            )
        }
        Error::Truncation { what, expected, got } => {
            let name = match *what {
                "top-k" => "topK",
                "top-p" => "topP",
                "min-p" => "minP",
                other => other,
            };
            format!("{name} must be {expected}, got {got}")
        }
        Error::RowIds { expected, got } => {
            format!("{expected} rows need as many rowIds, got {got}")
        }
        Error::NeedsGumbel { operation } => format!(
            "{operation} needs the method \"gumbel\", got an inverse CDF (or \"auto\", which is that for so many draws)"
        ),
        Error::NoMemoryForSums { categories, bytes } => format!(
            "the sums of rows of {categories} categories need {bytes} bytes, which are not to be had; \
             the method \"gumbel\" needs none"
        ),
        Error::TopKTooLarge { races, k } => format!(
            "the first {k} categories of each of {races} races do not fit into memory (on a GPU those of a race must \
             fit into a chunk: see chunkBytes)"
        ),
        Error::NoAdapter { wanted, found } if found.is_empty() => {
            format!("no adapter {wanted}; WebGPU offers none here")
        }
        Error::NoAdapter { wanted, found } => {
            format!(
                "no adapter {wanted}; WebGPU offers {} (software: true takes it)",
                found.join(", ")
            )
        }
        Error::DeviceLost { adapter, while_doing, reason } => format!(
            "the device of {adapter} was lost while {while_doing}: {reason}; make a new Sampler, or draw with \
             Sampler.cpu()"
        ),
        Error::OutOfMemory { adapter, while_doing, .. } => format!(
            "{adapter} ran out of memory while {while_doing}; try smaller chunks (chunkBytes), or Sampler.cpu()"
        ),
        Error::MapFailed { adapter, while_doing, message, .. } => {
            format!(
                "{adapter} failed at {while_doing}: {message}; try again, or make a new Sampler"
            )
        }
        Error::ShaderRefused { adapter, shader, message } => format!(
            "{adapter} refused {shader}; try a newer browser or Sampler.cpu(), and please report it, with these words: \
             {message}"
        ),
        Error::RowTooLong { operation, categories, most } => format!(
            "rows of {categories} categories are too long for {operation} on this device, which has room for {most}; \
             try Sampler.cpu()"
        ),
        Error::NoMemoryForRows { rows, categories, bytes } => format!(
            "a copy of {rows} rows of {categories} categories needs {bytes} bytes, which are not to be had; rows of a \
             Float32Array need no copy"
        ),
        other => other.to_string(),
    }
}
