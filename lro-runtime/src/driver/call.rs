//! Calls that are made once: one poll, held by the server or not; a cancellation; a deletion.

use std::time::Duration;

use crate::{
    dialect::Call,
    error::{ErrorKind, Result},
    operation::{RawOperation, snapshot::PollTarget},
    status::Failure,
    timer::OwnTimer,
    transport::BoxFuture,
};

/// One poll. See [`RawOperation::poll_once`].
pub(crate) fn poll_once(operation: RawOperation, timer: OwnTimer) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move {
        if operation.is_completed() {
            return Ok(operation);
        }
        let limit = operation.poll_timeout()?;
        let timer = operation.client().timer_or(timer);
        let seen = operation.poll(timer.now(), limit, None, &*timer).await;
        seen.map(|next| operation.at(next)).map_err(|failure| operation.poll_error("the poll failed", failure))
    })
}

/// One poll that the server may hold. See [`RawOperation::wait`].
pub(crate) fn wait(
    operation: RawOperation,
    hold: Duration,
    timer: OwnTimer,
) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move {
        if operation.is_completed() {
            return Ok(operation);
        }
        let limit = operation.poll_timeout()?;
        let timer = operation.client().timer_or(timer);
        let seen = operation.poll(timer.now(), limit.saturating_add(hold), Some(hold), &*timer).await;
        seen.map(|next| operation.at(next)).map_err(|failure| {
            operation.poll_error("the wait call failed", failure).with_advice(ErrorKind::Unsupported, "poll instead")
        })
    })
}

/// See [`RawOperation::cancel`].
pub(crate) fn cancel(operation: RawOperation, timer: OwnTimer) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move { if operation.is_completed() { Ok(()) } else { send(operation, timer, &CANCEL).await } })
}

/// See [`RawOperation::delete`]. Unlike the others it makes sense on a completed operation.
pub(crate) fn delete(operation: RawOperation, timer: OwnTimer) -> BoxFuture<'static, Result<()>> {
    Box::pin(send(operation, timer, &DELETE))
}

/// A call about the operation that has no answer but success.
struct Command {
    call: fn(&PollTarget) -> Result<Call, Failure>,
    failed: &'static str,
    /// What to do where there is no such call.
    instead: &'static str,
}

const CANCEL: Command = Command {
    call: |target| target.dialect.cancel(&target.cursor),
    failed: "the cancel call failed",
    instead: "it cannot be cancelled here: poll until it has ended, or drop it and let it end unwatched",
};

const DELETE: Command = Command {
    call: |target| target.dialect.delete(&target.cursor),
    failed: "the delete call failed",
    instead: "drop it: services forget finished operations by themselves",
};

async fn send(operation: RawOperation, timer: OwnTimer, command: &Command) -> Result<()> {
    let limit = operation.poll_timeout()?;
    let timer = operation.client().timer_or(timer);
    let answer = async {
        let target =
            operation.snapshot.target.as_ref().ok_or_else(|| Failure::protocol("the operation has no name"))?;
        let reply = operation.client().call((command.call)(target)?, limit, &*timer).await?;
        target.dialect.read_answer(&reply)
    };
    answer.await.map_err(|failure| {
        operation.poll_error(command.failed, failure).with_advice(ErrorKind::Unsupported, command.instead)
    })
}
