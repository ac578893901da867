//! Acceptors: what one reply means, as data.

use serde_json::Value;

use super::path;
use crate::{
    message::Reply,
    status::{Code, Failure, State, Status},
};

/// What a reply that matches means. Exhaustive on purpose: these are Smithy's three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The wait is over, and it was for this.
    Success,
    /// The wait is over, this will never be.
    Failure,
    /// Not yet.
    Retry,
}

impl Meaning {
    pub(super) fn state(self) -> State {
        match self {
            Self::Success => State::Succeeded,
            Self::Failure => State::Failed,
            Self::Retry => State::Running,
        }
    }
}

/// How what a path finds is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Comparator {
    /// It is this string (Smithy's `stringEquals`).
    Is(&'static str),
    /// It is this boolean (`booleanEquals`).
    IsTrue(bool),
    /// It is a list of which every element is this string; never an empty one (`allStringEquals`).
    All(&'static str),
    /// It is a list of which at least one element is this string (`anyStringEquals`).
    Any(&'static str),
}

/// Which replies match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Matcher {
    /// Those in whose output this path finds this.
    Output(&'static str, Comparator),
    /// Those that are a success (`true`), or those that are an error (`false`).
    Success(bool),
    /// Errors of this type: the service's own word without its namespace, or the name of the HTTP status, such as `NotFound`.
    ErrorType(&'static str),
}

/// One rule of a [`Waiter`](super::Waiter): which replies, and what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Acceptor {
    meaning: Meaning,
    matcher: Matcher,
}

impl Acceptor {
    /// Replies that match mean this.
    #[must_use]
    pub const fn new(meaning: Meaning, matcher: Matcher) -> Self {
        Self { meaning, matcher }
    }

    /// Success where the path finds this string.
    #[must_use]
    pub const fn success_when(path: &'static str, is: &'static str) -> Self {
        Self::new(Meaning::Success, Matcher::Output(path, Comparator::Is(is)))
    }

    /// Failure where the path finds this string.
    #[must_use]
    pub const fn failure_when(path: &'static str, is: &'static str) -> Self {
        Self::new(Meaning::Failure, Matcher::Output(path, Comparator::Is(is)))
    }

    /// Another look where the path finds this string.
    #[must_use]
    pub const fn retry_when(path: &'static str, is: &'static str) -> Self {
        Self::new(Meaning::Retry, Matcher::Output(path, Comparator::Is(is)))
    }

    /// Success where the call fails with this error.
    #[must_use]
    pub const fn success_on_error(error: &'static str) -> Self {
        Self::new(Meaning::Success, Matcher::ErrorType(error))
    }

    /// Failure where the call fails with this error.
    #[must_use]
    pub const fn failure_on_error(error: &'static str) -> Self {
        Self::new(Meaning::Failure, Matcher::ErrorType(error))
    }

    /// Another look where the call fails with this error.
    #[must_use]
    pub const fn retry_on_error(error: &'static str) -> Self {
        Self::new(Meaning::Retry, Matcher::ErrorType(error))
    }

    pub(super) fn path(&self) -> Option<&'static str> {
        match self.matcher {
            Matcher::Output(path, _) => Some(path),
            Matcher::Success(_) | Matcher::ErrorType(_) => None,
        }
    }
}

/// A reply as acceptors see it.
pub(super) enum Judged<'a> {
    Output(&'a Value),
    /// With every word for its type.
    Error(&'a [String]),
}

/// What the first acceptor that matches says; none if no one does.
pub(super) fn decide(acceptors: &[Acceptor], reply: &Judged<'_>) -> Result<Option<Meaning>, Failure> {
    for acceptor in acceptors {
        let matches = match (acceptor.matcher, reply) {
            (Matcher::Output(path, comparator), Judged::Output(output)) => {
                holds(comparator, &path::find(path, output)?)
            }
            (Matcher::Success(wanted), reply) => wanted == matches!(reply, Judged::Output(_)),
            (Matcher::ErrorType(wanted), Judged::Error(types)) => types.iter().any(|found| found == wanted),
            (Matcher::Output(..), Judged::Error(_)) | (Matcher::ErrorType(_), Judged::Output(_)) => false,
        };
        if matches {
            return Ok(Some(acceptor.meaning));
        }
    }
    Ok(None)
}

fn holds(comparator: Comparator, found: &Value) -> bool {
    match (comparator, found) {
        (Comparator::Is(wanted), Value::String(found)) => found == wanted,
        (Comparator::IsTrue(wanted), Value::Bool(found)) => *found == wanted,
        (Comparator::All(wanted), Value::Array(found)) => {
            !found.is_empty() && found.iter().all(|found| found == wanted)
        }
        (Comparator::Any(wanted), Value::Array(found)) => found.iter().any(|found| found == wanted),
        _ => false,
    }
}

/// The string that the first acceptor over an output looks at: what the service calls its state.
pub(super) fn shown(acceptors: &[Acceptor], output: &Value) -> Result<Option<String>, Failure> {
    let Some(path) = acceptors.iter().find_map(Acceptor::path) else { return Ok(None) };
    Ok(match path::find(path, output)? {
        Value::String(word) => Some(word),
        _ => None,
    })
}

/// Why an operation failed whose output matched a failure acceptor.
pub(super) fn failure(word: Option<&str>) -> Status {
    match word {
        Some(word) => Status::new(Code::Unknown, format!("the service says `{word}`")).with_reason(word),
        None => Status::new(Code::Unknown, "the output is one that means failure"),
    }
}

/// Every word for the type of an error: the service's in header or body, then HTTP's. Namespaces are left out, as Smithy's protocols ask
/// ([operation error serialization](https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization)).
pub(super) fn error_types(reply: &Reply) -> Vec<String> {
    let bare = |word: &str| {
        word.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default().trim().to_owned()
    };
    let header = reply.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
    let members = ["/__type", "/code", "/Code", "/error/code", "/error/type", "/error/status", "/error"];
    let said =
        header.into_iter().chain(members.iter().filter_map(|member| body.pointer(member)?.as_str().map(str::to_owned)));
    let http = reply.status().canonical_reason().map(|reason| reason.replace([' ', '-', '\''], ""));
    said.map(|word| bare(&word)).filter(|word| !word.is_empty()).chain(http).collect()
}
