//! Truncations, and masks of allowed categories.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::job::check_truncation;
use crate::options::{Allowed, Share, Truncation, ValueFormat};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Truncation", default, deny_unknown_fields)]
struct SavedTruncation {
    top_k: Option<u32>,
    top_p: Option<f32>,
    min_p: Option<f32>,
    epsilon: Option<f32>,
    at_temperature: Option<f32>,
    share: SavedShare,
}

#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Share", rename_all = "kebab-case")]
enum SavedShare {
    TopK,
    All,
    Rest,
}

impl Default for SavedTruncation {
    fn default() -> Self {
        (&Truncation::new()).into()
    }
}

impl From<&Truncation> for SavedTruncation {
    fn from(truncation: &Truncation) -> Self {
        let &Truncation { top_k, top_p, min_p, epsilon, at_temperature, share } = truncation;
        let share = match share {
            Share::TopK => SavedShare::TopK,
            Share::All => SavedShare::All,
            Share::Rest => SavedShare::Rest,
        };
        Self { top_k, top_p, min_p, epsilon, at_temperature, share }
    }
}

impl Serialize for Truncation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SavedTruncation::from(self).serialize(serializer)
    }
}

/// Reads a truncation whose cuts are in range. A cut that is left out cuts nothing.
impl<'de> Deserialize<'de> for Truncation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedTruncation { top_k, top_p, min_p, epsilon, at_temperature, share } =
            SavedTruncation::deserialize(deserializer)?;
        let share = match share {
            SavedShare::TopK => Share::TopK,
            SavedShare::All => Share::All,
            SavedShare::Rest => Share::Rest,
        };
        let truncation = Self { top_k, top_p, min_p, epsilon, at_temperature, share };
        // of all formats, logits admit the most temperatures
        check_truncation(&truncation, ValueFormat::F32).map_err(D::Error::custom)?;
        Ok(truncation)
    }
}

/// Masks, which may be borrowed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Allowed", deny_unknown_fields)]
pub(super) struct SavedAllowed<'a> {
    words: Cow<'a, [u32]>,
    words_per_row: Option<usize>,
}

impl<'a> From<Allowed<'a>> for SavedAllowed<'a> {
    fn from(allowed: Allowed<'a>) -> Self {
        let words_per_row = allowed.words_per_row();
        Self { words: Cow::Borrowed(allowed.words()), words_per_row }
    }
}

impl SavedAllowed<'_> {
    pub(super) fn allowed(&self) -> Allowed<'_> {
        match self.words_per_row {
            None => Allowed::shared(&self.words),
            Some(each) => Allowed::each(&self.words, each),
        }
    }

    pub(super) fn into_owned(self) -> SavedAllowed<'static> {
        SavedAllowed { words: Cow::Owned(self.words.into_owned()), ..self }
    }
}
