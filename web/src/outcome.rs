//! The results of operations: at once from the CPU engine, a promise from a GPU.

use std::task::{Context, Poll, Waker};

use gumbel::Error;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::error::to_js;

/// The value of a future, or a promise of it if the future has to wait.
///
/// The CPU engine never waits. So its calls run from here, where JavaScript can catch a trap, and not from the queue of
/// promises, where nobody can.
pub(crate) fn outcome<T: Into<JsValue>>(
    operation: impl Future<Output = Result<T, Error>> + 'static,
) -> Result<JsValue, JsError> {
    let mut operation = Box::pin(operation);
    // Whoever asks a future again is woken by it: this waker need not be.
    match operation.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.map(T::into).map_err(|error| to_js(&error)),
        Poll::Pending => Ok(future_to_promise(async move {
            operation.await.map(T::into).map_err(|error| to_js(&error).into())
        })
        .into()),
    }
}

/// Names results, as an object.
pub(crate) fn object<const N: usize>(parts: [(&str, JsValue); N]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in parts {
        // a new object takes every property
        let _ = js_sys::Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

/// Copies numbers out of the module.
pub(crate) fn array<A: for<'a> From<&'a [T]> + Into<JsValue>, T>(numbers: &[T]) -> JsValue {
    A::from(numbers).into()
}
