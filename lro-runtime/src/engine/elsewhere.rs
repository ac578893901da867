//! What an engine learns otherwise than from a poll of its own, as it does in a fleet.

use std::time::{Instant, SystemTime};

use super::{
    End, Engine, Plan,
    moment::{Moment, add, moment},
};
use crate::status::Failure;

impl Engine {
    /// Reports that the poll was given up before it was answered, by nobody's fault. It is due
    /// again.
    pub(crate) fn handle_given_up(&mut self, time: Instant) {
        if let Some(polling) = self.take_polling() {
            self.attempts = self.attempts.saturating_sub(1);
            // What it was sent for has not been seen: one more may be sent, however late it is.
            self.last_was_ordinary = false;
            self.plan = Plan::PollAt(moment(self.began, time).max(polling.planned));
        }
    }

    /// Reports that a list has shown the operation, not completed. That is a look as good as a
    /// poll: the next one is a delay away. While a poll is in flight, its reply is as new.
    pub(crate) fn handle_seen(&mut self, time: Instant) {
        if !matches!(self.plan, Plan::PollAt(_)) {
            return;
        }
        let now = moment(self.began, time);
        (self.failing, self.follows, self.grace_ends) = (None, 0, Moment::MIN);
        let delay = self.delay_after_reply(None, false, SystemTime::UNIX_EPOCH);
        if let Some(holding) = &mut self.holding {
            holding.due_without = None;
        }
        self.plan_poll(now, add(now, delay));
    }

    /// Reports that the operation is terminal, as something else than a poll has shown.
    pub(crate) fn handle_completed(&mut self) {
        if self.end().is_none() {
            self.plan = Plan::Ended(End::Completed);
        }
    }

    /// Whether the poll in flight may end without a reply although the origin is well: the server
    /// holds it, or the deadline leaves it less time than other polls have.
    pub(crate) fn may_be_cut(&self) -> bool {
        match &self.plan {
            Plan::Polling(polling) => polling.held.is_some() || polling.limit < self.schedule.poll_timeout,
            _ => false,
        }
    }

    /// Reports that the origin is given up, which failed so when it was asked last.
    pub(crate) fn handle_origin_lost(&mut self, failure: &Failure) {
        if self.end().is_none() {
            self.plan = Plan::Ended(End::BudgetSpent(Box::new(failure.clone())));
        }
    }
}
