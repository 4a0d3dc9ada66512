//! The native part of the npm package gumbel.
//!
//! Thin on purpose. What users call, with its defaults, types and documentation, is the TypeScript in `lib/`, which checks
//! the types of arguments and alone calls this module. From the ground up:
//!
//! | module | contents |
//! |---|---|
//! | `memory` | memory of the module, which JavaScript reads and writes through views |
//! | `rows`, `call` | the rows and the options of a call |
//! | `error` | the crate's errors in JavaScript's words |
//! | `outcome` | results: at once from the CPU, a promise from a GPU |
//! | `engine`, `table` | the operations |
//! | `wgsl` | the shaders, for devices of the caller's |
//!
//! **What differs in a browser.** A module of WebAssembly has one instruction set, simd128 (`src/cpu/simd/simd128.rs` of the
//! crate), and nothing in a module blocks: `engine::Blocking` of the crate leaves blocking methods out. wgpu's browser backend
//! knows neither subgroups, 64-bit integers nor immediate data, so a bound batch takes the number of its first draw from a buffer.
//! `src/gpu/adapter/browser.rs` asks the browser what wgpu does not tell. `outcome` runs the CPU engine's calls at once, where
//! JavaScript can catch a trap, and hands a GPU's over as promises. Devices of other libraries get the kernel as text
//! (`src/gpu/own_device.rs`).

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

mod call;
mod engine;
mod error;
mod memory;
mod outcome;
mod rows;
mod table;
pub mod wgsl;

thread_local! {
    static ON_PANIC: RefCell<Option<js_sys::Function>> = const { RefCell::new(None) };
}

/// Has a function called with the words of a panic, before the panic ends the module by a trap.
#[wasm_bindgen(js_name = onPanic)]
pub fn on_panic(call: js_sys::Function) {
    ON_PANIC.with(|on_panic| *on_panic.borrow_mut() = Some(call));
    std::panic::set_hook(Box::new(|panic| {
        ON_PANIC.with(|call| {
            if let Some(call) = &*call.borrow() {
                // whatever the function throws: the trap follows
                let _ = call.call1(&JsValue::UNDEFINED, &panic.to_string().into());
            }
        });
    }));
}

/// The CRC-32 of draws as little-endian words, which `gumbel sample --digest` prints.
#[wasm_bindgen]
pub fn crc32(draws: &memory::Memory) -> u32 {
    crc32fast::hash(draws.bytes())
}
