//! A value that a callback leaves for whoever waits for it.

use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

/// Filled once, from any thread, and taken once.
#[derive(Debug)]
pub(super) struct Slot<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { value: None, waker: None }), filled: Condvar::new() }
    }
}

impl<T> Slot<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fill(&self, value: T) {
        let mut state = self.state();
        state.value = Some(value);
        let waker = state.waker.take();
        drop(state);
        self.filled.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits no longer than `patience`; true if the slot is filled.
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "nothing can wait"))]
    pub(super) fn wait_filled(&self, patience: Duration) -> bool {
        self.filled
            .wait_timeout_while(self.state(), patience, |state| state.value.is_none())
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .value
            .is_some()
    }

    pub(super) async fn take(&self) -> T {
        poll_fn(|context| {
            let mut state = self.state();
            match state.value.take() {
                Some(value) => Poll::Ready(value),
                None => {
                    state.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}
