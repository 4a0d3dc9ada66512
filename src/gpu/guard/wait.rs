//! Waits for a device, never for ever, and without wgpu's panics. This module is not for browsers,
//! where a thread cannot wait and the browser watches over the device.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::error::Error;

use super::{Activity, Guard, Mapping, Waits};

/// How long this thread waits for another thread to call the callbacks that the other's poll has
/// found, before this thread polls again.
const PATIENCE: Duration = Duration::from_millis(1);

/// A thread that waits for the device in the place of futures. The thread is started when the first
/// future has to wait, and ends with the last owner of the `Waiter`.
#[derive(Debug, Default)]
pub(super) struct Waiter {
    waits: Mutex<Option<mpsc::Sender<Wait>>>,
}

/// A wait for the device, from its start to its end.
type Wait = Box<dyn FnOnce() + Send>;

impl Waiter {
    /// Hands a wait to the thread.
    fn hand_over(&self, wait: Wait) -> std::io::Result<()> {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = match waits.as_ref() {
            None => wait,
            Some(sender) => match sender.send(wait) {
                Ok(()) => return Ok(()),
                // the thread has ended: a callback of another user of the device has panicked on it
                Err(mpsc::SendError(wait)) => wait,
            },
        };
        let (sender, receiver) = mpsc::channel::<Wait>();
        let work = move || receiver.into_iter().for_each(|wait| wait());
        thread::Builder::new().name("gumbel waits for a device".to_owned()).spawn(work)?;
        // the receiver is there: the thread has just begun
        let _ = sender.send(wait);
        *waits = Some(sender);
        Ok(())
    }
}

/// The outcome of a wait on the thread, for the future that has asked for it.
///
/// futures-intrusive's channel would not do, as it wakes while it holds its lock: a waker of a
/// user's executor may drop or poll the future at once, which takes the lock too.
#[derive(Debug)]
struct Answer<T> {
    state: Mutex<(Option<T>, Option<Waker>)>,
}

impl<T> Answer<T> {
    /// Gives the answer, and wakes whoever waits for it.
    fn give(&self, answer: T) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = Some(answer);
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits for the answer, and returns it.
    async fn take(&self) -> T {
        poll_fn(|context| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match state.0.take() {
                Some(answer) => Poll::Ready(answer),
                None => {
                    state.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// The thread's end of an answer. If it is dropped without an answer, as when another user's
/// callback has panicked on the thread, the answer is `None`.
struct Asked<T>(Arc<Answer<Option<T>>>);

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        let given = self.0.state.lock().unwrap_or_else(PoisonError::into_inner).0.is_some();
        if !given {
            self.0.give(None);
        }
    }
}

impl Guard {
    /// Waits until a map is complete, on the thread that this guard [waits](Waits) on.
    pub(super) async fn mapped(&self, mapping: Mapping) -> Result<(), Error> {
        let deadline = self.deadline();
        if self.waits == Waits::Here {
            return self.mapped_here(mapping, deadline);
        }
        let activity = mapping.activity.clone();
        let answer = Arc::new(Answer { state: Mutex::new((None, None)) });
        let (asked, here) = (Asked(Arc::clone(&answer)), self.waiting(Waits::Here));
        let wait = Box::new(move || {
            // nobody needs the outcome if the future was dropped
            if Arc::strong_count(&asked.0) > 1 {
                let outcome = here.mapped_here(mapping, deadline);
                asked.0.give(Some(outcome));
            }
        });
        let failed = |message: String| Error::Gpu { while_doing: activity.to_string(), message };
        let started = self.waiter.hand_over(wait);
        started.map_err(|error| failed(format!("no thread could be started to wait: {error}")))?;
        let unknown = || Err(failed("the thread that waited for the device is gone".to_owned()));
        answer.take().await.unwrap_or_else(unknown)
    }

    /// The time at which a wait that begins now is given up; `None` for a timeout beyond the
    /// clock's range.
    pub(super) fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.timeout)
    }

    /// Waits until a map is complete, on this thread.
    fn mapped_here(&self, mapping: Mapping, deadline: Option<Instant>) -> Result<(), Error> {
        let Mapping { activity, result, after } = mapping;
        let mut result = std::pin::pin!(result.receive());
        let mut found = match poll_for(result.as_mut(), Duration::ZERO) {
            Poll::Ready(found) => Some(found),
            Poll::Pending => None,
        };
        if found.is_none() {
            pollster::block_on(self.wait_until(after, &activity, deadline, |patience| {
                if let Poll::Ready(now) = poll_for(result.as_mut(), patience) {
                    found = Some(now);
                }
                found.is_some()
            }))?;
        }
        pollster::block_on(self.outcome(&activity, found.flatten()))
    }

    /// Waits for a submission, and then until `done` returns true. `done` may itself wait for as
    /// long as its argument says.
    pub(super) async fn wait_until(
        &self,
        after: Option<wgpu::SubmissionIndex>,
        activity: &Activity,
        deadline: Option<Instant>,
        mut done: impl FnMut(Duration) -> bool,
    ) -> Result<(), Error> {
        let mut after = after;
        loop {
            if let Some(reason) = self.lost.get() {
                return Err(self.device_lost(activity, reason));
            }
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            match self.poll(after.take(), left) {
                Ok(Ok(_)) => {}
                Ok(Err(wgpu::PollError::Timeout)) => return Err(self.timed_out(activity)),
                // The index is that of a submission that failed, as all submissions do on a lost
                // device, without an error.
                Ok(Err(error)) => {
                    return Err(if self.is_lost().await {
                        self.known_lost(activity)
                    } else {
                        Error::Gpu { while_doing: activity.to_string(), message: error.to_string() }
                    });
                }
                Err(reason) => {
                    let _ = self.lost.set(reason);
                    return Err(self.known_lost(activity));
                }
            }
            if done(left.map_or(PATIENCE, |left| left.min(PATIENCE))) {
                return Ok(());
            }
            // The map may be complete only after a later submission, as wgpu may submit on its own:
            // so another turn, until the deadline.
            if left == Some(Duration::ZERO) {
                return Err(self.timed_out(activity));
            }
        }
    }

    /// Calls `Device::poll`, and turns its panic into the outer error, which says why the device is
    /// lost.
    ///
    /// wgpu 30 returns two errors of a wait, a timeout and a wrong index, and panics at any other
    /// (`handle_error_fatal` in `backend/wgpu_core.rs`): when the driver answers a wait or a query
    /// of the fence with an error, because the device is lost, memory ran out, or something
    /// unexpected happened. By then wgpu has given up the device and holds no lock, so the panic
    /// can be caught without harm.
    fn poll(
        &self,
        submission_index: Option<wgpu::SubmissionIndex>,
        timeout: Option<Duration>,
    ) -> Result<Result<wgpu::PollStatus, wgpu::PollError>, String> {
        let wait = wgpu::PollType::Wait { submission_index, timeout };
        catch_unwind(AssertUnwindSafe(|| self.device.poll(wait))).map_err(reason_or_unwind)
    }

    fn timed_out(&self, activity: &Activity) -> Error {
        Error::Timeout {
            adapter: self.adapter.clone(),
            while_doing: activity.to_string(),
            timeout: self.timeout,
        }
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future. If it is pending, polls it again when it wakes this thread, or after `patience`.
pub(super) fn poll_for<F: Future>(mut future: Pin<&mut F>, patience: Duration) -> Poll<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let first = future.as_mut().poll(&mut context);
    if first.is_ready() || patience.is_zero() {
        return first;
    }
    thread::park_timeout(patience);
    future.poll(&mut context)
}

/// Returns the reason in wgpu's panic. A poll also runs callbacks of other users of the device:
/// their panics go on.
pub(super) fn reason_or_unwind(panic: Box<dyn Any + Send>) -> String {
    let words = panic.downcast_ref::<String>().and_then(|words| words.strip_prefix(POLL_PANIC));
    match words {
        Some(words) => {
            let reason = words.split_once("Caused by:").map_or(words, |(_, reason)| reason);
            reason.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        None => resume_unwind(panic),
    }
}

/// The beginning of wgpu's panic.
pub(super) const POLL_PANIC: &str = "Error in Device::poll: ";

#[cfg(test)]
mod tests;
