//! The layout of a shape's logits on a device. Pure: no device is asked.
//!
//! Small shapes are laid out many times over, in *regions* that are read in turn, so that a GPU's
//! cache has forgotten a region when it is read again. Shapes that are larger than what a device can
//! bind are cut into *pieces* of fewer rows, each with a buffer of its own.

use crate::error::Error;
use crate::shape::Shape;

/// The alignment of regions and pieces, at which every device can bind.
const ALIGNMENT: u64 = 256;
/// The most regions: each has bindings of its own, which take time to make.
const MOST_REGIONS: u64 = 512;

/// The most that a device can hold at once, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Most {
    pub(crate) binding: u64,
    pub(crate) buffer: u64,
}

/// Some rows of a region, which are bound together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) first_row: u32,
    pub(crate) rows: u32,
    /// The byte at which its draws begin.
    pub(crate) draws_at: u64,
}

/// The layout of a shape in one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) regions: u32,
    /// The bytes from one region to the next; the size of a buffer of a single region.
    pub(crate) stride: u64,
    pub(crate) draws_bytes: u64,
}

impl Placement {
    /// Lays out at least `cold` bytes of logits in several regions, if a region is a single piece.
    pub(crate) fn new(shape: Shape, bytes: u64, most: Most, cold: u64) -> Result<Self, Error> {
        let row = u64::from(shape.categories) * bytes;
        let at_once = most.binding.min(most.buffer) / ALIGNMENT * ALIGNMENT;
        let rows = u64::from(shape.rows).min(at_once / row);
        // logits are made four at a time, so a piece starts where such a block starts
        let step = 4 / gcd(4, u64::from(shape.categories));
        let rows = if rows < u64::from(shape.rows) { rows / step * step } else { rows };
        if rows == 0 {
            return Err(Error::LeftOut(format!(
                "a row has {row} bytes, and the device binds {at_once} at most"
            )));
        }
        let mut draws_bytes = 0;
        let pieces: Vec<_> = (0..u64::from(shape.rows))
            .step_by(rows as usize)
            .map(|first_row| {
                let rows = rows.min(u64::from(shape.rows) - first_row);
                let draws_at = draws_bytes;
                draws_bytes += (4 * rows).next_multiple_of(ALIGNMENT);
                Piece { first_row: first_row as u32, rows: rows as u32, draws_at }
            })
            .collect();
        if draws_bytes > most.buffer {
            return Err(Error::LeftOut(format!(
                "its draws have {draws_bytes} bytes, and the device has buffers of {} at most",
                most.buffer
            )));
        }
        let stride = (rows * row).next_multiple_of(ALIGNMENT);
        let regions = if pieces.len() > 1 {
            1
        } else {
            cold.div_ceil(stride).min(most.buffer / stride).clamp(1, MOST_REGIONS)
        };
        Ok(Self { pieces, regions: regions as u32, stride, draws_bytes })
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Most = Most { binding: 128 << 20, buffer: 2 << 30 };

    #[test]
    fn small_shapes_are_laid_out_many_times() {
        let placement = Placement::new(Shape::ALL[0], 4, MOST, 256 << 20).unwrap();
        assert_eq!(placement.pieces, [Piece { first_row: 0, rows: 1, draws_at: 0 }]);
        assert_eq!((placement.stride, placement.regions), (513_024, 512));
        assert_eq!(Placement::new(Shape::ALL[0], 4, MOST, 0).unwrap().regions, 1);
        let small = Most { buffer: 600_000, ..MOST };
        assert_eq!(Placement::new(Shape::ALL[0], 4, small, 256 << 20).unwrap().regions, 1);
        // the regions are not closer than the alignment of bindings
        let tiny = Shape { rows: 1, categories: 3 };
        let placement = Placement::new(tiny, 2, MOST, 256 << 20).unwrap();
        assert_eq!((placement.stride, placement.regions), (256, 512));
    }

    #[test]
    fn large_shapes_are_cut() {
        let shape = Shape { rows: 10_000_000, categories: 16 };
        let placement = Placement::new(shape, 4, MOST, 256 << 20).unwrap();
        assert_eq!((placement.pieces.len(), placement.regions), (5, 1));
        assert_eq!(placement.pieces.iter().map(|piece| piece.rows).sum::<u32>(), shape.rows);
        for pair in placement.pieces.windows(2) {
            assert_eq!(pair[1].first_row, pair[0].first_row + pair[0].rows);
            assert!(pair[1].draws_at >= pair[0].draws_at + 4 * u64::from(pair[0].rows));
        }
        assert!(placement.stride <= MOST.binding && placement.draws_bytes >= 40_000_000);

        // rows of 27 logits: every piece but the last has whole blocks of four logits
        let odd = Shape { rows: 10_000_001, categories: 27 };
        let placement = Placement::new(odd, 2, MOST, 0).unwrap();
        for piece in &placement.pieces[1..] {
            assert_eq!(u64::from(piece.first_row) * 27 % 4, 0);
        }
        assert_eq!(placement.pieces.iter().map(|piece| piece.rows).sum::<u32>(), odd.rows);
    }

    #[test]
    fn what_cannot_be_bound_is_left_out() {
        let long = Shape { rows: 1, categories: 1 << 28 };
        let why = Placement::new(long, 4, MOST, 0).unwrap_err().to_string();
        let expected =
            "left out: a row has 1073741824 bytes, and the device binds 134217728 at most";
        assert_eq!(why, expected);
        let many = Shape { rows: 1 << 31, categories: 1 };
        let why = Placement::new(many, 4, MOST, 0).unwrap_err().to_string();
        assert!(why.starts_with("left out: its draws have 8589934592 bytes"), "{why}");
    }
}
