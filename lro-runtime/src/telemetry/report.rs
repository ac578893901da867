//! What the drivers report, and the words of it that spans and metrics share.

use std::{fmt, time::Duration};

use http::Uri;

use crate::{
    engine::Why,
    status::{Cause, Failure, FailureScope, State, Status, TransportErrorKind},
};

/// What a span or a count is about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// The name of the operation; empty if there is none, or not yet.
    pub(crate) name: &'a str,
    /// The declared method. Not what a token says, which may be anything.
    pub(crate) method: Option<&'static str>,
    pub(crate) dialect: &'static str,
    pub(crate) state: State,
    /// The URL that is asked, if that is known.
    pub(crate) uri: Option<&'a Uri>,
}

/// A poll of a wait that is sent now.
pub(crate) struct PollBegun<'a> {
    pub(crate) subject: Subject<'a>,
    /// How many polls the wait has sent, this one included.
    pub(crate) attempt: u32,
    /// For how long the server is asked to hold it.
    pub(crate) hold: Option<Duration>,
    /// How much later it is than planned.
    pub(crate) late: Duration,
}

/// What a call or a poll came to.
pub(crate) struct Done<'a> {
    /// How long a poll took; zero for other calls.
    pub(crate) took: Duration,
    pub(crate) outcome: CallOutcome<'a>,
}

pub(crate) enum CallOutcome<'a> {
    /// The reply was read, and this is known now.
    Seen(Seen<'a>),
    /// The reply says that the call was accepted, and nothing else.
    Accepted,
    /// The service does not hold polls. Nothing has failed.
    NotHeld,
    Failed(&'a Failure),
    /// A start call was answered with an operation.
    Started(Seen<'a>),
    StartFailed(&'a Failure),
    /// A start call was answered with success, and the dialect finds no operation in the reply.
    Unreadable(&'a Failure),
}

/// What is known of an operation after a reply.
pub(crate) struct Seen<'a> {
    pub(crate) subject: Subject<'a>,
    /// The status word that the dialect does not know, if it is one.
    pub(crate) unknown_word: Option<&'a str>,
    /// How long ago the operation was started, if it has ended and that is known.
    pub(crate) since_start: Option<Duration>,
}

/// How a wait ended, if it was not dropped.
pub(crate) struct WaitEnded<'a> {
    pub(crate) outcome: Outcome,
    /// How many polls it has sent.
    pub(crate) polls: u32,
    pub(crate) lasted: Duration,
    /// Why the operation failed or was cancelled.
    pub(crate) status: Option<&'a Status>,
    /// The failed poll that ended the wait, or was the last before it expired.
    pub(crate) failure: Option<&'a Failure>,
}

impl<'a> WaitEnded<'a> {
    /// Returns why the wait ended otherwise than with success: as the attribute `error.type`, and
    /// in words, which are escaped and cut.
    pub(super) fn why(&self) -> (Option<&'a str>, Option<&'a dyn fmt::Display>) {
        match (self.outcome, self.failure, self.status) {
            (Outcome::TimedOut, failure, _) => (Some("timeout"), failure.map(|failure| failure as _)),
            (Outcome::UnknownStatus, ..) => (Some("unknown_status"), None),
            (_, Some(failure), _) => (Some(error_type(failure)), Some(failure)),
            (_, None, Some(status)) => (Some(status.code().name()), Some(status)),
            (_, None, None) => (None, None),
        }
    }
}

/// What a wait came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    /// A poll failed, and another would not mend it.
    PollFailed,
    BudgetSpent,
    /// The settings make an unknown status word an error.
    UnknownStatus,
    /// Nobody waits any longer.
    Dropped,
}

impl Outcome {
    /// Returns the outcome of a wait that has ended because the operation has.
    pub(crate) fn of(state: State) -> Self {
        match state {
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
            // Nothing else is terminal.
            State::Succeeded | State::Pending | State::Running => Self::Succeeded,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::PollFailed => "poll_failed",
            Self::BudgetSpent => "error_budget_spent",
            Self::UnknownStatus => "unknown_status",
            Self::Dropped => "dropped",
        }
    }
}

/// A call that is not a poll of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallKind {
    Start,
    /// One poll, which the server may be asked to hold.
    Poll(Option<Duration>),
    Cancel,
    Delete,
    List,
}

/// Returns the type of a failure, as the attribute `error.type` of `OpenTelemetry` has it: the HTTP
/// status or the gRPC code, else a word of a short list.
pub(super) fn error_type(failure: &Failure) -> &str {
    match failure.cause() {
        Cause::Http(code, _) => code.as_str(),
        Cause::Rpc(status) => status.code().name(),
        Cause::TimedOut(_) => "timeout",
        Cause::Credentials(_) => "credentials",
        Cause::Protocol(_) => "protocol",
        Cause::Untrusted(_) => "untrusted",
        Cause::Unsupported(_) => "unsupported",
        Cause::Transport(error) => match error.kind() {
            TransportErrorKind::Connect => "connect",
            TransportErrorKind::Certificate => "certificate",
            TransportErrorKind::Closed => "closed",
            TransportErrorKind::InvalidReply => "invalid_reply",
            TransportErrorKind::BodyTooLarge => "body_too_large",
            TransportErrorKind::InvalidRequest => "invalid_request",
            TransportErrorKind::Timeout => "timeout",
            TransportErrorKind::Other => "_OTHER",
        },
    }
}

/// Returns the word for whose a failure is.
pub(super) fn scope_word(failure: &Failure) -> &'static str {
    match failure.scope() {
        FailureScope::Origin => "origin",
        FailureScope::Operation => "operation",
    }
}

/// Returns the word for a state.
pub(super) fn state_word(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Running => "running",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Cancelled => "cancelled",
    }
}

/// Returns the word for what a delay comes from.
pub(super) fn why_word(why: Why) -> &'static str {
    match why {
        Why::Computed => "computed",
        Why::Hint => "hint",
        Why::Failure => "failure",
        Why::Deadline => "deadline",
        Why::Expiry => "expiry",
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::status::{Code, TransportError};

    #[test]
    fn the_type_of_a_failure_is_a_code_or_a_word_and_never_a_message() {
        let type_of = |cause: Cause| error_type(&Failure::new(cause)).to_owned();
        let status = || Status::new(Code::Unavailable, "a message");
        assert_eq!(type_of(Cause::Http(StatusCode::SERVICE_UNAVAILABLE, status())), "503");
        assert_eq!(type_of(Cause::Rpc(status())), "UNAVAILABLE");
        assert_eq!(type_of(Cause::TimedOut(Duration::ZERO)), "timeout");
        assert_eq!(type_of(Cause::Credentials(std::sync::Arc::from(Box::from("a message")))), "credentials");
        assert_eq!(type_of(Cause::Protocol("a message".into())), "protocol");
        assert_eq!(type_of(Cause::Untrusted("a message".into())), "untrusted");
        assert_eq!(type_of(Cause::Unsupported("a message".into())), "unsupported");
        let lost = TransportError::message(TransportErrorKind::Other, "a message");
        assert_eq!(type_of(Cause::Transport(lost)), "_OTHER");
    }
}
