//! The state enum of one method, as the runtime sees it.

use super::Method;
use crate::{dialect::Payload, error::Result, status::Status};

/// The state enum of one method: what `#[long_running]` generates beside it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the state enum of a long-running method",
    note = "`#[long_running(response = …, metadata = …)]` generates one beside each method"
)]
pub trait OperationState: Sized + Send + Sync + 'static {
    /// The typed result of success.
    type Response: Send + Sync + 'static;
    /// The typed metadata.
    type Metadata: Send + Sync + 'static;
    /// What is declared about the method.
    const METHOD: &'static Method;

    /// The variant for these parts.
    fn from_parts(parts: StateParts<Self::Response, Self::Metadata>) -> Self;
    /// The response, in the variant that has one.
    fn response(&self) -> Option<&Self::Response>;
    /// The metadata, in the variants that have one.
    fn metadata(&self) -> Option<&Self::Metadata>;
    /// Decodes a response.
    ///
    /// # Errors
    ///
    /// Of kind [`Decode`](crate::ErrorKind::Decode).
    fn decode_response(payload: Payload<'_>) -> Result<Self::Response>;
    /// Decodes metadata.
    ///
    /// # Errors
    ///
    /// Of kind [`Decode`](crate::ErrorKind::Decode).
    fn decode_metadata(payload: Payload<'_>) -> Result<Self::Metadata>;
}

/// A state with what belongs to it: what an [`OperationState`] is made of. Exhaustive on purpose, as [`State`](crate::State) is.
#[derive(Clone, Debug, PartialEq)]
pub enum StateParts<R, M> {
    /// Accepted, not started.
    Pending,
    /// Started, not finished.
    Running {
        /// What the server says about progress.
        metadata: Option<M>,
    },
    /// Finished with a response.
    Succeeded {
        /// The result.
        response: R,
        /// The last metadata.
        metadata: Option<M>,
    },
    /// Finished with an error.
    Failed {
        /// Why.
        status: Status,
        /// The last metadata.
        metadata: Option<M>,
    },
    /// Ended because somebody asked for it.
    Cancelled {
        /// What the server says about it.
        status: Status,
        /// The last metadata.
        metadata: Option<M>,
    },
}
