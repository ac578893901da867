//! The trait through which the drivers take a typed or an untyped operation, and return the same.

use super::RawOperation;

/// An operation that a driver can drive: [`RawOperation`] and every
/// [`Operation`](crate::Operation). Sealed: no other crate can implement it.
///
/// The drivers work on the untyped operation, so that they are compiled once, and wrap what they
/// return.
pub trait Handle: sealed::Sealed + Clone + Send + 'static {
    /// Returns the untyped operation inside.
    #[doc(hidden)]
    fn raw_operation(&self) -> &RawOperation;

    /// Makes an operation of this type around an untyped one.
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

/// Keeps other crates from implementing [`Handle`], so that it can get more methods without
/// breaking them.
pub(super) mod sealed {
    /// The supertrait that only this crate can name.
    pub trait Sealed {}
}
