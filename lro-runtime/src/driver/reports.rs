//! What a wait reports to traces and metrics.

use std::time::Duration;

use crate::{
    engine::{End, Engine},
    operation::RawOperation,
    stamp::Stamp,
    status::Failure,
    telemetry::{CallOutcome, Outcome, PollBegun, WaitEnded},
};

/// Whether the service has refused to hold a poll. Nothing has failed then.
pub(crate) fn is_not_held(failure: &Failure, is_held: bool) -> bool {
    is_held && failure.may_be_of_the_call()
}

/// Returns the report of a poll that begins.
pub(super) fn poll_begun<'a>(operation: &'a RawOperation, engine: &Engine, hold: Option<Duration>) -> PollBegun<'a> {
    PollBegun { subject: operation.subject(), attempt: engine.attempts(), hold, late: engine.lateness() }
}

/// Returns the report of what a poll came to: the operation has `advanced`, or why not.
pub(crate) fn poll_outcome<'a>(
    operation: &'a RawOperation,
    advanced: &'a Result<(), Failure>,
    is_held: bool,
    now: Stamp,
) -> CallOutcome<'a> {
    match advanced {
        Ok(()) => CallOutcome::Seen(operation.seen(now)),
        Err(failure) if is_not_held(failure, is_held) => CallOutcome::NotHeld,
        Err(failure) => CallOutcome::Failed(failure),
    }
}

/// Returns the report of the end of a wait after so many polls and so long: as the engine says,
/// unless an unknown status word was refused.
pub(crate) fn wait_ended<'a>(
    operation: &'a RawOperation,
    end: Option<&'a End>,
    (polls, lasted): (u32, Duration),
    is_refused: bool,
) -> WaitEnded<'a> {
    let (outcome, failure) = match end {
        _ if is_refused => (Outcome::UnknownStatus, None),
        None | Some(End::Completed) => (Outcome::of(operation.state()), None),
        Some(End::TimedOut(last)) => (Outcome::TimedOut, last.as_deref()),
        Some(End::Permanent(failure)) => (Outcome::PollFailed, Some(&**failure)),
        Some(End::BudgetSpent(failure)) => (Outcome::BudgetSpent, Some(&**failure)),
    };
    WaitEnded { outcome, polls, lasted, status: operation.status(), failure }
}
