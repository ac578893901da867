//! Azure's status words: which of them end an operation, which are known at all, and the words that
//! an SDK author adds for a service.

use crate::{dialect::Options, status::State, url::encode_query};

/// Words that Azure's guidelines and services use for an operation that has not ended.
///
/// An unknown word means running, too. The list only tells known words from unknown ones, because a
/// setting may make an unknown word an error.
const KNOWN_RUNNING: &[&str] = &[
    "running",
    "inprogress",
    "accepted",
    "pending",
    "queued",
    "started",
    "starting",
    "creating",
    "updating",
    "deleting",
    "provisioning",
    "validating",
    "processing",
    "activating",
    "resolving",
    "canceling",
    "cancelling",
];

/// What the words of a service mean: Azure's own, and those that are declared for the client or for
/// the method.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Words<'a> {
    /// The words that the dialect was built with.
    pub(super) of_client: &'static [(&'static str, State)],
    /// The words of the method, in the form that [`of_method`] gives them.
    pub(super) of_method: &'a str,
}

impl Words<'_> {
    /// Returns the state that a word means.
    ///
    /// Of Azure's own words exactly `Succeeded`, `Failed` and `Canceled` (also spelt `Cancelled`)
    /// end an operation. All are compared as whole words, without regard to case: services differ
    /// in the case they write, and a search for parts of words would take `NotSucceeded` for
    /// success.
    pub(super) fn state(self, word: &str) -> State {
        self.known(word).unwrap_or(State::Running)
    }

    /// Returns the state that a word means, and whether the word is one of Azure's or is declared.
    pub(super) fn judge(self, word: &str) -> (State, bool) {
        let known = self.known(word);
        (known.unwrap_or(State::Running), known.is_some())
    }

    fn known(self, word: &str) -> Option<State> {
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        match () {
            () if is("succeeded") => Some(State::Succeeded),
            () if is("failed") => Some(State::Failed),
            () if is("canceled") || is("cancelled") => Some(State::Cancelled),
            // The only word that says that the work has not begun. `Accepted` and `Queued` are
            // words of services, read as running.
            () if is("notstarted") => Some(State::Pending),
            () => self.declared(word).or_else(|| KNOWN_RUNNING.iter().any(|known| is(known)).then_some(State::Running)),
        }
    }

    /// Returns the state of a declared word; the method's declaration goes before the client's.
    fn declared(self, word: &str) -> Option<State> {
        let of_client = || self.of_client.iter().find(|(known, _)| word.eq_ignore_ascii_case(known));
        self.declared_by_method(word).or_else(|| of_client().map(|(_, state)| *state))
    }

    fn declared_by_method(self, word: &str) -> Option<State> {
        if self.of_method.is_empty() {
            return None; // the usual case, without an allocation
        }
        let word = encode_query(word);
        let mut pairs = self.of_method.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| word.eq_ignore_ascii_case(known)).and_then(|(_, state)| state_named(state))
    }
}

/// Returns the words that a method's options declare, in the form in which a cursor keeps them:
/// `word=state` pairs with `&` between them, percent-encoded. Empty if there are none.
///
/// Tokens contain this text. An option has the name of a state, and its value is one word.
pub(super) fn of_method(options: &Options) -> String {
    let declared = options.iter().filter(|(name, _)| state_named(name).is_some());
    declared.map(|(state, word)| format!("{}={state}", encode_query(word))).collect::<Vec<_>>().join("&")
}

/// Returns the state with this name, as options and tokens write it.
fn state_named(name: &str) -> Option<State> {
    Some(match name {
        "pending" => State::Pending,
        "running" => State::Running,
        "succeeded" => State::Succeeded,
        "failed" => State::Failed,
        "cancelled" => State::Cancelled,
        _ => return None,
    })
}
