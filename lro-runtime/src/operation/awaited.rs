//! The wait of `.await`, which ends with the response. It runs untyped, and is a future by hand: an
//! `async` block would be compiled once per method, with all that it keeps.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{OperationState, RawOperation, decoded, decoded::Payloads};
use crate::{driver, error::Result, settings::PollSettings, transport::BoxFuture};

/// A wait that ends with the response.
pub(super) struct Awaited<S: OperationState> {
    wait: BoxFuture<'static, Result<RawOperation>>,
    /// What has been decoded of an operation that had ended before the wait.
    decoded: Option<Box<dyn Payloads<S>>>,
}

impl<S: OperationState> Awaited<S> {
    pub(super) fn new(raw: RawOperation, decoded: Option<Box<dyn Payloads<S>>>) -> Self {
        Self { wait: wait(raw), decoded }
    }
}

/// Waits with the method's settings.
// Not inlined: its caller is compiled once per method.
#[inline(never)]
fn wait(raw: RawOperation) -> BoxFuture<'static, Result<RawOperation>> {
    driver::poll_until_completed(raw, &PollSettings::default(), None)
}

impl<S: OperationState> Future for Awaited<S> {
    type Output = Result<S::Response>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let done = ready!(self.wait.as_mut().poll(context))?;
        Poll::Ready(match self.decoded.take() {
            Some(decoded) => decoded.into_response(&done),
            None => decoded::response::<S>(&done),
        })
    }
}
