//! States as colours, in PNG files.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// The colours of the first states; further states begin again with the first colour.
const PALETTE: [[u8; 3]; 8] = [
    [0xf4, 0xea, 0xd5],
    [0x1d, 0x35, 0x57],
    [0xe0, 0x6b, 0x4f],
    [0x5f, 0xa8, 0x9e],
    [0xf0, 0xb8, 0x4b],
    [0x8a, 0x5a, 0x83],
    [0x9c, 0xb3, 0x6b],
    [0x4a, 0x74, 0xa8],
];
/// The index of the colour between pictures.
const GAP: u8 = PALETTE.len() as u8;
const GAP_COLOUR: [u8; 3] = [0xff; 3];
const GAP_WIDTH: usize = 12;

/// A picture of indices of colours, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    width: usize,
    indices: Vec<u8>,
}

impl Picture {
    pub(crate) fn new(width: usize, states: &[u32]) -> Self {
        let index = |&state: &u32| (state as usize % PALETTE.len()) as u8;
        Self { width, indices: states.iter().map(index).collect() }
    }

    /// Returns pictures of the same height, side by side.
    pub(crate) fn side_by_side(pictures: &[Self]) -> Self {
        let height = pictures.iter().map(|picture| picture.indices.len() / picture.width).max();
        let mut indices = Vec::new();
        for y in 0..height.unwrap_or(0) {
            for (i, picture) in pictures.iter().enumerate() {
                let gap = if i == 0 { 0 } else { GAP_WIDTH };
                indices.extend(std::iter::repeat_n(GAP, gap));
                indices.extend(&picture.indices[y * picture.width..][..picture.width]);
            }
        }
        let widths: usize = pictures.iter().map(|picture| picture.width).sum();
        Self { width: widths + GAP_WIDTH * (pictures.len() - 1), indices }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let file = BufWriter::new(File::create(path)?);
        let (width, height) = (self.width as u32, (self.indices.len() / self.width) as u32);
        let mut encoder = png::Encoder::new(file, width, height);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette([&PALETTE[..], &[GAP_COLOUR]].concat().concat());
        encoder.set_compression(png::Compression::High);
        // two pixels a byte
        encoder.set_depth(png::BitDepth::Four);
        let pair = |pair: &[u8]| pair[0] << 4 | pair.get(1).unwrap_or(&0);
        let rows = self.indices.chunks(self.width);
        let bytes: Vec<u8> = rows.flat_map(|row| row.chunks(2).map(pair)).collect();
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&bytes)?;
        writer.finish()?;
        Ok(())
    }
}
