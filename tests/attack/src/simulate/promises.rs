//! What every history has to keep, by name.

use std::{error::Error as StdError, fmt::Write as _};

use lro_runtime::{Error, RawOperation, State, Token};

use super::{
    SECRET,
    speech::{name_of, named_in},
    truth::{End, Stage, Truth},
};
use crate::tokens;

/// A promise of the library that a history can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// A result names the operation that it is of.
    ResultIsItsOwn,
    /// No snapshot is terminal before the operation is.
    NoEndBeforeTheEnd,
    /// A terminal snapshot shows the true end.
    TheEndIsTrue,
    /// A state never goes back, and a terminal one never changes.
    StateNeverGoesBack,
    /// Progress is a fraction.
    ProgressIsAFraction,
    /// Every error that ends a wait leads back to the operation.
    NoOperationIsLost,
    /// From a token and from a name the true end is reached, once the service is well.
    ResumeReachesTheEnd,
    /// A token resumes at the state that it was made in, or an older one.
    TokenIsNotNewer,
    /// No poll is sent before the hint and the delay have passed.
    NoPollBeforeItsTime,
    /// No delay is longer than the settings and the hints say.
    NoDelayBeyondItsTime,
    /// One wait has one request in flight.
    OneRequestInFlight,
    /// After a terminal reply nothing is sent.
    NothingAfterTheEnd,
    /// A call sends as many requests as it says.
    RequestsAreCounted,
    /// A wait ends by its deadline, and no timeout is early.
    DeadlineIsKept,
    /// Failures of the origin end no wait that forgives them.
    OriginIsForgiven,
    /// Failures of the operation end a wait when the budget is spent, and not before.
    BudgetIsKept,
    /// "Not found" is forgiven within the grace, and only there.
    GraceIsKept,
    /// A wait ends at a failure that another poll would not mend, and for no other reason.
    EndsForAReason,
    /// A start that may have happened is not sent again without an id.
    StartIsSentOnce,
    /// An intact reply to a start call is an operation.
    AcceptedIsStarted,
    /// Whatever is awaited wakes its task, and a task that is woken makes progress.
    WakesAndNeverSpins,
    /// A guard that is dropped before the end cancels, once; any other does not.
    CancelsWhatIsDropped,
    /// Observers are told of every failed poll, and once of the end.
    ObserversAreTold,
    /// No error and no token has a secret.
    NoSecretIsTold,
    /// Every request goes to the service.
    StaysOnItsOrigin,
    /// Every request has the client's headers.
    KeepsHeaders,
}

/// Ends the history.
#[expect(clippy::panic, reason = "a broken promise is what a case of a suite panics for")]
#[track_caller]
pub(super) fn broken(promise: Promise, how: &str) -> ! {
    panic!("{promise:?} is broken: {how}")
}

/// Holds, or ends the history.
#[track_caller]
pub(super) fn holds(promise: Promise, holds: bool, how: impl FnOnce() -> String) {
    if !holds {
        broken(promise, &how());
    }
}

fn rank(state: State) -> u8 {
    match state {
        State::Pending => 0,
        State::Running => 1,
        _ => 2,
    }
}

/// Checks a snapshot against what is true.
pub(super) fn check_snapshot(snapshot: &RawOperation, operation: usize, truth: &Truth, now: std::time::Duration) {
    let said = match snapshot.state() {
        State::Succeeded => Some(End::Succeeded),
        State::Failed => Some(End::Failed),
        State::Cancelled => Some(End::Cancelled),
        State::Pending | State::Running => None,
    };
    if let Some(said) = said {
        holds(Promise::NoEndBeforeTheEnd, matches!(truth.stage(now), Stage::Ended(_)), || {
            format!("{} is {}, and ends at {:?}", name_of(operation), snapshot.state(), truth.ends)
        });
        // What LXD calls a cancellation reads as one, or as a failure.
        holds(Promise::TheEndIsTrue, said == truth.end, || {
            format!("{} is {}, and was {:?}", name_of(operation), snapshot.state(), truth.end)
        });
    }
    let mut evidence = snapshot.raw().to_vec();
    if let Some(response) = snapshot.response() {
        evidence.extend_from_slice(response.bytes());
    }
    evidence.extend_from_slice(snapshot.status().map_or("", |status| status.message()).as_bytes());
    let named = named_in(&evidence);
    let names_itself = named.contains(&operation) || said.is_none() || snapshot.raw().is_empty();
    holds(Promise::ResultIsItsOwn, names_itself && named.iter().all(|named| *named == operation), || {
        format!("the snapshot of {} is of {named:?}: {}", name_of(operation), String::from_utf8_lossy(&evidence))
    });
    if let Some(progress) = snapshot.progress() {
        holds(Promise::ProgressIsAFraction, (0.0..=1.0).contains(&progress), || progress.to_string());
    }
    check_text(&format!("{snapshot:?}"));
}

/// Checks a snapshot against an earlier one.
pub(super) fn check_successor(before: &RawOperation, after: &RawOperation) {
    let (old, new) = (before.state(), after.state());
    let is_legal = if old.is_terminal() { old == new } else { rank(new) >= rank(old) };
    holds(Promise::StateNeverGoesBack, is_legal, || format!("{old} became {new}"));
    if old.is_terminal() {
        holds(Promise::StateNeverGoesBack, before.raw() == after.raw(), || format!("the message of {old} changed"));
    }
}

/// Checks that a text has no secret.
fn check_text(text: &str) {
    holds(Promise::NoSecretIsTold, !text.contains(SECRET), || text.to_owned());
}

/// Checks the texts of an error.
pub(super) fn check_error(error: &Error) {
    let mut text = format!("{error}");
    holds(Promise::NoSecretIsTold, !text.contains('\n'), || format!("not one line: {text:?}"));
    let _ = write!(text, " {error:?}");
    let mut source = error.source();
    while let Some(next) = source {
        let _ = write!(text, " {next} {next:?}");
        source = next.source();
    }
    check_text(&text);
}

/// Checks what a token says.
pub(super) fn check_token(token: &Token) {
    let word = token.to_string();
    let said = tokens::content(&word);
    holds(Promise::NoSecretIsTold, said.is_some(), || format!("what `{word}` says cannot be read"));
    check_text(&said.unwrap_or_default());
    check_text(&format!("{token:?} {word}"));
}
