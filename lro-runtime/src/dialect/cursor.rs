//! Where the next poll goes: what a resume needs.

use std::{borrow::Cow, fmt, sync::Arc};

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::url::redacted;

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
