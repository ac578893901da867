//! What one reply said, and where to look next.

use std::{borrow::Cow, fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};

use super::{Encoding, Payload};
use crate::{
    hint::Hint,
    status::{State, Status},
    url::redacted,
};

/// Where to look next: a name, a URL or a structured key, and what else the dialect needs to ask there. All that a resume needs.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    key: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<(Cow<'static, str>, String)>,
    /// Never written down: who resumes from a token is another process, and header values may be secrets.
    #[serde(skip)]
    headers: Option<Arc<HeaderMap>>,
}

impl Cursor {
    /// A cursor at this name or URL.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), parts: Vec::new(), headers: None }
    }

    /// With the part `name`, which replaces one of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.parts.retain(|(known, _)| *known != name);
        self.parts.push((name, value.into()));
        self
    }

    /// With headers that every look repeats, such as [`repeated_headers`](crate::dialect::repeated_headers). They stay in this process: a token does not
    /// hold them.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = (!headers.is_empty()).then(|| Arc::new(headers));
        self
    }

    /// The same parts at another name or URL.
    #[must_use]
    pub fn at(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// The name or URL.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The part `name`.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The headers that every look repeats.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        self.headers.as_deref().cloned().unwrap_or_default()
    }

    /// The cursor fit to be stored: without headers, and every value made so by `clean`.
    pub(crate) fn stored(mut self, clean: impl Fn(&str) -> String) -> Self {
        self.headers = None;
        std::iter::once(&mut self.key)
            .chain(self.parts.iter_mut().map(|(_, value)| value))
            .for_each(|value| *value = clean(value));
        self
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_map();
        out.entry(&"key", &redacted(&self.key));
        for (name, value) in &self.parts {
            out.entry(name, &redacted(value));
        }
        out.finish()
    }
}

/// One call that a dialect wants made. The client adds its own headers, resolves the target and checks its origin.
#[derive(Clone, Debug)]
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

/// What one reply said: a borrowed reading of it, in which nothing is decoded yet.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// The state it shows.
    pub state: State,
    /// The operation's name, if the reply has one.
    pub name: Option<Cow<'a, str>>,
    /// The status word as the server wrote it, where the dialect has words.
    pub raw_status: Option<Cow<'a, str>>,
    /// Whether the dialect knows that word.
    pub is_known_status: bool,
    /// The metadata.
    pub metadata: Option<Part<'a>>,
    /// The response, where the state is [`State::Succeeded`].
    pub response: Option<Part<'a>>,
    /// Why, where the state is [`State::Failed`] or [`State::Cancelled`].
    pub status: Option<Status>,
    /// The fraction done, 0 to 1, where the dialect itself has one.
    pub progress: Option<f64>,
    /// When the server wants to be asked again.
    pub hint: Option<Hint>,
    /// Where to look next; where it was, if none.
    pub cursor: Option<Cursor>,
    /// Whether to look there at once: the monitor is done, the result is elsewhere.
    pub follow: bool,
}

impl Observation<'_> {
    /// An observation of `state` and nothing else.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            name: None,
            raw_status: None,
            is_known_status: true,
            metadata: None,
            response: None,
            status: None,
            progress: None,
            hint: None,
            cursor: None,
            follow: false,
        }
    }
}

/// A part of a reply that is a payload. Parts of the body are borrowed and never copied.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// The bytes.
    pub bytes: Cow<'a, [u8]>,
    /// How they are written.
    pub encoding: Encoding,
}

impl<'a> Part<'a> {
    /// A part of the body.
    #[must_use]
    pub fn of(bytes: &'a [u8], encoding: Encoding) -> Self {
        Self { bytes: Cow::Borrowed(bytes), encoding }
    }

    /// A part that the dialect made.
    #[must_use]
    pub fn made(bytes: Vec<u8>, encoding: Encoding) -> Self {
        Self { bytes: Cow::Owned(bytes), encoding }
    }

    /// The part as a payload.
    #[must_use]
    pub fn payload(&self) -> Payload<'_> {
        Payload::new(&self.bytes, self.encoding)
    }
}
