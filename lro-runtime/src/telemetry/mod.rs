//! What an operator sees of waits and calls: spans and events (feature `tracing`), counts and
//! durations (feature `metrics`).
//!
//! The drivers report here whatever the features are. Each of the two has a file that reports and
//! a twin with the same functions that does nothing: without the features, what is here has no size
//! and no code. What must be found out for a report is passed as a closure, which is then not
//! called.
//!
//! Levels: `INFO` is the start and the end of an operation or a wait, and what a caller asks of an
//! operation; `DEBUG` is every poll; `TRACE` is every delay. `WARN` is what an operator has to act
//! on, because the program goes on without knowing: a status word that the library does not know, a
//! start that the service accepted with a reply that cannot be read, a wait that polls no longer
//! although the operation runs on and there is time.

use std::time::Duration;

use crate::{engine::Why, status::Failure};

#[cfg(feature = "metrics")]
mod meters;
#[cfg(not(feature = "metrics"))]
mod no_meters;
#[cfg(not(feature = "tracing"))]
mod no_spans;
#[cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    expect(dead_code, reason = "each of the two reads a part of a report, and neither is on")
)]
mod report;
#[cfg(feature = "tracing")]
mod spans;

#[cfg(not(feature = "metrics"))]
use self::no_meters as meters;
#[cfg(not(feature = "tracing"))]
use self::no_spans as spans;
pub(crate) use self::{
    report::{CallKind, CallOutcome, Done, Outcome, PollBegun, Seen, Subject, WaitEnded},
    spans::{Entered, Lent, carried},
};

/// Without the features nothing grows.
#[cfg(not(any(feature = "tracing", feature = "metrics")))]
const _: () = assert!(size_of::<(WaitTelemetry, CallTelemetry, Lent<'_>, Entered)>() == 0);

/// The reports of one wait. A wait that is dropped before its end is reported as such.
pub(crate) struct WaitTelemetry {
    spans: spans::OfWait,
    meters: meters::OfWait,
}

impl WaitTelemetry {
    /// Begins a wait, in the span that is current.
    #[inline]
    pub(crate) fn begin<'a>(subject: impl Fn() -> Subject<'a>) -> Self {
        Self { spans: spans::OfWait::begin(&subject), meters: meters::OfWait::begin(&subject) }
    }

    /// Whether anything is reported.
    #[inline]
    fn is_on(&self) -> bool {
        self.spans.is_on() || self.meters.is_on()
    }

    /// Makes the wait's span the current one, for as long as the guard lives.
    #[inline]
    pub(crate) fn enter(&self) -> Entered {
        self.spans.enter()
    }

    /// Makes the span of the poll in flight the current one.
    #[inline]
    pub(crate) fn enter_poll(&self) -> Entered {
        self.spans.enter_step()
    }

    #[inline]
    pub(crate) fn sleep(&mut self, delay: Duration, why: impl FnOnce() -> Why) {
        if self.spans.is_on() {
            self.spans.sleep(delay, why());
        }
    }

    #[inline]
    pub(crate) fn slept(&mut self) {
        self.spans.slept();
    }

    #[inline]
    pub(crate) fn poll<'a>(&mut self, begun: impl FnOnce() -> PollBegun<'a>) {
        if self.is_on() {
            let begun = begun();
            self.spans.poll(&begun);
            self.meters.poll(&begun);
        }
    }

    #[inline]
    pub(crate) fn polled<'a>(&mut self, done: impl FnOnce() -> Done<'a>) {
        if self.is_on() {
            let done = done();
            self.spans.polled(&done);
            self.meters.polled(&done);
        }
    }

    #[inline]
    pub(crate) fn ended<'a>(&mut self, ended: impl FnOnce() -> WaitEnded<'a>) {
        if self.is_on() {
            let ended = ended();
            self.spans.ended(&ended);
            self.meters.ended(&ended);
        }
    }
}

/// The reports of one call. A call that is dropped before its end is reported as such.
pub(crate) struct CallTelemetry {
    spans: spans::OfCall,
    meters: meters::OfCall,
}

impl CallTelemetry {
    /// Begins a call, in the span that is current.
    #[inline]
    pub(crate) fn begin<'a>(kind: CallKind, subject: impl Fn() -> Subject<'a>) -> Self {
        Self { spans: spans::OfCall::begin(kind, &subject), meters: meters::OfCall::begin(kind, &subject) }
    }

    /// Lends the call's span to what is polled in it.
    #[inline]
    pub(crate) fn lent(&self) -> Lent<'_> {
        self.spans.lent()
    }

    /// Reports that a start call failed and is sent again.
    #[inline]
    pub(crate) fn again(&self, failure: &Failure) {
        self.spans.again(failure);
    }

    #[inline]
    pub(crate) fn ended<'a>(&mut self, outcome: impl FnOnce() -> CallOutcome<'a>) {
        self.polled(|| Done { took: Duration::ZERO, outcome: outcome() });
    }

    /// Reports the end of a call that is a poll.
    #[inline]
    pub(crate) fn polled<'a>(&mut self, done: impl FnOnce() -> Done<'a>) {
        if self.spans.is_on() || self.meters.is_on() {
            let done = done();
            self.spans.ended(&done);
            self.meters.ended(&done);
        }
    }
}
