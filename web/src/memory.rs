//! Memory of the module, which JavaScript reads and writes through views.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

/// Zeroed memory for numbers of any type.
///
/// Calls that are under way keep it, so that freeing it never takes it from them.
#[wasm_bindgen]
#[derive(Clone)]
pub struct Memory {
    /// Words of 64 bits, so that numbers of all types are aligned.
    words: Rc<Vec<u64>>,
    bytes: usize,
}

#[wasm_bindgen]
impl Memory {
    /// Memory of so many bytes.
    ///
    /// # Errors
    /// If there is no more memory.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: usize) -> Result<Self, JsError> {
        let mut words = Vec::new();
        let count = bytes.div_ceil(size_of::<u64>());
        if words.try_reserve_exact(count).is_err() {
            let problem = format!("{bytes} bytes of the module's memory are not to be had");
            return Err(JsError::new(&problem));
        }
        words.resize(count, 0);
        Ok(Self { words: Rc::new(words), bytes })
    }

    /// Where the memory begins in the module's.
    pub fn pointer(&self) -> usize {
        self.words.as_ptr() as usize
    }
}

impl Memory {
    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.bytes]
    }

    /// The numbers in this memory. What is left of the last one is none.
    pub(crate) fn numbers<T: bytemuck::Pod>(&self) -> &[T] {
        let all: &[T] = bytemuck::cast_slice(&self.words);
        &all[..self.bytes / size_of::<T>()]
    }
}
