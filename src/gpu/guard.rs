//! What can go wrong on a device, turned into errors; and waiting, which always ends.
//!
//! wgpu speaks of faults in four ways, and a [`Guard`] listens to all of them:
//!
//! * *Error scopes* catch what is invalid, memory that ran out and failures of the driver. What is
//!   done outside a scope makes wgpu panic if it fails, so everything is done in
//!   [`checked`](Guard::checked).
//! * *The loss of a device* enters no scope: whatever is done on a lost device does nothing. wgpu
//!   tells a callback of it, but a device has only one, so it is set only on a device that gumbel
//!   has opened. On a caller's device a loss is noticed by its consequences: in the end a map
//!   fails, and then the device is [put to the test](Guard::is_lost).
//! * *A map* tells its own callback, unless the device was lost meanwhile: then nothing may come.
//! * *`Device::poll` panics* if the driver answers a wait with an error, which is where the loss of
//!   a device is mostly found out.

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
    /// Its callbacks are the caller's, who may have set them.
    Caller,
}

/// Which thread waits for a device. In a browser none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpu) enum Waits {
    /// The one that asks.
    Here,
    /// Another one, while the future that asks is pending.
    Elsewhere,
}

/// A device, and an ear for what it says against what is done on it.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    device: wgpu::Device,
    adapter: String,
    /// For each wait, not for a whole call: a call that makes progress may take any time.
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "nothing can wait"))]
    timeout: Duration,
    #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "nothing can wait"))]
    waits: Waits,
    #[cfg(not(target_family = "wasm"))]
    waiter: Arc<wait::Waiter>,
    /// Why the device was lost, once that is known. It never comes back.
    lost: Arc<OnceLock<String>>,
}

/// A map that is under way; [`finish`](Guard::finish) waits for it.
#[derive(Debug)]
#[must_use = "a buffer is not mapped before the map is finished"]
pub(super) struct Mapping {
    activity: Activity,
    result: OneshotReceiver<Result<(), wgpu::BufferAsyncError>>,
    /// The submission after which the buffer is free, or `None` for all of them.
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
        // In a browser the callback takes the place of no other.
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

    /// The guard of the same device, for calls that wait like this.
    pub(super) fn waiting(&self, waits: Waits) -> Self {
        Self { waits, ..self.clone() }
    }

    /// The error by which the device was lost, if it was in a call that has failed with this error; the error itself
    /// otherwise. A loss may come as another error: as a refused shader, or as memory that ran out.
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

    /// Does something on the device, and returns what the device says against it.
    ///
    /// A loss may go unnoticed here, if nobody knows of it yet: what `act` returns is then invalid,
    /// and so is all that is made of it, until a map fails. Only a shader is looked after at once:
    /// a sampler may lie idle long after it was built, and wgpu gives up a device whose driver
    /// refuses a shader by an error that it does not expect, as Vulkan's drivers do.
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

    /// A buffer, or an error that names it and its size.
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

    /// Starts to map part of a buffer, which the device is done with after the submission `after`,
    /// or after all that were made so far. Any number of maps can be under way.
    ///
    /// Ask for a map after the submission that it is to show, not before: on a device that was lost
    /// in between, this then fails. (wgpu drops the submission without a word.)
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
            // nobody is told if the map was given up
            let _ = sender.send(outcome);
        };
        self.checked(activity.clone(), || slice.map_async(mode, callback)).await?;
        Ok(Mapping { activity, result, after })
    }

    /// Waits until a map is there.
    pub(super) async fn finish(&self, mapping: Mapping) -> Result<(), Error> {
        // in a browser the map reports of its own accord, and its failure too
        #[cfg(target_family = "wasm")]
        return self.outcome(&mapping.activity, mapping.result.receive().await).await;
        #[cfg(not(target_family = "wasm"))]
        self.mapped(mapping).await
    }

    /// What became of a map: `None` if wgpu has dropped it without a word.
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

    /// Hands out the bytes of a map that has been [finished](Self::finish), and ends it.
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

    /// Waits until the device has finished a submission, or all that were made so far.
    #[cfg(test)]
    pub(super) async fn wait(
        &self,
        after: Option<wgpu::SubmissionIndex>,
        activity: Activity,
    ) -> Result<(), Error> {
        self.wait_until(after, &activity, self.deadline(), |_| true).await
    }

    /// True if the device is known to be lost or, outside a browser, turns out to be.
    ///
    /// On a lost device all calls are silent and return what is invalid. So the test is a buffer
    /// that is mapped from the start: without an error, it cannot be looked into. That takes some
    /// 20 µs, and is therefore asked only when something has gone wrong.
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
            // a clause of a sentence
            reason: reason.trim_end_matches('.').to_owned(),
        }
    }

    /// The error for a device that [is lost](Self::is_lost).
    fn known_lost(&self, activity: &Activity) -> Error {
        self.device_lost(activity, self.reason())
    }

    /// Why a device that [is lost](Self::is_lost) is so.
    fn reason(&self) -> &str {
        self.lost.get().map_or("no reason is known", String::as_str)
    }

    /// The error for a map that turned out not to be there.
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

/// Does something on a device, and returns what will tell of its errors: memory that ran out, then
/// failures of the driver, then what is invalid. The scopes belong to this thread, so they end
/// here, before anything is awaited.
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
    // ended in the reverse order
    let validation = validation.pop();
    let internal = internal.pop();
    (value, [memory.pop(), internal, validation])
}

/// The first error in the order of the scopes: what could not be allocated is invalid as well, and
/// so is what the driver refused.
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
