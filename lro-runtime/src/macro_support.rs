//! What generated code calls. Not a public interface: it changes with the macros.

use std::{future::Future, sync::Arc};

use serde::de::DeserializeOwned;

use crate::{
    client::Operations,
    dialect::{Declared, Dialect, Payload},
    error::Result,
    operation::{Handle, Operation, OperationState, RawOperation, Resume},
    status::Status,
    wire::WireOperation,
};

/// Runs the body of an annotated method and types what it started.
pub async fn start<S, E, F>(body: F) -> Result<Operation<S>, E>
where
    S: OperationState,
    F: Future<Output = Result<RawOperation, E>>,
{
    Operation::start(body).await
}

/// Resumes an operation of an annotated method.
pub fn resume<S: OperationState>(operations: &Operations, from: impl Into<Resume>) -> Result<Operation<S>> {
    operations.resume_as(from.into(), Some(S::METHOD)).map(Operation::from_raw_operation)
}

/// What can be read from JSON: everything that `serde` can, told apart so that the message is ours.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from JSON",
    label = "must implement `serde::Deserialize`",
    note = "add `#[derive(serde::Deserialize)]` to it and let it own what it holds, or, where it is generic, a bound like `T: DeserializeOwned`"
)]
pub trait Json: DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + 'static> Json for T {}

/// Decodes a JSON payload.
pub fn json<T: Json>(payload: Payload<'_>) -> Result<T> {
    payload.decode_json()
}

/// Decodes a protobuf payload.
#[cfg(feature = "grpc")]
pub fn proto<T: prost::Message + Default + 'static>(payload: Payload<'_>) -> Result<T> {
    payload.decode_message()
}

/// Whether metadata that decodes passes the author's `pending` test.
pub fn pending<S: OperationState>(payload: Payload<'_>, test: fn(&S::Metadata) -> bool) -> bool {
    S::decode_metadata(payload).is_ok_and(|metadata| test(&metadata))
}

/// The author's `progress` of metadata that decodes.
pub fn progress<S: OperationState, D: Done>(payload: Payload<'_>, read: fn(&S::Metadata) -> D) -> Option<f64> {
    S::decode_metadata(payload).ok().and_then(|metadata| read(&metadata).done())
}

/// The author's `classify` of a response that decodes.
pub fn classify<S: OperationState>(payload: Payload<'_>, read: fn(&S::Response) -> Option<Status>) -> Option<Status> {
    S::decode_response(payload).ok().and_then(|response| read(&response))
}

/// What the author's `progress` gives. No more types than these two: a closure such as `|_| None` is then still inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a fraction done",
    note = "the closure under `progress` gives `f64` (0 to 1), or `Option<f64>`"
)]
pub trait Done {
    /// The fraction done, 0 to 1.
    fn done(self) -> Option<f64>;
}

impl Done for f64 {
    fn done(self) -> Option<f64> {
        Some(self)
    }
}

impl Done for Option<f64> {
    fn done(self) -> Option<f64> {
        self
    }
}

/// A number that says how much is done: integers are per cent, floats are fractions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how much is done",
    note = "`progress` takes an integer (per cent), a float (0 to 1), an `Option` of one, or a closure that gives `f64` or `Option<f64>`"
)]
pub trait Fraction {
    /// The fraction done, 0 to 1.
    fn fraction(&self) -> Option<f64>;
}

macro_rules! fractions {
    ($($integer:ty as $convert:expr),*) => {$(
        impl Fraction for $integer {
            fn fraction(&self) -> Option<f64> {
                Some($convert(*self) / 100.0)
            }
        }
    )*};
}

fractions!(u8 as f64::from, u16 as f64::from, u32 as f64::from, i8 as f64::from, i16 as f64::from, i32 as f64::from);

impl Fraction for u64 {
    #[expect(clippy::cast_precision_loss, reason = "no per cent has 52 bits")]
    fn fraction(&self) -> Option<f64> {
        Some(*self as f64 / 100.0)
    }
}

impl Fraction for i64 {
    #[expect(clippy::cast_precision_loss, reason = "no per cent has 52 bits")]
    fn fraction(&self) -> Option<f64> {
        Some(*self as f64 / 100.0)
    }
}

impl Fraction for f64 {
    fn fraction(&self) -> Option<f64> {
        Some(*self)
    }
}

impl Fraction for f32 {
    fn fraction(&self) -> Option<f64> {
        Some(f64::from(*self))
    }
}

impl<T: Fraction> Fraction for Option<T> {
    fn fraction(&self) -> Option<f64> {
        self.as_ref().and_then(Fraction::fraction)
    }
}

/// A declared return type, of whatever alias: names the error type of a body.
#[diagnostic::on_unimplemented(
    message = "a long-running method gives `Result<RawOperation, E>`, not `{Self}`",
    label = "must be a `Result`"
)]
pub trait Outcome {
    /// The error.
    type Error;
}

impl<T, E> Outcome for std::result::Result<T, E> {
    type Error = E;
}

/// The dialect that `T` declares.
#[must_use]
pub fn wire<T: WireOperation>() -> Arc<dyn Dialect> {
    Arc::new(Declared::of::<T>())
}

/// Exists for a field that can be read from a reply.
pub fn is_read<T: Json>(field: &T) {
    let _ = field;
}

/// A number that is part of a total: integers are per cent, floats are fractions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how much is done",
    note = "the field under `progress` is an integer (per cent), a float (0 to 1) or an `Option` of one; with `of = …` it may be of any type"
)]
pub trait Counts {
    /// What it is a part of.
    const TOTAL: f64;
}

macro_rules! counts {
    ($total:literal: $($number:ty),*) => {$(
        impl Counts for $number {
            const TOTAL: f64 = $total;
        }
    )*};
}

counts!(100.0: u8, u16, u32, u64, i8, i16, i32, i64);
counts!(1.0: f32, f64);

impl<T: Counts> Counts for Option<T> {
    const TOTAL: f64 = T::TOTAL;
}
