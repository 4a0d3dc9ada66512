//! Floats, of which some are no finite numbers.
//!
//! JSON has no NaN: serde_json writes `null`, and reads no float from it. So in a format for humans a NaN or an infinity
//! is a string, `"NaN"`, `"inf"` or `"-inf"`. In other formats every float is a float.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A float, finite or not.
#[derive(Clone, Copy)]
pub(super) struct Float(pub(super) f64);

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() || !serializer.is_human_readable() {
            return serializer.serialize_f64(self.0);
        }
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(AnyFloat)
        } else {
            f64::deserialize(deserializer).map(Self)
        }
    }
}

struct AnyFloat;

impl<'de> Visitor<'de> for AnyFloat {
    type Value = Float;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<Float, E> {
        Ok(Float(x))
    }

    fn visit_i64<E: Error>(self, x: i64) -> Result<Float, E> {
        Ok(Float(x as f64))
    }

    fn visit_u64<E: Error>(self, x: u64) -> Result<Float, E> {
        Ok(Float(x as f64))
    }

    /// A number of serde_json with its feature `arbitrary_precision`, which any crate of a program may turn on.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Float, A::Error> {
        match map.next_entry::<String, String>()? {
            Some((key, number)) if key == "$serde_json::private::Number" => {
                number.parse().map(Float).map_err(A::Error::custom)
            }
            _ => Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self)),
        }
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Float, E> {
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
            .into_iter()
            .find(|x| x.to_string() == name)
            .map(Float)
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(name), &self))
    }
}

/// Saves a vector of floats as one of [`Float`].
pub(super) mod each {
    use std::borrow::Cow;

    use super::{Deserialize, Deserializer, Float, Serializer};

    pub(in crate::saved) fn serialize<S: Serializer>(
        floats: &[f64],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(floats.iter().copied().map(Float))
    }

    pub(in crate::saved) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'static, [f64]>, D::Error> {
        let floats = Vec::<Float>::deserialize(deserializer)?;
        Ok(floats.into_iter().map(|Float(x)| x).collect())
    }
}

/// Saves a vector of `f32` as one of [`Float`].
pub(super) mod singles {
    use std::borrow::Cow;

    use super::{Deserialize, Deserializer, Float, Serializer};

    pub(in crate::saved) fn serialize<S: Serializer>(
        floats: &[f32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(floats.iter().map(|&x| Float(x.into())))
    }

    pub(in crate::saved) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'static, [f32]>, D::Error> {
        let floats = Vec::<Float>::deserialize(deserializer)?;
        Ok(floats.into_iter().map(|Float(x)| x as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, MapDeserializer};

    use super::*;

    /// serde_json gives a number as such a map with its feature `arbitrary_precision`.
    #[test]
    fn a_number_in_a_map_is_read() {
        let read = |key: &str, number: &str| {
            let map = MapDeserializer::<_, Error>::new([(key, number)].into_iter());
            Float::deserialize(map).map(|Float(x)| x)
        };
        let key = "$serde_json::private::Number";
        assert_eq!(read(key, "-0.1"), Ok(-0.1));
        assert!(read(key, "a number").is_err() && read("another key", "1").is_err());
    }
}
