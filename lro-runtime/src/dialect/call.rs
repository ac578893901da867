//! One call that a dialect wants made.

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::{status::Failure, url};

/// One call that a dialect wants made. The client adds its own headers, resolves the target and checks its origin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// A path below the base URL (`v1/operations/7`), or an absolute URL.
    pub target: String,
    /// Headers of this call.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

impl Call {
    /// A call without headers or body.
    #[must_use]
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A `GET`.
    #[must_use]
    pub fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// With these headers besides.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: impl Into<Bytes>) -> Self {
        self.headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        self.body = body.into();
        self
    }
}

/// A name as a path: its slashes separate segments, everything else that could mean something else is encoded.
///
/// A name is opaque, but it must stay below the collection it is put under: `..` segments are refused (encoding does not help, servers
/// undo it), and so are empty ones; `%`, `?`, `#`, `\`, spaces, control characters and non-ASCII are encoded.
///
/// # Errors
///
/// When it would leave its collection.
pub fn encode_name(name: &str) -> Result<String, Failure> {
    Ok(url::encode_name(name)?)
}
