//! The driver of a cancellation that is waited for.

use std::error::Error as _;

use super::{cancel, poll_until_completed};
use crate::{
    error::{Error, Result},
    operation::RawOperation,
    settings::PollSettings,
    status::{Failure, FailureScope},
    timer::TimerOverride,
    transport::BoxFuture,
};

/// Asks the service to cancel the operation and polls until it is terminal: see
/// [`RawOperation::cancel_and_wait`].
pub(crate) fn cancel_and_wait(
    operation: RawOperation,
    settings: PollSettings,
    timer: TimerOverride,
) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move {
        let Err(error) = cancel(operation.clone(), timer.clone()).await else {
            return poll_until_completed(operation, settings, timer).await;
        };
        if !is_refusal(&error) {
            return Err(error);
        }
        // The operation may have ended between its snapshot and the call. Services refuse to cancel
        // what has ended, each with a code of its own: only a poll tells that apart from other
        // refusals.
        let schedule = operation.schedule(settings)?;
        let timer = operation.client().timer_or(timer);
        let left = schedule.expiration.left(timer.now(), || timer.system_time());
        let limit = left.map_or(schedule.poll_timeout, |left| left.min(schedule.poll_timeout));
        match operation.poll(limit, None, &*timer).await {
            Ok(ended) if ended.is_completed() => Ok(ended),
            Ok(running) => Err(error.with_operation(&running)),
            Err(_) => Err(error),
        }
    })
}

/// Whether the service has answered the call with an error that is about the operation. A throttle
/// or an outage says nothing about it.
fn is_refusal(error: &Error) -> bool {
    let failure = error.source().and_then(|source| source.downcast_ref::<Failure>());
    failure.is_some_and(|failure| failure.status().is_some() && failure.scope() == FailureScope::Operation)
}
