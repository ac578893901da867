//! Converts protobuf details of tonic-types into the library's own types, which details in JSON use
//! too.

use std::time::Duration;

use tonic_types::pb;

use super::{
    BadRequest, DebugInfo, ErrorInfo, FieldViolation, Help, HelpLink, LocalizedMessage, PreconditionFailure,
    PreconditionViolation, QuotaFailure, QuotaViolation, RequestInfo, ResourceInfo, RetryInfo,
};

/// Implements `From` for messages whose fields have the same names on both sides. Fields before the
/// `;` are moved, lists after it are converted element by element.
macro_rules! same {
    ($($message:path => $type:ident { $($field:ident),* $(; $($list:ident),*)? })*) => {$(
        impl From<$message> for $type {
            fn from(message: $message) -> Self {
                Self {
                    $($field: message.$field,)*
                    $($($list: message.$list.into_iter().map(Into::into).collect(),)*)?
                }
            }
        }
    )*};
}

same! {
    pb::ErrorInfo => ErrorInfo { reason, domain; metadata }
    pb::QuotaFailure => QuotaFailure { ; violations }
    pb::BadRequest => BadRequest { ; field_violations }
    pb::PreconditionFailure => PreconditionFailure { ; violations }
    pb::ResourceInfo => ResourceInfo { resource_type, resource_name, owner, description }
    pb::RequestInfo => RequestInfo { request_id, serving_data }
    pb::Help => Help { ; links }
    pb::help::Link => HelpLink { description, url }
    pb::LocalizedMessage => LocalizedMessage { locale, message }
    pb::DebugInfo => DebugInfo { stack_entries, detail }
}

impl From<pb::RetryInfo> for RetryInfo {
    fn from(message: pb::RetryInfo) -> Self {
        Self { retry_delay: message.retry_delay.map(|delay| not_negative(&delay)) }
    }
}

/// Converts a delay; a negative one becomes zero. By hand, because `TryFrom` of prost-types panics
/// on the most negative durations, and a service sends this value.
fn not_negative(delay: &prost_types::Duration) -> Duration {
    match (u64::try_from(delay.seconds), u32::try_from(delay.nanos)) {
        (Ok(seconds), Ok(nanos)) => Duration::new(seconds, nanos.min(999_999_999)),
        _ => Duration::ZERO,
    }
}

impl From<pb::quota_failure::Violation> for QuotaViolation {
    fn from(message: pb::quota_failure::Violation) -> Self {
        Self {
            subject: message.subject,
            description: message.description,
            api_service: message.api_service,
            quota_metric: message.quota_metric,
            quota_id: message.quota_id,
            quota_dimensions: message.quota_dimensions.into_iter().collect(),
            // Not an optional field: zero and absent look the same here. `None`, as for an absent
            // member in JSON.
            quota_value: Some(message.quota_value).filter(|value| *value != 0),
            future_quota_value: message.future_quota_value,
        }
    }
}

impl From<pb::bad_request::FieldViolation> for FieldViolation {
    fn from(message: pb::bad_request::FieldViolation) -> Self {
        Self {
            field: message.field,
            description: message.description,
            reason: message.reason,
            localized_message: message.localized_message.map(Into::into),
        }
    }
}

impl From<pb::precondition_failure::Violation> for PreconditionViolation {
    fn from(message: pb::precondition_failure::Violation) -> Self {
        Self { kind: message.r#type, subject: message.subject, description: message.description }
    }
}
