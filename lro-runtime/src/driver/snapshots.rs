//! The stream of snapshots.

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
    timer::OwnTimer,
    transport::BoxFuture,
};

/// A [`Stream`] of snapshots of one operation: the first at once, then one per poll with the same waits as `poll_until_completed`. It ends after
/// the terminal snapshot, or after the error that ends the wait. Dropping it loses nothing: every snapshot can be polled again.
#[must_use = "a stream does nothing unless polled"]
pub struct Snapshots<H> {
    stage: Stage,
    handle: std::marker::PhantomData<fn() -> H>,
}

enum Stage {
    /// The wait, and its time limit, begin when somebody looks.
    First(Box<(RawOperation, PollSettings, OwnTimer, Observers)>),
    Between(Box<Wait>),
    Advancing(BoxFuture<'static, (Box<Wait>, Result<bool>)>),
    Ended,
}

impl<H: Handle> Snapshots<H> {
    pub(crate) fn new(operation: RawOperation, settings: PollSettings, timer: OwnTimer, observers: Observers) -> Self {
        let first = Box::new((operation, settings, timer, observers));
        Self { stage: Stage::First(first), handle: std::marker::PhantomData }
    }
}

impl<H: Handle> Stream for Snapshots<H> {
    type Item = Result<H>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Ended) {
                Stage::Ended => return Poll::Ready(None),
                Stage::First(first) => {
                    let (operation, settings, timer, observers) = *first;
                    let item = Wait::new(operation, settings, timer).map(|wait| {
                        let mut wait = Box::new(wait.observed_by(observers));
                        let first = H::from_raw_operation(wait.operation().clone());
                        wait.begin();
                        self.stage = Stage::Between(wait);
                        first
                    });
                    return Poll::Ready(Some(item));
                }
                Stage::Between(mut wait) => {
                    self.stage = Stage::Advancing(Box::pin(async move {
                        let advanced = wait.advance().await;
                        (wait, advanced)
                    }));
                }
                Stage::Advancing(mut future) => {
                    let Poll::Ready((wait, advanced)) = future.as_mut().poll(context) else {
                        self.stage = Stage::Advancing(future);
                        return Poll::Pending;
                    };
                    return Poll::Ready(match advanced {
                        Err(error) => Some(Err(error)),
                        Ok(false) => None,
                        Ok(true) => {
                            let snapshot = H::from_raw_operation(wait.operation().clone());
                            self.stage = Stage::Between(wait);
                            Some(Ok(snapshot))
                        }
                    });
                }
            }
        }
    }
}

impl<H> fmt::Debug for Snapshots<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots").finish_non_exhaustive()
    }
}
