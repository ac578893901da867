//! Spans and events, by `tracing`.
//!
//! Attributes are those of `OpenTelemetry`'s conventions where there is one (`error.type`,
//! `server.address`, `server.port`, `otel.kind`, `otel.status_code`), else they begin with `lro.`.
//! Times are in seconds. Whatever a server or a caller has written is without secrets, escaped and
//! cut.
//!
//! A wait keeps one pointer, which is null where no subscriber wanted warnings of this crate when
//! it began: then a poll costs one comparison.

use std::{future::Future, marker::PhantomData, time::Duration};

use http::Uri;
use tracing::{
    Dispatch, Id, Instrument, Level, Span, event,
    field::{Empty, display},
    instrument::Instrumented,
};

use super::{
    CallKind, CallOutcome, Done, Outcome, PollBegun, Seen, Subject, WaitEnded,
    report::{error_type, scope_word, state_word, why_word},
};
use crate::{
    engine::Why,
    status::{Failure, FailureScope, State},
    text::{brief_name, excerpt, head},
};

/// The target of everything: what a filter such as `lro_runtime=debug` names.
const TARGET: &str = "lro_runtime";

/// How many bytes of a host are shown: as many as a name in the DNS may have.
const HOST: usize = 253;

/// The guard of a span that is current.
///
/// Not the guard of `tracing`, which borrows the span of a wait that is changed meanwhile, or keeps
/// a clone of it, which costs as much again as to enter it. The span outlives this guard: it is the
/// wait's or the call's that is being polled.
#[must_use]
pub(crate) struct Entered {
    span: Option<(Id, Dispatch)>,
    /// A span is left on the thread on which it was entered.
    not_send: PhantomData<*const ()>,
}

impl Entered {
    fn of(span: Option<&Span>) -> Self {
        let span = span.and_then(|span| span.with_subscriber(|(id, dispatch)| (id.clone(), dispatch.clone())));
        if let Some((id, dispatch)) = &span {
            dispatch.enter(id);
        }
        Self { span, not_send: PhantomData }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some((id, dispatch)) = &self.span {
            dispatch.exit(id);
        }
    }
}

/// The span of a call, lent to what is polled in it.
#[derive(Clone, Copy)]
pub(crate) struct Lent<'a>(Option<&'a Span>);

impl Lent<'_> {
    pub(crate) fn enter(self) -> Entered {
        Entered::of(self.0)
    }
}

/// Takes the span that is current now along with a future that another thread will poll.
pub(crate) fn carried<F: Future>(future: F) -> Instrumented<F> {
    future.in_current_span()
}

pub(super) struct OfWait(Option<Box<Wait>>);

/// The spans of one wait.
struct Wait {
    span: Span,
    /// The operation's name as it is shown, which is the same for every poll.
    name: String,
    /// That of the delay or the poll in progress.
    step: Span,
    /// Whether a poll is in flight.
    is_polling: bool,
    /// The delay before the next poll.
    slept: Option<(Duration, Why)>,
    /// The state of the last snapshot.
    state: State,
    /// The unknown status word that was reported last: services repeat it in every reply.
    unknown_word: Option<String>,
    has_ended: bool,
}

impl OfWait {
    pub(super) fn begin<'a>(subject: &impl Fn() -> Subject<'a>) -> Self {
        // Not only where the wait's own span is wanted: warnings are, where `INFO` is not.
        Self(tracing::enabled!(target: TARGET, Level::WARN).then(|| Box::new(Wait::begin(subject()))))
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn enter(&self) -> Entered {
        Entered::of(self.0.as_ref().map(|wait| &wait.span))
    }

    pub(super) fn enter_step(&self) -> Entered {
        Entered::of(self.0.as_ref().map(|wait| &wait.step))
    }

    pub(super) fn sleep(&mut self, delay: Duration, why: Why) {
        if let Some(wait) = &mut self.0 {
            wait.sleep(delay, why);
        }
    }

    pub(super) fn slept(&mut self) {
        if let Some(wait) = &mut self.0 {
            wait.step = Span::none();
        }
    }

    pub(super) fn poll(&mut self, begun: &PollBegun<'_>) {
        if let Some(wait) = &mut self.0 {
            wait.poll(begun);
        }
    }

    pub(super) fn polled(&mut self, done: &Done<'_>) {
        if let Some(wait) = &mut self.0 {
            wait.polled(&done.outcome);
        }
    }

    pub(super) fn ended(&mut self, ended: &WaitEnded<'_>) {
        if let Some(wait) = self.0.as_mut().filter(|wait| !wait.has_ended) {
            wait.end(ended);
        }
    }
}

impl Wait {
    fn begin(subject: Subject<'_>) -> Self {
        let name = brief_name(subject.name);
        let span = tracing::info_span!(
            target: TARGET,
            "lro.wait",
            "lro.operation.name" = name.as_str(),
            "lro.method" = subject.method,
            "lro.dialect" = subject.dialect,
            "server.address" = host(subject.uri),
            "server.port" = port(subject.uri),
            "lro.state" = Empty,
            "lro.polls" = Empty,
            "lro.outcome" = Empty,
            "error.type" = Empty,
            "otel.status_code" = Empty,
            "otel.status_description" = Empty,
        );
        Self {
            span,
            name,
            step: Span::none(),
            is_polling: false,
            slept: None,
            state: subject.state,
            unknown_word: None,
            has_ended: false,
        }
    }

    fn sleep(&mut self, delay: Duration, why: Why) {
        self.slept = Some((delay, why));
        self.step = tracing::trace_span!(
            target: TARGET,
            "lro.sleep",
            "lro.delay" = delay.as_secs_f64(),
            "lro.delay.reason" = why_word(why),
        );
    }

    fn poll(&mut self, begun: &PollBegun<'_>) {
        let slept = self.slept.take();
        self.is_polling = true;
        self.step = tracing::debug_span!(
            target: TARGET,
            "lro.poll",
            "otel.kind" = "client",
            "lro.operation.name" = self.name.as_str(),
            "lro.method" = begun.subject.method,
            "lro.dialect" = begun.subject.dialect,
            "server.address" = host(begun.subject.uri),
            "server.port" = port(begun.subject.uri),
            "lro.poll.attempt" = i64::from(begun.attempt),
            "lro.poll.hold" = begun.hold.map(|hold| hold.as_secs_f64()),
            "lro.poll.lateness" = begun.late.as_secs_f64(),
            "lro.delay" = slept.map(|(delay, _)| delay.as_secs_f64()),
            "lro.delay.reason" = slept.map(|(_, why)| why_word(why)),
            "lro.state" = Empty,
            "lro.outcome" = Empty,
            "lro.failure.scope" = Empty,
            "error.type" = Empty,
            "otel.status_code" = Empty,
            "otel.status_description" = Empty,
        );
    }

    fn polled(&mut self, outcome: &CallOutcome<'_>) {
        self.is_polling = false;
        let span = std::mem::replace(&mut self.step, Span::none());
        let _entered = span.enter();
        record(&span, outcome);
        match outcome {
            CallOutcome::Seen(seen) => {
                report_change(&mut self.state, seen);
                self.report_unknown(seen.unknown_word);
            }
            CallOutcome::NotHeld => {
                event!(target: TARGET, Level::DEBUG, "the service does not hold polls");
            }
            CallOutcome::Failed(failure) => report_failure(failure),
            // What other calls come to.
            _ => {}
        }
    }

    fn report_unknown(&mut self, word: Option<&str>) {
        // As it is shown, which is bounded.
        let word = word.map(|word| excerpt(word.as_bytes()));
        if word != self.unknown_word {
            report_unknown(word.as_deref());
            self.unknown_word = word;
        }
    }

    fn end(&mut self, ended: &WaitEnded<'_>) {
        self.has_ended = true;
        self.step = Span::none();
        let outcome = ended.outcome.word();
        self.span.record("lro.state", state_word(self.state));
        let polls = i64::from(ended.polls);
        self.span.record("lro.polls", polls);
        self.span.record("lro.outcome", outcome);
        let (error_type, why) = ended.why();
        self.span.record("error.type", error_type);
        let why = why.map(display);
        if !matches!(ended.outcome, Outcome::Succeeded | Outcome::Cancelled) {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("otel.status_description", why.as_ref());
        }
        let seconds = ended.lasted.as_secs_f64();
        let _entered = self.span.enter();
        match ended.outcome {
            Outcome::Succeeded | Outcome::Failed | Outcome::Cancelled => event!(
                target: TARGET, Level::INFO,
                "lro.outcome" = outcome, "lro.polls" = polls, "lro.wait.duration" = seconds,
                "error.type" = error_type, "lro.why" = why.as_ref(),
                "the operation has ended"
            ),
            Outcome::TimedOut => event!(
                target: TARGET, Level::INFO,
                "lro.outcome" = outcome, "lro.polls" = polls, "lro.wait.duration" = seconds,
                "error.type" = error_type, "lro.why" = why.as_ref(),
                "the wait has expired, the operation goes on"
            ),
            Outcome::PollFailed | Outcome::BudgetSpent | Outcome::UnknownStatus | Outcome::Dropped => event!(
                target: TARGET, Level::WARN,
                "lro.outcome" = outcome, "lro.polls" = polls, "lro.wait.duration" = seconds,
                "error.type" = error_type, "lro.why" = why.as_ref(),
                "the wait has ended, the operation may go on"
            ),
        }
    }
}

/// A wait that has not ended is dropped with its future.
impl Drop for Wait {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        if self.is_polling {
            self.step.record("lro.outcome", Outcome::Dropped.word());
        }
        self.span.record("lro.state", state_word(self.state));
        self.span.record("lro.outcome", Outcome::Dropped.word());
        let _entered = self.span.enter();
        event!(target: TARGET, Level::DEBUG, "nobody waits any longer, the operation goes on");
    }
}

pub(super) struct OfCall(Option<Box<Call>>);

/// The span of one call.
struct Call {
    span: Span,
    /// The state before the call.
    state: State,
    has_ended: bool,
}

impl OfCall {
    pub(super) fn begin<'a>(kind: CallKind, subject: &impl Fn() -> Subject<'a>) -> Self {
        Self(tracing::enabled!(target: TARGET, Level::WARN).then(|| Box::new(Call::begin(kind, subject()))))
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn lent(&self) -> Lent<'_> {
        Lent(self.0.as_ref().map(|call| &call.span))
    }

    pub(super) fn again(&self, failure: &Failure) {
        if let Some(call) = &self.0 {
            let _entered = call.span.enter();
            event!(
                target: TARGET, Level::DEBUG,
                "error.type" = error_type(failure), "lro.failure.scope" = scope_word(failure), "lro.why" = %failure,
                "the start call failed and is sent again"
            );
        }
    }

    pub(super) fn ended(&mut self, done: &Done<'_>) {
        if let Some(call) = &mut self.0 {
            call.end(&done.outcome);
        }
    }
}

/// Makes the span of a call. A macro, because the level and the name of a span are constants.
macro_rules! call_span {
    ($level:expr, $name:literal, $subject:ident $(, $field:literal = $value:expr)?) => {{
        tracing::span!(
            target: TARGET,
            $level,
            $name,
            "otel.kind" = "client",
            "lro.operation.name" = Empty,
            "lro.method" = $subject.method,
            "lro.dialect" = $subject.dialect,
            "server.address" = host($subject.uri),
            "server.port" = port($subject.uri),
            $($field = $value,)?
            "lro.state" = Empty,
            "lro.outcome" = Empty,
            "lro.failure.scope" = Empty,
            "error.type" = Empty,
            "otel.status_code" = Empty,
            "otel.status_description" = Empty,
        )
    }};
}

impl Call {
    fn begin(kind: CallKind, subject: Subject<'_>) -> Self {
        let span = match kind {
            CallKind::Start => call_span!(Level::INFO, "lro.start", subject),
            CallKind::Cancel => call_span!(Level::INFO, "lro.cancel", subject),
            CallKind::Delete => call_span!(Level::INFO, "lro.delete", subject),
            CallKind::List => call_span!(Level::DEBUG, "lro.list", subject),
            CallKind::Poll(hold) => {
                let hold = hold.map(|hold| hold.as_secs_f64());
                call_span!(Level::DEBUG, "lro.poll", subject, "lro.poll.hold" = hold)
            }
        };
        if !subject.name.is_empty() {
            span.record("lro.operation.name", brief_name(subject.name));
        }
        Self { span, state: subject.state, has_ended: false }
    }

    fn end(&mut self, outcome: &CallOutcome<'_>) {
        self.has_ended = true;
        let _entered = self.span.enter();
        record(&self.span, outcome);
        match outcome {
            CallOutcome::Started(seen) => {
                self.span.record("lro.operation.name", brief_name(seen.subject.name));
                let state = state_word(seen.subject.state);
                event!(target: TARGET, Level::INFO, "lro.state" = state, "the operation has started");
                report_unknown(seen.unknown_word.map(|word| excerpt(word.as_bytes())).as_deref());
            }
            CallOutcome::Seen(seen) => {
                report_change(&mut self.state, seen);
                report_unknown(seen.unknown_word.map(|word| excerpt(word.as_bytes())).as_deref());
            }
            CallOutcome::Unreadable(failure) => event!(
                target: TARGET, Level::WARN,
                "error.type" = error_type(failure), "lro.why" = %failure,
                "the service has accepted the start, and no operation is found in its reply"
            ),
            CallOutcome::StartFailed(failure) => event!(
                target: TARGET, Level::INFO,
                "error.type" = error_type(failure), "lro.failure.scope" = scope_word(failure), "lro.why" = %failure,
                "the start call failed"
            ),
            CallOutcome::Failed(failure) => report_failure(failure),
            CallOutcome::Accepted | CallOutcome::NotHeld => {}
        }
    }
}

/// A call that has not ended is dropped with its future.
impl Drop for Call {
    fn drop(&mut self) {
        if !self.has_ended {
            self.span.record("lro.outcome", Outcome::Dropped.word());
        }
    }
}

/// Records in the span of a call or a poll what it came to.
fn record(span: &Span, outcome: &CallOutcome<'_>) {
    match outcome {
        CallOutcome::Seen(seen) | CallOutcome::Started(seen) => {
            span.record("lro.state", state_word(seen.subject.state));
        }
        CallOutcome::Failed(failure) | CallOutcome::StartFailed(failure) | CallOutcome::Unreadable(failure) => {
            span.record("lro.failure.scope", scope_word(failure));
            span.record("error.type", error_type(failure));
            span.record("otel.status_code", "ERROR");
            span.record("otel.status_description", display(failure));
        }
        CallOutcome::NotHeld => {
            span.record("lro.outcome", "not_held");
        }
        CallOutcome::Accepted => {}
    }
}

/// Reports the state that was seen, if it is another than before.
fn report_change(before: &mut State, seen: &Seen<'_>) {
    let from = std::mem::replace(before, seen.subject.state);
    if from != *before {
        event!(
            target: TARGET, Level::DEBUG,
            "lro.state.before" = state_word(from), "lro.state" = state_word(*before),
            "the state has changed"
        );
    }
}

/// Reports an unknown status word, as it is shown.
fn report_unknown(word: Option<&str>) {
    if let Some(word) = word {
        event!(target: TARGET, Level::WARN, "lro.status" = word, "the status is unknown, and taken for running");
    }
}

fn report_failure(failure: &Failure) {
    let error_type = error_type(failure);
    match failure.scope() {
        FailureScope::Origin => event!(
            target: TARGET, Level::DEBUG,
            "error.type" = error_type, "lro.failure.scope" = "origin", "lro.why" = %failure,
            "the origin is throttled or down"
        ),
        FailureScope::Operation => event!(
            target: TARGET, Level::DEBUG,
            "error.type" = error_type, "lro.failure.scope" = "operation", "lro.why" = %failure,
            "the call failed"
        ),
    }
}

/// Returns the host of a URL.
fn host(uri: Option<&Uri>) -> Option<&str> {
    uri?.host().map(|host| head(host, HOST))
}

/// Returns the port of a URL. It is signed, as all integers of `OpenTelemetry` are: exporters make
/// text of others.
fn port(uri: Option<&Uri>) -> Option<i64> {
    let uri = uri?;
    let port = uri.port_u16().or(match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    });
    port.map(i64::from)
}
