//! Cursors: where the next poll goes, which is all that a resume needs.

use std::{borrow::Cow, fmt, sync::Arc};

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{
    secrets::hidden,
    status::{Cause, Failure},
    url::redacted,
};

/// Where the next poll goes: a name or a URL (the key), and named parts with whatever else the
/// dialect needs to build the poll.
///
/// A token stores the cursor, so a cursor must contain all that a resume needs. Header values are
/// left out of the token; so are query parameters of URLs that may be secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    key: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<(Cow<'static, str>, String)>,
    /// Never serialised: header values may be secrets, and a token is read by another process,
    /// whose client has headers of its own.
    #[serde(skip)]
    headers: Option<Arc<HeaderMap>>,
    /// Why nothing is sent to this place, if the dialect refused it. A token keeps it: a resume
    /// must not poll what the start refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Refusal>,
}

/// Why a dialect refused the place that a server named.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Refusal {
    Untrusted(String),
    Protocol(String),
}

impl Cursor {
    /// Creates a cursor with this name or URL as its key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), parts: Vec::new(), headers: None, refused: None }
    }

    /// Sets the part `name`, replacing an earlier value.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.parts.retain(|(known, _)| *known != name);
        self.parts.push((name, value.into()));
        self
    }

    /// Sets the headers that every poll repeats, such as
    /// [`repeated_headers`](crate::dialect::repeated_headers). Default: none.
    ///
    /// They stay in this process: a token does not contain them.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = (!headers.is_empty()).then(|| Arc::new(headers));
        self
    }

    /// Sets another name or URL as the key, and keeps the parts and the headers. The new place is
    /// not [`refused`](Self::refused).
    #[must_use]
    pub fn at(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self.refused = None;
        self
    }

    /// Makes every call with this cursor fail with `why`, before anything is sent.
    ///
    /// For a service that has accepted the start call and named a place that cannot be read, such
    /// as `http:x`. A failed start would be wrong, because the operation runs. With this cursor the
    /// caller gets the operation, with its name and its token, and its polls fail.
    ///
    /// A place that can be read needs no such care: the client itself refuses a URL that is not
    /// trusted, and a name that [`Dialect::poll`](crate::Dialect::poll) fails for.
    ///
    /// ```
    /// use lro_runtime::{Failure, dialect::Cursor};
    ///
    /// let cursor = Cursor::new("http:x").refused(&Failure::protocol("`http:x` is not a URL"));
    /// assert_eq!(cursor.refusal().map(|why| why.to_string()).as_deref(), Some("`http:x` is not a URL"));
    /// ```
    #[must_use]
    pub fn refused(mut self, why: &Failure) -> Self {
        self.refused = Some(match why.cause() {
            Cause::Untrusted(message) => Refusal::Untrusted(message.clone()),
            _ => Refusal::Protocol(why.to_string()),
        });
        self
    }

    /// Returns why nothing is sent to this place; `None` for a cursor that was not
    /// [`refused`](Self::refused).
    #[must_use]
    pub fn refusal(&self) -> Option<Failure> {
        self.refused.as_ref().map(|refused| match refused {
            Refusal::Untrusted(message) => Failure::untrusted(message),
            Refusal::Protocol(message) => Failure::protocol(message),
        })
    }

    /// Returns the key: the name or URL.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value of the part `name`, or `None` if there is no such part.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns a copy of the headers that every poll repeats; empty if there are none.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        self.headers.as_deref().cloned().unwrap_or_default()
    }

    /// Returns the cursor as a token stores it: without headers, and with `clean` applied to every
    /// value. The refusal, which is a sentence, loses the secrets of URLs in it.
    pub(crate) fn stored(mut self, clean: impl Fn(&str) -> String) -> Self {
        self.headers = None;
        if let Some(Refusal::Untrusted(why) | Refusal::Protocol(why)) = &mut self.refused {
            *why = hidden(why).into_owned();
        }
        std::iter::once(&mut self.key)
            .chain(self.parts.iter_mut().map(|(_, value)| value))
            .for_each(|value| *value = clean(value));
        self
    }
}

// By hand, not derived: keys and parts may be URLs with a signature in the query, and header values
// may be credentials. Neither may reach a log.
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
