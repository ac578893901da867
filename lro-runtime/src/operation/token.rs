//! Tokens: a snapshot written down.

use std::{fmt, str::FromStr, time::UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{Method, snapshot::Snapshot};
use crate::{
    dialect::Cursor,
    error::{Error, ErrorKind, Result},
    status::{State, Status},
    text::excerpt,
    url::{redacted, without_secrets},
};

/// The version this library writes, and the newest it reads.
const VERSION: u32 = 1;

/// The first letters of every written token.
const PREFIX: &str = "lro";

/// A snapshot written down: where the operation is, of which method it is, and how it stood. One URL-safe word.
///
/// It resumes the operation in another process: `client.resume_export_image(token)`. It is bound to its method, has a version, and holds
/// no secrets: no headers, no query parameters that may be secrets, no payloads. A failure's status is kept; the response of an operation that
/// succeeded is not, one poll fetches it again.
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    /// The method; empty for an untyped operation.
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
    /// Milliseconds since 1970 at the start call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started: Option<u64>,
}

impl Token {
    /// The token of a snapshot; `dialect` is that of its client, for one that cannot be looked at again.
    pub(crate) fn of(snapshot: &Snapshot, dialect: &'static str, method: Option<&Method>) -> Self {
        let started = snapshot.started.and_then(|started| started.system.duration_since(UNIX_EPOCH).ok());
        let content = Content {
            method: method.map(|method| method.name().to_owned()).unwrap_or_default(),
            dialect: snapshot.target.as_ref().map_or(dialect, |target| target.dialect.id()).to_owned(),
            name: without_secrets(&snapshot.name),
            cursor: snapshot.target.as_ref().map(|target| target.cursor.clone().stored(without_secrets)),
            state: snapshot.state,
            status: snapshot.status.as_deref().cloned(),
            raw_status: snapshot.raw_status.as_deref().map(str::to_owned),
            started: started.and_then(|since| u64::try_from(since.as_millis()).ok()),
        };
        Self { content }
    }

    pub(crate) fn into_content(self) -> Content {
        self.content
    }

    /// The name of the operation.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.content.name
    }

    /// The method it is bound to; empty for an untyped operation.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.content.method
    }

    /// The state at the time of writing.
    #[must_use]
    pub fn state(&self) -> State {
        self.content.state
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidToken, message)
}

/// FNV-1a: tells a word that was cut or mistyped. Not a protection against forgery; whoever forges a token could as well call the service.
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
                excerpt(word.as_bytes())
            ))
        };
        let (version, rest) = word.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')).ok_or_else(foreign)?;
        let canonical = version.bytes().all(|b| b.is_ascii_digit()) && !version.starts_with('0');
        let version: u32 = version.parse().ok().filter(|_| canonical).ok_or_else(foreign)?;
        if version > VERSION {
            return Err(invalid(format!(
                "the token is of version {version}, this library reads up to {VERSION}: update it"
            )));
        }
        let (sum, encoded) = rest.split_once('-').ok_or_else(foreign)?;
        let damaged = || invalid("the token is damaged: it was cut or changed since it was written".to_owned());
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| damaged())?;
        if sum != format!("{:08x}", checksum(&json)) {
            return Err(damaged());
        }
        let content = serde_json::from_slice(&json).map_err(|e| invalid(format!("the token cannot be read: {e}")))?;
        Ok(Self { content })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("method", &self.content.method)
            .field("name", &redacted(&self.content.name))
            .field("state", &self.content.state)
            .finish_non_exhaustive()
    }
}

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
/// Text that begins as a written token does is taken as one; any other text is a name.
#[derive(Clone, Debug)]
pub struct Resume(Source);

/// What the caller gave to resume from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Name(String),
    Token(Box<Token>),
    Damaged(Error),
}

impl Resume {
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
