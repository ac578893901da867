//! Payloads: metadata and responses as they were received, decoded when somebody looks.

use std::{any::TypeId, borrow::Cow, error::Error as StdError, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{protobuf::Any, text::excerpt};

/// Why a payload is not of the type that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct DecodeError {
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl DecodeError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    pub(crate) fn into_parts(self) -> (String, Option<Arc<dyn StdError + Send + Sync>>) {
        (self.message, self.source)
    }

    fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for DecodeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

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
            Encoding::JsonAny => match TypedFirst::of(std::str::from_utf8(self.bytes).ok()?) {
                Some(any) => Some(Cow::Borrowed(any.url)),
                None => Members::of(self.bytes)?.type_url(),
            },
            Encoding::ProtoAny => {
                Any::of(self.bytes).ok().map(|any| Cow::Borrowed(any.type_url)).filter(|url| !url.is_empty())
            }
        }
    }

    /// The JSON text of the message itself, without what an `Any` adds.
    fn json(self) -> Result<Cow<'a, str>, DecodeError> {
        let text =
            std::str::from_utf8(self.bytes).map_err(|e| DecodeError::new("the payload is not UTF-8").with_source(e))?;
        match self.encoding {
            Encoding::Json => Ok(Cow::Borrowed(text)),
            Encoding::JsonAny => Ok(match TypedFirst::of(text).and_then(TypedFirst::message) {
                Some(message) => Cow::Owned(message),
                None => Members::of(self.bytes).map_or(Cow::Borrowed(text), |members| members.message(text)),
            }),
            Encoding::ProtoAny => Err(DecodeError::new("the payload is protobuf: declare `encoding = proto`")),
        }
    }

    /// The payload as a `T`, from JSON: see [`decode_json`](Self::decode_json).
    pub(crate) fn read_json<T: DeserializeOwned + 'static>(self) -> Result<T, DecodeError> {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            return parse("null"); // `()` asks for nothing, so that anything will do
        }
        let text = self.json()?;
        parse(if text.is_empty() { "null" } else { &text })
    }

    /// The payload as a `T`, from the protobuf message in an `Any`: see [`decode_message`](Self::decode_message).
    #[cfg(feature = "grpc")]
    pub(crate) fn read_message<T: prost::Message + Default + 'static>(self) -> Result<T, DecodeError> {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            return Ok(T::default()); // `()` asks for nothing, so that anything will do
        }
        let wanted = std::any::type_name::<T>();
        let error = |why: &str| DecodeError::new(format!("not a `{wanted}`: {why}"));
        match self.encoding {
            Encoding::ProtoAny => {
                let any = Any::of(self.bytes).map_err(|_| error("the payload is not a `google.protobuf.Any`"))?;
                T::decode(any.value).map_err(|e| error(&e.to_string()).with_source(e))
            }
            _ if self.bytes.is_empty() => Err(error("there is nothing to decode")),
            _ => Err(error("the payload is JSON: declare `encoding = json`")),
        }
    }

    /// Fails unless this payload's type is `expected`. Types are compared by what follows the last `/`; an untyped payload passes.
    pub(crate) fn check_type(self, expected: Option<&str>) -> Result<(), DecodeError> {
        let Some(expected) = expected.map(last) else { return Ok(()) };
        match self.type_url() {
            Some(found) if expected != last(&found) => Err(DecodeError::new(format!(
                "expected a `{expected}`, found a `{}`",
                excerpt(last(&found).as_bytes())
            ))),
            _ => Ok(()),
        }
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, DecodeError> {
    serde_json::from_str(text).map_err(|e| decode_error(&e, text, std::any::type_name::<T>()))
}

#[cold]
fn decode_error(error: &serde_json::Error, text: &str, wanted: &str) -> DecodeError {
    DecodeError::new(format!("not a `{wanted}`: {error}; found `{}`", excerpt(text.as_bytes())))
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({:?}, {})", self.encoding, excerpt(self.bytes))
    }
}

/// What follows the last `/` of a type URL.
fn last(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

/// An `Any` as nearly every server writes it, its type URL first: read without parsing the rest.
struct TypedFirst<'a> {
    url: &'a str,
    /// From the comma or the brace after the type URL.
    rest: &'a str,
}

impl<'a> TypedFirst<'a> {
    fn of(json: &'a str) -> Option<Self> {
        let space = [' ', '\t', '\n', '\r'];
        let after = |text: &'a str, token: &str| text.trim_start_matches(space).strip_prefix(token);
        let value = after(after(after(after(json, "{")?, "\"@type\"")?, ":")?, "\"")?;
        let (url, rest) = value.split_once('"').filter(|(url, _)| !url.contains('\\'))?;
        Some(Self { url, rest: rest.trim_start_matches(space) })
    }

    /// The message without the type URL; none if it is not written as an object with its fields, or says its type twice.
    fn message(self) -> Option<String> {
        let members = self.rest.strip_prefix(',').or(Some(self.rest).filter(|rest| rest.starts_with('}')))?;
        let is_plain = !last(self.url).starts_with("google.protobuf.") && !members.contains("\"@type\"");
        is_plain.then(|| ["{", members].concat())
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
        let wrapped = last(&url).strip_prefix("google.protobuf.").is_some_and(|name| WRAPPED.contains(&name));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(any: &str) -> String {
        Payload::new(any.as_bytes(), Encoding::JsonAny).json().unwrap().into_owned()
    }

    #[test]
    fn an_any_is_the_same_message_wherever_its_type_url_stands() {
        for any in [
            r#"{"@type":"t/a.B","x":{"@type":"t/c.D"},"y":"@type"}"#,
            r#"{"x":{"@type":"t/c.D"},"@type":"t/a.B","y":"@type"}"#,
            r#"{"x":{"@type":"t/c.D"},"y":"@type"}"#,
            " {\n\"@type\" : \"t\\u002fa.B\" , \"x\":{\"@type\":\"t/c.D\"},\"y\":\"@type\"}",
        ] {
            assert_eq!(message(any), r#"{"x":{"@type":"t/c.D"},"y":"@type"}"#, "{any}");
        }
        assert_eq!(message("{ \"@type\" : \"t/a.B\" , \"x\":1 }"), r#"{ "x":1 }"#);
        for empty in [r#"{"@type":"t/a.B"}"#, r#"{"@type":"t/google.protobuf.Empty"}"#] {
            assert_eq!(message(empty), "{}");
        }
        assert_eq!(message(r#"{"@type":"t/google.protobuf.StringValue","value":"x"}"#), r#""x""#);
        assert_eq!(message(r#"{"@type":"t/a.B","x":1,"@type":"t/a.B"}"#), r#"{"x":1}"#);
    }

    #[test]
    fn a_type_url_is_read_wherever_it_stands() {
        for any in [r#"{"@type":"t/a.B","x":1}"#, r#"{"x":1,"@type":"t\/a.B"}"#, r#"{"typeUrl":"t/a.B","value":{}}"#] {
            assert_eq!(Payload::new(any.as_bytes(), Encoding::JsonAny).type_url().as_deref(), Some("t/a.B"), "{any}");
        }
    }
}
