//! How a draw is made differentiable.

/// How a draw is relaxed, so that a gradient can pass through it.
///
/// With the key kᵢ of a category (its logit divided by the temperature, plus its Gumbel noise), the
/// *soft* sample of a draw is
///
/// ```text
/// yᵢ = exp(kᵢ / τ) / Σⱼ exp(kⱼ / τ)
/// ```
///
/// a point of the simplex: the Concrete or Gumbel-softmax distribution (Maddison, Mnih, Teh, "The
/// Concrete Distribution", arXiv:1611.00712; Jang, Gu, Poole, "Categorical Reparameterization with
/// Gumbel-Softmax", arXiv:1611.01144). The noise is that of the draw with the same (seed, row id,
/// draw number), so the drawn category has the largest yᵢ. For τ → 0 the sample becomes the
/// one-hot vector of the draw, for τ → ∞ uniform.
///
/// The *straight-through* sample is the one-hot vector of the draw, of exact zeros and ones; its gradient is by
/// definition the soft sample's.
///
/// ```
/// use gumbel::Relaxation;
/// assert_eq!(Relaxation::soft(0.5).tau, 0.5);
/// assert!(Relaxation::straight_through(0.5).hard);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Relaxation {
    /// τ: 2⁻¹⁰⁰ to 2¹⁰⁰. τ applies in addition to the temperature of the [options](crate::SampleOptions). The
    /// temperature divides the logits alone and changes the distribution of the hard draw; τ changes only how near a
    /// soft sample is to the hard draw.
    pub tau: f32,
    /// Whether the sample is the one-hot vector of the draw instead of the soft sample. Gradients are the same in both
    /// cases.
    pub hard: bool,
}

impl Relaxation {
    /// A relaxation to soft samples.
    pub const fn soft(tau: f32) -> Self {
        Self { tau, hard: false }
    }

    /// Selects one-hot vectors with `true`, soft samples with `false`.
    #[must_use]
    pub const fn with_hard(self, hard: bool) -> Self {
        Self { hard, ..self }
    }

    /// A relaxation to one-hot vectors, with the gradient of soft samples.
    pub const fn straight_through(tau: f32) -> Self {
        Self { tau, hard: true }
    }
}
