//! The stream driver: a wait as a stream of snapshots.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{Observers, wait::Wait};
use crate::{
    error::Result,
    operation::{Handle, RawOperation},
    settings::PollSettings,
    timer::TimerOverride,
};

/// A [`Stream`] of the snapshots of one operation: the first at once, then one per successful poll.
///
/// The delays are those of `poll_until_completed`. The wait and its time limit begin with the first
/// poll of the stream. The stream ends after the terminal snapshot, or after the error that ends
/// the wait. Dropping it loses nothing: every snapshot can be polled again.
#[must_use = "a stream does nothing unless polled"]
pub struct Snapshots<H> {
    stage: Stage,
    // A function that returns `H`, because no `H` is stored: the stream is `Send` and `Unpin`
    // whatever `H` is.
    handle: std::marker::PhantomData<fn() -> H>,
}

/// What the stream is doing.
enum Stage {
    /// The stream has not been polled. The wait is made on the first poll, so that the time before
    /// it does not count towards the time limit.
    First(Box<(RawOperation, PollSettings, TimerOverride, Observers)>),
    /// The wait goes on: a snapshot has been yielded, or a delay or a poll is in progress.
    Waiting(Box<ObservedWait>),
    /// The terminal snapshot or an error has been yielded.
    Ended,
}

/// A wait with the observers that it calls.
struct ObservedWait {
    wait: Wait,
    observers: Observers,
}

impl<H: Handle> Snapshots<H> {
    pub(crate) fn new(
        operation: RawOperation,
        settings: PollSettings,
        timer: TimerOverride,
        observers: Observers,
    ) -> Self {
        let first = Box::new((operation, settings, timer, observers));
        Self { stage: Stage::First(first), handle: std::marker::PhantomData }
    }
}

impl<H: Handle> Stream for Snapshots<H> {
    type Item = Result<H>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // `Ended` is the placeholder while the stage is moved out: an error, or a panic of an
        // observer, leaves the stream ended.
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Ended => Poll::Ready(None),
            Stage::First(first) => {
                let (operation, settings, timer, mut observers) = *first;
                let item = operation.schedule(settings).map(|schedule| {
                    let mut wait = Wait::new(operation, schedule, timer);
                    let first = H::from_raw_operation(wait.operation().clone());
                    observers.begin(wait.operation());
                    self.stage = Stage::Waiting(Box::new(ObservedWait { wait, observers }));
                    first
                });
                Poll::Ready(Some(item))
            }
            Stage::Waiting(mut observed) => {
                let ObservedWait { wait, observers } = &mut *observed;
                let Poll::Ready(advanced) = wait.poll_advance(context, observers) else {
                    self.stage = Stage::Waiting(observed);
                    return Poll::Pending;
                };
                Poll::Ready(match advanced {
                    Err(error) => {
                        observers.leave(Some(&error));
                        Some(Err(error))
                    }
                    Ok(false) => None,
                    Ok(true) => {
                        let snapshot = H::from_raw_operation(wait.operation().clone());
                        self.stage = Stage::Waiting(observed);
                        Some(Ok(snapshot))
                    }
                })
            }
        }
    }
}

impl<H> fmt::Debug for Snapshots<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots").finish_non_exhaustive()
    }
}
