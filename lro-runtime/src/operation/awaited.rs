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
enum Wait {
    Waiting(UntilCompleted),
    /// Of an operation that had ended before, and has been decoded. Boxed, because few are awaited.
    Decoded(Box<(UntilCompleted, Box<dyn Payloads>)>),
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
        let wait = UntilCompleted::new(raw, PollSettings::default(), None);
        match decoded {
            Some(decoded) => Self::Decoded(Box::new((wait, decoded))),
            None => Self::Waiting(wait),
        }
    }

    #[inline(never)]
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Done<'_>>> {
        let mut decoded = None;
        let wait = match self {
            Self::Waiting(wait) => Some(wait),
            Self::Decoded(both) => Some(&mut both.0),
            Self::Done(_) => None,
        };
        if let Some(wait) = wait {
            let done = ready!(Pin::new(wait).poll(context))?;
            if let Self::Decoded(both) = std::mem::replace(self, Self::Done(done)) {
                decoded = Some(both.1);
            }
        }
        match self {
            Self::Done(done) => Poll::Ready(Ok((done, decoded))),
            _ => Poll::Pending,
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
