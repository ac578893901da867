//! Worlds that break a promise on purpose, by which the checks of a history are tested: each lie
//! has to be found.

#[cfg(test)]
use super::promises::Promise;

/// A wrong service, a wrong line to it, or a library that is told other settings than the checks
/// know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "only the tests of the checks lie"))]
pub(super) enum Lie {
    /// Polls of one operation are answered with another.
    SwapsOperations,
    /// An operation is told to have ended before it has.
    EndsEarly,
    /// A failed operation is told to have succeeded.
    EndsOtherwise,
    /// No poll is ever answered.
    NeverAnswers,
    /// Sleeps end, and nobody is woken.
    SleepsForEver,
    /// Sleeps wake at once, and are not over.
    WakesForNothing,
    /// Errors repeat the client's credentials.
    EchoesSecrets,
    /// The client asks for everything twice, one after the other.
    AsksTwice,
    /// The client asks for everything twice at once.
    AsksTwiceAtOnce,
    /// Delays are half of what they are to be.
    PollsSooner,
    /// Delays are twice what they are to be.
    PollsLater,
    /// Hints are not obeyed.
    IgnoresHints,
    /// Waits go on for longer than they are to.
    ExpiresLater,
    /// Waits expire sooner than they are to.
    ExpiresSooner,
    /// One failure more is forgiven.
    ForgivesMore,
    /// One failure less is forgiven.
    ForgivesLess,
    /// Failures of the origin end a wait.
    CountsTheOrigin,
    /// What is not found is gone at once.
    HasNoGrace,
    /// What is not found may yet come.
    HasMuchGrace,
    /// Failures that no other poll would mend are retried.
    NeverStops,
    /// Every failure ends a wait.
    AlwaysStops,
}

impl Lie {
    /// Every lie, with the promises one of which it has to break in some history.
    #[cfg(test)]
    pub(super) const ALL: &[(Self, &[Promise])] = &[
        (Self::SwapsOperations, &[Promise::ResultIsItsOwn]),
        (Self::EndsEarly, &[Promise::NoEndBeforeTheEnd]),
        (Self::EndsOtherwise, &[Promise::TheEndIsTrue]),
        (Self::NeverAnswers, &[Promise::ResumeReachesTheEnd]),
        (Self::SleepsForEver, &[Promise::WakesAndNeverSpins]),
        (Self::WakesForNothing, &[Promise::WakesAndNeverSpins]),
        (Self::EchoesSecrets, &[Promise::NoSecretIsTold]),
        (Self::AsksTwice, &[Promise::RequestsAreCounted, Promise::StartIsSentOnce, Promise::NothingAfterTheEnd]),
        (Self::AsksTwiceAtOnce, &[Promise::OneRequestInFlight]),
        (Self::PollsSooner, &[Promise::NoPollBeforeItsTime]),
        (Self::PollsLater, &[Promise::NoDelayBeyondItsTime]),
        (Self::IgnoresHints, &[Promise::NoPollBeforeItsTime, Promise::NoDelayBeyondItsTime]),
        (Self::ExpiresLater, &[Promise::DeadlineIsKept]),
        (Self::ExpiresSooner, &[Promise::DeadlineIsKept]),
        (Self::ForgivesMore, &[Promise::BudgetIsKept]),
        (Self::ForgivesLess, &[Promise::BudgetIsKept]),
        (Self::CountsTheOrigin, &[Promise::OriginIsForgiven]),
        (Self::HasNoGrace, &[Promise::GraceIsKept]),
        (Self::HasMuchGrace, &[Promise::GraceIsKept]),
        (Self::NeverStops, &[Promise::GraceIsKept, Promise::EndsForAReason]),
        (Self::AlwaysStops, &[Promise::BudgetIsKept, Promise::OriginIsForgiven, Promise::GraceIsKept]),
    ];
}
