//! Drivers: feet for the engine. They send what it asks for, wait as long as it says, and hand back snapshots.
//!
//! Every call is boxed once, so that what users hold is small and the loop is compiled once for all operations of a program.

use std::{sync::Arc, time::Duration};

use crate::{
    dialect::Call,
    error::{ErrorKind, Result},
    operation::{Handle, RawOperation, snapshot::Look},
    settings::PollSettings,
    status::Failure,
    timer::Timer,
    transport::BoxFuture,
};

mod blocking;
mod observe;
mod shared;
mod snapshots;
mod wait;

pub(crate) use self::wait::Wait;
pub use self::{
    blocking::Blocking,
    observe::{Notify, Observed},
    shared::{Shared, Waiting},
    snapshots::Snapshots,
};

/// The timer that a driver brings instead of the client's.
pub(crate) type OwnTimer = Option<Arc<dyn Timer>>;

/// One look. See [`RawOperation::poll_once`].
pub(crate) fn poll_once(operation: RawOperation, timer: OwnTimer) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move {
        if operation.is_completed() {
            return Ok(operation);
        }
        let limit = operation.settings(PollSettings::default()).resolve()?.poll_timeout;
        let timer = timer.unwrap_or_else(|| Arc::clone(operation.client().timer()));
        let seen = operation.look(timer.now(), limit, None, &*timer).await;
        seen.map(|next| operation.at(next)).map_err(|failure| operation.poll_error("the poll failed", failure))
    })
}

/// One look that the server may hold. See [`RawOperation::wait`].
pub(crate) fn wait(
    operation: RawOperation,
    hold: Duration,
    timer: OwnTimer,
) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move {
        if operation.is_completed() {
            return Ok(operation);
        }
        let limit = operation.settings(PollSettings::default()).resolve()?.poll_timeout;
        let timer = timer.unwrap_or_else(|| Arc::clone(operation.client().timer()));
        let seen = operation.look(timer.now(), limit.saturating_add(hold), Some(hold), &*timer).await;
        seen.map(|next| operation.at(next)).map_err(|failure| {
            operation.poll_error("the wait call failed", failure).with_advice(ErrorKind::Unsupported, "poll instead")
        })
    })
}

/// See [`RawOperation::poll_until_completed`].
pub(crate) fn poll_until_completed(
    operation: RawOperation,
    settings: PollSettings,
) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move { Wait::new(operation, settings, None)?.finish().await })
}

/// See [`RawOperation::snapshots`].
pub(crate) fn snapshots<H: Handle>(operation: RawOperation, settings: PollSettings) -> Snapshots<H> {
    Snapshots::new(operation, settings, None, observe::Observers::default())
}

/// See [`RawOperation::cancel`].
pub(crate) fn cancel(operation: RawOperation, timer: OwnTimer) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move { if operation.is_completed() { Ok(()) } else { ask(operation, timer, &CANCEL).await } })
}

/// See [`RawOperation::delete`]. Unlike the others it makes sense on a completed operation.
pub(crate) fn delete(operation: RawOperation, timer: OwnTimer) -> BoxFuture<'static, Result<()>> {
    Box::pin(ask(operation, timer, &DELETE))
}

/// A call about the operation that has no answer but success.
struct Ask {
    call: fn(&Look) -> Result<Call, Failure>,
    failed: &'static str,
    /// What to do where there is no such call.
    instead: &'static str,
}

const CANCEL: Ask = Ask {
    call: |look| look.dialect.cancel(&look.cursor),
    failed: "the cancel call failed",
    instead: "it cannot be cancelled here: poll until it has ended, or drop it and let it end unwatched",
};

const DELETE: Ask = Ask {
    call: |look| look.dialect.delete(&look.cursor),
    failed: "the delete call failed",
    instead: "drop it: services forget finished operations by themselves",
};

async fn ask(operation: RawOperation, timer: OwnTimer, ask: &Ask) -> Result<()> {
    let limit = operation.settings(PollSettings::default()).resolve()?.poll_timeout;
    let timer = timer.unwrap_or_else(|| Arc::clone(operation.client().timer()));
    let answer = async {
        let look = operation.snapshot.look.as_ref().ok_or_else(|| Failure::protocol("the operation has no name"))?;
        let reply = operation.client().call((ask.call)(look)?, limit, &*timer).await?;
        look.dialect.read_answer(&reply)
    };
    answer
        .await
        .map_err(|failure| operation.poll_error(ask.failed, failure).with_advice(ErrorKind::Unsupported, ask.instead))
}
