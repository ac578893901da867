//! The trait of generic code: what every generated operation has, without naming its type.

use std::{fmt, future::Future};

use super::{Handle, Operation, OperationState, RawOperation, Resume, Token};
use crate::{client::Operations, error::Result, settings::PollSettings};

/// An operation of any annotated method, for code that is generic over methods.
///
/// Every [`Operation`] implements it. Each method does what the method of the same name on
/// [`Operation`] does.
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
    /// The type of the response.
    type Response: Send + Sync + 'static;
    /// The type of the metadata.
    type Metadata: Send + Sync + 'static;
    /// The state enum of the method.
    type State: OperationState<Response = Self::Response, Metadata = Self::Metadata>;

    /// Returns the operation's name: see [`Operation::name`].
    fn name(&self) -> &str;
    /// Returns the state with its payloads: see [`Operation::state`].
    fn state(&self) -> &Self::State;
    /// Returns the state with its payloads by value: see [`Operation::into_state`].
    fn into_state(self) -> Self::State;
    /// Whether the operation is terminal: see [`Operation::is_completed`].
    fn is_completed(&self) -> bool;
    /// Whether the operation succeeded: see [`Operation::is_succeeded`].
    fn is_succeeded(&self) -> bool;
    /// Whether the operation failed: see [`Operation::is_failed`].
    fn is_failed(&self) -> bool;
    /// Whether the operation was cancelled: see [`Operation::is_cancelled`].
    fn is_cancelled(&self) -> bool;
    /// Returns the fraction done, 0 to 1: see [`Operation::progress`].
    fn progress(&self) -> Option<f64>;
    /// Returns the last known metadata: see [`Operation::metadata`].
    ///
    /// # Errors
    ///
    /// As [`Operation::metadata`].
    fn metadata(&self) -> Result<Option<&Self::Metadata>>;
    /// Returns the response: see [`Operation::result`].
    ///
    /// # Errors
    ///
    /// As [`Operation::result`].
    fn result(&self) -> Result<&Self::Response>;
    /// Returns the response by value: see [`Operation::into_result`].
    ///
    /// # Errors
    ///
    /// As [`Operation::into_result`].
    fn into_result(self) -> Result<Self::Response>;
    /// Returns the token to resume the operation from: see [`Operation::token`].
    fn token(&self) -> Token;
    /// Returns the same operation without types: see [`Operation::untyped`].
    fn untyped(&self) -> &RawOperation;
    /// Polls once: see [`Operation::poll_once`].
    fn poll_once(&self) -> impl Future<Output = Result<Self>> + Send + 'static;
    /// Polls until the operation is terminal: see [`Operation::poll_until_completed`].
    fn poll_until_completed(&self, settings: PollSettings) -> impl Future<Output = Result<Self>> + Send + 'static;
    /// Resumes an operation of this method, as the generated `resume_…` function does. No I/O.
    ///
    /// # Errors
    ///
    /// As [`Operations::resume`], and of kind [`InvalidToken`](crate::ErrorKind::InvalidToken) for
    /// a token of another method.
    fn resume(operations: &Operations, from: impl Into<Resume>) -> Result<Self>;
}

// `Self::name(self)` names the inherent method, which takes precedence over the trait's: these
// calls do not recurse.
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

    fn into_state(self) -> S {
        Self::into_state(self)
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

    fn metadata(&self) -> Result<Option<&S::Metadata>> {
        Self::metadata(self)
    }

    fn result(&self) -> Result<&S::Response> {
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
