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
    message = "this method does not declare `cancel`",
    note = "add `cancel` to its `#[long_running(…)]` if the service can cancel it"
)]
pub trait Cancellable: OperationState {}

/// The state enum of a method that declares `delete`: a marker, without which the delete call does
/// not compile.
#[diagnostic::on_unimplemented(
    message = "this method does not declare `delete`",
    note = "add `delete` to its `#[long_running(…)]` if the service can delete it"
)]
pub trait Deletable: OperationState {}

impl<S: Cancellable> Operation<S> {
    /// Asks the service to cancel the operation, or says that it has ended already. Only a later
    /// snapshot shows whether it was cancelled.
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
    pub fn cancel(&self) -> impl Future<Output = Result<CancelOutcome>> + Send + 'static + use<S> {
        driver::cancel(self.raw.clone(), None)
    }

    /// Asks the service to cancel the operation and polls until it is terminal: cancelled, or
    /// finished in spite of the request. On a completed operation it sends no request and returns
    /// the same snapshot.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel_and_wait`](crate::RawOperation::cancel_and_wait).
    pub fn cancel_and_wait(
        &self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<Self>> + Send + 'static + use<S> {
        let raw = self.raw.clone();
        async move { raw.cancel_and_wait(settings).await.map(Self::from_raw_operation) }
    }
}

impl<S: Deletable> Operation<S> {
    /// Tells the service that the operation is no longer needed. This does not cancel it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::delete`](crate::RawOperation::delete).
    pub fn delete(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<S> {
        driver::delete(self.raw.clone(), None)
    }
}

impl<S: Cancellable> Blocking<Operation<S>> {
    /// Asks the service to cancel the operation, or says that it has ended already. Only a later
    /// snapshot shows whether it was cancelled.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel`](crate::RawOperation::cancel).
    pub fn cancel(&self) -> Result<CancelOutcome> {
        self.send_cancel()
    }

    /// Asks the service to cancel the operation and polls until it is terminal. On a completed
    /// operation it sends no request and returns the same snapshot.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel_and_wait`](crate::RawOperation::cancel_and_wait).
    pub fn cancel_and_wait(&self, settings: PollSettings) -> Result<Operation<S>> {
        self.send_cancel()?;
        self.poll_until_completed(settings)
    }
}

impl<S: Deletable> Blocking<Operation<S>> {
    /// Tells the service that the operation is no longer needed. This does not cancel it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::delete`](crate::RawOperation::delete).
    pub fn delete(&self) -> Result<()> {
        self.send_delete()
    }
}
