//! A simulated driver: runs an engine against a script of replies. Time is a number, so nothing
//! sleeps.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use http::StatusCode;

use super::{Action, End, Engine, LastReply, Opening, PollSuccess};
use crate::{
    hint::Hint,
    settings::PollSettings,
    status::{Cause, Code, Failure, Status},
};

pub(super) fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// What a server does with one poll.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Success(PollSuccess),
    Fail(Failure),
    NoHold,
}

pub(super) fn running() -> Reply {
    Reply::Success(PollSuccess::default())
}

pub(super) fn hinted(hint: Hint) -> Reply {
    Reply::Success(PollSuccess { hint: Some(hint), ..PollSuccess::default() })
}

pub(super) fn follow() -> Reply {
    Reply::Success(PollSuccess { follow: true, ..PollSuccess::default() })
}

pub(super) fn done() -> Reply {
    Reply::Success(PollSuccess { completed: true, ..PollSuccess::default() })
}

pub(super) fn http(status: u16) -> Reply {
    let code = StatusCode::from_u16(status).unwrap();
    Reply::Fail(Failure::new(Cause::Http(code, Status::new(Code::from_http_status(status), ""))))
}

/// One poll. `at` and `ended` count from the beginning of the wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Poll {
    pub(super) at: Duration,
    pub(super) limit: Duration,
    pub(super) hold: Option<Duration>,
    pub(super) ended: Duration,
}

/// The record of a whole wait.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) polls: Vec<Poll>,
    pub(super) ended: Duration,
    pub(super) end: End,
    pub(super) attempts: u32,
    /// Whether the simulation cut the wait off: after too many polls, or at the end of the clock.
    pub(super) is_cut: bool,
}

impl Trace {
    /// Returns when each poll was sent, in seconds since the wait began.
    pub(super) fn sent(&self) -> Vec<f64> {
        self.polls.iter().map(|poll| poll.at.as_secs_f64()).collect()
    }

    pub(super) fn is_timeout(&self) -> bool {
        matches!(self.end, End::TimedOut(_))
    }
}

/// The conditions of a wait: what it begins with, and how its clocks and its timer behave.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    pub(super) began: Instant,
    pub(super) system: SystemTime,
    /// The reply that the wait begins with, and how long before the wait it was read.
    pub(super) last_reply: Option<(Duration, LastReply)>,
    /// How long before the wait the operation was started.
    pub(super) started: Option<Duration>,
    /// By how much every sleep exceeds what the engine asked for.
    pub(super) oversleep: Duration,
    /// After how many polls the simulation cuts the wait off.
    pub(super) most_polls: usize,
    /// Whether the engine is packed and unpacked wherever it can be.
    pub(super) packs: bool,
}

impl World {
    /// Begins with the reply to the start call, which took no time.
    pub(super) fn started_now() -> Self {
        let began = Instant::now() + Duration::from_secs(1_000_000); // so that earlier times exist on this clock
        let reply =
            LastReply { at: began.into(), round_trip: Duration::ZERO, answers_start: true, hint: None, follow: false };
        Self {
            began,
            system: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            last_reply: Some((Duration::ZERO, reply)),
            started: Some(Duration::ZERO),
            oversleep: Duration::ZERO,
            most_polls: 100_000,
            packs: false,
        }
    }

    /// Begins with an operation that was resumed from its name: no reply yet, and no known start.
    pub(super) fn resumed() -> Self {
        Self { last_reply: None, started: None, ..Self::started_now() }
    }

    pub(super) fn with_reply(mut self, change: impl FnOnce(&mut LastReply)) -> Self {
        if let Some((_, reply)) = &mut self.last_reply {
            change(reply);
        }
        self
    }

    pub(super) fn opening(&self) -> Opening {
        Opening {
            now: self.began.into(),
            system_now: self.system,
            completed: false,
            last_reply: self
                .last_reply
                .map(|(age, reply)| LastReply { at: self.began.checked_sub(age).unwrap().into(), ..reply }),
            started: self.started.map(|age| self.began.checked_sub(age).unwrap().into()),
            is_found: self.last_reply.is_some_and(|(_, reply)| !reply.answers_start && !reply.follow),
            seed: 7,
        }
    }

    pub(super) fn engine(&self, settings: &PollSettings) -> Engine {
        Engine::new(Arc::new(settings.clone().resolve().unwrap()), &self.opening())
    }

    /// Runs a wait. `script` returns for the `n`-th poll how long it takes and what it gives.
    ///
    /// Checks what must hold for every wait: `next` is idempotent, a time to sleep until lies
    /// ahead, and nothing after the end changes it. A latency above the limit of the poll becomes a
    /// failed poll that timed out.
    pub(super) fn run(
        &self,
        settings: &PollSettings,
        mut script: impl FnMut(usize, Poll) -> (Duration, Reply),
    ) -> Trace {
        let mut engine = self.engine(settings);
        let mut now = self.began;
        let since = |now: Instant| now.saturating_duration_since(self.began);
        let mut polls = Vec::new();
        // A fleet is older than most of its operations.
        let epoch = self.began.checked_sub(secs(12_345.678_9)).unwrap();
        let repacked = |engine: Engine| {
            if !self.packs {
                return engine;
            }
            let schedule = Arc::clone(&engine.schedule);
            engine.pack(epoch.into()).map_or_else(|engine| engine, |packed| packed.unpack(schedule, epoch.into()))
        };
        loop {
            engine = repacked(engine);
            let action = engine.next(now.into());
            engine = repacked(engine);
            assert_eq!(engine.clone().next(now.into()), action, "asking twice changes nothing");
            match action {
                Action::Wait(delay) => {
                    assert!(!delay.is_zero(), "a time to wait for lies ahead");
                    let Some(at) = now.checked_add(delay) else { break };
                    // A driver that wakes too early, half way, must be told of the same time again.
                    let half = delay / 2;
                    let again = if half < delay { Action::Wait(delay - half) } else { engine.next(at.into()) };
                    assert_eq!(engine.next((now + half).into()), again);
                    let Some(woken) = at.checked_add(self.oversleep) else { break };
                    now = woken;
                }
                Action::Poll { limit, hold } => {
                    let mut poll = Poll { at: since(now), limit, hold, ended: Duration::ZERO };
                    let (latency, reply) = script(polls.len(), poll);
                    let Some(landed) = now.checked_add(latency.min(limit)) else { break };
                    now = landed;
                    poll.ended = since(now);
                    polls.push(poll);
                    let system_now = self.system + since(now);
                    match reply {
                        _ if latency > limit => {
                            engine.handle_failure(now.into(), system_now, Failure::new(Cause::TimedOut(limit)));
                        }
                        Reply::Success(success) => engine.handle_success(now.into(), system_now, success),
                        Reply::Fail(failure) => engine.handle_failure(now.into(), system_now, failure),
                        Reply::NoHold if hold.is_some() => engine.handle_no_hold(now.into()),
                        Reply::NoHold => engine.handle_success(now.into(), system_now, PollSuccess::default()),
                    }
                    if polls.len() >= self.most_polls {
                        break;
                    }
                }
                Action::Finished => break,
            }
        }
        if let Some(end) = engine.end().cloned() {
            assert_eq!(engine.next(now.into()), Action::Finished, "finished stays finished");
            assert_eq!(engine.next((now + secs(1e6)).into()), Action::Finished);
            engine.handle_success(now.into(), self.system, PollSuccess::default());
            engine.handle_no_hold(now.into());
            assert_eq!(engine.next(now.into()), Action::Finished, "whatever comes after the end");
            return Trace { polls, ended: since(now), end, attempts: engine.attempts(), is_cut: false };
        }
        Trace { polls, ended: since(now), end: End::Completed, attempts: engine.attempts(), is_cut: true }
    }

    /// Runs a wait against a server that answers at once, with these replies and then with
    /// `running` for ever.
    pub(super) fn replies(&self, settings: &PollSettings, replies: &[Reply]) -> Trace {
        self.replies_in(Duration::ZERO, settings, replies)
    }

    /// Runs a wait against a server that answers after `latency`, with these replies and then with
    /// `running` for ever.
    pub(super) fn replies_in(&self, latency: Duration, settings: &PollSettings, replies: &[Reply]) -> Trace {
        self.run(settings, |n, _| (latency, replies.get(n).cloned().unwrap_or_else(running)))
    }
}
