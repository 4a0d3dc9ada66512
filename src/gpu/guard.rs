//! Turns the faults of a device into errors, and waits for a device, for a limited time.
//!
//! wgpu reports faults in four ways, and a [`Guard`] handles all of them:
//!
//! * *Error scopes* catch invalid calls, memory that ran out and failures of the driver. A call outside
//!   a scope makes wgpu panic if it fails, so every call is made in [`checked`](Guard::checked).
//! * *The loss of a device* enters no scope: all calls on a lost device do nothing. wgpu reports the
//!   loss to a callback, but a device has only one, so gumbel sets it only on a device that it has
//!   opened, or in a browser. On a caller's device a loss is noticed by its consequences: in the end
//!   a map fails, and then the device is [put to the test](Guard::is_lost).
//! * *A map* reports its failure to its own callback. If the device was lost meanwhile, the callback
//!   may never be called.
//! * *`Device::poll` panics* if the driver answers a wait with an error. Most losses of a device are
//!   found out in this way.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_intrusive::channel::shared::{OneshotReceiver, oneshot_channel};

use crate::error::Error;

use activity::failure;

mod activity;
#[cfg(not(target_family = "wasm"))]
mod wait;

pub(super) use activity::Activity;

/// Who has opened a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Gumbel,
    /// The caller, who may have set the device's callbacks.
    Caller,
}

/// The thread that waits for a device. In a browser none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpu) enum Waits {
    /// The thread that asks.
    Here,
    /// Another thread, while the future that asks is pending.
    Elsewhere,
}

/// A device, on which everything is done in such a way that faults become errors.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    device: wgpu::Device,
    adapter: String,
    /// The timeout of each wait, not of a whole call: a call that makes progress may take any time.
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "nothing can wait"))]
    timeout: Duration,
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "nothing can wait"))]
    waits: Waits,
    #[cfg(not(target_family = "wasm"))]
    waiter: Arc<wait::Waiter>,
    /// Why the device was lost, once the reason is known. A lost device never comes back.
    lost: Arc<OnceLock<String>>,
}

/// A map that is under way; [`finish`](Guard::finish) waits for it.
#[derive(Debug)]
#[must_use = "a buffer is not mapped before the map is finished"]
pub(super) struct Mapping {
    activity: Activity,
    result: OneshotReceiver<Result<(), wgpu::BufferAsyncError>>,
    /// The submission after which the buffer is free, or `None` for all submissions.
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "nothing can wait"))]
    after: Option<wgpu::SubmissionIndex>,
}

impl Guard {
    pub(super) fn new(
        device: wgpu::Device,
        adapter: String,
        timeout: Duration,
        owner: Owner,
    ) -> Self {
        let lost = Arc::new(OnceLock::new());
        // In a browser the callback replaces no callback of the caller's.
        if owner == Owner::Gumbel || cfg!(target_family = "wasm") {
            let lost = lost.clone();
            device.set_device_lost_callback(move |reason, message| {
                let why = match reason {
                    wgpu::DeviceLostReason::Destroyed => "it was destroyed".to_owned(),
                    wgpu::DeviceLostReason::Unknown => message,
                };
                // the first reason is the one to keep
                let _ = lost.set(why);
            });
        }
        Self {
            device,
            adapter,
            timeout,
            waits: Waits::Here,
            #[cfg(not(target_family = "wasm"))]
            waiter: Arc::default(),
            lost,
        }
    }

    /// Returns a guard of the same device, for calls that wait as `waits` says.
    pub(super) fn waiting(&self, waits: Waits) -> Self {
        Self { waits, ..self.clone() }
    }

    /// Returns the error by which the device was lost, if it was lost in a call that has failed
    /// with `error`. Otherwise returns `error` itself, as an `Err`. A loss may come as another
    /// error: as a refused shader, or as memory that ran out.
    pub(super) async fn loss(&self, error: Error) -> Result<Error, Error> {
        match error {
            Error::DeviceLost { .. } => Ok(error),
            _ if self.is_lost().await => Ok(self.known_lost(&Activity::Drawing)),
            error => Err(error),
        }
    }

    pub(super) fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// Calls `act` on the device, and returns its value, or the error that the device reports.
    ///
    /// A loss that nobody knows of yet may go unnoticed here: the value of `act` is then invalid,
    /// and so is all that is made of it, until a map fails. Only when a shader is compiled is the
    /// device tested at once, before and after: a sampler may lie idle long after it was built, and
    /// wgpu gives up a device whose driver refuses a shader by an error that wgpu does not expect,
    /// as Vulkan's drivers do.
    pub(super) async fn checked<T>(
        &self,
        activity: Activity,
        act: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        if let Some(reason) = self.lost.get() {
            return Err(self.device_lost(&activity, reason));
        }
        let compiling = matches!(activity, Activity::Compiling { .. });
        if compiling && self.is_lost().await {
            return Err(self.known_lost(&activity));
        }
        let (value, scopes) = in_scopes(&self.device, act);
        let error = first_of(scopes).await;
        if error.is_none() && !compiling {
            return Ok(value);
        }
        // When memory runs out, wgpu often gives up the device too; the cause is the better error.
        let out_of_memory = matches!(error, Some(wgpu::Error::OutOfMemory { .. }));
        if !out_of_memory && self.is_lost().await {
            return Err(match &activity {
                Activity::Compiling { shader } => Error::ShaderRefused {
                    adapter: self.adapter.clone(),
                    shader: shader.clone().into_owned(),
                    message: format!("the device was lost over it: {}", self.reason()),
                },
                _ => self.known_lost(&activity),
            });
        }
        match error {
            None => Ok(value),
            Some(error) => Err(failure(&self.adapter, &activity, error)),
        }
    }

    /// Makes a buffer. An error names the buffer and its size.
    pub(super) async fn buffer(
        &self,
        what: &'static str,
        size: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, Error> {
        let descriptor =
            wgpu::BufferDescriptor { label: Some(what), size, usage, mapped_at_creation: false };
        let activity = Activity::Allocating { what, bytes: size };
        self.checked(activity, || self.device.create_buffer(&descriptor)).await
    }

    /// Starts to map part of a buffer that the device is done with after the submission `after`, or
    /// for `None` after all submissions so far. Any number of maps can be under way.
    ///
    /// Ask for a map after the submission whose results it is to show, not before: if the device
    /// was lost in between, the map then fails. (wgpu drops the submission without an error.)
    pub(super) async fn map(
        &self,
        what: &'static str,
        slice: wgpu::BufferSlice<'_>,
        mode: wgpu::MapMode,
        after: Option<wgpu::SubmissionIndex>,
    ) -> Result<Mapping, Error> {
        let activity = Activity::Mapping { what, bytes: slice.size() };
        let (sender, result) = oneshot_channel();
        let callback = move |outcome| {
            // the receiver is gone if the map was given up
            let _ = sender.send(outcome);
        };
        self.checked(activity.clone(), || slice.map_async(mode, callback)).await?;
        Ok(Mapping { activity, result, after })
    }

    /// Waits until a map is complete.
    pub(super) async fn finish(&self, mapping: Mapping) -> Result<(), Error> {
        // in a browser the map's callback is called without a poll, also for a failure
        #[cfg(target_family = "wasm")]
        return self.outcome(&mapping.activity, mapping.result.receive().await).await;
        #[cfg(not(target_family = "wasm"))]
        self.mapped(mapping).await
    }

    /// Returns the error of a map that has failed. A result of `None` is a map that wgpu has
    /// dropped without calling its callback.
    async fn outcome(
        &self,
        activity: &Activity,
        result: Option<Result<(), wgpu::BufferAsyncError>>,
    ) -> Result<(), Error> {
        match result {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.map_failed(activity, error.to_string()).await),
            None => Err(self.map_failed(activity, "wgpu has dropped it".to_owned()).await),
        }
    }

    /// Calls `taken` with the bytes of a map that has been [finished](Self::finish), and ends the
    /// map.
    pub(super) async fn take(
        &self,
        what: &'static str,
        slice: wgpu::BufferSlice<'_>,
        taken: impl FnOnce(&[u8]),
    ) -> Result<(), Error> {
        let activity = Activity::Mapping { what, bytes: slice.size() };
        let take = || {
            let mapped = slice.get_mapped_range().map(|bytes| taken(&bytes));
            slice.buffer().unmap();
            mapped
        };
        match self.checked(activity.clone(), take).await? {
            Ok(()) => Ok(()),
            Err(error) => Err(self.map_failed(&activity, error.to_string()).await),
        }
    }

    /// Waits until the device has finished a submission, or for `None` all submissions so far.
    #[cfg(test)]
    pub(super) async fn wait(
        &self,
        after: Option<wgpu::SubmissionIndex>,
        activity: Activity,
    ) -> Result<(), Error> {
        self.wait_until(after, &activity, self.deadline(), |_| true).await
    }

    /// True if the device is known to be lost or, outside a browser, turns out to be lost in a
    /// test.
    ///
    /// On a lost device all calls return invalid objects and no error. So the test makes a buffer
    /// that is mapped from the start: if there is no error and the mapped bytes cannot be read, the
    /// device is lost. The test takes some 20 µs, and is therefore made only when a shader is
    /// compiled or something has gone wrong.
    async fn is_lost(&self) -> bool {
        if self.lost.get().is_some() {
            return true;
        }
        if cfg!(target_family = "wasm") {
            return false;
        }
        let descriptor = wgpu::BufferDescriptor {
            label: Some("gumbel sign of life"),
            size: 4,
            usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: true,
        };
        let (alive, scopes) = in_scopes(&self.device, || {
            self.device.create_buffer(&descriptor).slice(..).get_mapped_range().is_ok()
        });
        let lost = first_of(scopes).await.is_none() && !alive;
        if lost {
            let _ = self.lost.set("it answers no more, and no reason is known".to_owned());
        }
        lost
    }

    fn device_lost(&self, activity: &Activity, reason: &str) -> Error {
        Error::DeviceLost {
            adapter: self.adapter.clone(),
            while_doing: activity.to_string(),
            // the reason becomes a clause of a sentence
            reason: reason.trim_end_matches('.').to_owned(),
        }
    }

    /// The error for a device that [is lost](Self::is_lost).
    fn known_lost(&self, activity: &Activity) -> Error {
        self.device_lost(activity, self.reason())
    }

    /// The reason for the loss of a device that [is lost](Self::is_lost).
    fn reason(&self) -> &str {
        self.lost.get().map_or("no reason is known", String::as_str)
    }

    /// Returns the error for a map that has failed.
    pub(super) async fn map_failed(&self, activity: &Activity, message: String) -> Error {
        if self.is_lost().await {
            return self.known_lost(activity);
        }
        Error::MapFailed {
            adapter: self.adapter.clone(),
            while_doing: activity.to_string(),
            bytes: activity.bytes().unwrap_or(0),
            message,
        }
    }
}

/// Calls `act` in error scopes, and returns its value and the futures of its errors: memory that
/// ran out, then failures of the driver, then invalid calls. The scopes belong to this thread, so
/// they end here, before anything is awaited.
fn in_scopes<T, F: FnOnce() -> T>(
    device: &wgpu::Device,
    act: F,
) -> (T, [impl Future<Output = Option<wgpu::Error>> + use<T, F>; 3]) {
    let [memory, internal, validation] = [
        wgpu::ErrorFilter::OutOfMemory,
        wgpu::ErrorFilter::Internal,
        wgpu::ErrorFilter::Validation,
    ]
    .map(|filter| device.push_error_scope(filter));
    let value = act();
    // scopes end in the reverse order
    let validation = validation.pop();
    let internal = internal.pop();
    (value, [memory.pop(), internal, validation])
}

/// Returns the first error in the order of the scopes, which has causes first: a buffer that could
/// not be allocated is reported as invalid too, and so is a shader that the driver refused.
async fn first_of(scopes: [impl Future<Output = Option<wgpu::Error>>; 3]) -> Option<wgpu::Error> {
    for scope in scopes {
        if let Some(error) = scope.await {
            return Some(error);
        }
    }
    None
}

#[cfg(test)]
mod tests;
