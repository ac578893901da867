//! Where a member is in a message.

/// Where a member is in a message: its keys from the outside in. Each step has the key and its aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WirePath(Place);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Nowhere,
    Whole,
    At(&'static [&'static [&'static str]]),
}

impl WirePath {
    /// The whole message.
    pub const WHOLE: Self = Self(Place::Whole);
    pub(super) const NOWHERE: Self = Self(Place::Nowhere);

    /// The member under these keys: `&[&["status"], &["state"]]` is `status.state`, and `&[&["uid", "taskUid"]]` is whichever of the two is there.
    #[must_use]
    pub const fn at(steps: &'static [&'static [&'static str]]) -> Self {
        Self(Place::At(steps))
    }

    /// The key of the step `depth` and its aliases; none if there is no such step.
    #[expect(clippy::indexing_slicing, reason = "`get` is not for constants, and this is within bounds")]
    pub(super) const fn keys(&self, depth: usize) -> &'static [&'static str] {
        match self.0 {
            Place::At(steps) if depth < steps.len() => steps[depth],
            _ => &[],
        }
    }

    /// Whether the step `depth` is the last.
    pub(super) const fn ends_at(&self, depth: usize) -> bool {
        matches!(self.0, Place::At(steps) if depth + 1 == steps.len())
    }

    pub(super) fn is_whole(&self) -> bool {
        self.0 == Place::Whole
    }

    pub(super) const fn is_declared(&self) -> bool {
        !matches!(self.0, Place::Nowhere)
    }

    /// As a person writes it: `status.state`.
    pub(super) fn written(&self) -> String {
        match self.0 {
            Place::At(steps) => steps.iter().filter_map(|keys| keys.first().copied()).collect::<Vec<_>>().join("."),
            Place::Whole => "the message".to_owned(),
            Place::Nowhere => "nothing".to_owned(),
        }
    }
}
