//! A wait that goes on in another process: what it must know of what it was.

use std::{sync::Arc, time::Duration};

use super::{
    Engine, Opening,
    moment::{Moment, nanos},
};
use crate::settings::Schedule;

/// How long the last look at an operation may take whose wait has expired while no process ran.
pub(crate) const LAST_LOOK: Duration = Duration::from_secs(10);

/// What is known of a wait that began in another process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Past {
    /// For how long it has lasted, with the time in which no process ran.
    pub(crate) age: Duration,
    /// How much time is left until the wait expires; `Left::Never` if it never does.
    pub(crate) left: Left,
    /// What was noted after the last poll; `None` if nothing is known of it.
    pub(crate) noted: Option<Noted>,
}

/// How much time a wait has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Left {
    /// As much as it likes.
    #[default]
    Never,
    /// So much.
    For(Duration),
    /// None: it has expired, and whether it was polled one last time since.
    Expired { was_looked_at: bool },
}

/// What was noted of a wait after a poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted {
    /// In how long the next poll is due: zero if it is overdue.
    pub(crate) due_in: Duration,
    /// The delay after the next good reply, before jitter.
    pub(crate) delay: Duration,
    /// How many polls there were.
    pub(crate) polls: u32,
}

impl Engine {
    /// Goes on with a wait of another process. It is polled no later than after the longest delay,
    /// whatever was noted; and once more if it has expired while nobody could look.
    pub(crate) fn resumed(schedule: Arc<Schedule>, opening: &Opening, past: &Past) -> Self {
        let mut engine = Self::new(schedule, opening);
        if engine.end().is_some() {
            return engine;
        }
        let age = nanos(past.age);
        engine.began = opening.now.after(-age);
        let (schedule, course) = (&engine.schedule, &mut engine.course);
        course.grace_ends = course.grace_ends.saturating_add(if course.grace_ends == Moment::MIN { 0 } else { age });
        course.forget_due_without();
        let due = past.noted.map_or(Duration::ZERO, |noted| noted.due_in.min(schedule.max_delay));
        if let Some(noted) = past.noted {
            course.delay = nanos(noted.delay.clamp(schedule.delay, schedule.max_delay));
            course.attempts = noted.polls;
        }
        let in_so_long = |duration| age.saturating_add(nanos(duration));
        course.deadline = match past.left {
            Left::Never => Moment::MAX,
            Left::For(left) => in_so_long(left),
            Left::Expired { was_looked_at: false } => in_so_long(LAST_LOOK),
            Left::Expired { was_looked_at: true } => age,
        };
        match past.left {
            Left::Expired { was_looked_at } => {
                (course.at, course.expires) = (age, was_looked_at);
                if !was_looked_at {
                    // A look that succeeds is followed by none but that at the end of its time.
                    course.delay = nanos(LAST_LOOK.saturating_mul(4));
                }
            }
            Left::Never | Left::For(_) => engine.plan_poll(age, in_so_long(due)),
        }
        engine
    }
}
