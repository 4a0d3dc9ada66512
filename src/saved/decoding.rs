//! Results of decoding: where rows are cut, and what is left of drafts.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::float::Float;
use crate::results::{Cut, Verified};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Cut", deny_unknown_fields)]
struct SavedCut {
    threshold: Float,
    kept: u32,
    share: Float,
}

/// Writes the threshold, the number and the share. In a format for humans a NaN is the string `"NaN"`.
impl Serialize for Cut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { threshold, kept, share } = *self;
        SavedCut { threshold: Float(threshold), kept, share: Float(share) }.serialize(serializer)
    }
}

/// Reads the cut of a row that has a draw, or NaNs and a 0.
impl<'de> Deserialize<'de> for Cut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedCut { threshold: Float(threshold), kept, share: Float(share) } =
            SavedCut::deserialize(deserializer)?;
        let is_cut = threshold.is_finite() && kept > 0 && share > 0.0 && share <= 1.0;
        let is_none = threshold.is_nan() && kept == 0 && share.is_nan();
        if !is_cut && !is_none {
            return Err(D::Error::custom(
                "a cut has a finite threshold, keeps a category or more, and a share from 0 to 1; a row without a draw has \
                 NaNs and keeps 0",
            ));
        }
        Ok(Self { threshold, kept, share })
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Verified", deny_unknown_fields)]
struct SavedVerified<'a> {
    offsets: Cow<'a, [usize]>,
    categories: Cow<'a, [u32]>,
    rows: Cow<'a, [u32]>,
}

/// Writes where the categories of each request begin, and the categories with their rows.
impl Serialize for Verified {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (offsets, categories, rows) = self.parts();
        let (categories, rows) = (categories.into(), rows.into());
        SavedVerified { offsets: offsets.into(), categories, rows }.serialize(serializer)
    }
}

/// Reads a category or more for each request, from rows that begin with 0 and rise.
impl<'de> Deserialize<'de> for Verified {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedVerified { offsets, categories, rows } = SavedVerified::deserialize(deserializer)?;
        Self::from_parts(offsets.into_owned(), categories.into_owned(), rows.into_owned())
            .map_err(D::Error::custom)
    }
}
