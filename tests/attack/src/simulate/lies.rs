//! Services that break their own promises, by which the checks of a history are tested.

/// A wrong service, or a wrong line to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// Polls of one operation are answered with another.
    SwapsOperations,
    /// An operation is told to have ended before it has.
    EndsEarly,
    /// A failed operation is told to have succeeded.
    EndsOtherwise,
    /// A reply comes, and nobody is woken.
    NeverWakes,
    /// Errors repeat the client's credentials.
    EchoesSecrets,
    /// The client asks for everything twice.
    AsksTwice,
}
