//! Options, sequences and generators.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::error::Error;
use crate::job::{Temperature, check_draws};
use crate::noise::order::Scale;
use crate::options::{Method, Relaxation, RowIds, SampleOptions};
use crate::sequence::Sequence;

/// [`SampleOptions`] that own their row ids: what serde reads, as options borrow their row ids and cannot be read.
///
/// [`SampleOptions`] themselves can be written, in the same form. A field that is left out has its default value.
///
/// ```
/// use gumbel::{OwnedOptions, SampleOptions};
/// let options = SampleOptions::default().with_seed(42).with_row_ids(&[7001, 9005]);
/// let text = serde_json::to_string(&options)?;
/// let read: OwnedOptions = serde_json::from_str(&text)?;
/// assert_eq!(read.options(), options);
///
/// let read: OwnedOptions = serde_json::from_str(r#"{ "temperature": 0.8, "method": "auto" }"#)?;
/// assert_eq!(read.options().temperature, 0.8);
///
/// let error = serde_json::from_str::<OwnedOptions>(r#"{ "temperature": -1 }"#).unwrap_err();
/// assert!(error.to_string().starts_with("the temperature must be 0 (greedy) or from"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// **serde_json** reads numbers exactly with its feature `float_roundtrip`; without it a temperature may differ in the
/// last bit from what was written, and so may draws.
///
/// # Errors
/// What is read has to be valid for some call: [`Error::Temperature`] and [`Error::Draws`] become errors of the format.
/// A field of another name is an error too. How many row ids a call needs, and which temperatures weights admit, is
/// checked by the call.
///
/// Needs the feature `serde`.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedOptions {
    /// With the row ids of `ids`, if there are any.
    options: SampleOptions<'static>,
    ids: Option<Vec<u64>>,
}

impl OwnedOptions {
    /// The options, which borrow the row ids.
    ///
    /// ```
    /// use gumbel::{OwnedOptions, SampleOptions};
    /// let options = SampleOptions::default().with_first_row(7);
    /// assert_eq!(OwnedOptions::from(options).options(), options);
    /// ```
    pub fn options(&self) -> SampleOptions<'_> {
        match &self.ids {
            Some(ids) => self.options.with_row_ids(ids),
            None => self.options,
        }
    }
}

impl From<SampleOptions<'_>> for OwnedOptions {
    fn from(options: SampleOptions<'_>) -> Self {
        let (row_ids, ids) = match options.row_ids {
            RowIds::Consecutive(first) => (RowIds::Consecutive(first), None),
            RowIds::Each(ids) => (RowIds::Consecutive(0), Some(ids.to_vec())),
        };
        let SampleOptions { seed, first_draw, draws, temperature, method, sentinels, .. } = options;
        let options =
            SampleOptions { seed, row_ids, first_draw, draws, temperature, method, sentinels };
        Self { options, ids }
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "SampleOptions", default, deny_unknown_fields)]
struct SavedOptions<'a> {
    seed: u64,
    row_ids: SavedIds<'a>,
    first_draw: u32,
    draws: u32,
    temperature: f32,
    method: Method,
    sentinels: bool,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "RowIds", rename_all = "lowercase")]
enum SavedIds<'a> {
    Consecutive(u64),
    Each(Cow<'a, [u64]>),
}

impl<'a> From<SampleOptions<'a>> for SavedOptions<'a> {
    fn from(options: SampleOptions<'a>) -> Self {
        let SampleOptions { seed, row_ids, first_draw, draws, temperature, method, sentinels } =
            options;
        let row_ids = match row_ids {
            RowIds::Consecutive(first) => SavedIds::Consecutive(first),
            RowIds::Each(ids) => SavedIds::Each(Cow::Borrowed(ids)),
        };
        Self { seed, row_ids, first_draw, draws, temperature, method, sentinels }
    }
}

impl Default for SavedOptions<'_> {
    fn default() -> Self {
        SampleOptions::default().into()
    }
}

impl TryFrom<SavedOptions<'_>> for OwnedOptions {
    type Error = Error;

    fn try_from(saved: SavedOptions<'_>) -> Result<Self, Error> {
        let SavedOptions { seed, row_ids, first_draw, draws, temperature, method, sentinels } =
            saved;
        Temperature::new(temperature)?;
        check_draws(first_draw, draws)?;
        let (row_ids, ids) = match row_ids {
            SavedIds::Consecutive(first) => (RowIds::Consecutive(first), None),
            SavedIds::Each(ids) => (RowIds::Consecutive(0), Some(ids.into_owned())),
        };
        let options =
            SampleOptions { seed, row_ids, first_draw, draws, temperature, method, sentinels };
        Ok(Self { options, ids })
    }
}

impl Serialize for SampleOptions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SavedOptions::from(*self).serialize(serializer)
    }
}

impl Serialize for OwnedOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.options().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OwnedOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SavedOptions::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Method", rename_all = "kebab-case")]
enum SavedMethod {
    Gumbel,
    InverseCdf,
    Auto,
}

/// Writes the [name](Method::name).
impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let saved = match self {
            Self::Gumbel => SavedMethod::Gumbel,
            Self::InverseCdf => SavedMethod::InverseCdf,
            Self::Auto => SavedMethod::Auto,
        };
        saved.serialize(serializer)
    }
}

/// Reads a [name](Method::name).
impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match SavedMethod::deserialize(deserializer)? {
            SavedMethod::Gumbel => Self::Gumbel,
            SavedMethod::InverseCdf => Self::InverseCdf,
            SavedMethod::Auto => Self::Auto,
        })
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Relaxation", deny_unknown_fields)]
struct SavedRelaxation {
    tau: f32,
    hard: bool,
}

impl Serialize for Relaxation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { tau, hard } = *self;
        SavedRelaxation { tau, hard }.serialize(serializer)
    }
}

/// Reads a relaxation whose τ is valid.
impl<'de> Deserialize<'de> for Relaxation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedRelaxation { tau, hard } = SavedRelaxation::deserialize(deserializer)?;
        if Scale::from_temperature(tau).is_none() {
            return Err(D::Error::custom(Error::Tau { got: tau }));
        }
        Ok(Self { tau, hard })
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Sequence", deny_unknown_fields)]
struct SavedSequence {
    seed: u64,
    next_draw: u32,
}

/// Writes the seed and the number of the next draw.
impl Serialize for Sequence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (seed, next_draw) = (self.seed(), self.next_draw());
        SavedSequence { seed, next_draw }.serialize(serializer)
    }
}

/// Reads a sequence whose next draw is at most 2³¹.
impl<'de> Deserialize<'de> for Sequence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedSequence { seed, next_draw } = SavedSequence::deserialize(deserializer)?;
        Self::at(seed, next_draw).map_err(D::Error::custom)
    }
}

#[cfg(feature = "rand")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "PhiloxRng", deny_unknown_fields)]
struct SavedRng {
    seed: u64,
    stream: u64,
    word_pos: u64,
}

/// Writes the seed, the stream and the position of the next word.
#[cfg(feature = "rand")]
impl Serialize for crate::random::PhiloxRng {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (seed, stream, word_pos) = (self.seed(), self.stream(), self.word_pos());
        SavedRng { seed, stream, word_pos }.serialize(serializer)
    }
}

#[cfg(feature = "rand")]
impl<'de> Deserialize<'de> for crate::random::PhiloxRng {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedRng { seed, stream, word_pos } = SavedRng::deserialize(deserializer)?;
        let mut rng = Self::new(seed).with_stream(stream);
        rng.set_word_pos(word_pos);
        Ok(rng)
    }
}
