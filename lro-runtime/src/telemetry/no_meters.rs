//! No counts and no durations: the twin of `meters` without the feature `metrics`.

use super::{CallKind, Done, PollBegun, Subject, WaitEnded};

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
    pub(super) fn ended(&mut self, _: &Done<'_>) {}
}
