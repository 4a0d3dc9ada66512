//! Bias, penalties and histories.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use super::float::singles;
use crate::options::{Bias, Entries, History, Penalty};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Penalty", default, deny_unknown_fields)]
struct SavedPenalty {
    repetition: f32,
    frequency: f32,
    presence: f32,
}

impl Default for SavedPenalty {
    fn default() -> Self {
        (&Penalty::new()).into()
    }
}

impl From<&Penalty> for SavedPenalty {
    fn from(penalty: &Penalty) -> Self {
        let &Penalty { repetition, frequency, presence } = penalty;
        Self { repetition, frequency, presence }
    }
}

impl Serialize for Penalty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SavedPenalty::from(self).serialize(serializer)
    }
}

/// Reads a penalty whose numbers are in range. A number that is left out changes nothing.
impl<'de> Deserialize<'de> for Penalty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedPenalty { repetition, frequency, presence } =
            SavedPenalty::deserialize(deserializer)?;
        let penalty = Self { repetition, frequency, presence };
        penalty.check().map_err(D::Error::custom)?;
        Ok(penalty)
    }
}

/// A bias, which may be borrowed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Bias", deny_unknown_fields)]
pub(super) struct SavedBias<'a> {
    offsets: Option<Cow<'a, [usize]>>,
    categories: Cow<'a, [u32]>,
    #[serde(with = "singles")]
    values: Cow<'a, [f32]>,
}

impl<'a> From<Bias<'a>> for SavedBias<'a> {
    fn from(Bias { entries }: Bias<'a>) -> Self {
        let Entries { offsets, categories, values } = entries;
        Self {
            offsets: offsets.map(Cow::Borrowed),
            categories: Cow::Borrowed(categories),
            values: Cow::Borrowed(values),
        }
    }
}

impl SavedBias<'_> {
    pub(super) fn bias(&self) -> Bias<'_> {
        let Self { offsets, categories, values } = self;
        Bias { entries: Entries { offsets: offsets.as_deref(), categories, values } }
    }

    pub(super) fn into_owned(self) -> SavedBias<'static> {
        SavedBias {
            offsets: self.offsets.map(|all| Cow::Owned(all.into_owned())),
            categories: Cow::Owned(self.categories.into_owned()),
            values: Cow::Owned(self.values.into_owned()),
        }
    }
}

/// A history, which may be borrowed.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "History", deny_unknown_fields)]
pub(super) struct SavedHistory<'a> {
    offsets: Option<Cow<'a, [usize]>>,
    categories: Cow<'a, [u32]>,
    counts: Cow<'a, [u32]>,
}

impl<'a> From<History<'a>> for SavedHistory<'a> {
    fn from(History { entries }: History<'a>) -> Self {
        let Entries { offsets, categories, values } = entries;
        Self {
            offsets: offsets.map(Cow::Borrowed),
            categories: Cow::Borrowed(categories),
            counts: Cow::Borrowed(values),
        }
    }
}

impl SavedHistory<'_> {
    pub(super) fn history(&self) -> History<'_> {
        let Self { offsets, categories, counts } = self;
        History { entries: Entries { offsets: offsets.as_deref(), categories, values: counts } }
    }

    pub(super) fn into_owned(self) -> SavedHistory<'static> {
        SavedHistory {
            offsets: self.offsets.map(|all| Cow::Owned(all.into_owned())),
            categories: Cow::Owned(self.categories.into_owned()),
            counts: Cow::Owned(self.counts.into_owned()),
        }
    }
}
