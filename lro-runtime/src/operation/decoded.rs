//! The payloads of a snapshot, decoded on first access.

use std::sync::{Arc, OnceLock};

use super::{OperationState, RawOperation, StateParts};
use crate::{
    dialect::{Encoding, Payload},
    error::{Error, Result},
    status::{Code, State, Status},
};

/// The decoded payloads of one snapshot. Made once, on the first access, and shared by its clones.
pub(super) struct Decoded<S: OperationState> {
    pub(super) state: S,
    /// The metadata of a pending operation. The variant `Pending` has no field for it, and
    /// `metadata()` returns it all the same.
    pub(super) queued: Option<S::Metadata>,
    /// Why the response of an operation that succeeded cannot be decoded.
    pub(super) response_error: Option<Error>,
    /// Why the metadata cannot be decoded.
    pub(super) metadata_error: Option<Error>,
}

/// The decoded payloads of a snapshot and its clones, if one of them was asked for them.
///
/// Behind a pointer and a trait, so that a program which only awaits the response compiles neither
/// the state enum's decoding nor its drop.
pub(super) type Lazy<S> = Arc<OnceLock<Box<dyn Payloads<S>>>>;

/// What is done with decoded payloads: the one implementation is [`Decoded`].
pub(super) trait Payloads<S: OperationState>: Send + Sync {
    /// Returns the payloads.
    fn decoded(&self) -> &Decoded<S>;
    /// Returns the payloads by value.
    fn into_decoded(self: Box<Self>) -> Decoded<S>;
    /// Returns the response by value, or why `raw`, which was decoded, has none.
    fn into_response(self: Box<Self>, raw: &RawOperation) -> Result<S::Response>;
}

impl<S: OperationState> Payloads<S> for Decoded<S> {
    fn decoded(&self) -> &Self {
        self
    }

    fn into_decoded(self: Box<Self>) -> Self {
        *self
    }

    fn into_response(self: Box<Self>, raw: &RawOperation) -> Result<S::Response> {
        match *self {
            Self { response_error: Some(error), .. } => Err(error),
            Self { state, .. } => state.into_response().ok_or_else(|| raw.no_response()),
        }
    }
}

/// Takes the decoded payloads out, if there are some and no clone of the operation shares them.
pub(super) fn own<S: OperationState>(decoded: Lazy<S>) -> Option<Box<dyn Payloads<S>>> {
    Arc::into_inner(decoded).and_then(OnceLock::into_inner)
}

/// Decodes the payloads of a snapshot. Compiled once per method, so everything that does not depend
/// on the types is in the functions below.
pub(super) fn decode<S: OperationState>(raw: &RawOperation) -> Decoded<S> {
    let metadata = raw.metadata().map(|payload| typed(raw, payload, S::METHOD.metadata_type, S::decode_metadata));
    let response = raw.is_succeeded().then(|| decode_response::<S>(raw));
    let (metadata, metadata_error) = split(metadata);
    let (response, response_error) = split(response);
    let mut queued = None;
    let parts = match (raw.state(), response) {
        (State::Pending, _) => {
            queued = metadata;
            StateParts::Pending
        }
        (State::Running, _) => StateParts::Running { metadata },
        (State::Succeeded, Some(response)) => StateParts::Succeeded { response, metadata },
        (State::Cancelled, _) => StateParts::Cancelled { status: status(raw, None), metadata },
        // A success without a readable response has no `Succeeded` variant to be: the enum has no
        // field for the error.
        (State::Failed | State::Succeeded, _) => {
            StateParts::Failed { status: status(raw, response_error.as_ref()), metadata }
        }
    };
    Decoded { state: S::from_parts(parts), queued, response_error, metadata_error }
}

/// Splits an optional result into its value and its error.
fn split<T>(result: Option<Result<T>>) -> (Option<T>, Option<Error>) {
    match result {
        Some(Ok(value)) => (Some(value), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    }
}

/// The status of an operation without a response: the service's, or one that says why the response
/// is unreadable.
// Not inlined: its callers are compiled once per method.
#[inline(never)]
fn status(raw: &RawOperation, unreadable: Option<&Error>) -> Status {
    match (unreadable, raw.status()) {
        (Some(error), _) => {
            Status::new(Code::DataLoss, format!("the operation succeeded, but its response is unreadable: {error}"))
        }
        (None, Some(status)) => status.clone(),
        (None, None) => Status::new(Code::Unknown, ""),
    }
}

/// The response of an operation, or why it has none.
pub(super) fn response<S: OperationState>(raw: &RawOperation) -> Result<S::Response> {
    raw.success()?;
    decode_response::<S>(raw)
}

/// Decodes the response of an operation that succeeded.
fn decode_response<S: OperationState>(raw: &RawOperation) -> Result<S::Response> {
    // Success without a response is legal on the wire. An empty payload decodes as `()` and is a
    // decode error for other types.
    let payload = raw.response().unwrap_or_else(|| Payload::new(b"", Encoding::Json));
    typed(raw, payload, S::METHOD.response_type, S::decode_response)
}

/// Checks the type URL of a payload and decodes it. An error carries the operation.
fn typed<T>(
    raw: &RawOperation,
    payload: Payload<'_>,
    expected: Option<&str>,
    decode: fn(Payload<'_>) -> Result<T>,
) -> Result<T> {
    let decoded = payload.check_type(expected).map_err(Error::from).and_then(|()| decode(payload));
    decoded.map_err(|error| error.with_operation(raw))
}
