//! Tokens: a snapshot written down.

use std::{
    fmt,
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{
    Method, RawOperation,
    snapshot::{Snapshot, Started},
};
use crate::{
    client::Operations,
    dialect::{Cursor, Dialect},
    error::{Error, ErrorKind, Result},
    status::{State, Status},
    text::excerpt,
    url::without_secrets,
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
struct Content {
    /// The method; empty for an untyped operation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    method: String,
    dialect: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw_status: Option<String>,
    /// Milliseconds since 1970 at the start call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<u64>,
}

impl Token {
    pub(crate) fn of(operation: &RawOperation) -> Self {
        let snapshot = &operation.snapshot;
        let cursor = snapshot.look.as_ref().map(|look| look.cursor.clone().stored(without_secrets));
        let dialect =
            snapshot.look.as_ref().map_or_else(|| operation.client().dialect().id(), |look| look.dialect.id());
        let started = snapshot.started.and_then(|started| started.system.duration_since(UNIX_EPOCH).ok());
        let content = Content {
            method: operation.method.map(|method| method.name().to_owned()).unwrap_or_default(),
            dialect: dialect.to_owned(),
            name: without_secrets(operation.name()),
            cursor,
            state: snapshot.state,
            status: snapshot.status.as_deref().cloned(),
            raw_status: snapshot.raw_status.as_deref().map(str::to_owned),
            started: started.and_then(|since| u64::try_from(since.as_millis()).ok()),
        };
        Self { content }
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

    fn resume(self, operations: &Operations, method: Option<&'static Method>) -> Result<RawOperation> {
        let Content { method: bound, dialect: id, name, cursor, state, status, raw_status, started } = self.content;
        if let Some(method) = method.filter(|method| !bound.is_empty() && method.name() != bound) {
            return Err(invalid(format!(
                "the token is of the method `{}`, not of `{}`",
                excerpt(bound.as_bytes()),
                method.name()
            )));
        }
        let dialect = dialect_of(operations, method);
        if dialect.id() != id {
            return Err(invalid(format!(
                "the token is of the dialect `{}`, not of `{}`",
                excerpt(id.as_bytes()),
                dialect.id()
            )));
        }
        let look = cursor.map(|cursor| operations.look(dialect, cursor)).transpose();
        let look = look.map_err(|failure| {
            Error::from_failure(ErrorKind::InvalidToken, "the token does not lead to an operation", failure)
        })?;
        if look.is_none() && !state.is_terminal() {
            return Err(invalid("the token does not say where its operation is".to_owned()));
        }
        let mut snapshot = Snapshot::unseen(&name, look, started.map(|millis| started_at(operations, millis)));
        // What succeeded is looked at once more for its response, which the token does not hold.
        snapshot.state = if state == State::Succeeded && snapshot.look.is_some() { State::Running } else { state };
        snapshot.status = status.map(Arc::new);
        snapshot.raw_status = raw_status.map(Arc::from);
        Ok(RawOperation::new(snapshot, operations.clone(), method))
    }
}

/// The start on the monotonic clock of this process.
fn started_at(operations: &Operations, millis: u64) -> Started {
    let timer = operations.timer();
    let (now, system_now) = (timer.now(), timer.system_time());
    let system = UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(SystemTime::UNIX_EPOCH);
    let age = system_now.duration_since(system).unwrap_or(Duration::ZERO);
    Started { at: now.checked_sub(age).unwrap_or(now), system }
}

pub(crate) fn dialect_of(operations: &Operations, method: Option<&Method>) -> Arc<dyn Dialect> {
    method.and_then(|method| method.dialect).map_or_else(|| Arc::clone(operations.dialect()), |dialect| dialect())
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
            .field("name", &crate::url::redacted(&self.content.name))
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

#[derive(Clone, Debug)]
enum Source {
    Name(String),
    Token(Box<Token>),
    Damaged(Error),
}

impl Resume {
    /// The operation, bound to `method`. No I/O.
    pub(crate) fn resume(self, operations: &Operations, method: Option<&'static Method>) -> Result<RawOperation> {
        let name = match self.0 {
            Source::Token(token) => return token.resume(operations, method),
            Source::Damaged(error) => return Err(error),
            Source::Name(name) => name,
        };
        let dialect = dialect_of(operations, method);
        let options = method.map_or(&[] as &[_], |method| method.options);
        let said = format!("cannot resume from `{}`", crate::url::redacted(&excerpt(name.as_bytes())));
        let cursor = dialect.locate(&name, options).map_err(|failure| invalid(format!("{said}: {failure}")))?;
        let look = operations
            .look(dialect, cursor)
            .map_err(|failure| Error::from_failure(ErrorKind::InvalidToken, said, failure))?;
        Ok(RawOperation::new(Snapshot::unseen(&name, Some(look), None), operations.clone(), method))
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
