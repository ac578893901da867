//! The five states of an operation, and the one table of what may follow what.

use std::fmt;

/// Where an operation is in its life.
///
/// The last three are *terminal*: the work has ended, and nothing a server says later changes that.
///
/// Exhaustive on purpose: a `match` without a wildcard is told by the compiler what it forgot. There will be no sixth state.
///
/// ```
/// use lro_runtime::State;
///
/// assert!(State::Running.can_become(State::Succeeded));
/// assert!(!State::Running.can_become(State::Pending));
/// assert!(State::Cancelled.is_terminal());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Accepted, not started.
    Pending,
    /// Started, not finished.
    Running,
    /// Finished with a response.
    Succeeded,
    /// Finished with a [`Status`](crate::Status) that says why it failed.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
}

/// Declares the transitions once; the check, the documentation's diagram and the exhaustive test read this table.
macro_rules! transitions {
    ($($from:ident => [$($to:ident)*]),* $(,)?) => {
        impl State {
            /// Every state, in the order of a life.
            pub const ALL: &[Self] = &[$(Self::$from),*];

            /// Every legal change of state as `(from, to)`. Staying where it is, an operation may always.
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
    /// Whether an operation in this state may be seen in `next` afterwards: by a line of [`State::TRANSITIONS`], or by staying.
    #[must_use]
    pub fn can_become(self, next: Self) -> bool {
        self == next || Self::TRANSITIONS.contains(&(self, next))
    }

    /// Whether nothing can follow: [`Succeeded`](State::Succeeded), [`Failed`](State::Failed) or [`Cancelled`](State::Cancelled).
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !Self::TRANSITIONS.iter().any(|(from, _)| *from == self)
    }

    /// The state after an observation: `seen` where the table allows it, else the state as it was.
    ///
    /// Replicas lag, so an observation that goes backwards is legal input; it never moves the state back.
    #[must_use]
    pub fn after(self, seen: Self) -> Self {
        if self.can_become(seen) { seen } else { self }
    }

    /// The transitions as a [Mermaid](https://mermaid.js.org/syntax/stateDiagram.html) state diagram: the one in the README.
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
