//! What a method can declare besides its types: `cancel` and `delete`, whose calls exist only where they are declared.

use std::future::Future;

use super::{Handle, Operation, OperationState};
use crate::{
    driver::{self, Blocking},
    error::Result,
    settings::PollSettings,
};

/// A method that declares `cancel`.
#[diagnostic::on_unimplemented(
    message = "this method does not declare `cancel`",
    note = "add `cancel` to its `#[long_running(…)]` if the service can cancel it"
)]
pub trait Cancellable: OperationState {}

/// A method that declares `delete`.
#[diagnostic::on_unimplemented(
    message = "this method does not declare `delete`",
    note = "add `delete` to its `#[long_running(…)]` if the service can delete it"
)]
pub trait Deletable: OperationState {}

impl<S: Cancellable> Operation<S> {
    /// Asks the service to cancel it. Only a later snapshot tells what came of it. On a completed operation no request.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel`](crate::RawOperation::cancel).
    pub fn cancel(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<S> {
        driver::cancel(self.raw.clone(), None)
    }

    /// Asks the service to cancel it and polls until it is terminal: cancelled, or finished anyway.
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
    /// Tells the service that nobody is interested any more. It does not cancel.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::delete`](crate::RawOperation::delete).
    pub fn delete(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<S> {
        driver::delete(self.raw.clone(), None)
    }
}

impl<S: Cancellable> Blocking<Operation<S>> {
    /// Asks the service to cancel it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel`](crate::RawOperation::cancel).
    pub fn cancel(&self) -> Result<()> {
        self.ask_to_cancel()
    }

    /// Asks the service to cancel it and polls until it is terminal.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel_and_wait`](crate::RawOperation::cancel_and_wait).
    pub fn cancel_and_wait(&self, settings: PollSettings) -> Result<Operation<S>> {
        self.ask_to_cancel()?;
        self.poll_until_completed(settings)
    }
}

impl<S: Deletable> Blocking<Operation<S>> {
    /// Tells the service that nobody is interested any more.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::delete`](crate::RawOperation::delete).
    pub fn delete(&self) -> Result<()> {
        self.ask_to_delete()
    }
}
