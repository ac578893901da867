//! The record of every request.

use std::time::Duration;

use crate::simulate::speech::Asked;

/// What a request came to, as far as a wait is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulate) enum Class {
    /// A reply that says how the operation stands.
    Good,
    /// A failure of the origin.
    Origin,
    /// A failure of the operation or of this poll that is worth another.
    Own,
    /// The operation is not found.
    Missing,
    /// A failure that another poll would not mend.
    Permanent,
    /// A reply that no service means: it may be read as a failure or as a running operation.
    Garbage,
    /// A reply that leads to another origin.
    Astray,
    /// Nobody waited for the reply.
    Dropped,
}

/// What a reply asks of the next delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulate) enum Wish {
    None,
    After(Duration),
    /// A date or an absurd number: only the bounds of the settings are known.
    Odd,
}

/// One request, and what became of it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(in crate::simulate) struct Sent {
    pub(in crate::simulate) client: usize,
    pub(in crate::simulate) asked: Asked,
    pub(in crate::simulate) at: Duration,
    /// When the reply or the failure came; `None` while there is none.
    pub(in crate::simulate) answered: Option<Duration>,
    pub(in crate::simulate) class: Class,
    pub(in crate::simulate) wish: Wish,
    pub(in crate::simulate) follow: bool,
    pub(in crate::simulate) is_end: bool,
    /// Whether the service may have done what was asked.
    pub(in crate::simulate) happened: bool,
    /// Whether the reply came as the service wrote it.
    pub(in crate::simulate) is_intact: bool,
    pub(in crate::simulate) start_id: Option<String>,
}

impl Sent {
    pub(in crate::simulate) fn is_poll(&self) -> bool {
        matches!(self.asked, Asked::Poll(_) | Asked::Hold(..))
    }
}
