//! What every generated operation has.

use std::{fmt, future::Future};

use super::{Handle, Operation, OperationState, RawOperation, Resume, Token};
use crate::{
    client::Operations,
    error::{Error, Result},
    settings::PollSettings,
};

/// What every generated operation has: for code that works with any of them.
///
/// ```
/// use lro_runtime::{LongRunning, PollSettings, Result};
///
/// async fn finish<O: LongRunning>(operation: O) -> Result<O::Response> {
///     println!("waiting for {}", operation.name());
///     let done = operation.poll_until_completed(PollSettings::batch()).await?;
///     println!("succeeded: {}", done.is_succeeded());
///     done.into_result()
/// }
/// ```
pub trait LongRunning: Clone + fmt::Debug + Send + Sync + Sized + 'static {
    /// The typed result of success.
    type Response: Send + Sync + 'static;
    /// The typed metadata.
    type Metadata: Send + Sync + 'static;
    /// The state enum.
    type State: OperationState<Response = Self::Response, Metadata = Self::Metadata>;

    /// See [`Operation::name`].
    fn name(&self) -> &str;
    /// See [`Operation::state`].
    fn state(&self) -> &Self::State;
    /// See [`Operation::is_completed`].
    fn is_completed(&self) -> bool;
    /// See [`Operation::is_succeeded`].
    fn is_succeeded(&self) -> bool;
    /// See [`Operation::is_failed`].
    fn is_failed(&self) -> bool;
    /// See [`Operation::is_cancelled`].
    fn is_cancelled(&self) -> bool;
    /// See [`Operation::progress`].
    fn progress(&self) -> Option<f64>;
    /// See [`Operation::metadata`].
    ///
    /// # Errors
    ///
    /// As there.
    fn metadata(&self) -> Result<Option<&Self::Metadata>, &Error>;
    /// See [`Operation::result`].
    ///
    /// # Errors
    ///
    /// As there.
    fn result(&self) -> Result<&Self::Response, &Error>;
    /// See [`Operation::into_result`].
    ///
    /// # Errors
    ///
    /// As there.
    fn into_result(self) -> Result<Self::Response>;
    /// See [`Operation::token`].
    fn token(&self) -> Token;
    /// See [`Operation::untyped`].
    fn untyped(&self) -> &RawOperation;
    /// See [`Operation::poll_once`].
    fn poll_once(&self) -> impl Future<Output = Result<Self>> + Send + 'static;
    /// See [`Operation::poll_until_completed`].
    fn poll_until_completed(&self, settings: PollSettings) -> impl Future<Output = Result<Self>> + Send + 'static;
    /// Resumes an operation of this method: what the generated `resume_…` function does.
    ///
    /// # Errors
    ///
    /// As [`Operations::resume`], and of kind [`InvalidToken`](crate::ErrorKind::InvalidToken) for a token of another method.
    fn resume(operations: &Operations, from: impl Into<Resume>) -> Result<Self>;
}

impl<S: OperationState> LongRunning for Operation<S> {
    type Response = S::Response;
    type Metadata = S::Metadata;
    type State = S;

    fn name(&self) -> &str {
        Self::name(self)
    }

    fn state(&self) -> &S {
        Self::state(self)
    }

    fn is_completed(&self) -> bool {
        Self::is_completed(self)
    }

    fn is_succeeded(&self) -> bool {
        Self::is_succeeded(self)
    }

    fn is_failed(&self) -> bool {
        Self::is_failed(self)
    }

    fn is_cancelled(&self) -> bool {
        Self::is_cancelled(self)
    }

    fn progress(&self) -> Option<f64> {
        Self::progress(self)
    }

    fn metadata(&self) -> Result<Option<&S::Metadata>, &Error> {
        Self::metadata(self)
    }

    fn result(&self) -> Result<&S::Response, &Error> {
        Self::result(self)
    }

    fn into_result(self) -> Result<S::Response> {
        Self::into_result(self)
    }

    fn token(&self) -> Token {
        Self::token(self)
    }

    fn untyped(&self) -> &RawOperation {
        Self::untyped(self)
    }

    fn poll_once(&self) -> impl Future<Output = Result<Self>> + Send + 'static {
        Self::poll_once(self)
    }

    fn poll_until_completed(&self, settings: PollSettings) -> impl Future<Output = Result<Self>> + Send + 'static {
        Self::poll_until_completed(self, settings)
    }

    fn resume(operations: &Operations, from: impl Into<Resume>) -> Result<Self> {
        operations.resume_as(from.into(), Some(S::METHOD)).map(Self::from_raw_operation)
    }
}
