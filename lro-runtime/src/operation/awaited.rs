//! The wait of `.await`, which ends with the response. It runs untyped, and is a future by hand: an
//! `async` block would be compiled once per method, with all that it keeps.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{
    OperationState, RawOperation,
    decoded::{Lazy, Payloads, into_response},
};
use crate::{driver::UntilCompleted, error::Result, settings::PollSettings};

/// A wait that ends with the response.
pub(super) struct Awaited<S> {
    wait: Wait,
    state: PhantomData<fn() -> S>,
}

/// A wait with the method's settings, without the types of the method.
struct Wait {
    stage: Stage,
    /// What has been decoded of an operation that had ended before the wait.
    decoded: Option<Box<dyn Payloads>>,
}

enum Stage {
    Waiting(UntilCompleted),
    /// What the wait has ended with. Kept, so that its drop is compiled once.
    Done(RawOperation),
}

/// The operation that a wait has ended with, and what had been decoded of it.
type Done<'a> = (&'a RawOperation, Option<Box<dyn Payloads>>);

impl<S: OperationState> Awaited<S> {
    pub(super) fn new(raw: RawOperation, decoded: Lazy) -> Self {
        Self { wait: Wait::new(raw, decoded), state: PhantomData }
    }
}

// None of these is inlined: their callers are compiled once per method.
impl Wait {
    #[inline(never)]
    fn new(raw: RawOperation, decoded: Lazy) -> Self {
        // An operation that has ended is not decoded anew.
        let decoded = if raw.is_completed() { decoded.take() } else { None };
        Self { stage: Stage::Waiting(UntilCompleted::new(raw, PollSettings::default(), None)), decoded }
    }

    #[inline(never)]
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Done<'_>>> {
        if let Stage::Waiting(wait) = &mut self.stage {
            self.stage = Stage::Done(ready!(Pin::new(wait).poll(context))?);
        }
        match &self.stage {
            Stage::Done(done) => Poll::Ready(Ok((done, self.decoded.take()))),
            Stage::Waiting(_) => Poll::Pending,
        }
    }
}

impl<S: OperationState> Future for Awaited<S> {
    type Output = Result<S::Response>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (done, decoded) = ready!(self.wait.poll(context))?;
        Poll::Ready(into_response::<S>(done, decoded))
    }
}
