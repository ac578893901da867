//! The guard that cancels an operation when it is dropped before the operation has ended.

use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    ops::Deref,
    sync::{Mutex, PoisonError},
    task::Poll,
};

use super::{Cancellable, Handle, Operation, RawOperation};
use crate::{
    driver::{self, Blocking},
    error::{Error, ErrorKind, Result},
    settings::PollSettings,
    telemetry::carried,
    timer::{
        background::{Background, Started, isolated},
        park::blocking_timer,
    },
    transport::BoxFuture,
};

/// Sends the cancel calls of all guards.
static CANCELS: Background = Background::new("lro-cancel");

type OnFailure = Box<dyn FnOnce(Error) + Send>;

/// A guard that cancels its operation when it is dropped: made by [`Operation::cancel_on_drop`].
///
/// The guard dereferences to the operation it holds. It asks for cancellation once, when it is
/// dropped before it has seen the operation end: because its task was aborted, its scope was left
/// with `?` or by a panic, or its wait failed or expired.
///
/// The request is sent from a background thread, so that it works in blocking code, on any
/// executor, and while an executor is shut down. There is one such thread for all guards, which
/// starts with the first request and ends with the last reply. It awaits at most 100 replies at
/// once, so that a process with many guards does not run out of sockets, and at most 25 of one
/// origin, so that a service that does not answer holds up no other; the other requests queue. Each
/// request has the time limit of a single poll
/// ([`with_poll_timeout`](PollSettings::with_poll_timeout)), from when it is its turn.
///
/// Because one thread sends all cancel calls of the process, what blocks it holds up all others:
/// credentials, a transport or a timer that block instead of being pending, and a hook that takes
/// long.
///
/// The outcome is not awaited; [`on_failure`](Self::on_failure) is told if it is a failure. A
/// process that exits right after the drop may exit before the request is sent: where that matters,
/// call [`cancel`](Operation::cancel) instead.
///
/// ```
/// # use lro_runtime::{Cancellable, Operation, PollSettings, Result};
/// # async fn wait<S: Cancellable>(operation: Operation<S>) -> Result<()> {
/// let guarded = operation.cancel_on_drop();
/// let done = guarded.poll_until_completed(PollSettings::interactive()).await?; // dropped here: cancelled
/// # Ok(()) }
/// ```
#[must_use = "if dropped immediately, the guard cancels the operation immediately"]
pub struct CancelOnDrop<S: Cancellable> {
    operation: Operation<S>,
    is_armed: bool,
    /// In a `Mutex` only so that a guard can be shared between threads: it is never locked.
    on_failure: Mutex<Option<OnFailure>>,
}

impl<S: Cancellable> CancelOnDrop<S> {
    pub(crate) fn new(operation: Operation<S>) -> Self {
        Self { operation, is_armed: true, on_failure: Mutex::default() }
    }

    /// Sets what is called if the cancel call of the dropped guard fails: with the error of
    /// [`cancel`](Operation::cancel), or with one of kind [`Poll`](ErrorKind::Poll) that says that
    /// the call panicked or that the thread could not be started. Each names the operation and has
    /// its snapshot. A service may also refuse the call because the operation has just ended.
    ///
    /// It is called at most once, and replaces the one that was set before. It runs on the thread
    /// that sends the cancel calls of all guards, and must not hold it up; where that thread cannot
    /// be started, it runs where the guard is dropped. A panic in it ends there.
    ///
    /// ```
    /// # use lro_runtime::{Cancellable, Operation, PollSettings, Result};
    /// # async fn wait<S: Cancellable>(operation: Operation<S>) -> Result<()> {
    /// let guarded = operation.cancel_on_drop().on_failure(|error| eprintln!("it may run on: {error}"));
    /// let done = guarded.poll_until_completed(PollSettings::interactive()).await?;
    /// # Ok(()) }
    /// ```
    pub fn on_failure(mut self, hook: impl FnOnce(Error) + Send + 'static) -> Self {
        self.on_failure = Mutex::new(Some(Box::new(hook)));
        self
    }

    /// Returns the operation and never cancels it.
    pub fn disarm(mut self) -> Operation<S> {
        self.is_armed = false;
        // A type with a `Drop` cannot be taken apart, so the operation is cloned out, which is
        // cheap.
        self.operation.clone()
    }

    /// Polls once; the guard then holds the new snapshot.
    ///
    /// # Errors
    ///
    /// As [`Operation::poll_once`].
    pub async fn poll_once(&mut self) -> Result<()> {
        self.operation = self.operation.poll_once().await?;
        Ok(())
    }

    /// Polls until the operation is terminal. Dropping the future cancels the operation, and so
    /// does an error.
    ///
    /// # Errors
    ///
    /// As [`Operation::poll_until_completed`].
    pub async fn poll_until_completed(mut self, settings: PollSettings) -> Result<Operation<S>> {
        // The guard stays armed while it waits: an error, or dropping this future, drops it and so
        // cancels.
        let done = self.operation.poll_until_completed(settings).await?;
        self.is_armed = false;
        Ok(done)
    }

    /// Polls until the operation is terminal, blocking the calling thread. An error cancels the
    /// operation.
    ///
    /// # Errors
    ///
    /// As [`Operation::poll_until_completed`].
    pub fn poll_until_completed_blocking(mut self, settings: PollSettings) -> Result<Operation<S>> {
        let done = Blocking::new(self.operation.clone()).poll_until_completed(settings)?;
        self.is_armed = false;
        Ok(done)
    }
}

impl<S: Cancellable> Deref for CancelOnDrop<S> {
    type Target = Operation<S>;

    fn deref(&self) -> &Operation<S> {
        &self.operation
    }
}

impl<S: Cancellable> fmt::Debug for CancelOnDrop<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.operation).finish()
    }
}

impl<S: Cancellable> Drop for CancelOnDrop<S> {
    fn drop(&mut self) {
        let raw = self.operation.raw_operation();
        if self.is_armed && !raw.is_completed() {
            let hook = self.on_failure.get_mut().unwrap_or_else(PoisonError::into_inner).take();
            cancel_in_background(raw, hook, || CANCELS.start());
        }
    }
}

/// Sends the cancel call from the background thread, because `drop` may run where there is no
/// executor, and blocking here could hold up one.
fn cancel_in_background(
    operation: &RawOperation,
    hook: Option<OnFailure>,
    start: impl FnOnce() -> io::Result<Started<'static>>,
) {
    let report = move |error| {
        if let Some(hook) = hook {
            hook(error);
        }
    };
    let cancel = carried(cancel(operation.clone()));
    let origin = operation.client().origin_of(operation.snapshot.place());
    // From here to `run` all guards of the process are locked out: no code of somebody else is
    // called, which may drop a guard itself.
    match start() {
        Ok(thread) => thread.run(
            origin,
            Box::pin(async move {
                if let Err(error) = cancel.await {
                    report(error);
                }
            }),
        ),
        Err(why) => {
            let message = format!("the cancel call was not sent: its thread cannot be started: {why}");
            let error = failed(operation, message).with_source(why);
            // A panic that leaves a `drop` during another panic would abort the process.
            isolated(|| report(error));
        }
    }
}

/// Returns the cancel call of the background thread: one that panics fails.
fn cancel(operation: RawOperation) -> BoxFuture<'static, Result<()>> {
    let asked = operation.clone();
    let mut cancel = Box::pin(async move {
        // Asked for its kind on the background thread: the timer is code of somebody else.
        let timer = blocking_timer(asked.client().timer());
        driver::cancel(asked, Some(timer)).await.map(drop)
    });
    Box::pin(poll_fn(move |context| {
        isolated(|| cancel.as_mut().poll(context))
            .unwrap_or_else(|| Poll::Ready(Err(failed(&operation, "the cancel call panicked".to_owned()))))
    }))
}

fn failed(operation: &RawOperation, message: String) -> Error {
    Error::new(ErrorKind::Poll, message)
        .with_operation(operation)
        .with_advice(ErrorKind::Poll, "cancel it from the snapshot")
}

impl<S: Cancellable> Operation<S> {
    /// Returns a guard that cancels the operation when it is dropped before the operation has
    /// ended: see [`CancelOnDrop`].
    ///
    /// Only of a method that declares `cancel`, a key of `#[long_running]`: of any other it does
    /// not compile, also where its documentation shows it.
    pub fn cancel_on_drop(self) -> CancelOnDrop<S> {
        CancelOnDrop::new(self)
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::testing::{Script, ScriptedTransport, VirtualClock};

    #[test]
    fn a_cancel_call_whose_thread_cannot_be_started_is_reported_with_the_operations_name() {
        let transport = ScriptedTransport::new(Script::new().pending());
        let operation = transport.operations(&VirtualClock::new()).unwrap().resume("operations/7").unwrap();
        let (sender, reported) = mpsc::channel();
        let hook: OnFailure = Box::new(move |error| {
            sender.send(error).unwrap();
            panic!("out of paper");
        });
        cancel_in_background(&operation, Some(hook), || Err(io::ErrorKind::OutOfMemory.into()));
        let error = reported.recv().unwrap();
        assert_eq!(
            error.to_string(),
            "operation `operations/7`: the cancel call was not sent: its thread cannot be started: out of memory; \
             cancel it from the snapshot"
        );
        assert_eq!(error.snapshot().unwrap().name(), "operations/7");
        assert!(transport.requests().is_empty());
    }
}
