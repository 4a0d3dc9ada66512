//! Options, sequences and generators.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use super::adjustment::{SavedBias, SavedHistory};
use super::restriction::SavedAllowed;
use crate::error::Error;
use crate::job::{Temperature, check_draws, check_own};
use crate::noise::order::Scale;
use crate::options::{
    LogProbsOf, Method, Penalty, Relaxation, Resampling, RowIds, SampleOptions, Truncation,
    ValueFormat,
};
use crate::sequence::Sequence;

/// [`SampleOptions`] that own what each row has of its own: what serde reads, as options borrow row ids, seeds and the
/// like and cannot be read.
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
/// A field of another name is an error too. How many row ids, seeds and the like a call needs, and which temperatures
/// weights admit, is checked by the call.
///
/// Needs the feature `serde`.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedOptions {
    saved: SavedOptions<'static>,
}

impl OwnedOptions {
    /// The options, which borrow what each row has of its own.
    ///
    /// ```
    /// use gumbel::{OwnedOptions, SampleOptions};
    /// let options = SampleOptions::default().with_first_row(7).with_temperatures(&[0.5, 0.0]);
    /// assert_eq!(OwnedOptions::from(options).options(), options);
    /// ```
    pub fn options(&self) -> SampleOptions<'_> {
        let &SavedOptions { seed, first_draw, draws, temperature, method, sentinels, .. } =
            &self.saved;
        let row_ids = match &self.saved.row_ids {
            SavedIds::Consecutive(first) => RowIds::Consecutive(*first),
            SavedIds::Each(ids) => RowIds::Each(ids),
        };
        SampleOptions {
            seed,
            row_ids,
            first_draw,
            draws,
            temperature,
            method,
            sentinels,
            seeds: self.saved.seeds.as_deref(),
            temperatures: self.saved.temperatures.as_deref(),
            first_draws: self.saved.first_draws.as_deref(),
            row_indices: self.saved.row_indices.as_deref(),
            truncation: self.saved.truncation,
            truncations: self.saved.truncations.as_deref(),
            allowed: self.saved.allowed.as_ref().map(SavedAllowed::allowed),
            bias: self.saved.bias.as_ref().map(SavedBias::bias),
            penalty: self.saved.penalty,
            penalties: self.saved.penalties.as_deref(),
            history: self.saved.history.as_ref().map(SavedHistory::history),
            log_probs_of: self.saved.log_probs_of.into(),
        }
    }
}

impl From<SampleOptions<'_>> for OwnedOptions {
    fn from(options: SampleOptions<'_>) -> Self {
        Self { saved: SavedOptions::from(options).into_owned() }
    }
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "SampleOptions", default, deny_unknown_fields)]
struct SavedOptions<'a> {
    seed: u64,
    row_ids: SavedIds<'a>,
    first_draw: u32,
    draws: u32,
    temperature: f32,
    method: Method,
    sentinels: bool,
    seeds: OfRows<'a, u64>,
    temperatures: OfRows<'a, f32>,
    first_draws: OfRows<'a, u32>,
    row_indices: OfRows<'a, u32>,
    truncation: Truncation,
    truncations: OfRows<'a, Truncation>,
    allowed: Option<SavedAllowed<'a>>,
    bias: Option<SavedBias<'a>>,
    penalty: Penalty,
    penalties: OfRows<'a, Penalty>,
    history: Option<SavedHistory<'a>>,
    log_probs_of: SavedLogProbsOf,
}

/// What each row has of its own, if that is given.
type OfRows<'a, T> = Option<Cow<'a, [T]>>;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "RowIds", rename_all = "lowercase")]
enum SavedIds<'a> {
    Consecutive(u64),
    Each(Cow<'a, [u64]>),
}

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "LogProbsOf", rename_all = "kebab-case")]
enum SavedLogProbsOf {
    Kept,
    Allowed,
}

impl From<LogProbsOf> for SavedLogProbsOf {
    fn from(of: LogProbsOf) -> Self {
        match of {
            LogProbsOf::Kept => Self::Kept,
            LogProbsOf::Allowed => Self::Allowed,
        }
    }
}

impl From<SavedLogProbsOf> for LogProbsOf {
    fn from(of: SavedLogProbsOf) -> Self {
        match of {
            SavedLogProbsOf::Kept => Self::Kept,
            SavedLogProbsOf::Allowed => Self::Allowed,
        }
    }
}

impl<'a> From<SampleOptions<'a>> for SavedOptions<'a> {
    fn from(options: SampleOptions<'a>) -> Self {
        let SampleOptions { seed, first_draw, draws, temperature, method, sentinels, .. } = options;
        let row_ids = match options.row_ids {
            RowIds::Consecutive(first) => SavedIds::Consecutive(first),
            RowIds::Each(ids) => SavedIds::Each(Cow::Borrowed(ids)),
        };
        Self {
            seed,
            row_ids,
            first_draw,
            draws,
            temperature,
            method,
            sentinels,
            seeds: options.seeds.map(Cow::Borrowed),
            temperatures: options.temperatures.map(Cow::Borrowed),
            first_draws: options.first_draws.map(Cow::Borrowed),
            row_indices: options.row_indices.map(Cow::Borrowed),
            truncation: options.truncation,
            truncations: options.truncations.map(Cow::Borrowed),
            allowed: options.allowed.map(SavedAllowed::from),
            bias: options.bias.map(SavedBias::from),
            penalty: options.penalty,
            penalties: options.penalties.map(Cow::Borrowed),
            history: options.history.map(SavedHistory::from),
            log_probs_of: options.log_probs_of.into(),
        }
    }
}

impl SavedOptions<'_> {
    fn into_owned(self) -> SavedOptions<'static> {
        fn owned<T: Clone>(all: OfRows<'_, T>) -> OfRows<'static, T> {
            all.map(|all| Cow::Owned(all.into_owned()))
        }
        let row_ids = match self.row_ids {
            SavedIds::Consecutive(first) => SavedIds::Consecutive(first),
            SavedIds::Each(ids) => SavedIds::Each(Cow::Owned(ids.into_owned())),
        };
        SavedOptions {
            row_ids,
            seeds: owned(self.seeds),
            temperatures: owned(self.temperatures),
            first_draws: owned(self.first_draws),
            row_indices: owned(self.row_indices),
            truncations: owned(self.truncations),
            allowed: self.allowed.map(SavedAllowed::into_owned),
            bias: self.bias.map(SavedBias::into_owned),
            penalties: owned(self.penalties),
            history: self.history.map(SavedHistory::into_owned),
            ..self
        }
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
        Temperature::new(saved.temperature)?;
        check_draws(saved.first_draw, saved.draws)?;
        let read = Self { saved: saved.into_owned() };
        // of all formats, logits admit the most temperatures
        check_own(&read.options(), ValueFormat::F32)?;
        read.options().bias.map_or(Ok(()), |bias| bias.check_values())?;
        Ok(read)
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
#[serde(rename = "Resampling", rename_all = "kebab-case")]
enum SavedResampling {
    Systematic,
    Stratified,
    Residual,
}

/// Writes the name in lower case.
impl Serialize for Resampling {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let saved = match self {
            Self::Systematic => SavedResampling::Systematic,
            Self::Stratified => SavedResampling::Stratified,
            Self::Residual => SavedResampling::Residual,
        };
        saved.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Resampling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match SavedResampling::deserialize(deserializer)? {
            SavedResampling::Systematic => Self::Systematic,
            SavedResampling::Stratified => Self::Stratified,
            SavedResampling::Residual => Self::Residual,
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
