//! The recorder of start calls: who writes a start call down before a byte of it is sent, so that
//! it can be sent again after a crash.
//!
//! A fleet that starts an operation does not see the start call: the caller's own code makes it,
//! behind methods of an SDK. So the recorder stands in a thread-local while that code is polled,
//! and only then, as the method does in [`current_method`](super::current_method). A start call
//! looks it up when it is first polled, and one that was handed to another task finds none.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    Operations,
    call::CheckedCall,
    start_record::{NotKept, StartRecord},
};
use crate::{
    error::Result,
    operation::{Method, RawOperation},
    transport::BoxFuture,
};

/// Writes start calls down before they are sent.
pub(crate) trait StartRecorder: Send + Sync {
    /// Writes down a start call that `client` is about to send, as an operation of `method`. It is
    /// sent when the future is ready, and not at all if that fails: the error is then the start
    /// call's.
    ///
    /// Called once for a start call, however often the start policy sends it, and again for every
    /// other start call of the same code. A call that has no `record` is sent all the same: it
    /// cannot be sent again, and `start_id` is what the service knows it by, if by anything.
    fn record(
        &self,
        client: &Operations,
        method: Option<&'static Method>,
        start_id: Option<&str>,
        record: Result<StartRecord, NotKept>,
    ) -> BoxFuture<'static, Result<()>>;
}

thread_local! {
    /// The recorder of the code that this thread is polling.
    static CURRENT: RefCell<Option<Arc<dyn StartRecorder>>> = const { RefCell::new(None) };
}

/// Returns the recorder of the code that is being polled on this thread; `None` outside any, also
/// where the thread is about to end.
pub(super) fn current() -> Option<Arc<dyn StartRecorder>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Puts the outer recorder back when dropped: a guard, so that code that panics does not leave its
/// recorder behind for the next task of this thread.
struct Restore(Option<Arc<dyn StartRecorder>>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.with(|current| current.replace(self.0.take()));
    }
}

/// Polls `future` with its start calls recorded by `recorder`.
pub(crate) fn poll_recorded<T>(
    recorder: &Arc<dyn StartRecorder>,
    future: Pin<&mut (dyn Future<Output = T> + '_)>,
    context: &mut Context<'_>,
) -> Poll<T> {
    let _restore = Restore(CURRENT.with(|current| current.replace(Some(Arc::clone(recorder)))));
    future.poll(context)
}

impl Operations {
    /// Sends a checked start call as soon as `recorder` has written it down.
    pub(super) async fn start_recorded(
        self,
        recorder: Arc<dyn StartRecorder>,
        call: CheckedCall,
        method: Option<&'static Method>,
    ) -> Result<RawOperation> {
        let record = StartRecord::of(&call, method);
        recorder.record(&self, method, call.start_id.as_deref(), record).await?;
        self.start_checked(call, method).await
    }
}

#[cfg(all(test, feature = "testing"))]
pub(super) mod tests;
