//! What an engine learns otherwise than from a poll of its own, as it does in a fleet.

use std::time::SystemTime;

use super::{
    End, Engine, Stage,
    moment::{Moment, moment, nanos},
};
use crate::{stamp::Stamp, status::Failure};

impl Engine {
    /// Reports that the poll was given up before it was answered, by nobody's fault. It is due
    /// again.
    pub(crate) fn handle_given_up(&mut self, time: Stamp) {
        if let Some(polling) = self.take_polling() {
            let course = &mut self.course;
            course.attempts = course.attempts.saturating_sub(1);
            // What it was sent for has not been seen: one more may be sent, however late it is.
            course.last_was_ordinary = false;
            course.at = moment(self.began, time).max(polling.planned);
            self.stage = Stage::Waiting;
        }
    }

    /// Reports that a list has shown the operation, not completed. That is a look as good as a
    /// poll: the next one is a delay away. While a poll is in flight, its reply is as new.
    pub(crate) fn handle_seen(&mut self, time: Stamp) {
        if !matches!(self.stage, Stage::Waiting) || self.course.expires {
            return;
        }
        let now = moment(self.began, time);
        self.course.forget_failures();
        (self.course.follows, self.course.grace_ends) = (0, Moment::MIN);
        let delay = self.delay_after_reply(None, false, SystemTime::UNIX_EPOCH);
        self.course.forget_due_without();
        self.plan_poll(now, now.saturating_add(delay));
    }

    /// Reports that the operation is terminal, as something else than a poll has shown.
    pub(crate) fn handle_completed(&mut self) {
        if self.end().is_none() {
            self.stage = Stage::Ended(End::Completed);
        }
    }

    /// Whether the poll in flight may end without a reply although the origin is well: the server
    /// holds it, or the deadline leaves it less time than other polls have.
    pub(crate) fn may_be_cut(&self) -> bool {
        let is_short = |polling| self.limit(polling) < nanos(self.schedule.poll_timeout);
        self.polling().is_some_and(|polling| polling.is_held() || is_short(polling))
    }

    /// Reports that the origin is given up, which failed so when it was asked last.
    pub(crate) fn handle_origin_lost(&mut self, failure: &Failure) {
        if self.end().is_none() {
            self.stage = Stage::Ended(End::BudgetSpent(Box::new(failure.clone())));
        }
    }
}
