//! Typed error details
//! ([`google/rpc/error_details.proto`](https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto)).

use std::{borrow::Cow, collections::BTreeMap, fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{duration, secrets::stored_text, text::excerpt};

#[cfg(feature = "grpc")]
mod protobuf;

/// One detail of a [`Status`](crate::Status). Kept as received, in JSON or protobuf, and decoded
/// into a typed detail on demand.
///
/// A detail of an unknown type, or one that does not decode, therefore never costs the rest of the
/// status.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Detail {
    type_url: String,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Json(Box<RawValue>),
    Proto(Bytes),
}

// By hand: `RawValue` cannot be compared. Two JSON details are equal if their texts are.
impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json(one), Self::Json(two)) => one.get() == two.get(),
            (Self::Proto(one), Self::Proto(two)) => one == two,
            _ => false,
        }
    }
}

/// The serialised form of a detail, as tokens hold it.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(rename = "type")]
    type_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_even_if_null")]
    json: Option<Box<RawValue>>,
    /// The message in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proto: Option<String>,
}

/// Reads `"json": null` as a detail that is `null`. By itself serde reads it as an absent one, and
/// a token with such a detail could not be resumed from.
fn some_even_if_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

impl From<Detail> for Written {
    fn from(detail: Detail) -> Self {
        let (json, proto) = match detail.content {
            Content::Json(json) => (Some(json), None),
            Content::Proto(message) => (None, Some(STANDARD_NO_PAD.encode(message))),
        };
        Self { type_url: detail.type_url, json, proto }
    }
}

impl TryFrom<Written> for Detail {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let content = match (written.json, written.proto) {
            (Some(json), None) => Content::Json(json),
            (None, Some(proto)) => {
                Content::Proto(STANDARD_NO_PAD.decode(proto).map_err(|_| "`proto` is not base64")?.into())
            }
            _ => return Err("expected one of `json` and `proto`"),
        };
        Ok(Self { type_url: written.type_url, content })
    }
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Json(json) => write!(f, "Detail({})", excerpt(json.get().as_bytes())),
            Content::Proto(message) => {
                write!(f, "Detail({}, {} bytes)", excerpt(self.type_url.as_bytes()), message.len())
            }
        }
    }
}

/// The longest content that is decoded into a typed detail. The server is not trusted, and decoding
/// makes a hundred bytes and more of an empty entry of a list that takes two.
const LONGEST_TYPED: usize = 256 << 10;

// Declares one accessor per type of `error_details.proto`. The name of the message is the name of
// the type here.
macro_rules! typed {
    ($($(#[$doc:meta])* $method:ident => $type:ident),* $(,)?) => {
        impl Detail {
            $($(#[$doc])*
            #[must_use]
            pub fn $method(&self) -> Option<$type> {
                let name = concat!("google.rpc.", stringify!($type));
                match &self.content {
                    _ if self.len() > LONGEST_TYPED => None,
                    Content::Json(_) => self.decode(name),
                    #[cfg(feature = "grpc")]
                    Content::Proto(_) => self.decode_message::<tonic_types::pb::$type>(name).map(Into::into),
                    #[cfg(not(feature = "grpc"))]
                    Content::Proto(_) => None,
                }
            })*
        }
    };
}

typed! {
    /// Returns the reason as a constant for programs, if this is an [`ErrorInfo`].
    error_info => ErrorInfo,
    /// Returns when to try again, if this is a [`RetryInfo`].
    retry_info => RetryInfo,
    /// Returns the exceeded quotas, if this is a [`QuotaFailure`].
    quota_failure => QuotaFailure,
    /// Returns the fields that were wrong, if this is a [`BadRequest`].
    bad_request => BadRequest,
    /// Returns the preconditions that failed, if this is a [`PreconditionFailure`].
    precondition_failure => PreconditionFailure,
    /// Returns the resource that the error is about, if this is a [`ResourceInfo`].
    resource_info => ResourceInfo,
    /// Returns what identifies the request, if this is a [`RequestInfo`].
    request_info => RequestInfo,
    /// Returns links to more information, if this is a [`Help`].
    help => Help,
    /// Returns a message for people, if this is a [`LocalizedMessage`].
    localized_message => LocalizedMessage,
    /// Returns a stack trace, if this is a [`DebugInfo`].
    debug_info => DebugInfo,
}

/// The typed accessors of this type return `None` for a detail that is of another type, does not
/// decode, or is longer than 256 KiB: a hostile list of empty entries takes a hundred times its
/// length once it is decoded. [`json`](Self::json), [`message`](Self::message) and
/// [`decode`](Self::decode) have no such limit.
impl Detail {
    /// Creates a detail of this type from JSON text.
    #[must_use]
    pub fn new(type_url: impl Into<String>, json: Box<RawValue>) -> Self {
        Self { type_url: type_url.into(), content: Content::Json(json) }
    }

    /// Creates a detail of this type from an encoded protobuf message, the `value` of a
    /// `google.protobuf.Any`.
    #[must_use]
    pub fn from_message(type_url: impl Into<String>, message: impl Into<Bytes>) -> Self {
        Self { type_url: type_url.into(), content: Content::Proto(message.into()) }
    }

    /// Returns the detail as a token stores it, without secrets in its texts, and how many bytes of
    /// the token it takes. `None` if those are more than `most`, and for a message in protobuf that
    /// has secrets: its text cannot be changed without its schema.
    pub(crate) fn stored(&self, most: usize) -> Option<(Self, usize)> {
        let content = match &self.content {
            _ if self.json().len().max(self.message().len()).max(self.type_url.len()) > most => return None,
            // A secret ends with its string at the latest, so that the text stays JSON.
            Content::Json(json) => match stored_text(json.get()) {
                Cow::Borrowed(_) => Content::Json(json.clone()),
                Cow::Owned(text) => Content::Json(RawValue::from_string(text).ok()?),
            },
            Content::Proto(message) => {
                let text = String::from_utf8_lossy(message);
                if stored_text(&text) != text {
                    return None;
                }
                Content::Proto(message.clone())
            }
        };
        let detail = Self { type_url: stored_text(&self.type_url).into_owned(), content };
        let length = serde_json::to_vec(&detail).ok()?.len() + 1;
        (length <= most).then_some((detail, length))
    }

    /// Creates a detail from one element of a JSON array. Accepts any element: one without an
    /// `@type` has an empty type URL.
    pub(crate) fn from_json(element: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Typed {
            #[serde(rename = "@type")]
            type_url: String,
        }
        let type_url = serde_json::from_str::<Typed>(element.get()).map(|typed| typed.type_url).unwrap_or_default();
        Self::new(type_url, element.to_owned())
    }

    /// Returns the type URL, such as `type.googleapis.com/google.rpc.ErrorInfo`. Empty if the
    /// detail has none.
    #[must_use]
    pub fn type_url(&self) -> &str {
        &self.type_url
    }

    /// Returns the JSON text of the detail, as received. Empty if the detail came as protobuf.
    #[must_use]
    pub fn json(&self) -> &str {
        match &self.content {
            Content::Json(json) => json.get(),
            Content::Proto(_) => "",
        }
    }

    /// Returns the encoded protobuf message of the detail, as received. Empty if the detail came as
    /// JSON.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        match &self.content {
            Content::Json(_) => &[],
            Content::Proto(message) => message,
        }
    }

    /// Decodes the detail as a type of the caller's. Returns `None` if it did not come as JSON, is
    /// not of the message type `type_name`, or does not decode.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(&self, type_name: &str) -> Option<T> {
        match &self.content {
            Content::Json(json) if self.is(type_name) => serde_json::from_str(json.get()).ok(),
            _ => None,
        }
    }

    /// Decodes the detail as a message type of the caller's. Returns `None` if it did not come as
    /// protobuf, is not of the message type `type_name`, or does not decode.
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    #[must_use]
    pub fn decode_message<T: prost::Message + Default>(&self, type_name: &str) -> Option<T> {
        match &self.content {
            Content::Proto(message) if self.is(type_name) => T::decode(&**message).ok(),
            _ => None,
        }
    }

    /// Returns how many bytes the content has, in JSON or protobuf.
    fn len(&self) -> usize {
        match &self.content {
            Content::Json(json) => json.get().len(),
            Content::Proto(message) => message.len(),
        }
    }

    // Only the part after the last `/` is the type; the host before it varies.
    fn is(&self, type_name: &str) -> bool {
        self.type_url.rsplit('/').next() == Some(type_name)
    }
}

/// The reason for an error, as a constant for programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct ErrorInfo {
    /// The reason, such as `API_DISABLED`. Unique within the domain.
    pub reason: String,
    /// The service that defines the reason, such as `pubsub.googleapis.com`.
    pub domain: String,
    /// More about the error, by key.
    #[serde(alias = "metadatas")] // Compute's spelling
    pub metadata: BTreeMap<String, String>,
}

/// When to try again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct RetryInfo {
    /// The shortest time to wait before the next attempt.
    #[serde(with = "duration::proto")]
    pub retry_delay: Option<Duration>,
}

/// Which quotas were exceeded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct QuotaFailure {
    /// The exceeded quotas.
    pub violations: Vec<QuotaViolation>,
}

/// One exceeded quota.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct QuotaViolation {
    /// The subject that the quota is counted for, such as `project:my-project`.
    pub subject: String,
    /// How the quota was exceeded.
    pub description: String,
    /// The service that counts the quota, such as `compute.googleapis.com`.
    pub api_service: String,
    /// The metric that is counted, such as `compute.googleapis.com/cpus`.
    pub quota_metric: String,
    /// The id of the limit, such as `CPUS-per-project-region`.
    pub quota_id: String,
    /// The dimensions that the quota is counted for, such as `region`, and their values.
    pub quota_dimensions: BTreeMap<String, String>,
    /// The limit that applied.
    #[serde(with = "int64")]
    pub quota_value: Option<i64>,
    /// The new limit, while one is being rolled out.
    #[serde(with = "int64")]
    pub future_quota_value: Option<i64>,
}

/// Which fields of a request were wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct BadRequest {
    /// The wrong fields.
    pub field_violations: Vec<FieldViolation>,
}

/// One wrong field of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct FieldViolation {
    /// The path to the field.
    pub field: String,
    /// What is wrong with the field.
    pub description: String,
    /// What is wrong with the field, as a constant for programs.
    pub reason: String,
    /// What is wrong with the field, for end users.
    pub localized_message: Option<LocalizedMessage>,
}

/// Which preconditions failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct PreconditionFailure {
    /// The failed preconditions.
    pub violations: Vec<PreconditionViolation>,
}

/// One failed precondition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct PreconditionViolation {
    /// The kind of precondition, such as `TOS`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The subject that failed the precondition.
    pub subject: String,
    /// How the subject failed the precondition.
    pub description: String,
}

/// The resource that an error is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceInfo {
    /// The type of the resource.
    pub resource_type: String,
    /// The name of the resource.
    pub resource_name: String,
    /// The owner of the resource.
    pub owner: String,
    /// What went wrong with the resource.
    pub description: String,
}

/// What identifies the request in the service's logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct RequestInfo {
    /// The id of the request; opaque.
    pub request_id: String,
    /// Other data that the service asks for in a report of the problem.
    pub serving_data: String,
}

/// Links to more information about an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Help {
    /// Pages about this error.
    pub links: Vec<HelpLink>,
}

/// One link of a [`Help`] detail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct HelpLink {
    /// What the page is about.
    pub description: String,
    /// The URL of the page.
    pub url: String,
}

/// An error message that may be shown to end users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct LocalizedMessage {
    /// The language of the message ([BCP 47](https://www.rfc-editor.org/info/bcp47)), such as
    /// `fr-CH`.
    pub locale: String,
    /// The message in that language.
    pub message: String,
}

/// A stack trace of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct DebugInfo {
    /// The entries of the stack trace, innermost first.
    pub stack_entries: Vec<String>,
    /// More about the error, in words.
    pub detail: String,
}

/// The JSON form of a protobuf `int64`: written as a string, because a JavaScript number cannot
/// hold 64 bits; read from a string or a number.
mod int64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Text(String),
    }

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub(super) fn serialize<S: Serializer>(value: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        match Option::<Written>::deserialize(deserializer)? {
            None => Ok(None),
            Some(Written::Number(number)) => Ok(Some(number)),
            Some(Written::Text(text)) => text.parse().map(Some).map_err(D::Error::custom),
        }
    }
}
