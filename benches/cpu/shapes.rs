//! The shapes that are measured.

/// A batch: rows × categories logits, and so many draws from each row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    pub(crate) categories: usize,
    pub(crate) draws: usize,
}

const fn shape(rows: usize, categories: usize, draws: usize) -> Shape {
    Shape { rows, categories, draws }
}

impl Shape {
    pub(crate) fn logits(self) -> usize {
        self.rows * self.categories
    }

    pub(crate) fn races(self) -> usize {
        self.rows * self.draws
    }

    /// Returns the name that a filter on the command line matches.
    pub(crate) fn name(self) -> String {
        let Self { rows, categories, draws } = self;
        let draws = if draws == 1 { String::new() } else { format!("x{draws}") };
        format!("{rows}x{categories}{draws}")
    }
}

pub(crate) const DECODING: Shape = shape(256, 128_256, 1);
pub(crate) const MIDDLING: Shape = shape(65_536, 1024, 1);
pub(crate) const SHORT: Shape = shape(1_000_000, 16, 1);
pub(crate) const ONE: Shape = shape(1, 128_256, 1);

/// The shapes that are measured with every instruction set beside all peers.
pub(crate) const SHAPES: [Shape; 8] = [
    DECODING,
    MIDDLING,
    SHORT,
    shape(1_000_000, 27, 1), // not a whole number of octets
    ONE,
    shape(1, 1000, 10_000),
    shape(1, 128_256, 1000),
    shape(1, 1 << 20, 200),
];

/// Shapes that grow from 10⁶ to 10⁹ logits in one direction; their time should grow alike. The
/// largest take 4 GiB of real memory: rows with a stride of 0 would come from a cache instead.
pub(crate) const GROWING: [(&str, [Shape; 4]); 2] = [
    (
        "growing-rows",
        [
            shape(1 << 10, 1024, 1),
            shape(1 << 14, 1024, 1),
            shape(1 << 17, 1024, 1),
            shape(1 << 20, 1024, 1),
        ],
    ),
    (
        "growing-categories",
        [
            shape(16, 1 << 16, 1),
            shape(16, 1 << 20, 1),
            shape(16, 1 << 23, 1),
            shape(16, 1 << 26, 1),
        ],
    ),
];
