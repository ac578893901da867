//! No spans and no events: the twin of `spans` without the feature `tracing`.

use std::{marker::PhantomData, time::Duration};

use super::{CallKind, Done, PollBegun, Subject, WaitEnded};
use crate::{engine::Why, status::Failure};

/// The guard of a span that there is not.
#[must_use]
pub(crate) struct Entered;

/// The span of a call that there is not.
#[derive(Clone, Copy)]
pub(crate) struct Lent<'a>(PhantomData<&'a ()>);

impl Lent<'_> {
    #[inline]
    #[expect(clippy::unused_self, reason = "the twin uses it")]
    pub(crate) fn enter(self) -> Entered {
        Entered
    }
}

/// Takes no span along.
#[inline]
pub(crate) fn carried<F>(future: F) -> F {
    future
}

pub(super) struct OfWait;

#[expect(clippy::unused_self, reason = "the twin uses it")]
impl OfWait {
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        false
    }

    #[inline]
    pub(super) fn begin<'a>(_: &impl Fn() -> Subject<'a>) -> Self {
        Self
    }

    #[inline]
    pub(super) fn enter(&self) -> Entered {
        Entered
    }

    #[inline]
    pub(super) fn enter_step(&self) -> Entered {
        Entered
    }

    #[inline]
    pub(super) fn sleep(&mut self, _: Duration, _: Why) {}

    #[inline]
    pub(super) fn slept(&mut self) {}

    #[inline]
    pub(super) fn poll(&mut self, _: &PollBegun<'_>) {}

    #[inline]
    pub(super) fn polled(&mut self, _: &Done<'_>) {}

    #[inline]
    pub(super) fn ended(&mut self, _: &WaitEnded<'_>) {}
}

pub(super) struct OfCall;

#[expect(clippy::unused_self, reason = "the twin uses it")]
impl OfCall {
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        false
    }

    #[inline]
    pub(super) fn begin<'a>(_: CallKind, _: &impl Fn() -> Subject<'a>) -> Self {
        Self
    }

    #[inline]
    pub(super) fn lent(&self) -> Lent<'_> {
        Lent(PhantomData)
    }

    #[inline]
    pub(super) fn again(&self, _: &Failure) {}

    #[inline]
    pub(super) fn ended(&mut self, _: &Done<'_>) {}
}
