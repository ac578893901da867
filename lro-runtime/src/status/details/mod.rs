//! Typed error details ([`google/rpc/error_details.proto`](https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto)).

use std::{collections::BTreeMap, fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{duration, text::excerpt};

#[cfg(feature = "grpc")]
mod protobuf;

/// One detail of a [`Status`](crate::Status): typed on demand, always kept as it was received, in JSON or in protobuf.
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

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json(one), Self::Json(two)) => one.get() == two.get(),
            (Self::Proto(one), Self::Proto(two)) => one == two,
            _ => false,
        }
    }
}

/// A detail written down.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(rename = "type")]
    type_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
    json: Option<Box<RawValue>>,
    /// In base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proto: Option<String>,
}

/// A detail that is `null` is there all the same.
fn even_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
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

macro_rules! typed {
    ($($(#[$doc:meta])* $method:ident => $type:ident),* $(,)?) => {
        impl Detail {
            $($(#[$doc])*
            #[must_use]
            pub fn $method(&self) -> Option<$type> {
                let name = concat!("google.rpc.", stringify!($type));
                match &self.content {
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
    /// Why, in words for programs, if this is an [`ErrorInfo`].
    error_info => ErrorInfo,
    /// When to try again, if this is a [`RetryInfo`].
    retry_info => RetryInfo,
    /// Which quotas were exceeded, if this is a [`QuotaFailure`].
    quota_failure => QuotaFailure,
    /// Which fields were wrong, if this is a [`BadRequest`].
    bad_request => BadRequest,
    /// Which preconditions failed, if this is a [`PreconditionFailure`].
    precondition_failure => PreconditionFailure,
    /// Which resource was meant, if this is a [`ResourceInfo`].
    resource_info => ResourceInfo,
    /// What identifies the request, if this is a [`RequestInfo`].
    request_info => RequestInfo,
    /// Where to read more, if this is a [`Help`].
    help => Help,
    /// A message for people, if this is a [`LocalizedMessage`].
    localized_message => LocalizedMessage,
    /// A stack trace, if this is a [`DebugInfo`].
    debug_info => DebugInfo,
}

impl Detail {
    /// A detail of this type, from JSON text.
    #[must_use]
    pub fn new(type_url: impl Into<String>, json: Box<RawValue>) -> Self {
        Self { type_url: type_url.into(), content: Content::Json(json) }
    }

    /// A detail of this type, from a protobuf message: the `value` of a `google.protobuf.Any`.
    #[must_use]
    pub fn from_message(type_url: impl Into<String>, message: impl Into<Bytes>) -> Self {
        Self { type_url: type_url.into(), content: Content::Proto(message.into()) }
    }

    /// A detail read from one element of a JSON array, whatever it is.
    pub(crate) fn from_json(element: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Typed {
            #[serde(rename = "@type")]
            type_url: String,
        }
        let type_url = serde_json::from_str::<Typed>(element.get()).map(|typed| typed.type_url).unwrap_or_default();
        Self::new(type_url, element.to_owned())
    }

    /// The type URL, such as `type.googleapis.com/google.rpc.ErrorInfo`; empty if there was none.
    #[must_use]
    pub fn type_url(&self) -> &str {
        &self.type_url
    }

    /// The detail as JSON text, as received; empty if it came as protobuf.
    #[must_use]
    pub fn json(&self) -> &str {
        match &self.content {
            Content::Json(json) => json.get(),
            Content::Proto(_) => "",
        }
    }

    /// The detail as a protobuf message, as received; empty if it came as JSON.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        match &self.content {
            Content::Json(_) => &[],
            Content::Proto(message) => message,
        }
    }

    /// The detail as a type of yours, if it came as JSON, is of the message type `type_name`, and decodes.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(&self, type_name: &str) -> Option<T> {
        match &self.content {
            Content::Json(json) if self.is(type_name) => serde_json::from_str(json.get()).ok(),
            _ => None,
        }
    }

    /// The detail as a message type of yours, if it came as protobuf, is of the message type `type_name`, and decodes.
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    #[must_use]
    pub fn decode_message<T: prost::Message + Default>(&self, type_name: &str) -> Option<T> {
        match &self.content {
            Content::Proto(message) if self.is(type_name) => T::decode(&**message).ok(),
            _ => None,
        }
    }

    fn is(&self, type_name: &str) -> bool {
        self.type_url.rsplit('/').next() == Some(type_name)
    }
}

/// Why a request failed, as a constant for programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct ErrorInfo {
    /// The reason, such as `API_DISABLED`; unique within the domain.
    pub reason: String,
    /// The service that gives the reason, such as `pubsub.googleapis.com`.
    pub domain: String,
    /// More, by key.
    #[serde(alias = "metadatas")] // Compute's spelling
    pub metadata: BTreeMap<String, String>,
}

/// When to try again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct RetryInfo {
    /// How long to wait at least.
    #[serde(with = "duration::proto")]
    pub retry_delay: Option<Duration>,
}

/// Which quotas were exceeded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct QuotaFailure {
    /// Every one of them.
    pub violations: Vec<QuotaViolation>,
}

/// One exceeded quota.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct QuotaViolation {
    /// What the quota is counted for, such as `project:my-project`.
    pub subject: String,
    /// How it was exceeded.
    pub description: String,
    /// The service that counts it, such as `compute.googleapis.com`.
    pub api_service: String,
    /// What is counted, such as `compute.googleapis.com/cpus`.
    pub quota_metric: String,
    /// The limit's own id, such as `CPUS-per-project-region`.
    pub quota_id: String,
    /// For what it is counted, by dimension, such as `region`.
    pub quota_dimensions: BTreeMap<String, String>,
    /// The limit.
    #[serde(with = "int64")]
    pub quota_value: Option<i64>,
    /// The limit that is being rolled out.
    #[serde(with = "int64")]
    pub future_quota_value: Option<i64>,
}

/// Which fields of a request were wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct BadRequest {
    /// Every one of them.
    pub field_violations: Vec<FieldViolation>,
}

/// One wrong field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct FieldViolation {
    /// The path to the field.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
    /// The same as a constant for programs.
    pub reason: String,
    /// The same for people.
    pub localized_message: Option<LocalizedMessage>,
}

/// Which preconditions failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct PreconditionFailure {
    /// Every one of them.
    pub violations: Vec<PreconditionViolation>,
}

/// One failed precondition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct PreconditionViolation {
    /// Its kind, such as `TOS`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What failed it.
    pub subject: String,
    /// How.
    pub description: String,
}

/// Which resource was meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceInfo {
    /// Its type.
    pub resource_type: String,
    /// Its name.
    pub resource_name: String,
    /// Who owns it.
    pub owner: String,
    /// What went wrong with it.
    pub description: String,
}

/// What identifies the request in the service's logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct RequestInfo {
    /// An opaque id.
    pub request_id: String,
    /// Anything the service wants back in a report.
    pub serving_data: String,
}

/// Where to read more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Help {
    /// Pages about this error.
    pub links: Vec<HelpLink>,
}

/// One page to read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct HelpLink {
    /// What the page is about.
    pub description: String,
    /// Its address.
    pub url: String,
}

/// A message that may be shown to people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct LocalizedMessage {
    /// The language ([BCP 47](https://www.rfc-editor.org/info/bcp47)), such as `fr-CH`.
    pub locale: String,
    /// The message in it.
    pub message: String,
}

/// A stack trace of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct DebugInfo {
    /// Innermost first.
    pub stack_entries: Vec<String>,
    /// More, in words.
    pub detail: String,
}

/// `int64` of protobuf in JSON: written as a string, read from a number too.
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
