//! The driver: it sends the requests that the core asks for, and reports what each gave.

use std::{
    collections::BTreeSet,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Instant, SystemTime},
};

use super::{
    core::{Gave, Next, PageEnd},
    flights::Flights,
    ids::GroupId,
    landing,
    request::{self, Request},
    restart::Sent,
    seen::Ended,
    shared::{Shared, State},
    ticket::Ticket,
};
use crate::{
    driver::wait_ended,
    status::{Cause, Failure},
    telemetry::WaitTelemetry,
    timer::{Timer, limit::Alarm},
};

/// How many requests are begun before others of the executor have their turn.
const MOST_AT_ONCE: u32 = 128;

/// The driver of a fleet, as a future: made by [`Fleet::run`](super::Fleet::run).
///
/// Awaited on any executor, it polls the fleet's operations until the fleet is closed and every
/// completion was acknowledged. It may be dropped at any time and loses nothing: polls in flight
/// are due again, for the next `run()`. Several may run at once, on several threads.
#[must_use = "a fleet does nothing unless a driver is awaited"]
pub struct Run {
    shared: Arc<Shared>,
    timer: Arc<dyn Timer>,
    id: u64,
    flights: Flights<Request>,
    /// When each flight is given up, and which it is.
    limits: BTreeSet<(Instant, usize)>,
    /// What wakes the driver, and when.
    alarm: Option<(Alarm, Instant)>,
    is_done: bool,
    /// The start calls of another process that are sent again.
    restarts: Sent,
}

/// What to do next, with what is needed for it.
#[expect(clippy::large_enum_variant, reason = "a step is taken at once, and most send something")]
enum Step {
    Send(Request),
    Sleep(Option<Instant>),
    Again,
    Done,
}

impl Run {
    pub(super) fn new(shared: Arc<Shared>, timer: Arc<dyn Timer>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed);
        let (flights, limits, restarts) = (Flights::new(), BTreeSet::new(), Sent::new(&shared));
        Self { shared, timer, id, flights, limits, alarm: None, is_done: false, restarts }
    }

    /// Polls the flights that were woken, each once, and reports what has landed.
    ///
    /// One that wakes itself, to let others go first, has its next turn after the next step: others
    /// are begun meanwhile, and the executor has its turn.
    fn poll_flights(&mut self, task: &Waker) {
        for index in self.flights.woken(task) {
            let Some((mut flight, waker)) = self.flights.take(index) else { continue };
            match flight.poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => self.flights.put(index, flight),
                Poll::Ready(answer) => {
                    self.flights.remove(index);
                    self.forget_limit(&flight, index);
                    landing::land(&self.shared, flight, answer, &*self.timer);
                }
            }
        }
    }

    fn forget_limit(&mut self, flight: &Request, index: usize) {
        if let Some(until) = flight.until() {
            self.limits.remove(&(until, index));
        }
    }

    /// Gives up the flights whose time is over.
    fn time_out(&mut self, now: Instant) {
        while let Some((until, index)) = self.limits.first().copied().filter(|(until, _)| *until <= now) {
            self.limits.remove(&(until, index));
            let Some((flight, _)) = self.flights.take(index) else { continue };
            self.flights.remove(index);
            let failure = Failure::new(Cause::TimedOut(flight.limit));
            landing::land(&self.shared, flight, Err(failure), &*self.timer);
        }
    }

    /// Asks the core what to do.
    fn step(&self, now: Instant, is_over: bool, task: &Waker) -> Step {
        let mut state = self.shared.lock();
        state.write_notes(now, self.timer.system_time());
        let (consumers, redelivers) = state.endings.redeliver(now);
        let is_held = is_over || state.is_held();
        state.core.hold(is_held);
        let next = match state.core.next(now) {
            Next::Poll { ticket, limit, hold } => match state.brief(ticket) {
                Some(brief) => {
                    drop(state);
                    Step::Send(request::poll(ticket, &brief, limit, hold, &self.timer))
                }
                None => lost(&mut state, ticket, now),
            },
            Next::Cancel { ticket, failures } => match state.brief(ticket) {
                Some(brief) => {
                    drop(state);
                    Step::Send(request::cancel(ticket, &brief, failures, &self.timer))
                }
                None => lost(&mut state, ticket, now),
            },
            Next::Page { group, is_first } => match state.page(group, is_first) {
                Some(brief) => {
                    drop(state);
                    Step::Send(request::page(group, brief, &self.timer))
                }
                None => unasked(&mut state, group, &[], now),
            },
            Next::Batch { group, mut members } => match state.batch(group, &mut members) {
                Some(brief) => {
                    drop(state);
                    Step::Send(request::batch(group, members, brief, &self.timer))
                }
                None => unasked(&mut state, group, &members, now),
            },
            Next::Ended { ticket, end, polls, lasted } => {
                let ended = state.end(ticket, &end, polls, lasted);
                drop(state);
                if let Some(Ended { wakers, operation, is_refused }) = ended {
                    let mut telemetry = WaitTelemetry::begin(|| operation.subject());
                    telemetry.ended(|| wait_ended(&operation, Some(&end), (polls, lasted), is_refused));
                    wakers.wake();
                }
                Step::Again
            }
            Next::Sleep(_) if state.is_over() => Step::Done,
            Next::Sleep(until) => {
                state.sleep(self.id, task);
                Step::Sleep(until.into_iter().chain(redelivers).min())
            }
        };
        consumers.wake();
        next
    }

    /// Drives the fleet until it is over. With `ends`, also until nothing is in flight and nothing
    /// is due before that time; behind it nothing is sent, nor behind the last of `requests`.
    /// Returns when something is due next.
    pub(super) fn advance(
        &mut self,
        ends: Option<Instant>,
        requests: &mut u64,
        context: &mut Context<'_>,
    ) -> Poll<Option<Instant>> {
        let mut begun = 0;
        loop {
            self.poll_flights(context.waker());
            let now = self.timer.now();
            let is_over = *requests == 0 || ends.is_some_and(|ends| ends <= now);
            self.time_out(now);
            let restarts = self.restarts.poll(now, is_over, context);
            match self.step(now, is_over, context.waker()) {
                Step::Send(flight) => {
                    *requests = requests.saturating_sub(1);
                    let until = flight.until();
                    let index = self.flights.insert(flight);
                    self.limits.extend(until.map(|until| (until, index)));
                }
                Step::Again => {}
                Step::Done => {
                    self.is_done = true;
                    self.shared.lock().remove_driver(self.id);
                    return Poll::Ready(None);
                }
                Step::Sleep(until) => {
                    let until = until.into_iter().chain(restarts).min();
                    if let Some(ends) = ends
                        && self.flights.is_empty()
                        && self.restarts.is_empty()
                    {
                        let due = if is_over { self.due(now).into_iter().chain(restarts).min() } else { until };
                        if is_over || due.is_none_or(|due| due > ends) {
                            return Poll::Ready(due);
                        }
                    }
                    // Until what is in flight has landed, there is nothing to wake up for behind
                    // the end.
                    let until = if is_over { None } else { until.into_iter().chain(ends).min() };
                    if !self.poll_alarm(until, now, context) {
                        return Poll::Pending;
                    }
                }
            }
            begun += 1;
            if begun >= MOST_AT_ONCE {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Returns when something is due, of which nothing is sent any more.
    fn due(&self, now: Instant) -> Option<Instant> {
        let mut state = self.shared.lock();
        let is_held = state.is_held();
        state.core.hold(is_held);
        state.core.due(now)
    }

    /// Sleeps until `until`, or until the first time limit. Returns whether that has come.
    fn poll_alarm(&mut self, until: Option<Instant>, now: Instant, context: &mut Context<'_>) -> bool {
        let of_limits = self.limits.first().map(|(until, _)| *until);
        let Some(until) = until.into_iter().chain(of_limits).min() else {
            self.alarm = None;
            return false;
        };
        let left = until.saturating_duration_since(now);
        match &mut self.alarm {
            // One that rings too early is set anew then: to set one for each change costs more.
            Some((_, at)) if *at <= until => {}
            Some((alarm, at)) => {
                alarm.set_from(now, left);
                *at = until;
            }
            None => self.alarm = Some((Alarm::of(&self.timer, left), until)),
        }
        let Some((alarm, _)) = &mut self.alarm else { return false };
        let rings = alarm.poll(context).is_ready();
        if rings {
            self.alarm = None;
        }
        rings
    }
}

impl Future for Run {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.is_done {
            return Poll::Ready(());
        }
        self.advance(None, &mut { u64::MAX }, context).map(|_| ())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        for flight in self.flights.drain() {
            landing::give_up(&self.shared, flight, &*self.timer);
        }
        let mut state = self.shared.lock();
        state.remove_driver(self.id);
        drop(state);
        // What was in flight here is due for the others.
        self.shared.wake_drivers();
    }
}

/// Forgets an operation that the core has and the table has not. That cannot be; were it so, a
/// request in flight would never end.
fn lost(state: &mut State, ticket: Ticket, now: Instant) -> Step {
    state.core.report(ticket, now, SystemTime::UNIX_EPOCH, Gave::GivenUp);
    state.core.remove(ticket);
    Step::Again
}

/// Has the members of a group polled that the core has and the table has not. That cannot be, and
/// were it so, a request in flight would never end.
fn unasked(state: &mut State, group: GroupId, members: &[Ticket], now: Instant) -> Step {
    let end = PageEnd::Refused(Failure::protocol("the fleet does not know what to ask for"));
    state.core.end_page(group, now, SystemTime::UNIX_EPOCH, &end, members.iter().copied());
    Step::Again
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
