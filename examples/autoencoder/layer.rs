//! A linear layer, its gradient by hand, and Adam (Kingma and Ba, arXiv:1412.6980).

use gumbel::noise::philox::philox4x32_10;

/// y = W x + b for rows of inputs.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    inputs: usize,
    outputs: usize,
    /// The weights, `outputs` for each input, and then the bias.
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    /// The moving means of gradients and of their squares.
    means: [Vec<f32>; 2],
}

impl Layer {
    /// A layer with random weights, which depend on the seed, and no bias.
    pub(crate) fn new(inputs: usize, outputs: usize, seed: u32) -> Self {
        let count = (inputs + 1) * outputs;
        let uniform = |i: usize| {
            let word = philox4x32_10([(i / 4) as u32, 0, 0, 0], [seed, 0x1a7e])[i % 4];
            (word as f32 / 2f32.powi(31) - 1.0) * (3.0 / inputs as f32).sqrt()
        };
        let weights = (0..inputs * outputs).map(uniform);
        let parameters = weights.chain(std::iter::repeat_n(0.0, outputs)).collect();
        let zeros = vec![0.0; count];
        Self { inputs, outputs, parameters, gradient: zeros.clone(), means: [zeros.clone(), zeros] }
    }

    pub(crate) fn forward(&self, x: &[f32]) -> Vec<f32> {
        let (weights, bias) = self.parameters.split_at(self.inputs * self.outputs);
        let mut y = bias.repeat(x.len() / self.inputs);
        for (x, y) in x.chunks_exact(self.inputs).zip(y.chunks_exact_mut(self.outputs)) {
            for (&x, weights) in x.iter().zip(weights.chunks_exact(self.outputs)) {
                y.iter_mut().zip(weights).for_each(|(y, w)| *y += x * w);
            }
        }
        y
    }

    /// Stores the gradient with respect to the parameters. Returns the gradient with respect to the
    /// inputs.
    pub(crate) fn backward(&mut self, x: &[f32], dy: &[f32]) -> Vec<f32> {
        let (weights, _) = self.parameters.split_at(self.inputs * self.outputs);
        self.gradient.fill(0.0);
        let (by_weights, by_bias) = self.gradient.split_at_mut(self.inputs * self.outputs);
        let mut dx = vec![0.0; x.len()];
        let rows = x.chunks_exact(self.inputs).zip(dx.chunks_exact_mut(self.inputs));
        for ((x, dx), dy) in rows.zip(dy.chunks_exact(self.outputs)) {
            by_bias.iter_mut().zip(dy).for_each(|(b, dy)| *b += dy);
            let each =
                weights.chunks_exact(self.outputs).zip(by_weights.chunks_exact_mut(self.outputs));
            for ((&x, dx), (weights, by_weights)) in x.iter().zip(dx).zip(each) {
                by_weights.iter_mut().zip(dy).for_each(|(w, dy)| *w += x * dy);
                // eight sums side by side, so that the compiler can use vectors
                let mut sums = [0.0; 8];
                for (weights, dy) in weights.chunks(8).zip(dy.chunks(8)) {
                    sums.iter_mut()
                        .zip(weights.iter().zip(dy))
                        .for_each(|(s, (w, dy))| *s += w * dy);
                }
                *dx = sums.iter().sum();
            }
        }
        dx
    }

    /// Takes step `step`, counted from 1, down the gradient.
    pub(crate) fn step(&mut self, step: i32, rate: f32) {
        const DECAY: [f32; 2] = [0.9, 0.999];
        let [first, second] = &mut self.means;
        let bias = DECAY.map(|decay| 1.0 / (1.0 - decay.powi(step)));
        for (((p, &g), m), v) in
            self.parameters.iter_mut().zip(&self.gradient).zip(first).zip(second)
        {
            *m += (1.0 - DECAY[0]) * (g - *m);
            *v += (1.0 - DECAY[1]) * (g * g - *v);
            *p -= rate * *m * bias[0] / ((*v * bias[1]).sqrt() + 1e-8);
        }
    }
}
