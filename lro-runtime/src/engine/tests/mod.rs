//! Tests for the promises of the engine, one per promise. Times are in seconds since the wait
//! began.

use std::time::{Duration, SystemTime};

use super::{
    Action, End, MOST_FOLLOWS,
    simulation::{Reply, World, done, follow, hinted, http, running, secs},
};
use crate::{
    hint::Hint,
    settings::{ErrorBudget, Expiration, HintPolicy, Jitter, PollSettings, Verdict},
    status::{Cause, Code, Failure, Status},
    transport::{TransportError, TransportErrorKind},
};

mod delays;
mod expiration;
mod failures;
mod failures_of_the_origin;
mod following;
mod hints;
mod long_polls;
mod reasons;

/// Settings that poll at 1, 2, 3, … until 10.
fn every_second() -> PollSettings {
    PollSettings::default().with_delay(secs(1.0)).with_multiplier(1.0).with_timeout(secs(10.0))
}

fn after(seconds: f64) -> Hint {
    Hint::After(secs(seconds))
}

fn transport() -> Reply {
    Reply::Fail(Failure::new(Cause::Transport(TransportError::message(TransportErrorKind::Closed, "closed"))))
}

fn rpc(code: Code) -> Reply {
    Reply::Fail(Failure::new(Cause::Rpc(Status::new(code, ""))))
}

fn with_hint(reply: Reply, seconds: f64) -> Reply {
    match reply {
        Reply::Fail(failure) => Reply::Fail(failure.with_hint(Some(after(seconds)))),
        _ => hinted(Hint::After(secs(seconds))),
    }
}
