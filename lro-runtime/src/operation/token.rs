//! Tokens: snapshots in a stored form, their text format, and what an operation can be resumed
//! from.

use std::{fmt, str::FromStr, time::UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use crate::{
    dialect::Cursor,
    error::{Error, ErrorKind, Result},
    secrets::hidden,
    status::{State, Status},
    text::{excerpt, line},
    url::{redacted, without_secrets},
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
/// bound to its method, has a version, and has no secrets: no headers, no query parameters that may
/// be secrets, no payloads. It keeps the status of a failed operation, in whose texts `…` stands
/// for the secrets of URLs. A detail in protobuf that has such a secret is left out. It does not
/// keep the response of one that succeeded; one poll after the resume fetches it again.
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
}

impl Token {
    /// Makes the token of a snapshot.
    pub(crate) fn of(snapshot: &Snapshot, method: Option<&str>) -> Self {
        let started = snapshot.started.and_then(|started| started.system.duration_since(UNIX_EPOCH).ok());
        let content = Content {
            method: method.unwrap_or_default().to_owned(),
            dialect: snapshot.target.as_ref().map_or(snapshot.dialect, |target| target.dialect.id()).to_owned(),
            // The name and the cursor may be URLs: query parameters that may be secrets are left
            // out of both.
            name: without_secrets(&snapshot.name),
            cursor: snapshot.target.as_ref().map(|target| target.cursor.clone().stored(without_secrets)),
            state: snapshot.state,
            // Words of the service may have URLs in them.
            status: snapshot.status.as_deref().cloned().map(Status::stored),
            raw_status: snapshot.raw_status.as_deref().map(|word| hidden(word).into_owned()),
            started: started.and_then(|since| u64::try_from(since.as_millis()).ok()),
            found: snapshot.is_found,
        };
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
        // The reader's message repeats words of the token, however long they are.
        let content = serde_json::from_slice(&json)
            .map_err(|error| invalid(format!("the token cannot be read: {}", line(&error.to_string()))))?;
        Ok(Self { content })
    }
}

// Not derived: the name may be a URL, whose query may have secrets.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("method", &self.content.method)
            .field("name", &redacted(&self.content.name))
            .field("state", &self.content.state)
            .finish_non_exhaustive()
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
            Source::Name(name) => out.field(&redacted(name)),
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
