//! The start of an operation by the body of an annotated method. A future by hand: an `async` block
//! would be compiled once per method, and have the body in it more than once.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{Handle, Method, RawOperation};
use crate::client::current_method;

/// The body of an annotated method, which ends with the operation that it starts.
pub(crate) struct Starting<H, F> {
    // In a box, so that the futures around it do not grow with what the author's body keeps.
    body: Pin<Box<F>>,
    method: &'static Method,
    operation: PhantomData<fn() -> H>,
}

impl<H, F> Starting<H, F> {
    pub(crate) fn new(method: &'static Method, body: F) -> Self {
        Self { body: Box::pin(body), method, operation: PhantomData }
    }
}

impl<H, E, F> Future for Starting<H, F>
where
    H: Handle,
    F: Future<Output = Result<RawOperation, E>>,
{
    type Output = Result<H, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        poll_as(self.method, self.body.as_mut(), context).map_ok(H::from_raw_operation)
    }
}

/// Polls the body of `method`, and makes what it returns an operation of that method.
// Not inlined, and of a `dyn Future`: it is compiled once for all bodies with one type of error.
#[inline(never)]
fn poll_as<E>(
    method: &'static Method,
    body: Pin<&mut (dyn Future<Output = Result<RawOperation, E>> + '_)>,
    context: &mut Context<'_>,
) -> Poll<Result<RawOperation, E>> {
    let started = ready!(current_method::poll_as(method, body, context));
    Poll::Ready(started.map(|raw| raw.taken_by(method)))
}
