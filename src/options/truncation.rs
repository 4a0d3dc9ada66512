//! Which categories of a row are kept by their values alone.

use crate::error::Error;
use crate::noise::order::Scale;

/// Cuts the unlikely categories off a row before anything is drawn: top-k, top-p, min-p and epsilon, alone or together.
///
/// Each cut keeps the most probable categories, so that all cuts together are one: the categories from a *threshold* on.
/// A draw is the draw of the race among those that are kept. So **the same seed draws the same category with and without
/// a truncation, unless that category is cut.**
///
/// **Definition.** Let Kᵢ be the logit of category i times 1/T, in [fixed point](crate::noise::order::fixed), M the
/// largest K of the row, wᵢ the [integer weight](crate::noise::exp::weight) of category i (about exp(Kᵢ − M)), and S the
/// sum of these weights. Only categories that are [allowed](crate::SampleOptions::with_allowed) count. Category i is kept
/// if all cuts keep it:
///
/// | cut | keeps category i if |
/// |---|---|
/// | [`top_k`](Self::with_top_k) | fewer than k categories have a larger K |
/// | [`top_p`](Self::with_top_p) | those with a larger K have together less than p of the weights, or Kᵢ = M |
/// | [`min_p`](Self::with_min_p) | M − Kᵢ ≤ −ln(min-p), [rounded](crate::noise::cuts::distance_of) to 2⁻²⁴ |
/// | [`epsilon`](Self::with_epsilon) | wᵢ ≥ ε·S, or Kᵢ = M |
///
/// Categories with the same K are kept or cut together, and the category that crosses p is kept. All of this is integer
/// arithmetic ([`noise::cuts`](crate::noise::cuts)): every engine keeps the same categories.
///
/// ```
/// use gumbel::{CpuSampler, Logits, SampleOptions, Truncation};
/// let logits = [0.0, 3.0, 1.0, 2.0];
/// let nucleus = Truncation::new().with_top_k(3).with_top_p(0.9);
/// let options = SampleOptions::default().with_draws(1000).with_truncation(nucleus);
/// let draws = CpuSampler::new().sample_rows(Logits::new(&logits, 4)?, &options)?;
/// assert!(draws.iter().all(|draw| [1, 3].contains(draw))); // of the top 3, 1 and 3 have 0.91
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Truncation {
    /// The number of categories that are kept, or all.
    pub top_k: Option<u32>,
    /// The share of probability that is kept, or all.
    pub top_p: Option<f32>,
    /// The least probability that is kept, as a share of the largest; or any.
    pub min_p: Option<f32>,
    /// The least probability that is kept, or any.
    pub epsilon: Option<f32>,
    /// The temperature at which probabilities are compared, or that of the draw.
    pub at_temperature: Option<f32>,
    /// What top-p is a share of.
    pub share: Share,
}

/// What [top-p](Truncation::with_top_p) is a share of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Share {
    /// The probability of the categories that top-k keeps: as if top-k came first and probabilities were normalised
    /// again (HF transformers, FlashInfer's `top_k_first`, llama.cpp).
    #[default]
    TopK,
    /// The probability of all categories (FlashInfer's `joint`, which SGLang asks for without min-p; candle; MLX-LM).
    All,
    /// The probability of the categories that all other cuts keep (vLLM, where min-p comes first).
    Rest,
}

impl Truncation {
    /// No cut.
    pub const fn new() -> Self {
        Self {
            top_k: None,
            top_p: None,
            min_p: None,
            epsilon: None,
            at_temperature: None,
            share: Share::TopK,
        }
    }

    /// Keeps the `k` most probable categories, and those that are as probable as the last of them. `k` is 1 or more;
    /// more than there are categories is no cut.
    #[must_use]
    pub const fn with_top_k(self, k: u32) -> Self {
        Self { top_k: Some(k), ..self }
    }

    /// Keeps the most probable categories until they have this share of the probability: the nucleus. Above 0; 1 or
    /// more is no cut.
    #[must_use]
    #[doc(alias = "nucleus")]
    pub const fn with_top_p(self, p: f32) -> Self {
        Self { top_p: Some(p), ..self }
    }

    /// Keeps categories that have at least this share of the largest probability: 0 to 1, and 0 is no cut.
    #[must_use]
    pub const fn with_min_p(self, share: f32) -> Self {
        Self { min_p: Some(share), ..self }
    }

    /// Keeps categories of at least this probability, and the most probable: 0 to 1, and 0 is no cut.
    #[must_use]
    pub const fn with_epsilon(self, probability: f32) -> Self {
        Self { epsilon: Some(probability), ..self }
    }

    /// Cuts by the probabilities at this temperature instead of the draw's: 1 for the order of llama.cpp and MLX, which
    /// cut first and divide by the temperature afterwards. 2⁻¹⁰⁰ to 2¹⁰⁰; with weights 2⁻²⁰ to 2¹⁰⁰.
    ///
    /// If it is not set, rows at temperature 0 are cut at temperature 1.
    #[must_use]
    pub const fn with_at_temperature(self, temperature: f32) -> Self {
        Self { at_temperature: Some(temperature), ..self }
    }

    /// Sets what top-p is a share of.
    #[must_use]
    pub const fn with_share(self, share: Share) -> Self {
        Self { share, ..self }
    }

    /// Whether nothing is cut, in rows of this number of categories.
    pub(crate) fn is_none(&self, categories: usize) -> bool {
        self.k_of(categories).is_none()
            && self.p().is_none()
            && self.min_p().is_none()
            && self.epsilon().is_none()
    }

    /// k, if it cuts a row of this number of categories.
    pub(crate) fn k_of(&self, categories: usize) -> Option<usize> {
        self.top_k.map(|k| k as usize).filter(|&k| k < categories)
    }

    /// p, if it is a cut.
    pub(crate) fn p(&self) -> Option<f32> {
        self.top_p.filter(|&p| p < 1.0)
    }

    /// The share of the largest probability, if it is a cut.
    pub(crate) fn min_p(&self) -> Option<f32> {
        self.min_p.filter(|&share| share > 0.0)
    }

    /// ε, if it is a cut.
    pub(crate) fn epsilon(&self) -> Option<f32> {
        self.epsilon.filter(|&epsilon| epsilon > 0.0)
    }

    /// Checks everything but the temperature, whose range depends on the values.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |what, expected, got: f32| Err(Error::Truncation { what, expected, got });
        match *self {
            Self { top_k: Some(0), .. } => wrong("top-k", "1 or more", 0.0),
            Self { top_p: Some(p), .. } if p.is_nan() || p <= 0.0 => {
                wrong("top-p", "above 0 (and cuts nothing from 1 on)", p)
            }
            Self { min_p: Some(share), .. } if !(0.0..=1.0).contains(&share) => {
                wrong("min-p", "from 0 to 1", share)
            }
            Self { epsilon: Some(epsilon), .. } if !(0.0..=1.0).contains(&epsilon) => {
                wrong("epsilon", "from 0 to 1", epsilon)
            }
            _ => Ok(()),
        }
    }

    /// The scale at which a row with scale `scale` is cut. Callers pass the scale of temperature 1 for a greedy row.
    pub(crate) fn scale(&self, scale: Scale) -> Scale {
        self.at_temperature.and_then(Scale::from_temperature).unwrap_or(scale)
    }
}
