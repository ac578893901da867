//! What the drivers need of an operation, typed or not.

use super::RawOperation;

/// An operation that the drivers can drive: [`RawOperation`] and every [`Operation`](crate::Operation). Sealed by being unnameable outside.
pub trait Handle: Clone + Send + 'static {
    /// The untyped operation inside.
    #[doc(hidden)]
    fn raw_operation(&self) -> &RawOperation;

    /// An operation of this type around an untyped one.
    #[doc(hidden)]
    fn from_raw_operation(raw: RawOperation) -> Self;
}
