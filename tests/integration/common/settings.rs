//! Thirty settings of other samplers, recomputed in f64 from their documented semantics by code that shares nothing with
//! gumbel's, on rows of bf16 with many ties. An oracle keeps whole classes of equal logits, as gumbel does; where a
//! project breaks ties by position, docs/decoding.md says so.

use gumbel::half::bf16;
use gumbel::{Share, Truncation};

/// One step of a chain, as the projects write them: each step sees what the steps before left.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The k-th largest and everything equal to it or larger.
    TopK(usize),
    /// Of the softmax of what is left: those whose larger ones have less than p.
    TopP(f64),
    /// p of what a softmax over all gives, whatever other steps left.
    TopPOfAll(f64),
    /// At least a share of the largest probability.
    MinP(f64),
    /// At least this probability, in the softmax of what is left, or the largest.
    Epsilon(f64),
    /// From here on, logits are divided by this.
    Temperature(f64),
}
use Step::{Epsilon, MinP, Temperature, TopK, TopP, TopPOfAll};

/// What the steps keep of a row. Categories of probability 0 are not there.
pub(crate) fn chain(logits: &[f64], steps: &[Step]) -> Vec<bool> {
    let mut kept: Vec<bool> = logits.iter().map(|&x| x > f64::NEG_INFINITY).collect();
    let mut scaled = logits.to_vec();
    for step in steps {
        let left = |kept: &[bool], x: &[f64]| -> Vec<f64> {
            x.iter().zip(kept).map(|(&x, &kept)| if kept { x } else { f64::NEG_INFINITY }).collect()
        };
        let softmax = |x: &[f64]| -> Vec<f64> {
            let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let all: Vec<f64> = x.iter().map(|x| (x - most).exp()).collect();
            let sum: f64 = all.iter().sum();
            all.iter().map(|x| x / sum).collect()
        };
        let x = left(&kept, &scaled);
        let probabilities = softmax(&x);
        let largest = probabilities.iter().copied().fold(0.0, f64::max);
        let nucleus = |probabilities: &[f64], p: f64| -> Vec<bool> {
            let mut sorted = probabilities.to_vec();
            sorted.sort_by(|a, b| b.total_cmp(a));
            let mut sums = vec![0.0];
            sums.extend(sorted.iter().scan(0.0, |sum, q| {
                *sum += q;
                Some(*sum)
            }));
            let above = |q: f64| sums[sorted.partition_point(|&r| r > q)];
            probabilities.iter().map(|&q| q > 0.0 && above(q) < p).collect()
        };
        let keeps: Vec<bool> = match *step {
            Temperature(t) => {
                scaled.iter_mut().for_each(|x| *x /= t);
                continue;
            }
            TopK(k) => {
                let mut sorted = x.clone();
                sorted.sort_by(|a, b| b.total_cmp(a));
                let last = sorted[k.min(sorted.len()) - 1];
                x.iter().map(|&x| x >= last).collect()
            }
            TopP(p) => nucleus(&probabilities, p),
            TopPOfAll(p) => nucleus(&softmax(&scaled), p),
            // both sides are logits, as in llama.cpp, so that equal logits are equal
            MinP(share) => {
                let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                x.iter().map(|&x| x >= most + share.ln()).collect()
            }
            Epsilon(epsilon) => {
                probabilities.iter().map(|&q| q >= epsilon || q == largest).collect()
            }
        };
        kept.iter_mut().zip(keeps).for_each(|(kept, keeps)| *kept &= keeps);
    }
    kept
}

/// The settings: project and setting, the steps as that project takes them, and gumbel's truncation and temperature.
pub(crate) fn settings() -> Vec<(&'static str, Vec<Step>, Truncation, f32)> {
    let new = Truncation::new;
    // as the f32 that gumbel is given
    let f = |x: f32| f64::from(x);
    vec![
        ("HF top_k=50", vec![TopK(50)], new().with_top_k(50), 1.0),
        ("HF top_k=1", vec![TopK(1)], new().with_top_k(1), 1.0),
        ("HF top_p=0.9", vec![TopP(f(0.9))], new().with_top_p(0.9), 1.0),
        (
            "HF top_p=0.5, temperature=0.7",
            vec![Temperature(0.7), TopP(0.5)],
            new().with_top_p(0.5),
            0.7,
        ),
        (
            "HF top_k=40, top_p=0.95",
            vec![TopK(40), TopP(f(0.95))],
            new().with_top_k(40).with_top_p(0.95),
            1.0,
        ),
        (
            "HF temperature=1.3, top_k=20, top_p=0.8",
            vec![Temperature(1.3), TopK(20), TopP(f(0.8))],
            new().with_top_k(20).with_top_p(0.8),
            1.3,
        ),
        ("HF min_p=0.05", vec![MinP(f(0.05))], new().with_min_p(0.05), 1.0),
        (
            "HF min_p=0.1, temperature=1.5",
            vec![Temperature(1.5), MinP(f(0.1))],
            new().with_min_p(0.1),
            1.5,
        ),
        ("HF epsilon_cutoff=3e-4", vec![Epsilon(f(3e-4))], new().with_epsilon(3e-4), 1.0),
        ("HF epsilon_cutoff=0.02", vec![Epsilon(f(0.02))], new().with_epsilon(0.02), 1.0),
        ("vLLM top_k=10", vec![TopK(10)], new().with_top_k(10), 1.0),
        (
            "vLLM top_p=0.95, temperature=0.6",
            vec![Temperature(0.6), TopP(f(0.95))],
            new().with_top_p(0.95),
            0.6,
        ),
        (
            "vLLM top_k=30, top_p=0.9",
            vec![TopK(30), TopP(f(0.9))],
            new().with_top_k(30).with_top_p(0.9),
            1.0,
        ),
        (
            "vLLM min_p=0.1, top_p=0.9: min-p first",
            vec![MinP(f(0.1)), TopP(f(0.9))],
            new().with_min_p(0.1).with_top_p(0.9).with_share(Share::Rest),
            1.0,
        ),
        (
            "vLLM temperature=0.8, min_p=0.02, top_k=50, top_p=0.95",
            vec![Temperature(0.8), MinP(f(0.02)), TopK(50), TopP(f(0.95))],
            new().with_min_p(0.02).with_top_k(50).with_top_p(0.95).with_share(Share::Rest),
            0.8,
        ),
        ("FlashInfer top_p_sampling 0.9", vec![TopP(f(0.9))], new().with_top_p(0.9), 1.0),
        ("FlashInfer top_k_sampling 64", vec![TopK(64)], new().with_top_k(64), 1.0),
        (
            "FlashInfer top_k_first 50, 0.9",
            vec![TopK(50), TopP(f(0.9))],
            new().with_top_k(50).with_top_p(0.9),
            1.0,
        ),
        (
            "FlashInfer joint 50, 0.9",
            vec![TopPOfAll(f(0.9)), TopK(50)],
            new().with_top_k(50).with_top_p(0.9).with_share(Share::All),
            1.0,
        ),
        ("FlashInfer min_p_sampling 0.2", vec![MinP(f(0.2))], new().with_min_p(0.2), 1.0),
        (
            "SGLang top_k=20, top_p=0.7 (joint), temperature=1.1",
            vec![Temperature(1.1), TopPOfAll(f(0.7)), TopK(20)],
            new().with_top_k(20).with_top_p(0.7).with_share(Share::All),
            1.1,
        ),
        (
            "SGLang with min-p: top_k, top_p, min_p",
            vec![TopK(40), TopP(f(0.95)), MinP(f(0.05))],
            new().with_top_k(40).with_top_p(0.95).with_min_p(0.05),
            1.0,
        ),
        (
            "candle TopKThenTopP: p of the whole",
            vec![TopPOfAll(f(0.6)), TopK(30)],
            new().with_top_k(30).with_top_p(0.6).with_share(Share::All),
            1.0,
        ),
        (
            "llama.cpp defaults: top_k=40, top_p=0.95, min_p=0.05, temp last",
            vec![TopK(40), TopP(f(0.95)), MinP(f(0.05)), Temperature(0.8)],
            new().with_top_k(40).with_top_p(0.95).with_min_p(0.05).with_at_temperature(1.0),
            0.8,
        ),
        (
            "llama.cpp top_p=0.5, temp=2 last",
            vec![TopP(0.5), Temperature(2.0)],
            new().with_top_p(0.5).with_at_temperature(1.0),
            2.0,
        ),
        (
            "llama.cpp min_p=0.1, temp=5 last",
            vec![MinP(f(0.1)), Temperature(5.0)],
            new().with_min_p(0.1).with_at_temperature(1.0),
            5.0,
        ),
        (
            "MLX-LM top_p=0.9, temp=0.6 last",
            vec![TopP(f(0.9)), Temperature(0.6)],
            new().with_top_p(0.9).with_at_temperature(1.0),
            0.6,
        ),
        (
            "MLX-LM top_p, min_p, then top_k, temp=0.7 last",
            vec![TopPOfAll(f(0.97)), MinP(f(0.01)), TopK(25), Temperature(0.7)],
            new()
                .with_top_p(0.97)
                .with_min_p(0.01)
                .with_top_k(25)
                .with_share(Share::All)
                .with_at_temperature(1.0),
            0.7,
        ),
        (
            "MaxText nucleus 0.8, temperature=0.5 last",
            vec![TopP(f(0.8)), Temperature(0.5)],
            new().with_top_p(0.8).with_at_temperature(1.0),
            0.5,
        ),
        (
            "mistral.rs top_k=32, top_p=0.85",
            vec![TopK(32), TopP(f(0.85))],
            new().with_top_k(32).with_top_p(0.85),
            1.0,
        ),
    ]
}

/// Rows of few different values: in the tail of bf16, hundreds of tokens share a logit.
pub(crate) fn rows() -> Vec<Vec<bf16>> {
    let word =
        |i: usize| (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(13).wrapping_mul(0x85eb_ca6b);
    let normal = |i: usize| {
        let bytes: u32 = word(i).to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
        (bytes as f32 - 510.0) / 49.0
    };
    [(60, 0.0), (500, 12.0), (3000, 30.0), (9000, -20.0)]
        .into_iter()
        .flat_map(|(n, offset)| {
            (0..4).map(move |row| {
                (0..n).map(|i| bf16::from_f32(normal(i * 5 + row) + offset)).collect()
            })
        })
        .collect()
}
