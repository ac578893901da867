//! The path of a member in a message.

/// The path of a member in a message: its keys from the outside in. Each step has a key and its
/// aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WirePath(Place);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Not declared.
    Nowhere,
    /// The message itself.
    Whole,
    /// The member under these steps.
    At(&'static [&'static [&'static str]]),
}

impl WirePath {
    /// The whole message.
    pub const WHOLE: Self = Self(Place::Whole);
    /// The path of a member that is not declared.
    pub(super) const NOWHERE: Self = Self(Place::Nowhere);

    /// Creates the path of the member under these keys: `&[&["status"], &["state"]]` is
    /// `status.state`, and `&[&["uid", "taskUid"]]` is `uid` or its alias `taskUid`.
    #[must_use]
    pub const fn at(steps: &'static [&'static [&'static str]]) -> Self {
        Self(Place::At(steps))
    }

    /// Returns the key of the step `depth` and its aliases, or nothing if the path has no such
    /// step: such a path never matches a key.
    #[expect(clippy::indexing_slicing, reason = "`get` is not for constants, and this is within bounds")]
    pub(super) const fn keys(&self, depth: usize) -> &'static [&'static str] {
        match self.0 {
            Place::At(steps) if depth < steps.len() => steps[depth],
            _ => &[],
        }
    }

    /// Returns whether the step `depth` is the last.
    pub(super) const fn ends_at(&self, depth: usize) -> bool {
        matches!(self.0, Place::At(steps) if depth + 1 == steps.len())
    }

    /// Returns whether the path is the whole message.
    pub(super) fn is_whole(&self) -> bool {
        self.0 == Place::Whole
    }

    /// Returns whether the path leads anywhere.
    pub(super) const fn is_declared(&self) -> bool {
        !matches!(self.0, Place::Nowhere)
    }

    /// Writes the path for an error message, without aliases: `status.state`.
    pub(super) fn written(&self) -> String {
        match self.0 {
            Place::At(steps) => steps.iter().filter_map(|keys| keys.first().copied()).collect::<Vec<_>>().join("."),
            Place::Whole => "the message".to_owned(),
            Place::Nowhere => "nothing".to_owned(),
        }
    }
}
