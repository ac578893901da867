//! A start call written down: everything that is needed to send the very same request again after a
//! crash, and no secret.
//!
//! What the client adds to every request is not written down, because the client adds it again: its
//! base URL, headers, query, credentials and cookies.

use std::{fmt, str, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::{
    Operations,
    call::{CheckedCall, name_of},
    path_template,
};
use crate::{
    dialect::Call,
    error::{Error, ErrorKind, Result},
    operation::{Method, RawOperation},
    secrets::{has_secrets, is_secret_header, without_secrets},
    text::{excerpt, quoted_name},
    transport::BoxFuture,
};

/// How many bytes a start call has at most that is written down: its target, headers and body.
const MOST: usize = 1 << 20;

/// A start call that can be sent again: see [`Operations::start_again`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartRecord {
    http_method: String,
    /// As the checked call has it: a path below the base URL, or a whole URL; with its query.
    target: String,
    /// In their order, and one that has several values once for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, Content)>,
    /// The names of those that dialects repeat on polls, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    by_caller: Vec<String>,
    #[serde(default, skip_serializing_if = "Content::is_empty")]
    body: Content,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_id: Option<String>,
    /// The time limit of one attempt.
    timeout: Duration,
    /// The name of the annotated method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
}

/// Bytes, written as text where they are text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Content {
    Text(String),
    Base64(String),
}

/// Why a start call is not written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NotKept {
    /// This part of it has a secret, or may be one.
    Secret(String),
    /// It has so many bytes.
    TooLarge(usize),
}

impl StartRecord {
    /// Writes down a start call of `method`. The error says why it is not: what is known to be a
    /// secret is never stored, and without it the request would be another one.
    pub(crate) fn of(checked: &CheckedCall, method: Option<&'static Method>) -> Result<Self, NotKept> {
        let CheckedCall { call, by_caller, start_id, timeout } = checked;
        let of_headers: usize = call.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let size = call.target.len() + of_headers + call.body.len();
        if size > MOST {
            return Err(NotKept::TooLarge(size));
        }
        if let Some(part) = secret_part(call, by_caller) {
            return Err(NotKept::Secret(part));
        }
        let header = |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), Content::of(value.as_bytes()));
        Ok(Self {
            http_method: call.method.to_string(),
            target: call.target.clone(),
            headers: call.headers.iter().map(header).collect(),
            by_caller: by_caller.keys().map(HeaderName::to_string).collect(),
            body: Content::of(&call.body),
            start_id: start_id.as_deref().map(str::to_owned),
            timeout: *timeout,
            method: method.map(|method| method.name().to_owned()),
        })
    }

    /// Returns the start id, by which the service can tell that a repeated call is one start.
    pub(crate) fn start_id(&self) -> Option<&str> {
        self.start_id.as_deref()
    }

    /// Returns the name of the annotated method whose call it is.
    pub(crate) fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// Reads the call. The error says what is wrong with the record, which may have been written by
    /// another version.
    fn checked(&self) -> Result<CheckedCall, String> {
        let not_a = |what: &str, found: &str| format!("`{}` is not {what}", excerpt(found.as_bytes()));
        let http_method = self.http_method.parse().map_err(|_| not_a("an HTTP method", &self.http_method))?;
        path_template::check(&self.target)?;
        if self.timeout.is_zero() {
            return Err("its time limit is zero".to_owned());
        }
        let mut call = Call::new(http_method, self.target.clone());
        for (name, value) in &self.headers {
            let legal: HeaderName = name.parse().map_err(|_| not_a("a header name", name))?;
            // The error does not show the value, as everywhere.
            let value = value.bytes().and_then(|value| HeaderValue::from_maybe_shared(value).ok());
            call.headers.append(legal, value.ok_or_else(|| format!("the value of its header `{name}` is not legal"))?);
        }
        let mut by_caller = HeaderMap::new();
        for name in &self.by_caller {
            let legal: HeaderName = name.parse().map_err(|_| not_a("a header name", name))?;
            for value in call.headers.get_all(&legal) {
                by_caller.append(legal.clone(), value.clone());
            }
        }
        call.body = self.body.bytes().ok_or("its body is not base64")?;
        let start_id = self.start_id.as_deref().map(Arc::from);
        Ok(CheckedCall { call, by_caller, start_id, timeout: self.timeout })
    }
}

/// Names a part of a call that has a secret, or may be one.
///
/// What the library has put into the call itself is none: it is not among the headers by the
/// caller.
fn secret_part(call: &Call, by_caller: &HeaderMap) -> Option<String> {
    let mut left_out = Vec::new();
    let target = without_secrets(&call.target, &mut left_out);
    if let Some(name) = left_out.first() {
        return Some(format!("the query parameter `{}`", excerpt(name.as_bytes())));
    }
    if target != call.target {
        return Some("the user info of the URL".to_owned());
    }
    let is_secret = |(name, value): &(&HeaderName, &HeaderValue)| {
        value.is_sensitive() || is_secret_header(name.as_str()) || has_secrets(value.as_bytes())
    };
    if let Some((name, _)) = by_caller.iter().find(is_secret) {
        return Some(format!("the header `{name}`"));
    }
    has_secrets(&call.body).then(|| "the body".to_owned())
}

impl Content {
    fn of(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD_NO_PAD.encode(bytes)),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    /// Returns the bytes; `None` if they are not the base64 that they are to be.
    fn bytes(&self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
            Self::Base64(text) => STANDARD_NO_PAD.decode(text).ok().map(Bytes::from),
        }
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

// Values may be secret although nobody knows it: only what errors show is shown.
impl fmt::Debug for StartRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartRecord")
            .field("http_method", &self.http_method)
            .field("target", &quoted_name(&self.target))
            .field("start_id", &self.start_id)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(part) => write!(f, "{part} of the start call is a secret or has one, which is not stored"),
            Self::TooLarge(size) => write!(f, "the start call has {size} bytes: at most {MOST} are stored"),
        }
    }
}

impl Operations {
    /// Sends a start call again that was written down: the same request with the same start id, as
    /// an operation of `method`, which must be the one that [`StartRecord::method`] names. No
    /// recorder sees it.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and of kind [`Start`](crate::ErrorKind::Start) when the record is
    /// not one of a call. Nothing was sent then.
    pub(crate) fn start_again(
        &self,
        record: &StartRecord,
        method: Option<&'static Method>,
    ) -> BoxFuture<'static, Result<RawOperation>> {
        let client = self.clone();
        // Read now: the future is `'static` and must not borrow the record.
        let call = record.checked();
        Box::pin(async move {
            let call = call.map_err(|why| {
                let name = name_of(method);
                Error::new(ErrorKind::Start, format!("{name} was not sent again: its record cannot be read: {why}"))
            })?;
            client.start_checked(call, method).await
        })
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests;
