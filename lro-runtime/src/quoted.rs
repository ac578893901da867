//! Numbers that a service writes as text, such as the 64-bit integers of
//! [proto3 JSON](https://protobuf.dev/programming-guides/json/): `"size": "42"`.
//!
//! For fields of the types of an SDK. They are read from text and from numbers, and written as
//! text.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, Serialize)]
//! struct Disk {
//!     #[serde(with = "lro_runtime::quoted", default, skip_serializing_if = "Option::is_none")]
//!     size: Option<i64>,
//!     #[serde(with = "lro_runtime::quoted::list", default, skip_serializing_if = "Option::is_none")]
//!     parts: Option<Vec<u64>>,
//! }
//!
//! let disk: Disk = serde_json::from_str(r#"{"size": "42", "parts": ["1", 2]}"#)?;
//! assert_eq!((disk.size, disk.parts.as_deref()), (Some(42), Some(&[1, 2][..])));
//! assert_eq!(serde_json::to_string(&disk)?, r#"{"size":"42","parts":["1","2"]}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::{
    fmt::{self, Display},
    marker::PhantomData,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Writes a number as text.
///
/// # Errors
///
/// If the format has none.
pub fn serialize<T: Display, S: Serializer>(number: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => serializer.collect_str(number),
        None => serializer.serialize_none(),
    }
}

/// Reads a number, or text that is one.
///
/// # Errors
///
/// If it is neither, or does not fit into the type.
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::<Quoted<T>>::deserialize(deserializer)?.map(|number| number.0))
}

/// The same for lists of numbers.
pub mod list {
    use super::{Deserialize, Deserializer, Display, FromStr, Quoted, Serialize, Serializer};

    /// Writes numbers as text.
    ///
    /// # Errors
    ///
    /// If the format has no lists.
    pub fn serialize<T: Display, S: Serializer>(numbers: &Option<Vec<T>>, serializer: S) -> Result<S::Ok, S::Error> {
        let texts = numbers.as_ref().map(|numbers| numbers.iter().map(ToString::to_string).collect::<Vec<_>>());
        texts.serialize(serializer)
    }

    /// Reads numbers, or texts that are numbers.
    ///
    /// # Errors
    ///
    /// If one of them is neither, or does not fit into the type.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
    where
        T: FromStr + Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let numbers = Option::<Vec<Quoted<T>>>::deserialize(deserializer)?;
        Ok(numbers.map(|numbers| numbers.into_iter().map(|number| number.0).collect()))
    }
}

/// A number that is read from text as well.
struct Quoted<T>(T);

impl<'de, T: FromStr + Deserialize<'de>> Deserialize<'de> for Quoted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrText(PhantomData))
    }
}

struct NumberOrText<T>(PhantomData<T>);

impl<'de, T: FromStr + Deserialize<'de>> de::Visitor<'de> for NumberOrText<T> {
    type Value = Quoted<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or text that is one")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map(Quoted).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        T::deserialize(de::value::U64Deserializer::new(number)).map(Quoted)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        T::deserialize(de::value::I64Deserializer::new(number)).map(Quoted)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        T::deserialize(de::value::F64Deserializer::new(number)).map(Quoted)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
    struct Disk {
        #[serde(with = "super", default)]
        size: Option<i32>,
        #[serde(with = "super::list", default)]
        parts: Option<Vec<u64>>,
    }

    #[test]
    fn a_number_is_read_from_text_and_from_itself() {
        for (json, size, parts) in [
            (r#"{"size": "-42", "parts": ["18446744073709551615", 2]}"#, Some(-42), Some(vec![u64::MAX, 2])),
            (r#"{"size": -42, "parts": []}"#, Some(-42), Some(vec![])),
            (r#"{"size": null, "parts": null}"#, None, None),
            ("{}", None, None),
        ] {
            assert_eq!(serde_json::from_str::<Disk>(json).ok(), Some(Disk { size, parts }), "{json}");
        }
    }

    #[test]
    fn what_is_no_number_of_the_type_is_an_error() {
        for json in [
            r#"{"size": "a"}"#,
            r#"{"size": 3000000000}"#,
            r#"{"size": "3000000000"}"#,
            r#"{"size": true}"#,
            r#"{"parts": ["-1"]}"#,
            r#"{"parts": [1.5]}"#,
        ] {
            assert!(serde_json::from_str::<Disk>(json).is_err(), "{json}");
        }
    }
}
