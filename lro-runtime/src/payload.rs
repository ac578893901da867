//! Payloads: metadata and responses as they were received, decoded when somebody looks.

use std::{any::TypeId, borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    error::{Error, ErrorKind, Result},
    text::excerpt,
};

/// How a payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// JSON.
    Json,
    /// JSON in the form of a `google.protobuf.Any`: the type URL is the member `@type`.
    JsonAny,
    /// An encoded `google.protobuf.Any`.
    ProtoAny,
}

/// A payload as it was received.
#[derive(Clone, Copy)]
pub struct Payload<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
}

/// The well-known types whose JSON form is not an object with their fields: as an `Any` they are under `value`.
const WRAPPED: &[&str] = &[
    "Any",
    "BoolValue",
    "BytesValue",
    "DoubleValue",
    "Duration",
    "FieldMask",
    "FloatValue",
    "Int32Value",
    "Int64Value",
    "ListValue",
    "StringValue",
    "Struct",
    "Timestamp",
    "UInt32Value",
    "UInt64Value",
    "Value",
];

impl<'a> Payload<'a> {
    /// A payload of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8], encoding: Encoding) -> Self {
        Self { bytes, encoding }
    }

    /// The bytes as received.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// How it is written.
    #[must_use]
    pub fn encoding(self) -> Encoding {
        self.encoding
    }

    /// The type URL of an `Any`, where there is one.
    #[must_use]
    pub fn type_url(self) -> Option<Cow<'a, str>> {
        match self.encoding {
            Encoding::Json => None,
            Encoding::JsonAny => Members::of(self.bytes)?.type_url(),
            Encoding::ProtoAny => None,
        }
    }

    /// The JSON text of the message itself, without what an `Any` adds.
    fn json(self) -> Result<Cow<'a, str>> {
        let text = std::str::from_utf8(self.bytes)
            .map_err(|e| Error::new(ErrorKind::Decode, "the payload is not UTF-8").with_source(e))?;
        match self.encoding {
            Encoding::Json => Ok(Cow::Borrowed(text)),
            Encoding::JsonAny => {
                Ok(Members::of(self.bytes).map_or(Cow::Borrowed(text), |members| members.message(text)))
            }
            Encoding::ProtoAny => {
                Err(Error::new(ErrorKind::Decode, "the payload is protobuf: declare `encoding = proto`"))
            }
        }
    }

    /// The payload as a `T`, from JSON.
    ///
    /// # Errors
    ///
    /// Of kind [`Decode`](ErrorKind::Decode), with an excerpt of what was found.
    pub fn decode_json<T: DeserializeOwned + 'static>(self) -> Result<T> {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            return parse("null"); // `()` asks for nothing, so that anything will do
        }
        let text = self.json()?;
        parse(if text.is_empty() { "null" } else { &text })
    }

    /// Fails unless this payload's type is `expected`. Types are compared by what follows the last `/`; an untyped payload passes.
    pub(crate) fn check_type(self, expected: Option<&str>) -> Result<()> {
        let last = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
        match (expected, self.type_url()) {
            (Some(expected), Some(found)) if last(expected) != last(&found) => Err(Error::new(
                ErrorKind::Decode,
                format!("expected a `{}`, found a `{}`", last(expected), excerpt(last(&found).as_bytes())),
            )),
            _ => Ok(()),
        }
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| decode_error(&e, text, std::any::type_name::<T>()))
}

#[cold]
fn decode_error(error: &serde_json::Error, text: &str, wanted: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("not a `{wanted}`: {error}; found `{}`", excerpt(text.as_bytes())))
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({:?}, {})", self.encoding, excerpt(self.bytes))
    }
}

/// The members of a JSON object, values as text.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    fn of(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    fn type_url(&self) -> Option<Cow<'a, str>> {
        // One old server writes `typeUrl` and `value` instead of `@type`.
        let url = self.get("@type").or_else(|| self.get("typeUrl").filter(|_| self.is_old_form()))?;
        serde_json::from_str::<Text<'a>>(url.get()).ok().map(|text| text.0)
    }

    fn is_old_form(&self) -> bool {
        self.0.len() == 2 && self.get("value").is_some()
    }

    /// The message itself: `text` without the type URL, or the member `value` for the types that are written so.
    fn message(&self, text: &'a str) -> Cow<'a, str> {
        let Some(url) = self.type_url() else { return Cow::Borrowed(text) };
        let name = url.rsplit('/').next().unwrap_or_default();
        let wrapped = name.strip_prefix("google.protobuf.").is_some_and(|name| WRAPPED.contains(&name));
        let old_form = self.get("@type").is_none();
        if let Some(value) = self.get("value").filter(|_| wrapped || old_form) {
            return Cow::Borrowed(value.get());
        }
        let mut out = String::with_capacity(text.len());
        for (name, value) in self.0.iter().filter(|(name, _)| name != "@type") {
            out.push(if out.is_empty() { '{' } else { ',' });
            out.push_str(&serde_json::Value::from(name.as_ref()).to_string());
            out.push(':');
            out.push_str(value.get());
        }
        out.push_str(if out.is_empty() { "{}" } else { "}" });
        Cow::Owned(out)
    }
}

/// A string that borrows where it can.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
