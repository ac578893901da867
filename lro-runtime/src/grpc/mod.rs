//! Starts and adopts `google.longrunning` operations over gRPC, on the library's own channel or on
//! any tonic channel.
//!
//! ```no_run
//! use lro_runtime::{Operations, PollSettings};
//!
//! # async fn start(request: prost_types::Timestamp) -> lro_runtime::Result<()> {
//! let operations = Operations::builder("https://images.example.com").grpc().build()?;
//! let operation = operations.start_message("/example.images.v1.Images/ExportImage", &request).await?;
//! let done = operation.poll_until_completed(PollSettings::default()).await?;
//! # Ok(()) }
//! ```
//!
//! Methods declare `encoding = proto`, and their types are prost messages.
//! [`Operations::adopt_message`] takes over an operation that a generated tonic client has started.

use std::error::Error as StdError;

use bytes::Bytes;
use http::Method;
use prost::Message;
use tonic::{body::Body as Outgoing, client::GrpcService, codegen::Body};

/// prost 0.14, whose messages the calls of this module take and return.
#[doc(no_inline)]
pub use ::prost;
/// tonic 0.14, whose channels [`GrpcTransport`] takes.
#[doc(no_inline)]
pub use ::tonic;

#[doc(inline)]
pub use crate::dialect::google_grpc::longrunning;
use crate::{
    client::{Operations, OperationsBuilder},
    dialect::{Call, GoogleGrpc},
    error::{Error, ErrorKind, Result},
    operation::RawOperation,
    transport::{BoxFuture, GrpcTransport},
};

impl OperationsBuilder {
    /// Uses gRPC over the library's own channel: sets the dialect [`GoogleGrpc`] and the transport
    /// [`GrpcTransport::new`].
    #[cfg(feature = "hyper")]
    #[cfg_attr(docsrs, doc(cfg(all(feature = "grpc", feature = "hyper"))))]
    pub fn grpc(self) -> Self {
        self.dialect(GoogleGrpc).transport(GrpcTransport::new())
    }

    /// Uses gRPC over `channel`, tonic's or any other: sets the dialect [`GoogleGrpc`] and the
    /// transport [`GrpcTransport::over`]. The client's base URL must be the one that the channel
    /// connects to.
    pub fn grpc_over<S>(self, channel: S) -> Self
    where
        S: GrpcService<Outgoing> + Clone + Send + 'static,
        S::Future: Send,
        S::ResponseBody: Body<Data = Bytes> + Send + 'static,
        <S::ResponseBody as Body>::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.dialect(GoogleGrpc).transport(GrpcTransport::over(channel))
    }
}

impl Operations {
    /// Starts an operation with the unary call `path` (`/package.Service/Method`) and `request`. To
    /// send metadata with the call, such as a routing header, use [`start`](Self::start) with the
    /// encoded request.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_message(
        &self,
        path: impl AsRef<str>,
        request: &impl Message,
    ) -> BoxFuture<'static, Result<RawOperation>> {
        let mut call = Call::new(Method::POST, path.as_ref());
        // Encoded now: the future is `'static` and must not borrow the request.
        call.body = request.encode_to_vec().into();
        self.start_call(Ok(call))
    }

    /// Takes over an operation that a generated client has started, from the
    /// `google.longrunning.Operation` that it returned. Sends nothing.
    ///
    /// Every crate of stubs has an `Operation` type of its own, so any prost message is accepted;
    /// its bytes must be those of a `google.longrunning.Operation`.
    ///
    /// ```
    /// use lro_runtime::{Operations, grpc::longrunning};
    ///
    /// let operations = Operations::builder("https://images.example.com").grpc().build()?;
    /// let started = longrunning::Operation { name: "operations/7".to_owned(), ..Default::default() };
    /// assert_eq!(operations.adopt_message(&started)?.name(), "operations/7");
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`adopt`](Self::adopt).
    pub fn adopt_message(&self, operation: &impl Message) -> Result<RawOperation> {
        self.adopt(operation.encode_to_vec())
    }
}

/// Converts the error of a generated client's start call, with its details and its source.
impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::from_failure(ErrorKind::Start, "the start call failed", crate::dialect::failure_of_status(&status))
            .with_source(status)
    }
}
