//! Results.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::float::{Float, each};
use crate::job::NO_DRAW;
use crate::noise::order::Best;
use crate::results::{LogZ, ScoredDraws, TopK, Winner};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "TopK", deny_unknown_fields)]
struct SavedTopK<'a> {
    k: usize,
    categories: Cow<'a, [u32]>,
    keys: Cow<'a, [i64]>,
}

/// Writes k, the categories and the keys, all of which are integers.
impl Serialize for TopK {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (categories, keys) = (self.categories().into(), self.keys().into());
        SavedTopK { k: self.k(), categories, keys }.serialize(serializer)
    }
}

/// Reads k entries for each race: different categories with descending keys, and then those without a category.
impl<'de> Deserialize<'de> for TopK {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedTopK { k, categories, keys } = SavedTopK::deserialize(deserializer)?;
        Self::from_entries(k, categories.into_owned(), keys.into_owned()).map_err(D::Error::custom)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Winner", deny_unknown_fields)]
struct SavedWinner {
    category: u32,
    key: i64,
}

impl Serialize for Winner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { category, key } = *self;
        SavedWinner { category, key }.serialize(serializer)
    }
}

/// Reads a category that is not [`NO_DRAW`], and its key.
impl<'de> Deserialize<'de> for Winner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedWinner { category, key } = SavedWinner::deserialize(deserializer)?;
        if category == NO_DRAW || key == Best::NONE.key {
            return Err(D::Error::custom("a winner has a category and a key"));
        }
        Ok(Self { category, key })
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "ScoredDraws", deny_unknown_fields)]
struct SavedScores<'a> {
    draws: Cow<'a, [u32]>,
    #[serde(with = "each")]
    log_probs: Cow<'a, [f64]>,
    #[serde(with = "each")]
    logsumexps: Cow<'a, [f64]>,
}

/// Writes the draws and the floats. In a format for humans a NaN is the string `"NaN"`.
impl Serialize for ScoredDraws {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { draws, log_probs, logsumexps } = self;
        let (draws, log_probs) = (draws.into(), log_probs.into());
        SavedScores { draws, log_probs, logsumexps: logsumexps.into() }.serialize(serializer)
    }
}

/// Reads a log-probability for each draw, a NaN where there is none, and a logsumexp for each row.
impl<'de> Deserialize<'de> for ScoredDraws {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedScores { draws, log_probs, logsumexps } = SavedScores::deserialize(deserializer)?;
        let rows = logsumexps.len();
        let each = draws.len().checked_div(rows).unwrap_or(0);
        if each * rows != draws.len() || (rows > 0 && each == 0) || log_probs.len() != draws.len() {
            let what =
                "a row has a logsumexp, and as many draws and log-probabilities as any other";
            return Err(D::Error::custom(what));
        }
        let draws_agree = draws.iter().zip(&*log_probs).all(|(&d, x)| (d == NO_DRAW) == x.is_nan());
        // a row has all of its draws or none
        let rows_agree = draws
            .chunks(each.max(1))
            .zip(&*logsumexps)
            .all(|(draws, sum)| draws.iter().all(|&draw| (draw == NO_DRAW) == sum.is_nan()));
        if !draws_agree || !rows_agree {
            return Err(D::Error::custom(
                "where there is no draw, and nowhere else, there are NaNs",
            ));
        }
        let (draws, log_probs) = (draws.into_owned(), log_probs.into_owned());
        Ok(Self { draws, log_probs, logsumexps: logsumexps.into_owned() })
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "LogZ", deny_unknown_fields)]
struct SavedLogZ {
    estimate: Float,
    standard_error: f64,
}

/// Writes both floats. In a format for humans a NaN is the string `"NaN"`.
impl Serialize for LogZ {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { estimate, standard_error } = *self;
        SavedLogZ { estimate: Float(estimate), standard_error }.serialize(serializer)
    }
}

/// Reads an estimate that is finite or NaN, and a standard error that is finite and not negative.
impl<'de> Deserialize<'de> for LogZ {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedLogZ { estimate: Float(estimate), standard_error } =
            SavedLogZ::deserialize(deserializer)?;
        if estimate.is_infinite() || !(standard_error.is_finite() && standard_error >= 0.0) {
            return Err(D::Error::custom(
                "an estimate is finite or NaN, and its standard error finite and not negative",
            ));
        }
        Ok(Self { estimate, standard_error })
    }
}
