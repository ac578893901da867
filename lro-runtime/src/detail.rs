//! Typed error details ([`google/rpc/error_details.proto`](https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto)).

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{human, text::excerpt};

/// One detail of a [`Status`](crate::Status): typed on demand, always kept as it was received.
#[derive(Clone, Serialize, Deserialize)]
pub struct Detail {
    #[serde(rename = "type")]
    type_url: String,
    json: Box<RawValue>,
}

impl PartialEq for Detail {
    fn eq(&self, other: &Self) -> bool {
        self.type_url == other.type_url && self.json.get() == other.json.get()
    }
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Detail({})", excerpt(self.json.get().as_bytes()))
    }
}

macro_rules! typed {
    ($($(#[$doc:meta])* $method:ident => $type:ident),* $(,)?) => {
        impl Detail {
            $($(#[$doc])*
            #[must_use]
            pub fn $method(&self) -> Option<$type> {
                self.decode(concat!("google.rpc.", stringify!($type)))
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
        Self { type_url: type_url.into(), json }
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

    /// The detail as JSON text, as received.
    #[must_use]
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// The detail as a type of yours, if it is of the message type `type_name` and decodes.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(&self, type_name: &str) -> Option<T> {
        let name = self.type_url.rsplit('/').next()?;
        (name == type_name).then(|| serde_json::from_str(self.json.get()).ok()).flatten()
    }
}

/// Why a request failed, as a constant for programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ErrorInfo {
    /// The reason, such as `API_DISABLED`; unique within the domain.
    pub reason: String,
    /// The service that gives the reason, such as `pubsub.googleapis.com`.
    pub domain: String,
    /// More, by key.
    pub metadata: BTreeMap<String, String>,
}

/// When to try again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RetryInfo {
    /// How long to wait at least.
    #[serde(with = "human::proto")]
    pub retry_delay: Option<Duration>,
}

/// Which quotas were exceeded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct QuotaFailure {
    /// Every one of them.
    pub violations: Vec<QuotaViolation>,
}

/// One exceeded quota.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct QuotaViolation {
    /// What the quota is counted for, such as `project:my-project`.
    pub subject: String,
    /// How it was exceeded.
    pub description: String,
}

/// Which fields of a request were wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BadRequest {
    /// Every one of them.
    pub field_violations: Vec<FieldViolation>,
}

/// One wrong field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FieldViolation {
    /// The path to the field.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
    /// The same as a constant for programs.
    pub reason: String,
}

/// Which preconditions failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PreconditionFailure {
    /// Every one of them.
    pub violations: Vec<PreconditionViolation>,
}

/// One failed precondition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
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
pub struct RequestInfo {
    /// An opaque id.
    pub request_id: String,
    /// Anything the service wants back in a report.
    pub serving_data: String,
}

/// Where to read more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Help {
    /// Pages about this error.
    pub links: Vec<HelpLink>,
}

/// One page to read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HelpLink {
    /// What the page is about.
    pub description: String,
    /// Its address.
    pub url: String,
}

/// A message that may be shown to people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LocalizedMessage {
    /// The language ([BCP 47](https://www.rfc-editor.org/info/bcp47)), such as `fr-CH`.
    pub locale: String,
    /// The message in it.
    pub message: String,
}

/// A stack trace of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DebugInfo {
    /// Innermost first.
    pub stack_entries: Vec<String>,
    /// More, in words.
    pub detail: String,
}
