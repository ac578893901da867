//! Cursors: where the next poll goes, which is all that a resume needs.

use std::{borrow::Cow, fmt, sync::Arc};

use http::HeaderMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    secrets::{of_caller, without_secrets},
    status::{Cause, Failure},
    text::{cut, kept, quoted_name, quoted_part},
};

/// Where the next poll goes: a name or a URL (the key), and named parts with whatever else the
/// dialect needs to build the poll.
///
/// A token stores the cursor, so a cursor must contain all that a resume needs. What of the query
/// of a URL in it is stored depends on where it is from:
///
/// - The server: all but known secrets, because the URL must be asked for again as it was given.
/// - The caller, as the URL of the start call: only what is known to be harmless, such as
///   `api-version`. Such a URL is set by [`at_own`](Self::at_own) and [`with_own`](Self::with_own).
///
/// Headers are not stored. The token says [which parameters it left
/// out](crate::Token::left_out).
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Stored<'static>")]
pub struct Cursor {
    /// Shared with the snapshot, whose name it mostly is.
    key: Arc<str>,
    /// Whether the caller wrote the key. Not in a token, whose values have nothing left in them
    /// that would have to be left out.
    key_is_own: bool,
    /// Boxed, because most cursors are a name alone, and a program may hold a hundred thousand.
    rest: Option<Box<Rest>>,
}

/// What a cursor may have beside its key.
#[derive(Clone, Default)]
struct Rest {
    parts: Vec<(Cow<'static, str>, String)>,
    /// Not in a token: header values may be secrets, and a token is read by another process, whose
    /// client has headers of its own.
    headers: Option<Arc<HeaderMap>>,
    /// Why nothing is sent to this place, if the dialect refused it. A token keeps it: a resume
    /// must not poll what the start refused.
    refused: Option<Refusal>,
    /// The names of the parts that the caller wrote. Not in a token, as above.
    own: Vec<Cow<'static, str>>,
    /// The names of the parts that no poll needs.
    spare: &'static [&'static str],
    /// The spare parts that a token had no room for, and how many bytes they took.
    left_out: Vec<(Cow<'static, str>, usize)>,
}

/// What a cursor without anything but its key has beside it.
static NOTHING: Rest =
    Rest { parts: Vec::new(), headers: None, refused: None, own: Vec::new(), spare: &[], left_out: Vec::new() };

/// A cursor as a token has it.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    key: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    parts: Cow<'a, [(Cow<'static, str>, String)]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Cow<'a, Refusal>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    left_out: Cow<'a, [(Cow<'static, str>, usize)]>,
}

/// How many bytes of a token one name or URL may take, as it is written there.
const LONGEST_VALUE: usize = 16 * 1024;

/// How many bytes of a token a whole cursor may take.
const LONGEST: usize = 24 * 1024;

/// How much of a name that is too long is kept, to be known again.
const CUT: usize = 256;

/// Why a dialect refused the place that a server named.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Refusal {
    Untrusted(String),
    Protocol(String),
}

impl From<Stored<'_>> for Cursor {
    fn from(stored: Stored<'_>) -> Self {
        let (parts, left_out) = (stored.parts.into_owned(), stored.left_out.into_owned());
        let rest = Rest { parts, refused: stored.refused.map(Cow::into_owned), left_out, ..Rest::default() };
        Self { rest: (rest != NOTHING).then(|| Box::new(rest)), ..Self::new(stored.key) }
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest = self.rest();
        let stored = Stored {
            key: (&*self.key).into(),
            parts: (&*rest.parts).into(),
            refused: rest.refused.as_ref().map(Cow::Borrowed),
            left_out: (&*rest.left_out).into(),
        };
        stored.serialize(serializer)
    }
}

// Without the marks, which say who wrote a value and what it is for: cursors that lead to the same
// place are equal, and one that a token has stored has no marks any more.
impl PartialEq for Rest {
    fn eq(&self, other: &Self) -> bool {
        let Self { parts, headers, refused, left_out, own: _, spare: _ } = self;
        (parts, headers, refused, left_out) == (&other.parts, &other.headers, &other.refused, &other.left_out)
    }
}

impl PartialEq for Cursor {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.rest() == other.rest()
    }
}

impl Eq for Cursor {}

impl Cursor {
    /// Creates a cursor with this name or URL as its key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: Arc::from(key.into()), key_is_own: false, rest: None }
    }

    /// Creates a cursor with this name as its key, shared.
    pub(crate) fn named(key: Arc<str>) -> Self {
        Self { key, key_is_own: false, rest: None }
    }

    /// Whether the cursor is nothing but a name or a URL of the service's.
    pub(crate) fn is_name_alone(&self) -> bool {
        self.rest.is_none() && !self.key_is_own
    }

    fn rest(&self) -> &Rest {
        self.rest.as_deref().unwrap_or(&NOTHING)
    }

    fn rest_mut(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }

    /// Sets the part `name`, replacing an earlier value.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let (name, rest) = (name.into(), self.rest_mut());
        rest.parts.retain(|(known, _)| *known != name);
        rest.own.retain(|known| *known != name);
        rest.left_out.retain(|(known, _)| *known != name);
        rest.parts.push((name, value.into()));
        self
    }

    /// Sets the part `name` to a URL that the caller wrote, such as that of the start call,
    /// replacing an earlier value. Of its query, tokens store only what is known to be harmless.
    ///
    /// ```
    /// use lro_runtime::{
    ///     Failure,
    ///     dialect::{Cursor, url_in},
    ///     transport::{Reply, Request},
    /// };
    ///
    /// fn cursor_of(request: &Request, reply: &Reply) -> Result<Cursor, Failure> {
    ///     let cursor = Cursor::default().with_own("start", request.uri().to_string());
    ///     Ok(match url_in(reply, "location", request.uri())? {
    ///         Some(url) => cursor.at(url),
    ///         None => cursor.at_own(request.uri().to_string()),
    ///     })
    /// }
    /// # let mut request = Request::default();
    /// # *request.uri_mut() = "https://images.example.com/x?pin=hunter2".parse().unwrap();
    /// # let cursor = cursor_of(&request, &Reply::default())?;
    /// # assert!(!format!("{cursor:?}").contains("hunter2") && cursor.key().contains("hunter2"));
    /// # Ok::<(), Failure>(())
    /// ```
    #[must_use]
    pub fn with_own(self, name: impl Into<Cow<'static, str>>, url: impl Into<String>) -> Self {
        let name = name.into();
        let mut cursor = self.with(name.clone(), url);
        cursor.rest_mut().own.push(name);
        cursor
    }

    /// Sets the headers that every poll repeats, such as
    /// [`repeated_headers`](crate::dialect::repeated_headers). Default: none.
    ///
    /// They stay in this process: a token does not contain them.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        if !headers.is_empty() || self.rest.is_some() {
            self.rest_mut().headers = (!headers.is_empty()).then(|| Arc::new(headers));
        }
        self
    }

    /// Sets another name or URL as the key, and keeps the parts and the headers. The new place is
    /// not [`refused`](Self::refused).
    ///
    /// A URL with the very query of a key that the [caller wrote](Self::at_own) is taken for the
    /// caller's as well: a reference of a server may have neither path nor query, and then has the
    /// caller's (RFC 3986, 5.2.2).
    #[must_use]
    pub fn at(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        let query = |url: &str| url.split_once('?').map(|(_, query)| query.to_owned());
        self.key_is_own = self.key_is_own && query(&self.key) == query(&key);
        self.key = Arc::from(key);
        if let Some(rest) = &mut self.rest {
            rest.refused = None;
        }
        self
    }

    /// As [`at`](Self::at), with a URL that the caller wrote, such as that of the start call. Of
    /// its query, tokens store only what is known to be harmless.
    #[must_use]
    pub fn at_own(self, key: impl Into<String>) -> Self {
        let mut cursor = self.at(key);
        cursor.key_is_own = true;
        cursor
    }

    /// Whether the caller wrote the key.
    pub(crate) fn is_own(&self) -> bool {
        self.key_is_own
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
        self.rest_mut().refused = Some(match why.cause() {
            Cause::Untrusted(message) => Refusal::Untrusted(message.clone()),
            _ => Refusal::Protocol(why.to_string()),
        });
        self
    }

    /// Returns why nothing is sent to this place; `None` for a cursor that was not
    /// [`refused`](Self::refused).
    #[must_use]
    pub fn refusal(&self) -> Option<Failure> {
        self.rest().refused.as_ref().map(|refused| match refused {
            Refusal::Untrusted(message) => Failure::untrusted(message),
            Refusal::Protocol(message) => Failure::protocol(message),
        })
    }

    /// Returns the key: the name or URL.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the key, shared.
    pub(crate) fn shared_key(&self) -> &Arc<str> {
        &self.key
    }

    /// Returns the value of the part `name`, or `None` if there is no such part.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&str> {
        self.rest().parts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Says that no poll needs the parts with these names, and only a later reply may make one
    /// needed. A token that has no room for such a part is written without it.
    pub(crate) fn with_spare(mut self, names: &'static [&'static str]) -> Self {
        self.rest_mut().spare = names;
        self
    }

    /// Returns why the part `name` is missing, if a token had no room for it.
    pub(crate) fn why_missing(&self, name: &str) -> Option<Failure> {
        let (name, length) = self.rest().left_out.iter().find(|(known, _)| known == name)?;
        Some(Failure::protocol(format!("`{name}` is {length} bytes long, and the token had no room for it")))
    }

    /// Returns the names of the parts that a token had no room for.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = &str> {
        self.rest().left_out.iter().map(|(name, _)| &**name)
    }

    /// Returns a copy of the headers that every poll repeats; empty if there are none.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        self.rest().headers.as_deref().cloned().unwrap_or_default()
    }

    /// Returns the cursor as a token stores it: without headers, without what of each value is not
    /// stored, and within a limit. The names of the parameters that are not stored are added to
    /// `left_out`. The refusal, which is a sentence, loses the secrets of URLs in it.
    pub(crate) fn stored(mut self, left_out: &mut Vec<String>) -> Self {
        let mut clean =
            |value: &str, is_own| if is_own { of_caller(value, left_out) } else { without_secrets(value, left_out) };
        self.key = Arc::from(clean(&self.key, std::mem::take(&mut self.key_is_own)));
        if let Some(rest) = self.rest.as_deref_mut() {
            rest.headers = None;
            if let Some(Refusal::Untrusted(why) | Refusal::Protocol(why)) = &mut rest.refused {
                *why = kept(why, 4 * CUT);
            }
            let own = std::mem::take(&mut rest.own);
            for (name, value) in &mut rest.parts {
                *value = clean(value, own.contains(name));
            }
        }
        self.bounded()
    }

    /// Returns the cursor without the spare parts that a token has no room for; or a refused one at
    /// the beginning of its key, if the token has no room for what every poll needs.
    fn bounded(mut self) -> Self {
        while let Some(why) = self.excess() {
            let rest = self.rest_mut();
            let is_spare = |name: &str| rest.spare.contains(&name);
            let longest = rest.parts.iter().filter(|(name, _)| is_spare(name)).max_by_key(|(_, value)| value.len());
            let Some((name, value)) = longest.cloned() else {
                return Self::new(cut(&self.key, CUT)).refused(&Failure::protocol(why));
            };
            rest.parts.retain(|(known, _)| *known != name);
            rest.left_out.push((name, written(&value)));
        }
        self
    }

    /// Returns what a token has no room for, in words; `None` if it has room for the cursor.
    fn excess(&self) -> Option<String> {
        let values = std::iter::once(("the name or URL", &*self.key))
            .chain(self.rest().parts.iter().map(|(_, value)| ("a URL beside the one that is polled", &**value)));
        let mut values = values.map(|(what, value)| (what, written(value)));
        if let Some((what, length)) = values.find(|(_, length)| *length > LONGEST_VALUE) {
            return Some(too_long(what, length, LONGEST_VALUE));
        }
        let length = serde_json::to_vec(self).map_or(usize::MAX, |json| json.len());
        (length > LONGEST).then(|| too_long("what leads to the operation", length, LONGEST))
    }
}

fn too_long(what: &str, length: usize, most: usize) -> String {
    format!("{what} is {length} bytes long, and a token keeps {most} of them")
}

/// Returns the bytes that a value takes in JSON.
fn written(value: &str) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

// By hand, not derived: keys and parts may be URLs with a signature in the query, and header values
// may be credentials. Neither may reach a log.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// How many parts are printed.
        const PARTS: usize = 4;
        let mut out = f.debug_map();
        out.entry(&"key", &quoted_name(&self.key));
        let parts = &self.rest().parts;
        for (name, value) in parts.iter().take(PARTS) {
            out.entry(&quoted_part(name), &quoted_part(value));
        }
        if parts.len() > PARTS {
            return out.finish_non_exhaustive();
        }
        out.finish()
    }
}
