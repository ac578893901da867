//! Calls: the request that a dialect asks the client to send.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::{
    status::Failure,
    text::{First, quoted_name},
    url,
};

/// One request that a dialect asks the client to send.
///
/// The client resolves the target, checks its origin, and adds its own headers.
#[derive(Clone)]
#[non_exhaustive]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The target: a path below the client's base URL (`v1/operations/7`), or an absolute URL of a
    /// trusted origin.
    pub target: String,
    /// The headers of this call; they replace the client's headers of the same name.
    pub headers: HeaderMap,
    /// The body; empty if there is none.
    pub body: Bytes,
    /// A query parameter that belongs to the start call and not to the URL, such as
    /// `api-version=1`. The client adds it unless the URL has a parameter of this name, and not for
    /// an origin that gets no credentials.
    pub own_query: Option<String>,
}

impl Call {
    /// Creates a call without headers and without a body.
    #[must_use]
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: HeaderMap::new(), body: Bytes::new(), own_query: None }
    }

    /// Creates a `GET` call.
    #[must_use]
    pub fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// Adds these headers to those of the call; a header of the same name is replaced.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Sets the query parameter of the start call that this call repeats: see
    /// [`own_query`](Self::own_query).
    #[must_use]
    pub fn with_own_query(mut self, pair: impl Into<String>) -> Self {
        self.own_query = Some(pair.into());
        self
    }

    /// Sets a JSON body, and the header `Content-Type: application/json`.
    #[must_use]
    pub fn with_json(mut self, body: impl Into<Bytes>) -> Self {
        self.headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        self.body = body.into();
        self
    }

    /// Whether this call is a `GET` of its target and nothing else.
    pub(crate) fn is_plain_get(&self) -> bool {
        self.method == Method::GET && self.headers.is_empty() && self.body.is_empty() && self.own_query.is_none()
    }
}

// By hand, not derived: the target may have a signature in its query, and headers and the body may
// be credentials.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("target", &quoted_name(&self.target))
            .field(
                "headers",
                &First(&self.headers.keys().map(|name| quoted_name(name.as_str())).collect::<Vec<_>>(), 8),
            )
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// Encodes an operation's name as a path: slashes separate segments, and every byte with another
/// meaning in a URL is percent-encoded.
///
/// A name comes from a server and is opaque, but as part of a path it must not leave its
/// collection. The segments `.` and `..` are refused, because encoding them does not help: servers
/// decode them again; to some of them, a backslash ends a segment, too. Empty segments are refused.
/// `%`, `?`, `#`, `\`, spaces, control characters and non-ASCII are percent-encoded.
///
/// # Errors
///
/// When the name is empty, or has an empty, `.` or `..` segment, with which it could leave its
/// collection.
pub fn encode_name(name: &str) -> Result<String, Failure> {
    Ok(url::encode_name(name)?)
}
