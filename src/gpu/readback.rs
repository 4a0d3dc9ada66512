//! Draws on their way back, and errors on theirs.

use futures_intrusive::channel::shared::oneshot_channel;

use crate::error::Error;

/// Copies the first words of a mappable buffer, once the device has finished all that was
/// submitted.
///
/// Outside a browser this blocks the calling thread until then.
pub(super) async fn read(
    device: &wgpu::Device,
    buffer: &wgpu::Buffer,
    draws: &mut [u32],
) -> Result<(), Error> {
    let failed = |message: String| Error::Gpu { while_doing: "reading the draws back", message };
    let slice = buffer.slice(..4 * draws.len() as u64);
    let (sender, receiver) = oneshot_channel();
    let map = || {
        slice.map_async(wgpu::MapMode::Read, move |result| {
            // fails only if the receiver is gone, and then nobody waits
            let _ = sender.send(result);
        });
    };
    checked(device, "reading the draws back", map).await?;
    wait(device)?;
    match receiver.receive().await {
        Some(Ok(())) => {}
        Some(Err(error)) => return Err(failed(error.to_string())),
        None => return Err(failed("the device was dropped".to_owned())),
    }
    let copied = slice
        .get_mapped_range()
        .map(|words| draws.copy_from_slice(bytemuck::cast_slice(&words)))
        .map_err(|error| failed(error.to_string()));
    buffer.unmap();
    copied
}

/// Waits until the device has finished all that was submitted; in a browser, returns at once.
pub(super) fn wait(device: &wgpu::Device) -> Result<(), Error> {
    let failed = |error: wgpu::PollError| Error::Gpu {
        while_doing: "waiting for the device",
        message: error.to_string(),
    };
    device.poll(wgpu::PollType::wait_indefinitely()).map(drop).map_err(failed)
}

/// Does something on a device, and returns what the device says against it.
pub(super) async fn checked<T>(
    device: &wgpu::Device,
    while_doing: &'static str,
    act: impl FnOnce() -> T,
) -> Result<T, Error> {
    let (value, errors) = in_scopes(device, act);
    for error in errors {
        if let Some(error) = error.await {
            return Err(Error::Gpu { while_doing, message: error.to_string() });
        }
    }
    Ok(value)
}

/// Does something on a device, and returns what will tell of its errors. The scopes belong to this
/// thread, so they end here, before anything is awaited.
fn in_scopes<T, F: FnOnce() -> T>(
    device: &wgpu::Device,
    act: F,
) -> (T, [impl Future<Output = Option<wgpu::Error>> + use<T, F>; 3]) {
    let [memory, validation, internal] = [
        wgpu::ErrorFilter::OutOfMemory,
        wgpu::ErrorFilter::Validation,
        wgpu::ErrorFilter::Internal,
    ]
    .map(|filter| device.push_error_scope(filter));
    let value = act();
    // in the reverse order
    (value, [internal.pop(), validation.pop(), memory.pop()])
}
