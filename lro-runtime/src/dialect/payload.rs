//! Payloads: metadata and responses, kept as received and decoded on demand.

use std::{any::TypeId, borrow::Cow, error::Error as StdError, fmt, sync::Arc};

use serde_json::value::RawValue;

use super::{
    json::{Member, Object, Text, without},
    scan::Scan,
    typed_json::{self, Document},
};
use crate::{
    protobuf::Any,
    text::{excerpt, reason},
};

/// Why a payload could not be decoded as the requested type.
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

    /// Says why `document` is no `wanted`, with an excerpt of what it is.
    // Not generic, so that the formatting is compiled once and not once per decoded type; by value,
    // so that the drop is as well.
    #[cold]
    #[inline(never)]
    #[expect(clippy::needless_pass_by_value, reason = "its callers are compiled once per type")]
    pub(crate) fn of(document: &Document<'_>, wanted: &str, why: typed_json::Error) -> Self {
        // What is not there is read as `null`, and must not be looked for in vain.
        let or_nothing = if document.text() == "null" { ", or no value at all" } else { "" };
        let found = excerpt(document.text().as_bytes());
        Self::new(format!("not a `{wanted}`: {}; found `{found}`{or_nothing}", reason(&why)))
    }

    fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

/// How a payload is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Plain JSON, without a type.
    Json,
    /// A `google.protobuf.Any` in [JSON](https://protobuf.dev/programming-guides/json/#any): the
    /// type URL is the member `@type`.
    JsonAny,
    /// A `google.protobuf.Any` in the protobuf wire format.
    ProtoAny,
}

/// A payload as it was received: its bytes and their encoding.
#[derive(Clone, Copy)]
pub struct Payload<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
}

/// The member of a JSON `Any` that has its type URL.
const TYPE: &str = "@type";

/// The well-known types of `google.protobuf` whose JSON form is not an object with their fields. In
/// a JSON `Any`, and only for these types, the message is in the member `value`.
///
/// The list is closed on purpose. A message of any other type may have a field of its own called
/// `value`, which must not be taken for the message. `Empty` is not in the list: an empty object is
/// what is left of it without its type URL.
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
    /// Creates a payload from encoded bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8], encoding: Encoding) -> Self {
        Self { bytes, encoding }
    }

    /// Returns the bytes as received.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Returns how the bytes are encoded.
    #[must_use]
    pub fn encoding(self) -> Encoding {
        self.encoding
    }

    /// Returns the type URL of an `Any`, or `None` if the payload is plain JSON or its type URL is
    /// missing or unreadable.
    #[must_use]
    pub fn type_url(self) -> Option<Cow<'a, str>> {
        match self.encoding {
            Encoding::Json => None,
            Encoding::JsonAny => match TypedFirst::of(self.bytes) {
                Some(any) => Some(Cow::Borrowed(any.url)),
                None => Members::of(self.bytes)?.type_url(),
            },
            Encoding::ProtoAny => {
                Any::of(self.bytes).ok().map(|any| Cow::Borrowed(any.type_url)).filter(|url| !url.is_empty())
            }
        }
    }

    /// Returns the text that is decoded as a `T`; the public form of reading it is
    /// [`decode_json`](Self::decode_json).
    pub(crate) fn document<T: 'static>(self) -> Result<Document<'a>, DecodeError> {
        // `()` asks for no content, so any payload will do: a method declared with `response = ()`
        // accepts an `Empty` object, too.
        if TypeId::of::<T>() == TypeId::of::<()>() { Ok(Document::null()) } else { self.message() }
    }

    /// Returns the JSON text of the message itself, without the type URL and the `value` wrapper of
    /// an `Any`.
    // Not inlined: its caller is compiled once per type.
    #[inline(never)]
    fn message(self) -> Result<Document<'a>, DecodeError> {
        let text =
            std::str::from_utf8(self.bytes).map_err(|e| DecodeError::new("the payload is not UTF-8").with_source(e))?;
        match self.encoding {
            Encoding::ProtoAny => Err(DecodeError::new("the payload is protobuf: declare `encoding = proto`")),
            // No payload at all decodes as `null` does: into an `Option`, but not into a type with
            // required fields.
            _ if text.is_empty() => Ok(Document::null()),
            Encoding::Json => Ok(Document::new(text)),
            Encoding::JsonAny => Ok(match TypedFirst::of(self.bytes) {
                Some(any) if !any.may_be_wrapped() => Document::without(text, TYPE),
                // JSON that is not an object has no type URL. It is passed on unchanged, and
                // decoding reports what is wrong with it.
                _ => {
                    Document::new(Members::of(self.bytes).map_or(Cow::Borrowed(text), |members| members.message(text)))
                }
            }),
        }
    }

    /// Decodes the protobuf message in an `Any` as a `T`; the public form is
    /// [`decode_message`](Self::decode_message).
    #[cfg(feature = "grpc")]
    pub(crate) fn read_message<T: prost::Message + Default + 'static>(self) -> Result<T, DecodeError> {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            return Ok(T::default()); // `()` asks for no content, so any payload will do
        }
        let wanted = std::any::type_name::<T>();
        let error = |why: &str| DecodeError::new(format!("not a `{wanted}`: {why}"));
        match self.encoding {
            Encoding::ProtoAny => {
                let any = Any::of(self.bytes).map_err(|_| error("the payload is not a `google.protobuf.Any`"))?;
                T::decode(any.value).map_err(|e| error(&e.to_string()).with_source(e))
            }
            _ if self.bytes.is_empty() => Err(error("there is no payload")),
            _ => Err(error("the payload is JSON: declare `encoding = json`")),
        }
    }

    /// Fails if this payload has a type and it is not `expected`.
    ///
    /// Types are compared by what follows the last `/` of the type URL: the host before it
    /// (`type.googleapis.com`) is a matter of convention. A payload without a type passes, because
    /// servers may leave it out.
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

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({:?}, {})", self.encoding, excerpt(self.bytes))
    }
}

/// Returns what follows the last `/` of a type URL: the full name of the message.
fn last(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

/// A JSON `Any` whose first member is its type URL, as nearly every server writes it.
///
/// This is the fast path: the type URL is read off the front, and the rest is not parsed until the
/// caller's type reads it. Where it does not apply, `None` is returned and [`Members`] reads the
/// object.
struct TypedFirst<'a> {
    url: &'a str,
}

impl<'a> TypedFirst<'a> {
    fn of(json: &'a [u8]) -> Option<Self> {
        let mut scan = Scan::of(json);
        scan.token(b'{')?;
        scan.plain().filter(|name| *name == TYPE.as_bytes())?;
        scan.token(b':')?;
        // Without escapes: one may be an escaped quote inside the URL, or stand for another
        // character (`\u002f` for `/`).
        std::str::from_utf8(scan.plain()?).ok().map(|url| Self { url })
    }

    /// Whether it is a `google.protobuf` type, whose message may be in `value`.
    fn may_be_wrapped(&self) -> bool {
        last(self.url).starts_with("google.protobuf.")
    }
}

/// The members of a JSON object that may be an `Any`.
struct Members<'a>(Vec<Member<'a>>);

impl<'a> Members<'a> {
    fn of(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(|Object(members)| Self(members))
    }

    fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    fn type_url(&self) -> Option<Cow<'a, str>> {
        // One old server writes `typeUrl` and `value` instead of `@type`. Any other message may
        // have a field called `typeUrl`, so both members must be there and nothing else.
        let url = self.get(TYPE).or_else(|| self.get("typeUrl").filter(|_| self.is_old_form()))?;
        serde_json::from_str::<Text<'a>>(url.get()).ok().map(|text| text.0)
    }

    /// Whether the object has exactly two members, one of them `value`.
    fn is_old_form(&self) -> bool {
        self.0.len() == 2 && self.get("value").is_some()
    }

    /// Returns the message itself: the member `value` if the type is one of [`WRAPPED`] or the
    /// object has the old form, else `text` without its type URL.
    fn message(&self, text: &'a str) -> Cow<'a, str> {
        let Some(url) = self.type_url() else { return Cow::Borrowed(text) };
        let wrapped = last(&url).strip_prefix("google.protobuf.").is_some_and(|name| WRAPPED.contains(&name));
        let old_form = self.get(TYPE).is_none();
        if let Some(value) = self.get("value").filter(|_| wrapped || old_form) {
            return Cow::Borrowed(value.get());
        }
        Cow::Owned(without(&self.0, TYPE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(any: &str) -> String {
        Payload::new(any.as_bytes(), Encoding::JsonAny).message().unwrap().text().to_owned()
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
        assert_eq!(message("{ \"@type\" : \"t/a.B\" , \"x\":1 }"), r#"{"x":1}"#);
        for empty in [r#"{"@type":"t/a.B"}"#, r#"{"@type":"t/google.protobuf.Empty"}"#] {
            assert_eq!(message(empty), "{}");
        }
        assert_eq!(message(r#"{"@type":"t/google.protobuf.StringValue","value":"x"}"#), r#""x""#);
        assert_eq!(message(r#"{"@type":"t/a.B","x":1,"@type":"t/a.B"}"#), r#"{"x":1}"#);
    }

    #[cfg(feature = "grpc")]
    #[test]
    fn a_message_that_is_asked_of_another_payload_says_what_there_is() {
        let said = |json: &'static [u8]| {
            Payload::new(json, Encoding::Json).read_message::<prost_types::Timestamp>().unwrap_err().into_parts().0
        };
        assert!(said(b"").ends_with("there is no payload"), "{}", said(b""));
        assert!(said(b"{}").ends_with("the payload is JSON: declare `encoding = json`"), "{}", said(b"{}"));
    }

    #[test]
    fn a_type_url_is_read_wherever_it_stands() {
        for any in [r#"{"@type":"t/a.B","x":1}"#, r#"{"x":1,"@type":"t\/a.B"}"#, r#"{"typeUrl":"t/a.B","value":{}}"#] {
            assert_eq!(Payload::new(any.as_bytes(), Encoding::JsonAny).type_url().as_deref(), Some("t/a.B"), "{any}");
        }
        // A message may have a field of this name: only beside a `value`, and nothing else, is it
        // the older form.
        for field in [r#"{"typeUrl":"t/a.B","x":1}"#, r#"{"typeUrl":"t/a.B","value":{},"x":1}"#] {
            assert_eq!(Payload::new(field.as_bytes(), Encoding::JsonAny).type_url(), None, "{field}");
            assert_eq!(message(field), field);
        }
    }
}
