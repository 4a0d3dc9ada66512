//! The option `--seed`.

/// A seed, and whether it was chosen by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    pub(crate) value: u64,
    pub(crate) is_random: bool,
}

impl Seed {
    /// Says which seed was chosen by chance, whatever else is silent: nobody could draw the same again.
    pub(crate) fn tell(self) {
        if self.is_random {
            crate::say(&format!("--seed random took --seed {}", self.value));
        }
    }
}

impl std::str::FromStr for Seed {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use std::hash::{BuildHasher, Hasher, RandomState};
        let is_random = text == "random";
        // its keys are the system's random numbers
        let random = || Ok(RandomState::new().build_hasher().finish());
        let value = if is_random { random() } else { text.parse() };
        Ok(Self { value: value?, is_random })
    }
}
