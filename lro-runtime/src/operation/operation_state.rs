//! The trait by which the runtime builds and reads the generated state enum of a method.

use super::Method;
use crate::{dialect::Payload, error::Result, status::Status};

/// The state enum of one method, which `#[long_running]` generates beside it.
///
/// The runtime decodes payloads with it and makes the enum from [`StateParts`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the state enum of a long-running method",
    note = "`#[long_running(response = …, metadata = …)]` generates one beside each method"
)]
pub trait OperationState: Sized + Send + Sync + 'static {
    /// The type of the response.
    type Response: Send + Sync + 'static;
    /// The type of the metadata.
    type Metadata: Send + Sync + 'static;
    /// The declaration of the method.
    const METHOD: &'static Method;

    /// Makes the variant for these parts.
    fn from_parts(parts: StateParts<Self::Response, Self::Metadata>) -> Self;
    /// Returns the response, if this variant has one.
    fn response(&self) -> Option<&Self::Response>;
    /// Returns the response by value, if this variant has one.
    fn into_response(self) -> Option<Self::Response>;
    /// Returns the metadata, if this variant has some.
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

/// A state with its payloads: the parts that an [`OperationState`] is made of.
///
/// Exhaustive on purpose, as [`State`](crate::State) is.
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
        /// Why the operation failed.
        status: Status,
        /// The last metadata.
        metadata: Option<M>,
    },
    /// Ended because a cancellation was requested.
    Cancelled {
        /// What the server says about the cancellation.
        status: Status,
        /// The last metadata.
        metadata: Option<M>,
    },
}
