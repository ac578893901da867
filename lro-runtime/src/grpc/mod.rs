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
//! [`Operations::call_message`] sends metadata as well, such as the routing header of Google's
//! services. Methods declare `encoding = proto`, and their types are prost messages.
//! [`Operations::adopt_message`] takes over an operation that a generated tonic client has started.

use std::{error::Error as StdError, fmt::Display};

/// prost 0.14, whose messages the calls of this module take and return.
#[doc(no_inline)]
pub use ::prost;
/// prost-types 0.14, whose messages are Google's well-known ones.
#[doc(no_inline)]
pub use ::prost_types;
/// tonic 0.14, whose channels [`GrpcTransport`] takes.
#[doc(no_inline)]
pub use ::tonic;
use bytes::Bytes;
use http::Method;
use prost::Message;
use tonic::{body::Body as Outgoing, client::GrpcService, codegen::Body};

#[doc(inline)]
pub use crate::dialect::google_grpc::longrunning;
use crate::{
    client::{Operations, OperationsBuilder, StartCall},
    dialect::{Call, GoogleGrpc},
    error::{Error, ErrorKind, Result},
    operation::RawOperation,
    transport::{BoxFuture, GrpcTransport},
    url::encode_query as encode,
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
    /// send metadata with the call, such as a routing header, use
    /// [`call_message`](Self::call_message).
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_message(
        &self,
        path: impl AsRef<str>,
        request: &impl Message,
    ) -> BoxFuture<'static, Result<RawOperation>> {
        self.start_call(self.call_message(path, request))
    }

    /// Begins a start call with the unary call `path` (`/package.Service/Method`) and `request`. It
    /// is sent when it is awaited.
    ///
    /// [`header`](StartCall::header) sets metadata, [`routing`](StartCall::routing) the routing
    /// header that Google's services ask for.
    ///
    /// ```no_run
    /// # async fn start(operations: lro_runtime::Operations, request: prost_types::Timestamp) -> lro_runtime::Result<()> {
    /// let parent = "projects/p/locations/l";
    /// let call = operations.call_message("/example.images.v1.Images/ExportImage", &request);
    /// let operation = call.routing("parent", parent).await?;
    /// # Ok(()) }
    /// ```
    pub fn call_message(&self, path: impl AsRef<str>, request: &impl Message) -> StartCall {
        let mut call = Call::new(Method::POST, path.as_ref());
        // Encoded now: the future is `'static` and must not borrow the request.
        call.body = request.encode_to_vec().into();
        StartCall::new(self, call, true)
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

/// The header by which Google's services route a call.
const ROUTING: &str = "x-goog-request-params";

impl StartCall {
    /// Adds a field of the request to the routing header `x-goog-request-params`, by which Google's
    /// services find the backend of a call
    /// ([AIP-4222](https://google.aip.dev/client-libraries/4222)).
    ///
    /// `field` and `value` are those of the method's `google.api.http` or `google.api.routing`
    /// annotation, such as `instance.name`. Both are percent-encoded. A field without a value is
    /// left out.
    pub fn routing(self, field: impl AsRef<str>, value: impl Display) -> Self {
        let value = value.to_string();
        if value.is_empty() {
            return self;
        }
        let pair = format!("{}={}", encode(field.as_ref()), encode(&value));
        // All fields stand in one header: services read only one.
        let pairs = match self.header_value(ROUTING) {
            Some(pairs) => format!("{pairs}&{pair}"),
            None => pair,
        };
        self.header(ROUTING, pairs)
    }
}

/// Converts the error of a generated client's start call, with its details and its source.
impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::from_failure(ErrorKind::Start, "the start call failed", crate::dialect::failure_of_status(&status))
            .with_source(status)
    }
}
