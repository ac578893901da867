//! Tokens: snapshots in a stored form, their text format, and what an operation can be resumed
//! from.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{left_out::LeftOut, snapshot::Snapshot};
use crate::{
    dialect::Cursor,
    error::{Error, ErrorKind, Result},
    secrets::{of_caller, without_secrets},
    status::{State, Status, details::Detail},
    text::{First, cut, excerpt, kept, quoted_name, reason},
    url::redacted,
};

/// The version of the token format that this library writes, and the newest that it reads.
/// [`Content`] says when it changes.
const VERSION: u32 = 1;

/// The letters that every token begins with, before its version.
const PREFIX: &str = "lro";

/// A snapshot in a stored form: the operation's cursor, its method, and its state. Its text is one
/// URL-safe word.
///
/// A token resumes the operation in another process: `client.resume_export_image(token)`. It is
/// bound to its method, has a version, and has no secrets: no headers, no payloads, and of the
/// queries of URLs only this:
///
/// - Of a URL that the service gave, such as that of a monitor: all but the parameters that are
///   known secrets (`sig`, `code`, `subscription-key`, …), because it must be asked for again.
/// - Of the URL of the start call, which the caller wrote: only what is known to be harmless, such
///   as `api-version` and `filter`. A [waiter](crate::dialect::Waiter) repeats the caller's call,
///   so of its URL only known secrets are left out.
///
/// [`left_out`](Self::left_out) has the names of the others. What a service wants to see on every
/// poll belongs on the client: [`OperationsBuilder::query`](crate::OperationsBuilder::query).
///
/// A token keeps the status of a failed operation, in whose texts `…` stands for known secrets, in
/// queries as in members of JSON. It does not keep the response of one that succeeded; one poll
/// after the resume fetches it again.
///
/// # How long it is
///
/// At most 64 KiB, whatever the service sends: a message is cut at 4 KiB, details are kept while
/// there is room for them ([`details_left_out`](Self::details_left_out) counts the others), and so
/// are URLs that no poll needs, such as the one that Azure's response may be at
/// ([`parts_left_out`](Self::parts_left_out) names the others). A name or a URL over 16 KiB cannot
/// be kept. If it is what is polled, the token has its beginning: what is resumed from it says how
/// the operation stood, and its polls fail and say why. That holds for what the caller wrote, too,
/// such as the URL of a waiter.
///
/// # What a token proves
///
/// Nothing. It is an address with a check against typing errors: it is neither signed nor secret,
/// and everyone can write one for any name. A client that resumes from it polls with its own
/// credentials, on the origins that it trusts. So a token that comes back from outside says which
/// operation is meant, and not that the sender may see it: [`Resume`] says what a web handler does.
///
/// ```
/// use lro_runtime::Operations;
///
/// let operations = Operations::builder("https://images.example.com").build()?;
/// let token = operations.resume("operations/7")?.token();
/// let word = token.to_string();                                   // store this
/// assert_eq!(operations.resume(word.parse::<lro_runtime::Token>()?)?.name(), "operations/7");
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Token {
    content: Content,
}

/// What a token says, as it is encoded.
// Unknown fields are refused, because a reader that ignored one could poll what the writer of the
// token has refused. So from the first release on every change of this form, a new field as well,
// comes with a new version. Until then no token of version 1 is anywhere to be read, and version 1
// may still grow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    /// The name of the method; empty for an untyped operation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) method: String,
    pub(crate) dialect: String,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<Cursor>,
    pub(crate) state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw_status: Option<String>,
    /// The time of the start call in milliseconds since 1970, on the wall clock: an `Instant` means
    /// nothing in another process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started: Option<u64>,
    /// Whether a poll has found the operation: then a `404` means that it is gone, however short
    /// the time since its start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) found: bool,
    /// What of the operation is not in the token.
    #[serde(default, skip_serializing_if = "LeftOut::is_empty")]
    pub(crate) left_out: LeftOut,
}

/// How many bytes of JSON a token has at most. In base64 they are 64 KiB with the prefix and the
/// checksum.
const MOST: usize = 48 * 1024 - 32;

/// How many bytes of a name a token keeps. One that is longer is cut to [`CUT`].
const NAME: usize = 16 * 1024;

/// How much of a name that is too long is kept, to be known again.
const CUT: usize = 256;

/// The longest name of a method, which a resumed operation hands on to its next token.
const METHOD: usize = 1024;

/// How many bytes of a status word a token keeps.
const RAW_STATUS: usize = 256;

/// How many bytes the details of a status take together at most.
const DETAILS: usize = 16 * 1024;

/// The longest word that is read. Tokens are shorter; what comes from outside may not be one.
const LONGEST_WORD: usize = 256 * 1024;

impl Content {
    /// Adds the details of the status while there is room for them, and counts the others.
    fn add_details(&mut self, details: &[Detail]) {
        if details.is_empty() {
            return;
        }
        let taken = serde_json::to_vec(self).map_or(MOST, |json| json.len());
        // A few bytes for the name of the list, and for the count.
        let mut room = MOST.saturating_sub(taken + 64).min(DETAILS);
        let Some(status) = &mut self.status else { return };
        for detail in details {
            match detail.stored(room) {
                Some((detail, length)) => {
                    room -= length;
                    status.push_detail(detail);
                }
                None => self.left_out.details = self.left_out.details.saturating_add(1),
            }
        }
    }
}

impl Token {
    /// Makes the token of a snapshot.
    pub(crate) fn of(snapshot: &Snapshot, method: Option<&str>) -> Self {
        let mut names = Vec::new();
        let cursor = snapshot.place().map(|place| place.cursor().into_owned().stored(&mut names));
        let clean = if snapshot.name_is_own { of_caller } else { without_secrets };
        let name = clean(&snapshot.name, &mut names);
        let mut left_out = snapshot.provenance().left_out.clone();
        left_out.add(names);
        let mut content = Content {
            method: method.unwrap_or_default().to_owned(),
            dialect: snapshot.place().map_or_else(|| snapshot.dialect(), |place| place.dialect().id()).to_owned(),
            name: if cut(&name, NAME) == name { name } else { cut(&name, CUT) },
            cursor,
            state: snapshot.state,
            // Words of the service may have URLs in them.
            status: snapshot.more().status.as_deref().map(Status::stored),
            raw_status: snapshot.more().raw_status.as_deref().map(|word| kept(word, RAW_STATUS)),
            started: snapshot.started.map(|started| started.unix_millis),
            found: snapshot.is_found,
            left_out,
        };
        content.add_details(snapshot.more().status.as_deref().map(Status::details).unwrap_or_default());
        Self { content }
    }

    #[cfg(feature = "fleet")]
    pub(crate) fn from_content(content: Content) -> Self {
        Self { content }
    }

    pub(crate) fn into_content(self) -> Content {
        self.content
    }

    /// Returns the name of the operation.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.content.name
    }

    /// Returns the name of the method that the token is bound to; empty for an untyped operation.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.content.method
    }

    /// Returns the state that the operation had when the token was made.
    #[must_use]
    pub fn state(&self) -> State {
        self.content.state
    }

    /// Returns the names of the query parameters that were in the URLs of the operation and are not
    /// in the token, as the URLs spelled them. At most 32, and `…` if there were more.
    ///
    /// An operation that is resumed from the token is polled without them. Where that is refused,
    /// the error names them, and they belong on the client:
    /// [`OperationsBuilder::query`](crate::OperationsBuilder::query).
    ///
    /// ```
    /// use lro_runtime::{Operations, dialect::Http};
    ///
    /// let operations = Operations::builder("https://images.example.com").dialect(Http::new()).build()?;
    /// let operation = operations.resume("https://images.example.com/jobs/7?part=2&sig=c2VjcmV0")?;
    /// let token = operation.token();
    /// assert_eq!(token.name(), "https://images.example.com/jobs/7?part=2");
    /// assert_eq!(token.left_out(), ["sig"]);
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.content.left_out.parameters
    }

    /// Returns how many details of the status are not in the token, because there was no room for
    /// them, or because they are in protobuf and have secrets.
    #[must_use]
    pub fn details_left_out(&self) -> usize {
        self.content.left_out.details
    }

    /// Returns the names of the parts of the operation's [cursor](crate::dialect::Cursor) that are
    /// not in the token, because there was no room for them and no poll needs them.
    ///
    /// An operation that is resumed from the token is polled as before. Only if its last reply says
    /// that the response is at such a place, its next poll fails and says why.
    ///
    /// ```
    /// use lro_runtime::Operations;
    ///
    /// let operations = Operations::builder("https://images.example.com").build()?;
    /// let token = operations.resume("operations/7")?.token();
    /// assert!(token.parts_left_out().is_empty(), "its name leads to it, and is short");
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    #[must_use]
    pub fn parts_left_out(&self) -> Vec<&str> {
        self.content.cursor.iter().flat_map(Cursor::left_out).collect()
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidToken, message)
}

/// The 32-bit FNV-1a hash, by which a token that was cut or mistyped is found. It does not protect
/// against forgery, and need not: a token gives no access that the client does not have.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&self.content).map_err(|_| fmt::Error)?;
        write!(f, "{PREFIX}{VERSION}-{:08x}-{}", checksum(&json), URL_SAFE_NO_PAD.encode(json))
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let word = word.trim();
        if word.len() > LONGEST_WORD {
            return Err(invalid(format!(
                "the word is {} bytes long, and a token has at most {LONGEST_WORD}",
                word.len()
            )));
        }
        let foreign = || {
            invalid(format!(
                "`{}` is not a token: expected a word that begins with `{PREFIX}{VERSION}-`",
                redacted(&excerpt(word.as_bytes()))
            ))
        };
        let (version, rest) = word.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')).ok_or_else(foreign)?;
        // Only one way to write a version is read, so that equal tokens are equal words.
        let canonical = version.bytes().all(|b| b.is_ascii_digit()) && !version.starts_with('0');
        let version: u32 = version.parse().ok().filter(|_| canonical).ok_or_else(foreign)?;
        if version > VERSION {
            return Err(invalid(format!(
                "the token is of version {version}, this library reads up to {VERSION}: update it"
            )));
        }
        let damaged = || invalid("the token is damaged: it was cut or changed since it was written".to_owned());
        let (sum, encoded) = rest.split_once('-').ok_or_else(damaged)?;
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| damaged())?;
        // Compared as text: `{:08x}` is the one spelling of a checksum.
        if sum != format!("{:08x}", checksum(&json)) {
            return Err(damaged());
        }
        let content: Content = serde_json::from_slice(&json)
            .map_err(|error| invalid(format!("the token cannot be read: {}", reason(&error))))?;
        // Its length as it is written, where an escape is longer than what it means.
        if cut(&content.method, METHOD) != content.method {
            return Err(invalid("the token cannot be read: no method has a name of this length".to_owned()));
        }
        Ok(Self { content })
    }
}

// Not derived: the name may be a URL, whose query may have secrets.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Token");
        out.field("method", &quoted_name(&self.content.method))
            .field("name", &quoted_name(&self.content.name))
            .field("state", &self.content.state);
        if !self.left_out().is_empty() {
            let names: Vec<_> = self.left_out().iter().map(|name| quoted_name(name)).collect();
            out.field("left_out", &First(&names, 8));
        }
        if self.details_left_out() > 0 {
            out.field("details_left_out", &self.details_left_out());
        }
        let parts: Vec<_> = self.parts_left_out().into_iter().map(quoted_name).collect();
        if !parts.is_empty() {
            out.field("parts_left_out", &First(&parts, 8));
        }
        out.finish_non_exhaustive()
    }
}

// As its text in every format: a token is one word wherever it is stored, and its checksum goes
// with it.
impl Serialize for Token {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What an operation can be resumed from: its name, or a [`Token`].
///
/// Text that begins as a token does (`lro`, digits, `-`) is read as a token. Any other text is a
/// name.
///
/// # Text from outside
///
/// A name or a token from a request says which operation to poll, and the client polls it with its
/// own credentials. A web handler that resumes from what it is sent lets every caller see, and
/// cancel, every operation that the service's account can. It therefore does one of two things:
///
/// - it gives out an identifier of its own, random or of its database, keeps the token beside the
///   owner, and resumes from what it has kept;
/// - it gives out the token with a signature over token and owner, and checks that first.
///
/// With both, [`token_only`](Self::token_only) refuses a bare name that comes where a token is
/// expected, such as one that a caller has typed into the URL:
///
/// ```
/// use lro_runtime::{ErrorKind, Operations, Resume};
///
/// # let operations = Operations::builder("https://images.example.com").build()?;
/// let refused = operations.resume(Resume::token_only("projects/other/operations/7")).unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::InvalidToken);
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone)]
pub struct Resume(Source);

// Not derived: a name may be a URL, whose query may have secrets.
impl fmt::Debug for Resume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_tuple("Resume");
        match &self.0 {
            Source::Name(name) => out.field(&quoted_name(name)),
            Source::Token(token) => out.field(token),
            Source::Damaged(error) => out.field(error),
        };
        out.finish()
    }
}

/// What the caller gave to resume from, once it was read.
#[derive(Clone)]
pub(crate) enum Source {
    Name(String),
    Token(Box<Token>),
    /// Text that begins as a token and is not one. A conversion cannot fail, so the error waits for
    /// the call that resumes.
    Damaged(Error),
}

impl Resume {
    /// Reads `text` as a token, and never as a name: a resume from any other text fails with
    /// [`InvalidToken`](crate::ErrorKind::InvalidToken).
    ///
    /// For text that comes from outside the program. It keeps a caller from naming an operation,
    /// not from forging a token: see [what a token proves](Token#what-a-token-proves).
    pub fn token_only(text: impl AsRef<str>) -> Self {
        Self(match text.as_ref().parse::<Token>() {
            Ok(token) => Source::Token(Box::new(token)),
            // The usual advice is to resume from the name, which is what this refuses.
            Err(error) => Source::Damaged(
                error
                    .with_advice(ErrorKind::InvalidToken, "resume from a token of this method: names are refused here"),
            ),
        })
    }

    pub(crate) fn into_source(self) -> Source {
        self.0
    }
}

impl From<&str> for Resume {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for Resume {
    fn from(text: String) -> Self {
        let version =
            text.trim().strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')).map(|(version, _)| version);
        let is_token =
            version.is_some_and(|version| !version.is_empty() && version.chars().all(|c| c.is_ascii_digit()));
        Self(match is_token.then(|| text.parse::<Token>()) {
            None => Source::Name(text),
            Some(Ok(token)) => Source::Token(Box::new(token)),
            Some(Err(error)) => Source::Damaged(error),
        })
    }
}

impl From<&String> for Resume {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Token> for Resume {
    fn from(token: Token) -> Self {
        Self(Source::Token(Box::new(token)))
    }
}

impl From<&Token> for Resume {
    fn from(token: &Token) -> Self {
        token.clone().into()
    }
}
