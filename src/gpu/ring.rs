//! The way to a device and back: a ring of slots, so that one chunk is written while the device works on
//! another, and a third is read.
//!
//! All rows in the host's memory take this way. An operation is a [`Workload`]: it says how large its sections
//! of the ring's buffers are, how a slot's input is written, what the device does with the input,
//! and where the results go. The ring's memory is kept from call to call and only grows: calls of
//! several shapes and several operations in turn come to share one ring. The size of a chunk bounds
//! all of this memory ([`Sizes::most`]), unless a call needs more because its rows cannot be cut.

use std::collections::VecDeque;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;

use super::guard::{Activity, Guard, Mapping};

use sections::{Sizes, start};
use slot::{KINDS, Slot};

mod input;
mod rows;
mod sections;
mod slot;

pub(super) use input::Input;
pub(super) use rows::RowValues;
pub(super) use sections::{Sections, most_of_a_buffer};
pub(super) use slot::{Kind, Memory};

/// The number of chunks that are under way at once: written, worked on, read.
pub(super) const SLOTS: usize = 3;

/// An operation that the ring takes to a device.
pub(super) trait Workload {
    /// A piece of work that the device is given at once.
    type Step;

    fn kind(&self) -> Kind;

    /// The bytes of each section, which suffice for every step.
    fn sections(&self) -> Sections;

    /// Binds the sections of a slot. The bind groups serve all operations of the kind, until
    /// sections change.
    fn bind(&self, device: &wgpu::Device, memory: Memory<'_>) -> Vec<wgpu::BindGroup>;

    /// Writes what a step needs to the input of a slot.
    fn fill(&self, step: &Self::Step, input: &mut Input<'_>) -> Result<(), wgpu::MapRangeError>;

    /// Encodes what the device does in the memory of a slot, with the bind groups that
    /// [`bind`](Self::bind) has made for it.
    fn encode(
        &self,
        step: &Self::Step,
        encoder: &mut wgpu::CommandEncoder,
        memory: Memory<'_>,
        groups: &[wgpu::BindGroup],
    );

    /// The bytes of a step's results in each section of the output. A step may have none.
    fn results(&self, step: &Self::Step) -> [u64; 2];

    /// Takes a step's results, section by section. Steps come in their order, while the device
    /// works on later steps.
    fn take(&mut self, step: &Self::Step, results: [&[u32]; 2]);
}

/// A device, and the ring that leads to it.
#[derive(Debug)]
pub(super) struct Transport {
    queue: wgpu::Queue,
    /// Whether the device's memory is the host's, and can be mapped.
    direct: bool,
    /// The most bytes of a chunk.
    chunk_bytes: u64,
    /// The ring of the calls so far. A call takes it, and puts its own ring back.
    kept: Mutex<Option<Ring>>,
    /// Whether the sampler is gone. Prepared tables may outlive it.
    orphaned: AtomicBool,
}

/// A sampler's hold on its ring. Prepared tables hold the ring too, and may outlive the sampler. When
/// the sampler is gone, the memory that its calls have needed is freed, and the tables ask again for
/// what they need.
#[derive(Debug)]
pub(super) struct SamplerRing(pub(super) Arc<Transport>);

impl Deref for SamplerRing {
    type Target = Transport;

    fn deref(&self) -> &Transport {
        &self.0
    }
}

impl Drop for SamplerRing {
    fn drop(&mut self) {
        self.0.orphaned.store(true, Ordering::SeqCst);
        *self.0.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The memory of chunks under way.
#[derive(Debug)]
struct Ring {
    sizes: Sizes,
    scratch: wgpu::Buffer,
    slots: Vec<Slot>,
    /// The sections of each kind of operation that has used the ring.
    sections: [Sections; KINDS],
}

/// A step that the device has been given.
#[derive(Debug)]
struct Flight<S> {
    slot: usize,
    step: S,
    /// The map of the step's results, if it has any, and the bytes of each section of the output.
    reading: Option<(Mapping, [u64; 2])>,
}

impl Transport {
    pub(super) fn new(queue: wgpu::Queue, direct: bool, chunk_bytes: u64) -> Self {
        Self {
            queue,
            direct,
            chunk_bytes,
            kept: Mutex::new(None),
            orphaned: AtomicBool::new(false),
        }
    }

    /// Takes the steps of an operation to the device that a guard watches, and brings their results
    /// back.
    pub(super) async fn run<W: Workload>(
        &self,
        guard: &Guard,
        work: &mut W,
        mut steps: impl Iterator<Item = W::Step>,
    ) -> Result<(), Error> {
        let orphaned = self.orphaned.load(Ordering::SeqCst);
        let first: Vec<W::Step> = steps.by_ref().take(SLOTS).collect();
        let mut ring = self.enter(guard, work.kind(), work.sections(), first.len()).await?;

        // one slot is written while the device works on the others
        let mut flights = VecDeque::with_capacity(SLOTS);
        for (n, step) in first.into_iter().chain(steps).enumerate() {
            if flights.len() == SLOTS
                && let Some(flight) = flights.pop_front()
            {
                self.land(guard, &ring, flight, work).await?;
            }
            flights.push_back(self.launch(guard, &mut ring, n % SLOTS, work, step).await?);
        }
        for flight in flights {
            self.land(guard, &ring, flight, work).await?;
        }
        // a ring that a sampler's calls have made large is not kept for tables that outlive the
        // sampler
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if self.orphaned.load(Ordering::SeqCst) == orphaned {
            *kept = Some(ring);
        }
        Ok(())
    }

    /// Returns a ring for an operation: the ring of other calls if it suffices, and otherwise a new
    /// one that would suffice for those calls too.
    async fn enter(
        &self,
        guard: &Guard,
        kind: Kind,
        needed: Sections,
        slots: usize,
    ) -> Result<Ring, Error> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let alone = (needed.sizes(), kind.alone(needed));
        let Some(mut ring) = kept else {
            return self.ring(guard, alone, slots).await;
        };
        let joined = ring.sections[kind as usize].joined(needed);
        let most = Sizes::most(self.chunk_bytes).joined(ring.sizes).joined(needed.sizes());
        // sections that suffice for other calls of the kind too, unless all of them together exceed
        // the bound
        let of_kind = if most.suffice(&joined.sizes()) { joined } else { needed };
        if ring.sections[kind as usize] != of_kind {
            ring.sections[kind as usize] = of_kind;
            ring.slots.iter_mut().for_each(|slot| slot.unbind(kind));
        }
        let all = (ring.sizes.joined(of_kind.sizes()), ring.sections);
        let made = if ring.sizes.suffice(&of_kind.sizes()) {
            self.add_slots(guard, ring, slots).await
        } else {
            // the old ring is given back before more memory is asked for
            let slots = slots.max(ring.slots.len());
            drop(ring);
            self.ring(guard, all, slots).await
        };
        match made {
            // the memory may still suffice for this call alone
            Err(Error::OutOfMemory { .. }) => self.ring(guard, alone, slots).await,
            made => made,
        }
    }

    async fn ring(
        &self,
        guard: &Guard,
        (sizes, sections): (Sizes, [Sections; KINDS]),
        slots: usize,
    ) -> Result<Ring, Error> {
        // a buffer cannot be empty
        let bytes = sizes.scratch.max(16);
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let scratch = guard.buffer("what stays on the device", bytes, usage).await?;
        let ring = Ring { sizes, scratch, slots: Vec::with_capacity(SLOTS), sections };
        self.add_slots(guard, ring, slots).await
    }

    /// Adds slots until the ring has `slots`, and forgets the values that it holds: another call's
    /// values may be others.
    async fn add_slots(&self, guard: &Guard, mut ring: Ring, slots: usize) -> Result<Ring, Error> {
        ring.slots.iter_mut().for_each(|slot| slot.holds = None);
        while ring.slots.len() < slots {
            let slot = Slot::new(guard, &ring.sizes, &ring.scratch, self.direct).await?;
            ring.slots.push(slot);
        }
        Ok(ring)
    }

    /// Writes a step to a slot, and hands it to the device.
    async fn launch<W: Workload>(
        &self,
        guard: &Guard,
        ring: &mut Ring,
        slot: usize,
        work: &W,
        step: W::Step,
    ) -> Result<Flight<W::Step>, Error> {
        let sections = ring.sections[work.kind() as usize];
        let place = &mut ring.slots[slot];
        place.bind(guard, work, &sections).await?;
        let written = place.write(guard, work, &step, &sections).await?;
        let results = work.results(&step);
        let span = span(&sections, results);
        let submit = || {
            let commands =
                place.commands(guard.device(), work, &step, &sections, written, span.clone());
            self.queue.submit([commands])
        };
        let after = guard.checked(Activity::Drawing, submit).await?;

        let (upload, write) = (place.upload.slice(..), wgpu::MapMode::Write);
        place.writing = Some(guard.map("the upload", upload, write, Some(after.clone())).await?);
        let reading = if span.is_empty() {
            None
        } else {
            let (readback, read) = (place.readback.slice(span), wgpu::MapMode::Read);
            Some((guard.map("the results", readback, read, Some(after)).await?, results))
        };
        Ok(Flight { slot, step, reading })
    }

    /// Waits for a step, and hands its results to the operation.
    async fn land<W: Workload>(
        &self,
        guard: &Guard,
        ring: &Ring,
        flight: Flight<W::Step>,
        work: &mut W,
    ) -> Result<(), Error> {
        let Flight { slot, step, reading } = flight;
        let Some((mapping, results)) = reading else { return Ok(()) };
        guard.finish(mapping).await?;
        let sections = &ring.sections[work.kind() as usize];
        let span = span(sections, results);
        let slice = ring.slots[slot].readback.slice(span.clone());
        let take = |bytes: &[u8]| {
            let of_section = |section: usize| match results[section] as usize {
                0 => &[],
                count => {
                    let start = (start(&sections.output, section) - span.start) as usize;
                    bytemuck::cast_slice(&bytes[start..start + count])
                }
            };
            work.take(&step, [of_section(0), of_section(1)]);
        };
        guard.take("the results", slice, take).await
    }
}

impl Kind {
    /// The sections of a ring that was made for one operation.
    fn alone(self, needed: Sections) -> [Sections; KINDS] {
        let mut sections = [Sections::default(); KINDS];
        sections[self as usize] = needed;
        sections
    }
}

/// The range of the output's bytes from the first result to the last, with the gap between
/// sections.
fn span(sections: &Sections, results: [u64; 2]) -> Range<u64> {
    let second = start(&sections.output, 1);
    match results {
        [0, 0] => 0..0,
        [first, 0] => 0..first,
        [0, more] => second..second + more,
        [_, more] => 0..second + more,
    }
}
