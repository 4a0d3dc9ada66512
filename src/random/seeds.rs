//! Seeds from generators.

use rand::Rng;

use crate::options::SampleOptions;
use crate::sequence::Sequence;

impl SampleOptions<'_> {
    /// Draws under a seed from this generator, of which one `u64` is taken.
    ///
    /// ```
    /// use gumbel::SampleOptions;
    /// use rand::{Rng, SeedableRng, rngs::SmallRng};
    /// let seed = SmallRng::seed_from_u64(1).next_u64();
    /// let options = SampleOptions::default().with_seed_from_rng(&mut SmallRng::seed_from_u64(1));
    /// assert_eq!(options.seed, seed);
    /// ```
    ///
    /// Needs the feature `rand`.
    #[must_use]
    pub fn with_seed_from_rng<R: Rng + ?Sized>(self, rng: &mut R) -> Self {
        self.with_seed(rng.next_u64())
    }
}

impl Sequence {
    /// A sequence from draw number 0 on under a seed from this generator, of which one `u64` is taken.
    ///
    /// ```
    /// use gumbel::{PhiloxRng, Sequence};
    /// let mut rng = PhiloxRng::new(42);
    /// let [first, second] = std::array::from_fn(|_| Sequence::from_rng(&mut rng));
    /// assert_ne!(first.seed(), second.seed());
    /// ```
    ///
    /// Needs the feature `rand`.
    pub fn from_rng<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Self::new(rng.next_u64())
    }
}
