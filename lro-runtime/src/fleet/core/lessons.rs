//! What the end of a request teaches about its origin.

use std::time::{Instant, SystemTime};

use super::Core;
use crate::{
    fleet::{ids::OriginId, origin::Lesson},
    status::{Cause, Failure, FailureScope, TransportErrorKind},
};

impl Core {
    /// Learns from a request that has failed. A throttle and an outage are the origin's.
    pub(super) fn learn_failure(
        &mut self,
        id: OriginId,
        time: Instant,
        system_now: SystemTime,
        failure: &Failure,
    ) -> Lesson {
        let lesson = lesson_of(failure, system_now);
        if let Some(party) = self.parties.get_mut(id as usize).filter(|_| lesson != Lesson::Answered) {
            party.failure = Some(Box::new(failure.clone()));
        }
        self.learn(id, time, lesson);
        lesson
    }

    /// Learns from a request that has ended. Each that was sent is learned from once.
    pub(super) fn learn(&mut self, id: OriginId, time: Instant, lesson: Lesson) {
        let now = self.moment(time);
        let Some(party) = self.parties.get_mut(id as usize) else { return };
        party.origin.ended(now, lesson);
        if party.blocked.is_some() {
            self.list(id);
        }
        if lesson == Lesson::Unreached && self.is_lost(id, time) {
            self.give_up_origin(id, time);
        }
    }
}

/// What a failed request teaches about its origin.
fn lesson_of(failure: &Failure, system_now: SystemTime) -> Lesson {
    match failure.cause() {
        Cause::TimedOut(_) => Lesson::Unreached,
        Cause::Transport(error) => match error.kind() {
            TransportErrorKind::InvalidReply | TransportErrorKind::BodyTooLarge => Lesson::Answered,
            TransportErrorKind::InvalidRequest => Lesson::Nothing,
            _ => Lesson::Unreached,
        },
        // Nothing was sent.
        Cause::Credentials(_) | Cause::Untrusted(_) => Lesson::Nothing,
        _ if failure.scope() == FailureScope::Origin => {
            Lesson::Throttled(failure.hint().map(|hint| hint.delay(system_now)))
        }
        _ => Lesson::Answered,
    }
}
