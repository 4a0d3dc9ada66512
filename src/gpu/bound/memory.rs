//! The memory of a bound batch: what its passes need besides the caller's buffers.

use wgpu::BufferUsages as Usage;

use crate::error::Error;
use crate::gpu::Gpu;
use crate::gpu::guard::Activity;

/// Buffers in the order in which the passes of a batch take them.
#[derive(Debug, Default)]
pub(super) struct Memory {
    taken: Vec<Taken>,
    /// The buffers of a batch that was bound before, in whose place this one is bound.
    earlier: Option<std::vec::IntoIter<Taken>>,
}

#[derive(Clone, Debug)]
struct Taken {
    buffer: wgpu::Buffer,
    /// What a uniform holds; nothing for other buffers.
    contents: Vec<u8>,
}

impl Memory {
    /// Memory for a batch that differs from another one in nothing but the caller's buffers.
    pub(super) fn in_place_of(other: &Self) -> Self {
        Self { taken: Vec::new(), earlier: Some(other.taken.clone().into_iter()) }
    }

    /// Takes a buffer that only shaders read and write.
    pub(super) async fn scratch(
        &mut self,
        gpu: &Gpu,
        what: &'static str,
        bytes: u64,
    ) -> Result<wgpu::Buffer, Error> {
        self.take(gpu, what, bytes, Usage::STORAGE, &[]).await
    }

    /// Takes a uniform with these contents.
    pub(super) async fn uniform(
        &mut self,
        gpu: &Gpu,
        what: &'static str,
        contents: &[u8],
    ) -> Result<wgpu::Buffer, Error> {
        let usage = Usage::UNIFORM | Usage::COPY_DST;
        self.take(gpu, what, contents.len() as u64, usage, contents).await
    }

    /// Checks that all buffers of a batch that was bound before have been taken.
    ///
    /// # Errors
    /// [`Error::DeviceBuffer`] if that batch has more.
    pub(super) fn all(self) -> Result<Self, Error> {
        match &self.earlier {
            Some(earlier) if earlier.len() > 0 => Err(differs()),
            _ => Ok(self),
        }
    }

    /// # Errors
    /// [`Error::DeviceBuffer`] if a batch bound before has another buffer here; and errors of the device.
    async fn take(
        &mut self,
        gpu: &Gpu,
        what: &'static str,
        bytes: u64,
        usage: Usage,
        contents: &[u8],
    ) -> Result<wgpu::Buffer, Error> {
        let taken = match &mut self.earlier {
            Some(earlier) => {
                let same = |taken: &Taken| {
                    let buffer = &taken.buffer;
                    buffer.size() == bytes && buffer.usage() == usage && taken.contents == contents
                };
                earlier.next().filter(same).ok_or_else(differs)?
            }
            None => {
                let buffer = gpu.guard.buffer(what, bytes, usage).await?;
                if !contents.is_empty() {
                    let write = || gpu.queue.write_buffer(&buffer, 0, contents);
                    gpu.guard.checked(Activity::Drawing, write).await?;
                }
                Taken { buffer, contents: contents.to_vec() }
            }
        };
        let buffer = taken.buffer.clone();
        self.taken.push(taken);
        Ok(buffer)
    }
}

/// The error for a batch that cannot be bound in the place of another one.
fn differs() -> Error {
    let problem =
        "it differs from the batch in whose place it is to be bound in more than its buffers";
    Error::DeviceBuffer { what: "the batch", problem: problem.to_owned() }
}
