//! The driver of single calls: one poll, one held poll, a cancellation, a deletion.

use std::time::Duration;

use crate::{
    dialect::Call,
    error::{ErrorKind, Result},
    operation::{RawOperation, snapshot::Place},
    status::Failure,
    telemetry::{CallKind, CallOutcome, CallTelemetry},
    timer::TimerOverride,
    transport::BoxFuture,
};

/// Polls once: see [`RawOperation::poll_once`].
pub(crate) fn poll_once(operation: RawOperation, timer: TimerOverride) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move {
        if operation.is_completed() {
            return Ok(operation);
        }
        let limit = operation.poll_timeout()?;
        let timer = operation.client().timer_or(timer);
        let next = operation.poll(limit, None, &*timer).await;
        next.map_err(|failure| operation.poll_error("the poll failed", failure))
    })
}

/// Polls once and lets the server hold the reply for up to `hold`: see [`RawOperation::wait`].
pub(crate) fn wait(
    operation: RawOperation,
    hold: Duration,
    timer: TimerOverride,
) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move {
        if operation.is_completed() {
            return Ok(operation);
        }
        let limit = operation.poll_timeout()?;
        let timer = operation.client().timer_or(timer);
        // The server may use all of `hold` before it answers: the time of an ordinary poll comes on
        // top. Saturating, because `hold` is the caller's.
        let next = operation.poll(limit.saturating_add(hold), Some(hold), &*timer).await;
        next.map_err(|failure| {
            operation.poll_error("the wait call failed", failure).with_advice(ErrorKind::Unsupported, "poll instead")
        })
    })
}

/// What a cancel call came to. Neither says that the operation was cancelled: only a later snapshot
/// shows that.
///
/// ```no_run
/// use lro_runtime::CancelOutcome;
///
/// # async fn stop(operation: lro_runtime::RawOperation) -> lro_runtime::Result<()> {
/// match operation.cancel().await? {
///     CancelOutcome::AlreadyCompleted => println!("too late: {}", operation.state()),
///     // Asked. The enum may grow, so a `match` needs this arm.
///     _ => println!("asked to stop"),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelOutcome {
    /// The service has accepted the request. The operation may still finish in spite of it.
    Requested,
    /// The operation had ended already. No request was sent.
    AlreadyCompleted,
}

/// Asks the service to cancel the operation, unless it has ended: see [`RawOperation::cancel`].
pub(crate) fn cancel(operation: RawOperation, timer: TimerOverride) -> BoxFuture<'static, Result<CancelOutcome>> {
    Box::pin(async move {
        if operation.is_completed() {
            return Ok(CancelOutcome::AlreadyCompleted);
        }
        send(operation, timer, &CANCEL).await.map(|()| CancelOutcome::Requested)
    })
}

/// Tells the service that the operation is no longer needed: see [`RawOperation::delete`]. Unlike
/// the other calls it is sent for a completed operation as well, whose record the service may still
/// keep.
pub(crate) fn delete(operation: RawOperation, timer: TimerOverride) -> BoxFuture<'static, Result<()>> {
    Box::pin(send(operation, timer, &DELETE))
}

/// A call about the operation whose reply says nothing but success or failure.
struct Command {
    kind: CallKind,
    /// Builds the call in the operation's dialect.
    call: fn(Place<'_>) -> Result<Call, Failure>,
    /// The message of its error.
    failed: &'static str,
    /// The advice where the dialect or the service has no such call.
    advice: &'static str,
}

const CANCEL: Command = Command {
    kind: CallKind::Cancel,
    call: |place| place.dialect().cancel(&place.cursor()),
    failed: "the cancel call failed",
    advice: "it cannot be cancelled: poll until it ends, or drop it and let it run on",
};

const DELETE: Command = Command {
    kind: CallKind::Delete,
    call: |place| place.dialect().delete(&place.cursor()),
    failed: "the delete call failed",
    advice: "no delete is needed: services remove finished operations themselves",
};

/// Sends a command and checks its reply.
async fn send(operation: RawOperation, timer: TimerOverride, command: &Command) -> Result<()> {
    let limit = operation.poll_timeout()?;
    let timer = operation.client().timer_or(timer);
    let mut telemetry = CallTelemetry::begin(command.kind, || operation.subject());
    let answer = async {
        let call = (command.call)(place_of(&operation)?)?;
        let reply = operation.client().send(call, limit, &*timer, telemetry.lent()).await?;
        place_of(&operation)?.dialect().read_answer(&reply)
    };
    let answer = answer.await;
    telemetry.ended(|| answer.as_ref().map_or_else(CallOutcome::Failed, |()| CallOutcome::Accepted));
    answer.map_err(|failure| {
        operation.poll_error(command.failed, failure).with_advice(ErrorKind::Unsupported, command.advice)
    })
}

/// Returns where the calls about an operation go.
///
/// # Errors
///
/// When there is no such place, or nothing is sent there.
pub(crate) fn place_of(operation: &RawOperation) -> Result<Place<'_>, Failure> {
    // A finished operation may have no name and no place: there is nothing to send the call to.
    let place = operation.snapshot.place();
    let place = place.ok_or_else(|| Failure::protocol("the operation has no name"))?;
    place.check_place().map(|()| place)
}
