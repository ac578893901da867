//! The five states of an operation, and the single table of legal changes between them.

use std::fmt;

/// The state of an operation.
///
/// The last three are *terminal*: the work has ended, and no later reply changes that.
///
/// Exhaustive on purpose: the compiler checks that a `match` without a wildcard covers every state.
/// There will be no sixth state.
///
/// ```
/// use lro_runtime::State;
///
/// assert!(State::Running.can_become(State::Succeeded));
/// assert!(!State::Running.can_become(State::Pending));
/// assert!(State::Cancelled.is_terminal());
/// ```
// Tokens store these words in lower case; a renamed state would make older tokens unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Accepted, but not started.
    Pending,
    /// Started, but not finished.
    Running,
    /// Finished with a response.
    Succeeded,
    /// Finished with a [`Status`](crate::Status) that says why it failed.
    Failed,
    /// Ended before it finished, because it was cancelled.
    Cancelled,
}

/// Declares the transitions once. The check, the diagram in the documentation and the exhaustive
/// test all read this table, so they cannot disagree.
macro_rules! transitions {
    ($($from:ident => [$($to:ident)*]),* $(,)?) => {
        impl State {
            /// Every state, in the order of an operation's life.
            pub const ALL: &[Self] = &[$(Self::$from),*];

            /// Every legal change of state, as `(from, to)`. An operation may also always stay in
            /// its state.
            pub const TRANSITIONS: &[(Self, Self)] = &[$($((Self::$from, Self::$to),)*)*];
        }
    };
}

transitions! {
    Pending   => [Running Succeeded Failed Cancelled],
    Running   => [Succeeded Failed Cancelled],
    Succeeded => [],
    Failed    => [],
    Cancelled => [],
}

impl State {
    /// Returns whether an operation in this state can be seen in `next` afterwards: `next` is the
    /// same state, or [`State::TRANSITIONS`] has the change.
    #[must_use]
    pub fn can_become(self, next: Self) -> bool {
        self == next || Self::TRANSITIONS.contains(&(self, next))
    }

    /// Returns whether no other state can follow: [`Succeeded`](State::Succeeded),
    /// [`Failed`](State::Failed) and [`Cancelled`](State::Cancelled).
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !Self::TRANSITIONS.iter().any(|(from, _)| *from == self)
    }

    /// Returns the state after an observation of `seen`: `seen` if the table allows the change,
    /// else this state.
    ///
    /// Replicas lag, so an observation that goes backwards is legal input. It never moves the state
    /// back.
    #[must_use]
    pub fn after(self, seen: Self) -> Self {
        if self.can_become(seen) { seen } else { self }
    }

    /// Returns the transitions as a [Mermaid](https://mermaid.js.org/syntax/stateDiagram.html)
    /// state diagram, for pages that draw one. The pictures of the documentation show the same.
    #[must_use]
    pub fn diagram() -> String {
        let mut lines = vec!["stateDiagram-v2".to_owned(), "    [*] --> Pending".to_owned()];
        lines.extend(Self::TRANSITIONS.iter().map(|(from, to)| format!("    {from:?} --> {to:?}")));
        lines
            .extend(Self::ALL.iter().filter(|state| state.is_terminal()).map(|state| format!("    {state:?} --> [*]")));
        lines.join("\n")
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn terminal_is_terminal_and_nothing_goes_back() {
        for &from in State::ALL {
            for &to in State::ALL {
                let legal = from == to || (!from.is_terminal() && to != State::Pending);
                assert_eq!(from.can_become(to), legal, "{from} -> {to}");
                assert_eq!(from.after(to), if legal { to } else { from });
            }
        }
    }

    #[test]
    fn the_diagram_draws_every_transition_and_no_other() {
        let drawn = State::diagram().lines().filter(|line| line.contains(" --> ") && !line.contains("[*]")).count();
        assert_eq!(drawn, State::TRANSITIONS.len());
    }
}
