//! Waiting for a device: never for ever, and without wgpu's panics. Not for browsers, where a thread
//! cannot wait and the browser watches over the device.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crate::error::Error;

use super::{Doing, Guard};

/// How long another thread may take for the callbacks that its poll has found, before this thread
/// looks for itself.
const PATIENCE: Duration = Duration::from_millis(1);

impl Guard {
    /// Waits for a submission, then until `done`, which may wait for the time that it is given.
    pub(super) async fn wait_until(
        &self,
        after: Option<wgpu::SubmissionIndex>,
        doing: &Doing,
        done: impl Fn(Duration) -> bool,
    ) -> Result<(), Error> {
        // none for a timeout beyond the clock's range
        let deadline = Instant::now().checked_add(self.timeout);
        let mut after = after;
        loop {
            if let Some(reason) = self.lost.get() {
                return Err(self.device_lost(doing, reason));
            }
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            match self.poll(after.take(), left) {
                Ok(Ok(_)) => {}
                Ok(Err(wgpu::PollError::Timeout)) => return Err(self.timed_out(doing)),
                // The index is that of a submission that failed: on a lost device, without a word.
                Ok(Err(error)) => {
                    return Err(if self.is_lost().await {
                        self.known_lost(doing)
                    } else {
                        Error::Gpu { while_doing: doing.to_string(), message: error.to_string() }
                    });
                }
                Err(reason) => {
                    let _ = self.lost.set(reason);
                    return Err(self.known_lost(doing));
                }
            }
            if done(left.map_or(PATIENCE, |left| left.min(PATIENCE))) {
                return Ok(());
            }
            // Not after that submission, but perhaps after a later one: wgpu may submit on its own.
            if left == Some(Duration::ZERO) {
                return Err(self.timed_out(doing));
            }
        }
    }

    /// As `Device::poll`; the outer error is why the device is lost.
    ///
    /// wgpu 30 knows two errors of a wait, a timeout and a wrong index, and panics at any other
    /// (`handle_error_fatal` in `backend/wgpu_core.rs`): when the driver answers a wait or a look at
    /// the fence with an error, which is a lost device, no memory, or something unexpected. It has
    /// given up the device by then and holds no lock, so the panic can be caught without harm.
    fn poll(
        &self,
        submission_index: Option<wgpu::SubmissionIndex>,
        timeout: Option<Duration>,
    ) -> Result<Result<wgpu::PollStatus, wgpu::PollError>, String> {
        let wait = wgpu::PollType::Wait { submission_index, timeout };
        catch_unwind(AssertUnwindSafe(|| self.device.poll(wait))).map_err(reason_or_unwind)
    }

    fn timed_out(&self, doing: &Doing) -> Error {
        Error::Timeout {
            adapter: self.adapter.clone(),
            while_doing: doing.to_string(),
            timeout: self.timeout,
        }
    }
}

/// The words of wgpu's panic. A poll also runs callbacks of other users of the device: their panics
/// go on.
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

/// How wgpu's panic begins.
pub(super) const POLL_PANIC: &str = "Error in Device::poll: ";
