//! What the drivers need of an operation, typed or not.

use super::RawOperation;

/// An operation that the drivers can drive: [`RawOperation`] and every [`Operation`](crate::Operation). Sealed: nothing else implements it.
pub trait Handle: sealed::Sealed + Clone + Send + 'static {
    /// The untyped operation inside.
    #[doc(hidden)]
    fn raw_operation(&self) -> &RawOperation;

    /// An operation of this type around an untyped one.
    #[doc(hidden)]
    fn from_raw_operation(raw: RawOperation) -> Self;
}

impl Handle for RawOperation {
    fn raw_operation(&self) -> &RawOperation {
        self
    }

    fn from_raw_operation(raw: RawOperation) -> Self {
        raw
    }
}

impl sealed::Sealed for RawOperation {}

/// Keeps other crates from implementing [`Handle`], which may grow.
pub(super) mod sealed {
    pub trait Sealed {}
}
