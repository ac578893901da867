//! Time limits: of one future, and of polls that follow one another.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use super::{BoxSleep, Sleep, Timer};
use crate::{
    stamp::Stamp,
    status::{Cause, Failure},
    telemetry::Lent,
    transport::BoxFuture,
};

/// Waits for `reply`, at most for `limit`. It is polled in the span of its call.
///
/// # Errors
///
/// That of the reply, or that the limit has passed.
pub(crate) fn within<'a, T: 'a>(
    mut reply: Pin<&'a mut (impl Future<Output = Result<T, Failure>> + Send)>,
    limit: Duration,
    timer: &'a dyn Timer,
    span: Lent<'a>,
) -> impl Future<Output = Result<T, Failure>> + Send + 'a {
    let mut sleep = None;
    poll_fn(move |context| {
        let _entered = span.enter();
        // The reply is polled first: one that arrives together with the deadline counts, even if
        // the limit is zero.
        if let Poll::Ready(reply) = reply.as_mut().poll(context) {
            return Poll::Ready(reply);
        }
        // Made only if the reply is pending: a sleep costs an allocation, and a reply that is ready
        // needs none.
        let sleep = sleep.get_or_insert_with(|| timer.sleep(limit));
        sleep.as_mut().poll(context).map(|()| Err(Failure::new(Cause::TimedOut(limit))))
    })
}

/// One sleep, set again and again: the sleep of before where the timer can set it anew, else
/// another one.
pub(crate) struct Alarm(BoxSleep);

impl Alarm {
    pub(crate) fn of(timer: &Arc<dyn Timer>, duration: Duration) -> Self {
        let reusable = timer.reusable_sleep(duration);
        let again = || Box::pin(Again { timer: Arc::clone(timer), sleep: timer.sleep(duration) });
        Self(reusable.unwrap_or_else(|| again()))
    }

    pub(crate) fn set_from(&mut self, now: Instant, duration: Duration) {
        self.0.as_mut().set_from(now, duration);
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

/// The sleeps of a timer that cannot set one anew: another one each time.
struct Again {
    timer: Arc<dyn Timer>,
    sleep: BoxFuture<'static, ()>,
}

impl Future for Again {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(context)
    }
}

impl Sleep for Again {
    fn set(mut self: Pin<&mut Self>, duration: Duration) {
        self.sleep = self.timer.sleep(duration);
    }
}

/// The time limit of the polls of one wait, by one sleep.
///
/// Nearly every poll is answered long before its limit, and to set a sleep is dear: async-io wakes
/// its reactor's thread for each. So a sleep stays set when its poll is answered. If it ends during
/// a later poll, it is set anew for what is left of that poll's limit.
#[derive(Default)]
pub(crate) struct PollLimit {
    /// The sleep, and when it ends. Boxed, because a wait has the place for it while it sleeps.
    set: Option<Box<(Alarm, Stamp)>>,
}

impl PollLimit {
    /// Waits until the time limit of a poll: ready at `until`, and not before.
    pub(crate) fn poll(&mut self, until: Stamp, timer: &Arc<dyn Timer>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.set.as_deref_mut() {
                Some((alarm, at)) if *at <= until => {
                    ready!(alarm.poll(context));
                    // No clock is asked: what was set for this limit and has ended has reached it.
                    if *at == until {
                        self.set = None;
                        return Poll::Ready(());
                    }
                    let now = timer.now();
                    alarm.set_from(now, until.since(now.into()));
                    *at = until;
                }
                // Not set, or too late for this poll, whose limit the end of the wait cuts.
                _ => {
                    let alarm = Alarm::of(timer, until.since(timer.now().into()));
                    self.set = Some(Box::new((alarm, until)));
                }
            }
        }
    }

    /// Drops a sleep that would end before the next poll begins, in a `delay` from `now`: it would
    /// wake the task for nothing, and it takes memory while the wait sleeps.
    pub(crate) fn forget_within(&mut self, delay: Duration, now: Stamp) {
        let until = now + delay;
        self.set.take_if(|set| set.1 <= until);
    }
}
