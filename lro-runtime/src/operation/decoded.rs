//! The payloads of a snapshot, decoded on first access.

use std::{
    any::Any,
    sync::{Arc, OnceLock},
};

use super::{Method, OperationState, RawOperation, StateParts};
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
/// Without the type of the state enum, so that cloning, dropping and taking it are compiled once
/// and not once per method.
#[derive(Clone, Default)]
pub(super) struct Lazy(Arc<OnceLock<Box<dyn Payloads>>>);

/// What is done with decoded payloads without knowing their types: the one implementation is
/// [`Decoded`]. A trait, so that a program which only awaits the response compiles neither the
/// state enum's decoding nor its drop.
pub(super) trait Payloads: Any + Send + Sync {
    /// Puts the response by value into `slot`, an `Option<Result<S::Response>>`, or why `raw`,
    /// which was decoded, has none.
    fn take_response(self: Box<Self>, raw: &RawOperation, slot: &mut dyn Any);
}

impl<S: OperationState> Payloads for Decoded<S> {
    fn take_response(self: Box<Self>, raw: &RawOperation, slot: &mut dyn Any) {
        let response = match *self {
            Self { response_error: Some(error), .. } => Err(error),
            Self { state, .. } => state.into_response().ok_or_else(|| raw.no_response()),
        };
        if let Some(slot) = slot.downcast_mut() {
            *slot = Some(response);
        }
    }
}

impl Lazy {
    /// Returns the decoded payloads of `raw`, decoding them on the first call.
    pub(super) fn get_or_decode<S: OperationState>(&self, raw: &RawOperation) -> &Decoded<S> {
        let payloads: &dyn Any = &**self.0.get_or_init(|| Box::new(decode::<S>(raw)));
        match payloads.downcast_ref() {
            Some(decoded) => decoded,
            None => unreachable!("an `Operation` shares its payloads with operations of its own type only"),
        }
    }

    /// Takes the decoded payloads out, if there are some and no clone of the operation shares them.
    // Not inlined: its callers are compiled once per method.
    #[inline(never)]
    pub(super) fn take(self) -> Option<Box<dyn Payloads>> {
        Arc::into_inner(self.0).and_then(OnceLock::into_inner)
    }
}

/// Returns the state with its payloads by value. Decodes them unless `decoded` has them for itself.
pub(super) fn into_state<S: OperationState>(raw: &RawOperation, decoded: Lazy) -> S {
    let own = decoded.take().and_then(|own| (own as Box<dyn Any>).downcast::<Decoded<S>>().ok());
    own.map_or_else(|| decode(raw), |own| *own).state
}

/// Returns the response by value, or why the operation has none. Decodes it unless it is in
/// `decoded`.
#[inline]
pub(super) fn into_response<S: OperationState>(
    raw: &RawOperation,
    decoded: Option<Box<dyn Payloads>>,
) -> Result<S::Response> {
    match decoded {
        Some(decoded) => decoded_response::<S>(raw, decoded),
        // Not all payloads: the metadata is not asked for.
        None => response::<S>(raw),
    }
}

#[cold]
fn decoded_response<S: OperationState>(raw: &RawOperation, decoded: Box<dyn Payloads>) -> Result<S::Response> {
    let mut response = None;
    decoded.take_response(raw, &mut response);
    response.unwrap_or_else(|| Err(raw.no_response()))
}

/// Decodes the payloads of a snapshot. Compiled once per method, so everything that does not depend
/// on the types is in the functions below.
pub(super) fn decode<S: OperationState>(raw: &RawOperation) -> Decoded<S> {
    let metadata = raw.metadata().map(|payload| {
        let payload = checked(raw, payload, S::METHOD.metadata_type)?;
        S::decode_metadata(payload).map_err(|error| error.with_operation(raw))
    });
    let response = raw.is_succeeded().then(|| response::<S>(raw));
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
#[inline]
fn response<S: OperationState>(raw: &RawOperation) -> Result<S::Response> {
    S::decode_response(response_payload(raw, S::METHOD)?).map_err(|error| error.with_operation(raw))
}

/// The payload of the response, or why the operation has none of the method's type.
// Not inlined: its callers are compiled once per method.
#[inline(never)]
fn response_payload<'a>(raw: &'a RawOperation, method: &Method) -> Result<Payload<'a>> {
    raw.success()?;
    // Success without a response is legal on the wire. An empty payload decodes as `()` and is a
    // decode error for other types.
    let payload = raw.response().unwrap_or_else(|| Payload::new(b"", Encoding::Json));
    checked(raw, payload, method.response_type)
}

/// Checks the type URL of a payload. An error carries the operation.
fn checked<'a>(raw: &RawOperation, payload: Payload<'a>, expected: Option<&str>) -> Result<Payload<'a>> {
    let checked = payload.check_type(expected).map(|()| payload);
    checked.map_err(|error| Error::from(error).with_operation(raw))
}
