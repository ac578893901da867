//! The capabilities that a method can declare, `cancel` and `delete`: their calls exist only on
//! operations of methods that declare them.

use std::future::Future;

use super::{Handle, Operation, OperationState};
use crate::{
    driver::{self, Blocking, CancelOutcome},
    error::Result,
    settings::PollSettings,
};

/// The state enum of a method that declares `cancel`: a marker, without which the cancel calls do
/// not compile.
#[diagnostic::on_unimplemented(
    message = "the SDK does not declare that its service can cancel this operation",
    label = "the method that starts it does not declare `cancel`",
    note = "the author of the SDK adds `cancel` to the method's `#[long_running(…)]`; users of the SDK cannot"
)]
pub trait Cancellable: OperationState {}

/// The state enum of a method that declares `delete`: a marker, without which the delete call does
/// not compile.
#[diagnostic::on_unimplemented(
    message = "the SDK does not declare that its service can delete this operation",
    label = "the method that starts it does not declare `delete`",
    note = "the author of the SDK adds `delete` to the method's `#[long_running(…)]`; users of the SDK cannot"
)]
pub trait Deletable: OperationState {}

// The bounds are on the methods: of a bound on the block, the compiler would show neither the text
// above nor its note.
impl<S: OperationState> Operation<S> {
    /// Asks the service to cancel the operation, or says that it has ended already. Only a later
    /// snapshot shows whether it was cancelled.
    ///
    /// Only of a method that declares `cancel`, a key of `#[long_running]`: of any other it does
    /// not compile, also where its documentation shows it.
    ///
    /// ```
    /// # use lro_runtime::{CancelOutcome, Cancellable, Operation, Result};
    /// # async fn stop<S: Cancellable>(operation: Operation<S>) -> Result<()> {
    /// match operation.cancel().await? {
    ///     CancelOutcome::AlreadyCompleted => println!("too late: {:?}", operation.status()),
    ///     _ => println!("asked"),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel`](crate::RawOperation::cancel).
    pub fn cancel(&self) -> impl Future<Output = Result<CancelOutcome>> + Send + 'static + use<S>
    where
        S: Cancellable,
    {
        driver::cancel(self.raw.clone(), None)
    }

    /// Asks the service to cancel the operation and polls until it is terminal: cancelled, or
    /// finished anyway. On a completed operation it sends no request and returns the same snapshot.
    ///
    /// Only of a method that declares `cancel`, a key of `#[long_running]`: of any other it does
    /// not compile, also where its documentation shows it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel_and_wait`](crate::RawOperation::cancel_and_wait).
    pub fn cancel_and_wait(
        &self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<Self>> + Send + 'static + use<S>
    where
        S: Cancellable,
    {
        let ended = driver::cancel_and_wait(self.raw.clone(), settings, None);
        async move { ended.await.map(Self::from_raw_operation) }
    }
}

impl<S: OperationState> Operation<S> {
    /// Tells the service that the operation is no longer needed. This does not cancel it.
    ///
    /// Only of a method that declares `delete`, a key of `#[long_running]`: of any other it does
    /// not compile, also where its documentation shows it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::delete`](crate::RawOperation::delete).
    pub fn delete(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<S>
    where
        S: Deletable,
    {
        driver::delete(self.raw.clone(), None)
    }
}

impl<S: OperationState> Blocking<Operation<S>> {
    /// Asks the service to cancel the operation, or says that it has ended already. Only a later
    /// snapshot shows whether it was cancelled.
    ///
    /// Only of a method that declares `cancel`, a key of `#[long_running]`: of any other it does
    /// not compile, also where its documentation shows it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel`](crate::RawOperation::cancel).
    pub fn cancel(&self) -> Result<CancelOutcome>
    where
        S: Cancellable,
    {
        self.send_cancel()
    }

    /// Asks the service to cancel the operation and polls until it is terminal. On a completed
    /// operation it sends no request and returns the same snapshot.
    ///
    /// Only of a method that declares `cancel`, a key of `#[long_running]`: of any other it does
    /// not compile, also where its documentation shows it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel_and_wait`](crate::RawOperation::cancel_and_wait).
    pub fn cancel_and_wait(&self, settings: PollSettings) -> Result<Operation<S>>
    where
        S: Cancellable,
    {
        self.send_cancel_and_wait(settings)
    }
}

impl<S: OperationState> Blocking<Operation<S>> {
    /// Tells the service that the operation is no longer needed. This does not cancel it.
    ///
    /// Only of a method that declares `delete`, a key of `#[long_running]`: of any other it does
    /// not compile, also where its documentation shows it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::delete`](crate::RawOperation::delete).
    pub fn delete(&self) -> Result<()>
    where
        S: Deletable,
    {
        self.send_delete()
    }
}
