//! Seeds from the system. There are none on wasm32-unknown-unknown.

use rand::TryRng;
use rand::rngs::SysRng;

use crate::error::Error;
use crate::options::SampleOptions;
use crate::sequence::Sequence;

/// A seed from the system's generator.
fn system_seed() -> Result<u64, Error> {
    SysRng.try_next_u64().map_err(|error| Error::SystemSeed { message: error.to_string() })
}

impl SampleOptions<'_> {
    /// Draws under a seed from the system, which differs from run to run. The seed is in the options, for whoever
    /// wants to repeat the draws.
    ///
    /// ```
    /// use gumbel::SampleOptions;
    /// let options = SampleOptions::default().with_system_seed()?;
    /// println!("seed {}", options.seed);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// Needs the feature `rand`, and is not there on wasm32-unknown-unknown, which has no system. In a browser turn
    /// on the feature `wasm_js` of the crate getrandom, and take the seed from its `SysRng`:
    /// `with_seed_from_rng(&mut UnwrapErr(SysRng))`.
    ///
    /// # Errors
    /// [`Error::SystemSeed`] if the system has no random numbers.
    pub fn with_system_seed(self) -> Result<Self, Error> {
        Ok(self.with_seed(system_seed()?))
    }
}

impl Sequence {
    /// A sequence from draw number 0 on under a seed from the system, which differs from run to run.
    ///
    /// ```
    /// let sequence = gumbel::Sequence::from_system()?;
    /// println!("seed {}", sequence.seed()); // to repeat the run
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// Needs the feature `rand`, and is not there on wasm32-unknown-unknown:
    /// [`SampleOptions::with_system_seed`] says what to do there.
    ///
    /// # Errors
    /// [`Error::SystemSeed`] if the system has no random numbers.
    pub fn from_system() -> Result<Self, Error> {
        Ok(Self::new(system_seed()?))
    }
}
