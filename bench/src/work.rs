//! The work of a device: draws from batches that are on it, or copies of them.

use gumbel::{BoundBatch, DeviceBatch, wgpu};

use crate::device::Device;
use crate::error::Error;
use crate::fill::{Filler, Place};
use crate::logits::Format;
use crate::placement::{Piece, Placement};
use crate::restricted::{Drawing, Masks};
use crate::shape::Shape;

/// The logits of a shape in one format on a device, or memory for a copy of them.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) shape: Shape,
    pub(crate) format: Format,
    pub(crate) placement: Placement,
    /// A buffer for each piece.
    buffers: Vec<wgpu::Buffer>,
}

impl Pool {
    /// Allocates memory for logits, whose values are not set yet.
    pub(crate) fn empty(
        device: &Device<'_>,
        shape: Shape,
        format: Format,
        placement: Placement,
    ) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let size = placement.stride * u64::from(placement.regions);
        let buffers: Result<_, _> =
            placement.pieces.iter().map(|_| device.buffer(size, usage)).collect();
        Ok(Self { shape, format, placement, buffers: buffers? })
    }

    /// Allocates memory and fills it with the logits that the host knows.
    pub(crate) fn filled(
        device: &Device<'_>,
        filler: &Filler,
        shape: Shape,
        format: Format,
        placement: Placement,
    ) -> Result<Self, Error> {
        let pool = Self::empty(device, shape, format, placement)?;
        let places = (0..pool.placement.regions).flat_map(|region| {
            let at = pool.placement.stride * u64::from(region);
            pool.pieces().map(move |(piece, buffer)| Place {
                buffer: buffer.clone(),
                at,
                bytes: pool.placement.stride,
                region,
                first: u64::from(piece.first_row) * u64::from(shape.categories),
                logits: u64::from(piece.rows) * u64::from(shape.categories),
                categories: shape.categories,
            })
        });
        filler.fill(device, format, places)?;
        Ok(pool)
    }

    fn pieces(&self) -> impl Iterator<Item = (&Piece, &wgpu::Buffer)> {
        self.placement.pieces.iter().zip(&self.buffers)
    }

    fn bytes_of(&self, piece: &Piece) -> u64 {
        let logits = u64::from(piece.rows) * u64::from(self.shape.categories);
        logits * self.format.bytes()
    }

    /// Returns the first words of a region's last piece, at most `most` of them, and the number of
    /// the logit that they begin with.
    pub(crate) fn words(
        &self,
        device: &Device<'_>,
        region: u32,
        most: u64,
    ) -> Result<(u64, Vec<u32>), Error> {
        let Some((piece, buffer)) = self.pieces().last() else { return Ok((0, Vec::new())) };
        let at = self.placement.stride * u64::from(region);
        let first = u64::from(piece.first_row) * u64::from(self.shape.categories);
        let bytes = (self.bytes_of(piece) / 4).min(most) * 4;
        Ok((first, device.read(buffer, at, bytes.max(4))?))
    }
}

/// A copy of a range of bytes from one buffer to another.
#[derive(Debug)]
pub(crate) struct Move {
    from: wgpu::Buffer,
    to: wgpu::Buffer,
    /// The start of the range, which is the same in both buffers.
    at: u64,
    bytes: u64,
}

/// The work to be timed, a list of pieces for each region; the pieces of a region run one after
/// another.
#[derive(Debug)]
pub(crate) enum Work {
    Draw(Vec<Vec<BoundBatch>>),
    Copy(Vec<Vec<Move>>),
}

impl Work {
    /// Returns the work of one draw of each row, made in this way.
    pub(crate) fn draw(
        device: &Device<'_>,
        pool: &Pool,
        draws: &wgpu::Buffer,
        drawing: Drawing,
    ) -> Result<Self, Error> {
        let masks = |piece| drawing.masks(device, pool.shape, piece);
        let masks: Vec<_> = pool.placement.pieces.iter().map(masks).collect::<Result<_, _>>()?;
        let regions: Result<_, Error> = (0..pool.placement.regions)
            .map(|region| {
                let at = pool.placement.stride * u64::from(region);
                let bind = |((piece, buffer), masks): ((&Piece, &wgpu::Buffer), &Option<Masks>)| {
                    let batch = DeviceBatch::new(buffer, draws, piece.rows, pool.shape.categories)
                        .with_format(pool.format.of)
                        .with_logits_offset(at)
                        .with_draws_offset(piece.draws_at)
                        .with_first_row(u64::from(piece.first_row));
                    Ok(device.sampler.bind(&drawing.restrict(batch, masks.as_ref()))?)
                };
                pool.pieces().zip(&masks).map(bind).collect::<Result<Vec<_>, Error>>()
            })
            .collect();
        // the device now receives the data that were written for all the bindings
        device.submit(|_| Ok(()))?;
        Ok(Self::Draw(regions?))
    }

    /// Returns the work of a copy of all logits.
    pub(crate) fn copy(from: &Pool, to: &Pool) -> Self {
        let moves = |region| {
            let pieces = from.pieces().zip(&to.buffers);
            let moved = pieces.map(|((piece, buffer), to)| Move {
                from: buffer.clone(),
                to: to.clone(),
                at: from.placement.stride * u64::from(region),
                bytes: from.bytes_of(piece).next_multiple_of(4),
            });
            moved.collect()
        };
        Self::Copy((0..from.placement.regions).map(moves).collect())
    }

    pub(crate) fn regions(&self) -> usize {
        match self {
            Self::Draw(regions) => regions.len(),
            Self::Copy(regions) => regions.len(),
        }
    }

    /// Returns whether the work runs in a compute pass.
    pub(crate) fn is_a_pass(&self) -> bool {
        matches!(self, Self::Draw(_))
    }

    /// Encodes the work `times` times, on region after region, between two timestamps if there are
    /// any.
    ///
    /// Each run writes to the memory that the run before has written to, and so begins after its
    /// end.
    pub(crate) fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        stamps: Option<&wgpu::QuerySet>,
        times: u32,
        region: &mut usize,
    ) -> Result<(), Error> {
        let mut next = || {
            let this = *region % self.regions();
            *region = this + 1;
            this
        };
        match self {
            Self::Draw(regions) => {
                let timestamp_writes = stamps.map(|query_set| wgpu::ComputePassTimestampWrites {
                    query_set,
                    beginning_of_pass_write_index: Some(0),
                    end_of_pass_write_index: Some(1),
                });
                let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
                let mut pass = encoder.begin_compute_pass(&descriptor);
                for _ in 0..times {
                    for piece in &regions[next()] {
                        piece.encode_in(&mut pass, 0)?;
                    }
                }
            }
            Self::Copy(regions) => {
                stamps.into_iter().for_each(|stamps| encoder.write_timestamp(stamps, 0));
                for _ in 0..times {
                    for Move { from, to, at, bytes } in &regions[next()] {
                        encoder.copy_buffer_to_buffer(from, *at, to, *at, *bytes);
                    }
                }
                stamps.into_iter().for_each(|stamps| encoder.write_timestamp(stamps, 1));
            }
        }
        Ok(())
    }
}
