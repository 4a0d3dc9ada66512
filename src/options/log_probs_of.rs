//! What log-probabilities are among.

/// Among which categories the probabilities of draws are, where a [`Truncation`](crate::Truncation) cuts some off.
///
/// ```
/// use gumbel::{LogProbsOf, Logits, SampleOptions, Sampler, Truncation};
/// let logits = [3f32.ln(), 0.0, 0.0, f32::NEG_INFINITY];
/// let row = Logits::new(&logits, 4)?;
/// let top_1 = SampleOptions::default().with_truncation(Truncation::new().with_top_k(1));
/// let log_prob = |of| {
///     let scored = Sampler::auto().sample_rows_scored(row, &top_1.with_log_probs_of(of))?;
///     Ok::<f64, gumbel::Error>(scored.log_probs[0])
/// };
/// // the only category that is kept, and one that has three fifths of the row's probability
/// assert!(log_prob(LogProbsOf::Kept)?.abs() < 1e-4);
/// assert!((log_prob(LogProbsOf::Allowed)? - 0.6f64.ln()).abs() < 1e-4);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogProbsOf {
    /// Among those that are kept: the distribution that is drawn from (`processed_logprobs` of vLLM).
    #[default]
    Kept,
    /// Among all that are [allowed](crate::SampleOptions::with_allowed), whether kept or cut off. Bias, penalties and
    /// temperature count.
    Allowed,
}
