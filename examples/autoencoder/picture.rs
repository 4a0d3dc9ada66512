//! A curve and images, in a PNG file.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use super::digits::PIXELS;

const WIDTH: usize = 880;
const HEIGHT: usize = 490;
const SIDE: usize = 8;
/// The position of the curve: left, right, top, bottom.
const PLOT: [usize; 4] = [70, 860, 44, 300];
/// The width of a pixel of an image.
const ZOOM: usize = 5;

const PAPER: [u8; 3] = [0xff; 3];
const INK: [u8; 3] = [0x1d, 0x35, 0x57];
const GRID: [u8; 3] = [0xdd, 0xdd, 0xdd];
const CURVE: [u8; 3] = [0xe0, 0x6b, 0x4f];

/// Pixels of three bytes, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    pub(crate) fn new() -> Self {
        Self { pixels: vec![PAPER; WIDTH * HEIGHT] }
    }

    /// Draws the losses by epoch, from 1 on.
    pub(crate) fn curve(&mut self, losses: &[f64]) {
        let [left, right, top, bottom] = PLOT;
        let most = losses.iter().fold(1e-9, |most: f64, &loss| most.max(loss));
        let step = round_step(most / 4.0);
        let ceiling = (most / step).ceil() * step;
        let y = |loss: f64| bottom as f64 - loss / ceiling * (bottom - top) as f64;
        let last = losses.len().max(2) - 1;
        let x = |i: usize| left as f64 + (i * (right - left)) as f64 / last as f64;
        for i in 0..=(ceiling / step).round() as usize {
            let loss = i as f64 * step;
            self.line([left as f64, y(loss)], [right as f64, y(loss)], GRID, 1);
            self.text(14, y(loss) as usize - 5, &format!("{loss}"));
        }
        for i in 0..=4 {
            let epoch = last * i / 4;
            let label = format!("{}", epoch + 1);
            self.text(x(epoch) as usize - 4 * label.len(), bottom + 10, &label);
        }
        self.text(left, 16, "LOSS, NATS AN IMAGE, BY EPOCH");
        for (i, pair) in losses.windows(2).enumerate() {
            self.line([x(i), y(pair[0])], [x(i + 1), y(pair[1])], CURVE, 3);
        }
    }

    /// Draws images, and under each its reconstruction.
    pub(crate) fn images(&mut self, originals: &[f32], reconstructions: &[f32]) {
        let top = PLOT[3] + 50;
        self.text(PLOT[0], top - 6, "IMAGES, AND WHAT IS TOLD BY 12 DRAWS FROM 8 CATEGORIES");
        for (row, images) in [originals, reconstructions].into_iter().enumerate() {
            for (i, image) in images.chunks_exact(PIXELS).enumerate() {
                let left = PLOT[0] + i * (SIDE * ZOOM + 9);
                self.image(left, top + 20 + row * (SIDE * ZOOM + 12), image);
            }
        }
    }

    fn image(&mut self, left: usize, top: usize, image: &[f32]) {
        for (i, x) in image.iter().enumerate() {
            let shade = |ink: u8| (255.0 - x * f32::from(255 - ink)) as u8;
            let (column, row) = (left + i % SIDE * ZOOM, top + i / SIDE * ZOOM);
            for at in 0..ZOOM * ZOOM {
                self.dot(column + at % ZOOM, row + at / ZOOM, INK.map(shade));
            }
        }
    }

    fn line(&mut self, from: [f64; 2], to: [f64; 2], colour: [u8; 3], width: usize) {
        let length = (to[0] - from[0]).abs().max((to[1] - from[1]).abs()).ceil().max(1.0);
        for i in 0..=length as usize {
            let at = |k: usize| from[k] + (to[k] - from[k]) * i as f64 / length;
            for j in 0..width * width {
                self.dot(at(0) as usize + j % width, at(1) as usize + j / width, colour);
            }
        }
    }

    fn text(&mut self, left: usize, top: usize, text: &str) {
        const ZOOM: usize = 2;
        for (i, letter) in text.chars().enumerate() {
            for bit in (0..15).filter(|bit| glyph(letter) >> (14 - bit) & 1 == 1) {
                for at in 0..ZOOM * ZOOM {
                    let x = left + (4 * i + bit % 3) * ZOOM + at % ZOOM;
                    self.dot(x, top + bit / 3 * ZOOM + at / ZOOM, INK);
                }
            }
        }
    }

    fn dot(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        if x < WIDTH && y < HEIGHT {
            self.pixels[y * WIDTH + x] = colour;
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = png::Encoder::new(file, WIDTH as u32, HEIGHT as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.pixels.as_flattened())?;
        writer.finish()?;
        Ok(())
    }
}

/// Returns 1, 2 or 5 times a power of ten that is at least as large as `x`.
fn round_step(x: f64) -> f64 {
    let power = 10f64.powf(x.log10().floor());
    [1.0, 2.0, 5.0]
        .map(|step| step * power)
        .into_iter()
        .find(|step| *step >= x)
        .unwrap_or(10.0 * power)
}

/// Returns a letter of three by five dots, the upper row first.
fn glyph(letter: char) -> u16 {
    match letter {
        '0' => 0o75557,
        '1' => 0o26227,
        '2' => 0o71747,
        '3' => 0o71717,
        '4' => 0o55711,
        '5' => 0o74717,
        '6' => 0o74757,
        '7' => 0o71111,
        '8' => 0o75757,
        '9' => 0o75717,
        '.' => 0o00002,
        ',' => 0o00024,
        'A' => 0o25755,
        'B' => 0o65656,
        'C' => 0o34443,
        'D' => 0o65556,
        'E' => 0o74647,
        'F' => 0o74644,
        'G' => 0o34553,
        'H' => 0o55755,
        'I' => 0o72227,
        'L' => 0o44447,
        'M' => 0o57755,
        'N' => 0o75555,
        'O' => 0o25552,
        'P' => 0o65644,
        'R' => 0o65655,
        'S' => 0o34216,
        'T' => 0o72222,
        'W' => 0o55775,
        'Y' => 0o55222,
        _ => 0,
    }
}
