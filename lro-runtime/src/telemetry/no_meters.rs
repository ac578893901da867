//! No counts and no durations: the twin of `meters` without the feature `metrics`.

use super::{CallKind, Done, PollBegun, Subject, WaitEnded};

pub(super) struct OfWait;

#[expect(clippy::unused_self, reason = "the twin uses it")]
impl OfWait {
    #[inline]
    pub(super) fn begin<'a>(_: &impl Fn() -> Subject<'a>) -> Self {
        Self
    }

    #[inline]
    pub(super) fn poll<'a>(&mut self, _: &impl Fn() -> PollBegun<'a>) {}

    #[inline]
    pub(super) fn polled<'a>(&mut self, _: &impl Fn() -> Done<'a>) {}

    #[inline]
    pub(super) fn ended<'a>(&mut self, _: &impl Fn() -> WaitEnded<'a>) {}
}

pub(super) struct OfCall;

#[expect(clippy::unused_self, reason = "the twin uses it")]
impl OfCall {
    #[inline]
    pub(super) fn begin<'a>(_: CallKind, _: &impl Fn() -> Subject<'a>) -> Self {
        Self
    }

    #[inline]
    pub(super) fn ended<'a>(&mut self, _: &impl Fn() -> Done<'a>) {}
}
