//! The wait: one engine, the latest snapshot, the timer and the observers. Every driver of a whole
//! wait runs this loop.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use super::{
    FailedPoll, ObservedRaw, Observers,
    ended::{error_of, unknown_status},
    latest::Latest,
    reports,
};
use crate::{
    engine::{Action, Engine, InFlight, LastReply, Opening, PollSuccess},
    error::{Error, Result},
    hint::Hint,
    message::Reply,
    operation::{RawOperation, snapshot::ReplyTime},
    settings::{PollSettings, Schedule, UnknownStatus},
    stamp::Stamp,
    status::{Cause, Failure},
    telemetry::{Done, WaitTelemetry},
    timer::{
        Timer, TimerOverride,
        limit::{Alarm, PollLimit},
    },
    transport::BoxFuture,
};

/// Polls until the operation is terminal: see [`RawOperation::poll_until_completed`].
pub(crate) fn poll_until_completed(
    operation: RawOperation,
    settings: PollSettings,
    timer: TimerOverride,
) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(UntilCompleted::new(operation, settings, timer))
}

/// Polls until the operation is terminal, calls the observers and leaves its last snapshot with
/// them: see [`Observed::poll_until_completed`](super::Observed::poll_until_completed).
pub(crate) fn observe_until_completed(
    observed: &mut ObservedRaw,
    settings: PollSettings,
    timer: TimerOverride,
) -> BoxFuture<'_, Result<RawOperation>> {
    let operation = observed.latest.clone();
    Box::pin(Observing { wait: UntilCompleted::new(operation, settings, timer), observed })
}

/// A whole wait as a future.
///
/// By hand, as [`Wait`] is: an `async` block keeps what it has moved elsewhere beside what it was
/// moved into, and a program may hold a hundred thousand of these.
pub(crate) struct UntilCompleted {
    stage: Stage,
}

/// What the future is doing.
enum Stage {
    /// It has not been polled. The wait is made by the first poll, so that the time before it does
    /// not count towards the time limit.
    NotBegun(RawOperation, Result<Arc<Schedule>>, OwnTimer),
    Waiting(Wait),
    /// The wait is being made, or could not be made: the settings are illegal.
    Ended,
}

impl UntilCompleted {
    /// Polls until the operation is terminal. The time until the first poll does not count.
    pub(crate) fn new(operation: RawOperation, settings: PollSettings, timer: TimerOverride) -> Self {
        let schedule = operation.schedule(settings);
        Self { stage: Stage::NotBegun(operation, schedule, timer.map(Box::new)) }
    }

    fn poll_observed(&mut self, context: &mut Context<'_>, observers: &mut Observers) -> Poll<Result<RawOperation>> {
        if let Stage::Waiting(wait) = &mut self.stage {
            return wait.poll_observed(context, observers);
        }
        let Stage::NotBegun(operation, schedule, timer) = std::mem::replace(&mut self.stage, Stage::Ended) else {
            return Poll::Pending;
        };
        self.stage = Stage::Waiting(Wait::begin(operation, schedule?, timer));
        // After the wait is stored: an observer that panics leaves a wait that can go on.
        let Stage::Waiting(wait) = &mut self.stage else { return Poll::Pending };
        observers.begin(wait.operation());
        wait.poll_observed(context, observers)
    }
}

impl Future for UntilCompleted {
    type Output = Result<RawOperation>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_observed(context, &mut Observers::default())
    }
}

/// The same with observers. They are apart, because most waits have none.
struct Observing<'a> {
    wait: UntilCompleted,
    observed: &'a mut ObservedRaw,
}

impl Future for Observing<'_> {
    type Output = Result<RawOperation>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { wait, observed } = &mut *self;
        wait.poll_observed(context, &mut observed.observers)
    }
}

impl Drop for Observing<'_> {
    fn drop(&mut self) {
        // However the wait ends: the next one begins here.
        if let Stage::Waiting(wait) = &mut self.wait.stage {
            self.observed.latest = wait.operation().clone();
        }
        self.observed.observers.leave(None);
    }
}

/// Returns what the engine knows when a wait for `operation` begins now.
///
/// It reads no clock and has no randomness: both are passed in here, and the times again at each
/// step.
pub(crate) fn opening_of(operation: &RawOperation, timer: &dyn Timer) -> Opening {
    let snapshot = &operation.snapshot;
    Opening {
        now: timer.now().into(),
        system_now: timer.system_time(),
        completed: operation.is_completed(),
        last_reply: snapshot.replied.map(|replied| LastReply {
            at: replied.at,
            round_trip: replied.round_trip(),
            answers_start: snapshot.answers_start,
            hint: snapshot.more().hint,
            follow: snapshot.follow,
        }),
        started: snapshot.started.map(|started| started.at),
        is_found: snapshot.is_found,
        seed: fastrand::u64(..),
    }
}

/// Until when a wait is polled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// A poll has given a new snapshot.
    Advanced,
    /// The operation is terminal.
    Completed,
}

/// How long a reply may be whose reading takes no time, as far as delays and deadlines go: some ten
/// microseconds.
const READ_AT_ONCE: usize = 16 * 1024;

/// How long a wait sleeps at least for its reply to be packed meanwhile.
const PACKED_FROM: Duration = Duration::from_secs(1);

/// A wait in progress. The async, blocking, stream and shared drivers differ only in what polls it.
pub(crate) struct Wait {
    latest: Latest,
    engine: Engine,
    timer: OwnTimer,
    /// The sleep of the delays. Kept while a poll is in flight, for the next delay.
    delay: Option<Alarm>,
    limit: PollLimit,
    /// The poll in flight, of which the engine knows the rest; without one, the engine knows
    /// whether the wait sleeps. Boxed, because it is as large as all the rest and most operations
    /// sleep most of the time; it owns what it needs, so that the wait borrows nothing from itself.
    reply: Option<BoxFuture<'static, Result<Reply, Failure>>>,
    telemetry: WaitTelemetry,
}

/// The timer of a wait that does not use the client's. Boxed, because few waits have one.
type OwnTimer = Option<Box<Arc<dyn Timer>>>;

/// Returns the timer of a wait for `operation`.
fn timer_of<'a>(own: &'a OwnTimer, operation: &'a RawOperation) -> &'a Arc<dyn Timer> {
    own.as_deref().unwrap_or_else(|| operation.client().timer())
}

impl Wait {
    pub(crate) fn new(operation: RawOperation, schedule: Arc<Schedule>, timer: TimerOverride) -> Self {
        Self::begin(operation, schedule, timer.map(Box::new))
    }

    fn begin(operation: RawOperation, schedule: Arc<Schedule>, timer: OwnTimer) -> Self {
        let opening = opening_of(&operation, &**timer_of(&timer, &operation));
        let engine = Engine::new(schedule, &opening);
        let telemetry = WaitTelemetry::begin(|| operation.subject());
        let latest = Latest::new(operation);
        Self { latest, engine, timer, delay: None, limit: PollLimit::default(), reply: None, telemetry }
    }

    /// Returns the time.
    fn now(&self) -> Stamp {
        timer_of(&self.timer, self.latest.known()).now().into()
    }

    /// Returns the operation at its latest snapshot.
    pub(crate) fn operation(&mut self) -> &RawOperation {
        self.latest.whole()
    }

    /// As [`poll_finish`](Self::poll_finish), and tells the observers of an error that ends the
    /// wait.
    fn poll_observed(&mut self, context: &mut Context<'_>, observers: &mut Observers) -> Poll<Result<RawOperation>> {
        let ended = ready!(self.poll_finish(context, observers));
        if let Err(error) = &ended {
            observers.leave(Some(error));
        }
        Poll::Ready(ended)
    }

    /// Waits until the operation is terminal, and returns it.
    fn poll_finish(&mut self, context: &mut Context<'_>, observers: &mut Observers) -> Poll<Result<RawOperation>> {
        ready!(self.poll_until(Until::Completed, context, observers))?;
        Poll::Ready(Ok(self.operation().clone()))
    }

    /// Waits until a poll gives a new snapshot, and returns `true`; returns `false` once the
    /// operation is terminal.
    ///
    /// The delay or the poll in progress stays with the wait, so that any task may go on with it.
    pub(crate) fn poll_advance(&mut self, context: &mut Context<'_>, observers: &mut Observers) -> Poll<Result<bool>> {
        self.poll_until(Until::Advanced, context, observers)
    }

    /// Waits until then. Returns whether the operation may go on.
    fn poll_until(&mut self, until: Until, context: &mut Context<'_>, observers: &mut Observers) -> Poll<Result<bool>> {
        let _entered = self.telemetry.enter();
        loop {
            // One reading of the clock per step: what the engine decides and how long the timer
            // sleeps go by the same time.
            let mut now = None;
            if let Some(reply) = &mut self.reply {
                let entered = self.telemetry.enter_poll();
                // A reply is large: it stays where it is.
                let mut polled = reply.as_mut().poll(context);
                let answer = match polled {
                    Poll::Ready(Ok(ref mut reply)) => Ok(reply),
                    Poll::Ready(Err(failure)) => Err(failure),
                    // After the reply: one that arrives together with the deadline counts, even if
                    // the limit is zero.
                    Poll::Pending => Err(Failure::new(Cause::TimedOut(ready!(self.poll_limit(context))))),
                };
                drop(entered);
                // Dropped first: it shares the snapshot, which is overwritten in place where
                // nothing does.
                self.reply = None;
                let replied = self.now();
                let is_short = answer.as_ref().is_ok_and(|reply| reply.body().len() <= READ_AT_ONCE);
                let has_advanced = self.take(answer, replied, observers)?;
                if has_advanced && until == Until::Advanced {
                    return Poll::Ready(Ok(true));
                }
                // Otherwise time has passed: observers and policies may take theirs.
                now = Some(replied).filter(|_| has_advanced && is_short && observers.ignore_snapshots());
            } else if self.engine.is_asleep() {
                if let Some(delay) = &mut self.delay {
                    ready!(delay.poll(context));
                }
                self.telemetry.slept();
            }
            let now = now.unwrap_or_else(|| self.now());
            match self.engine.next(now) {
                Action::Wait(delay) => {
                    self.telemetry.sleep(delay, || self.engine.why(self.latest.known().snapshot.more().hint));
                    self.sleep(now, delay);
                    self.limit.forget_within(delay, now);
                }
                Action::Poll { limit, hold } => {
                    self.telemetry.poll(|| reports::poll_begun(self.latest.known(), &self.engine, hold));
                    self.reply = Some(self.send(limit, hold));
                }
                Action::Finished => {
                    self.report_end(false);
                    return Poll::Ready(self.ended());
                }
            }
        }
    }

    /// Waits for the time limit of the poll in flight, and returns how long it was.
    fn poll_limit(&mut self, context: &mut Context<'_>) -> Poll<Duration> {
        let Some((limit, until)) = self.engine.poll_limit() else { return Poll::Pending };
        self.limit.poll(until, timer_of(&self.timer, self.latest.known()), context).map(|()| limit)
    }

    /// Begins a delay at `now`.
    fn sleep(&mut self, now: Stamp, duration: Duration) {
        match &mut self.delay {
            Some(delay) => delay.set_from(now.into(), duration),
            None => self.delay = Some(Alarm::of(timer_of(&self.timer, self.latest.known()), duration)),
        }
        if duration >= PACKED_FROM {
            self.latest.pack();
        }
    }

    /// Sends the poll that the engine asks for.
    fn send(&self, limit: Duration, hold: Option<Duration>) -> BoxFuture<'static, Result<Reply, Failure>> {
        let operation = self.latest.known();
        let (client, timer) = (operation.client().clone(), self.timer.clone());
        // As `RawOperation::reply`, but the request is made here, so that the future has no place
        // for the operation.
        let request = match operation.outgoing(hold) {
            Ok(request) => request,
            Err(failure) => return Box::pin(std::future::ready(Err(failure))),
        };
        Box::pin(async move {
            let timer = timer.as_deref().unwrap_or_else(|| client.timer());
            client.reply(&request, limit, &**timer).await
        })
    }

    /// Takes the answer of a poll that came at `now`, and reports it to the engine. Returns whether
    /// the poll gave a new snapshot.
    fn take(&mut self, answer: Result<&mut Reply, Failure>, now: Stamp, observers: &mut Observers) -> Result<bool> {
        let Some(InFlight { began, is_held }) = self.engine.in_flight() else { return Ok(false) };
        // Observers compare two snapshots, so the last one is kept for them.
        let last = (!observers.ignore_snapshots()).then(|| self.operation().clone());
        let advanced = match answer {
            Ok(reply) => self.latest.advance(reply, ReplyTime::of_poll(began, now)),
            Err(failure) => Err(failure),
        };
        self.telemetry.polled(|| Done {
            took: now.since(began),
            outcome: reports::poll_outcome(self.latest.known(), &advanced, is_held, now),
        });
        match advanced {
            Ok(()) => {
                let next = &self.latest.known().snapshot;
                let success =
                    PollSuccess { completed: next.state.is_terminal(), hint: next.more().hint, follow: next.follow };
                self.engine.handle_success(now, self.system_time(success.hint), success);
                if let Some(last) = last {
                    observers.notify_poll(&last, self.latest.whole());
                }
                // After the snapshot is stored, so that the error carries the one with the unknown
                // word.
                if self.refuses_status() {
                    self.report_end(true);
                    let error = unknown_status(self.operation());
                    return Err(self.with_effort(error));
                }
                Ok(true)
            }
            // Services that do not bind `WaitOperation` over REST answer 404 or 405 to it. That
            // says nothing about the operation: the engine polls as usual from now on, and the
            // error budget is not touched.
            Err(failure) if reports::is_not_held(&failure, is_held) => {
                self.engine.handle_no_hold(now);
                Ok(false)
            }
            Err(failure) => {
                observers.notify_failed_poll(FailedPoll::new(self.latest.whole(), &failure, self.engine.attempts()));
                self.engine.handle_failure(now, self.system_time(failure.hint()), failure);
                Ok(false)
            }
        }
    }

    /// Returns the time of the wall clock if the hint is a date. After the opening the engine needs
    /// it for nothing else, so otherwise the clock is not read.
    fn system_time(&self, hint: Option<Hint>) -> SystemTime {
        match hint {
            Some(Hint::At(_)) => timer_of(&self.timer, self.latest.known()).system_time(),
            _ => SystemTime::UNIX_EPOCH,
        }
    }

    /// Whether the settings make an unknown status word an error and the latest snapshot has one.
    fn refuses_status(&self) -> bool {
        self.engine.unknown_status() != UnknownStatus::Running && !self.latest.known().snapshot.is_known_status
    }

    /// Reports that the wait has ended, as the engine says or because of an unknown status word.
    fn report_end(&mut self, is_refused: bool) {
        let Self { telemetry, latest, engine, timer, .. } = self;
        let effort = || (engine.attempts(), engine.elapsed(timer_of(timer, latest.known()).now().into()));
        telemetry.ended(|| reports::wait_ended(latest.known(), engine.end(), effort(), is_refused));
    }

    /// Turns the end of the engine into the outcome of the wait.
    fn ended(&mut self) -> Result<bool> {
        match self.engine.end().and_then(|end| error_of(end, self.latest.whole())) {
            None => Ok(false),
            Some(error) => Err(self.with_effort(error)),
        }
    }

    /// Adds the number of polls of the wait and its duration to an error.
    fn with_effort(&self, error: Error) -> Error {
        error.with_effort(self.engine.attempts(), self.engine.elapsed(self.now()))
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        task::Waker,
    };

    use super::*;
    use crate::{
        testing::{Script, ScriptedTransport, VirtualClock},
        timer::park::block_on,
    };

    #[test]
    fn a_wait_is_small() {
        // Of a reply that is packed it holds no more than the place where that is.
        let whole = size_of::<UntilCompleted>() - size_of::<WaitTelemetry>();
        let latest = size_of::<Latest>() - size_of::<RawOperation>();
        assert!(whole <= 176 + latest && latest <= 24, "{whole}, {latest}");
        assert_eq!(size_of::<UntilCompleted>(), size_of::<Wait>(), "what it does takes no place of its own");
    }

    #[test]
    fn a_wait_whose_first_call_of_an_observer_panics_can_go_on() {
        let transport = ScriptedTransport::new(Script::new().done("cat"));
        let operation = transport.operations(&VirtualClock::new()).unwrap().resume("operations/1").unwrap();
        let (mut observed, mut is_first) = (ObservedRaw::new(operation), true);
        observed.observers.add_progress(move |_| assert!(!std::mem::take(&mut is_first), "out of paper"));
        let mut wait = observe_until_completed(&mut observed, PollSettings::default(), None);
        let mut begin = || wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
        assert!(catch_unwind(AssertUnwindSafe(&mut begin)).is_err());
        assert!(block_on(wait).unwrap().is_completed());
    }
}
