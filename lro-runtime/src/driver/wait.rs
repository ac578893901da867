//! One wait: the engine, the latest snapshot, and who wants to know.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use super::Observers;
use crate::{
    engine::{Action, End, Engine, LastReply, Opening, Seen},
    error::{Error, ErrorKind, Result},
    hint::Hint,
    operation::RawOperation,
    settings::{PollSettings, UnknownStatus},
    status::Failure,
    timer::{OwnTimer, Timer},
    transport::BoxFuture,
};

/// See [`RawOperation::poll_until_completed`].
pub(crate) fn poll_until_completed(
    operation: RawOperation,
    settings: PollSettings,
    observers: Observers,
    timer: OwnTimer,
) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move { Wait::new(operation, settings, timer)?.observed_by(observers).finish().await })
}

/// A wait in progress. All drivers share it; they differ in who awaits it.
pub(crate) struct Wait {
    operation: RawOperation,
    engine: Engine,
    timer: Arc<dyn Timer>,
    unknown: UnknownStatus,
    observers: Observers,
}

impl Wait {
    pub(crate) fn new(operation: RawOperation, settings: PollSettings, timer: OwnTimer) -> Result<Self> {
        let schedule = operation.settings(settings).resolve()?;
        let timer = operation.client().timer_or(timer);
        let unknown = schedule.unknown_status;
        let snapshot = &operation.snapshot;
        let opening = Opening {
            now: timer.now(),
            system_now: timer.system_time(),
            completed: operation.is_completed(),
            last_reply: snapshot.replied.map(|replied| LastReply {
                at: replied.at,
                round_trip: replied.round_trip,
                to_start: replied.to_start,
                hint: snapshot.hint,
                follow: snapshot.follow,
            }),
            started: snapshot.started.map(|started| started.at),
            seed: fastrand::u64(..),
        };
        let engine = Engine::new(schedule, &opening);
        Ok(Self { operation, engine, timer, unknown, observers: Observers::default() })
    }

    pub(crate) fn observed_by(mut self, observers: Observers) -> Self {
        self.observers = observers;
        self
    }

    pub(crate) fn operation(&self) -> &RawOperation {
        &self.operation
    }

    /// Shows the observers where the wait begins.
    pub(crate) fn begin(&mut self) {
        self.observers.begin(&self.operation);
    }

    /// Waits until the operation is terminal.
    pub(crate) async fn finish(mut self) -> Result<RawOperation> {
        self.begin();
        while self.advance().await? {}
        Ok(self.operation)
    }

    /// Waits, and polls until there is a new snapshot: `true`. `false` once the operation is terminal.
    pub(crate) async fn advance(&mut self) -> Result<bool> {
        loop {
            let now = self.timer.now();
            match self.engine.next(now) {
                Action::WaitUntil(at) => self.timer.sleep(at.saturating_duration_since(now)).await,
                Action::Poll { limit, hold } => {
                    if self.poll(now, limit, hold).await? {
                        return Ok(true);
                    }
                }
                Action::Finished => return self.ended(),
            }
        }
    }

    /// One poll: whether it gave a new snapshot.
    async fn poll(&mut self, began: Instant, limit: Duration, hold: Option<Duration>) -> Result<bool> {
        match self.operation.poll(began, limit, hold, &*self.timer).await {
            Ok(next) => {
                let now = next.replied.map_or(began, |replied| replied.at);
                let seen = Seen { completed: next.state.is_terminal(), hint: next.hint, follow: next.follow };
                self.engine.handle_seen(now, self.system_time(next.hint), seen);
                if self.observers.is_empty() {
                    self.operation.advance(next);
                } else {
                    let next = self.operation.at(next);
                    self.observers.seen(&self.operation, &next);
                    self.operation = next;
                }
                self.refuse_unknown()?;
                Ok(true)
            }
            Err(failure) if hold.is_some() && failure.may_be_of_the_call() => {
                self.engine.handle_no_hold(self.timer.now());
                Ok(false)
            }
            Err(failure) => {
                self.engine.handle_failure(self.timer.now(), self.system_time(failure.hint()), failure);
                Ok(false)
            }
        }
    }

    /// The wall clock, which is read only for a hint that is a date.
    fn system_time(&self, hint: Option<Hint>) -> SystemTime {
        match hint {
            Some(Hint::At(_)) => self.timer.system_time(),
            _ => SystemTime::UNIX_EPOCH,
        }
    }

    fn refuse_unknown(&self) -> Result<()> {
        if self.unknown == UnknownStatus::Running || self.operation.snapshot.is_known_status {
            return Ok(());
        }
        let word = self.operation.raw_status().unwrap_or_default();
        Err(self
            .error(ErrorKind::Protocol, format!("the status `{}` is unknown", crate::text::excerpt(word.as_bytes()))))
    }

    /// What the end of the engine means to the caller.
    fn ended(&self) -> Result<bool> {
        match self.engine.end() {
            None | Some(End::Completed) => Ok(false),
            Some(End::Permanent(failure)) => Err(self.failed("the poll failed", failure)),
            Some(End::BudgetSpent(failure)) => {
                Err(self.failed("the error budget is spent, the last poll failed", failure))
            }
            Some(End::TimedOut(last)) => {
                let error =
                    self.error(ErrorKind::Timeout, format!("still {} when the wait expired", self.operation.state()));
                Err(match last {
                    Some(failure) => error.with_source(failure.clone()),
                    None => error,
                })
            }
        }
    }

    fn failed(&self, message: &str, failure: &Failure) -> Error {
        self.operation
            .poll_error(message, failure.clone())
            .with_effort(self.engine.attempts(), self.engine.elapsed(self.timer.now()))
    }

    fn error(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message)
            .with_operation(&self.operation)
            .with_effort(self.engine.attempts(), self.engine.elapsed(self.timer.now()))
    }
}
