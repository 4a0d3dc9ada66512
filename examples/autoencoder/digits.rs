//! The images, and the errors of simple codes of them.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// The pixels of an image.
pub(crate) const PIXELS: usize = 64;

/// Images to learn from, and others to test; pixels from 0 to 1, image by image.
#[derive(Clone, Debug)]
pub(crate) struct Digits {
    pub(crate) train: Vec<f32>,
    pub(crate) test: Vec<f32>,
}

impl Digits {
    /// Reads `data/digits.npy` of the package in a folder; every fifth image is for the test.
    pub(crate) fn read(folder: &str) -> Result<Self, Box<dyn Error>> {
        let path = Path::new(folder).join("data/digits.npy");
        let file = npyz::NpyFile::new(BufReader::new(File::open(path)?))?;
        let bytes = file.into_vec::<u8>()?;
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for (i, image) in bytes.chunks_exact(PIXELS).enumerate() {
            let set = if i % 5 == 4 { &mut test } else { &mut train };
            set.extend(image.iter().map(|&x| f32::from(x) / 16.0));
        }
        Ok(Self { train, test })
    }

    /// Returns the mean squared error of a pixel of the test images, if each image is described by
    /// this many principal components of the training images: real numbers, not bits. With 0
    /// components, the training images' mean describes each.
    pub(crate) fn pca_error(&self, components: usize) -> f64 {
        let count = (self.train.len() / PIXELS) as f64;
        let mut mean = [0.0; PIXELS];
        for (i, &x) in self.train.iter().enumerate() {
            mean[i % PIXELS] += f64::from(x) / count;
        }
        let centred = |image: &[f32]| -> Vec<f64> {
            image.iter().zip(&mean).map(|(&x, mean)| f64::from(x) - mean).collect()
        };
        let train: Vec<_> = self.train.chunks_exact(PIXELS).map(centred).collect();
        let mut test: Vec<_> = self.test.chunks_exact(PIXELS).map(centred).collect();
        let mut found: Vec<Vec<f64>> = Vec::new();
        for component in 0..components {
            // the power method, orthogonal to the components found before
            let mut axis: Vec<_> =
                (0..PIXELS).map(|i| ((i * 7 + component) % 11) as f64 - 5.0).collect();
            for _ in 0..100 {
                let mut next = vec![0.0; PIXELS];
                train.iter().for_each(|image| add(&mut next, image, dot(image, &axis)));
                found.iter().for_each(|other| {
                    let along = dot(&next, other);
                    add(&mut next, other, -along);
                });
                let length = dot(&next, &next).sqrt();
                axis = next.iter().map(|x| x / length).collect();
            }
            for image in &mut test {
                let along = dot(image, &axis);
                add(image, &axis, -along);
            }
            found.push(axis);
        }
        test.iter().flatten().map(|x| x * x).sum::<f64>() / self.test.len() as f64
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], a: &[f64], factor: f64) {
    to.iter_mut().zip(a).for_each(|(to, a)| *to += a * factor);
}
