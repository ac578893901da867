//! Observations: what a dialect reads from one reply, with the payloads not decoded yet.

use std::{borrow::Cow, fmt};

use super::{Cursor, Encoding, Payload};
use crate::{
    hint::Hint,
    status::{State, Status},
    text::{quoted, quoted_name, quoted_part},
};

/// What one reply says about an operation.
///
/// It borrows from the reply, and its payloads are not decoded yet: metadata that the caller never
/// reads costs nothing.
#[derive(Clone)]
#[non_exhaustive]
pub struct Observation<'a> {
    /// The state that the reply shows.
    pub state: State,
    /// The operation's name, if the reply has one. An operation whose start reply has no name, or
    /// an empty one, is named by the key of its cursor.
    pub name: Option<Cow<'a, str>>,
    /// The status word as the server wrote it; `None` if the reply has no such word.
    pub raw_status: Option<Cow<'a, str>>,
    /// Whether the dialect knows the status word. An unknown word is never guessed: its state is
    /// [`State::Running`], and this is `false`.
    pub is_known_status: bool,
    /// The metadata, if the reply has any.
    pub metadata: Option<Part<'a>>,
    /// The response; only with [`State::Succeeded`].
    pub response: Option<Part<'a>>,
    /// Why the operation failed or was cancelled; only with [`State::Failed`] or
    /// [`State::Cancelled`].
    pub status: Option<Status>,
    /// The fraction done, 0 to 1, if the dialect itself has a progress field. Any other value
    /// passes, and callers see `None`.
    pub progress: Option<f64>,
    /// What the server says in words about how the operation stands, if the dialect has a field for
    /// that.
    pub status_message: Option<Cow<'a, str>>,
    /// When the server wants the next poll.
    pub hint: Option<Hint>,
    /// Where the next poll goes; `None` if it goes to the same place as this one.
    pub cursor: Option<Cursor>,
    /// Whether the next poll is due at once, because the reply only leads to another place: a
    /// redirect, or a monitor that has ended and whose result is elsewhere. The engine allows a few
    /// of these in a row, then waits as after any other poll.
    pub follow: bool,
}

impl Observation<'_> {
    /// Creates an observation of `state`, with all other fields empty.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            name: None,
            raw_status: None,
            is_known_status: true,
            metadata: None,
            response: None,
            status: None,
            progress: None,
            status_message: None,
            hint: None,
            cursor: None,
            follow: false,
        }
    }
}

// By hand, not derived: the name may be a URL, whose query may have secrets.
impl fmt::Debug for Observation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation")
            .field("state", &self.state)
            .field("name", &self.name.as_deref().map(quoted_name))
            .field("raw_status", &self.raw_status.as_deref().map(quoted_part))
            .field("is_known_status", &self.is_known_status)
            .field("metadata", &self.metadata)
            .field("response", &self.response)
            .field("status", &self.status)
            .field("progress", &self.progress)
            .field("status_message", &self.status_message.as_deref().map(quoted))
            .field("hint", &self.hint)
            .field("cursor", &self.cursor)
            .field("follow", &self.follow)
            .finish()
    }
}

/// A payload inside a reply. A part of the body is borrowed, never copied.
#[derive(Clone)]
#[non_exhaustive]
pub struct Part<'a> {
    /// The encoded bytes.
    pub bytes: Cow<'a, [u8]>,
    /// How the bytes are encoded.
    pub encoding: Encoding,
}

// As a payload: an excerpt, not every byte.
impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.payload().fmt(f)
    }
}

impl<'a> Part<'a> {
    /// Creates a part that borrows from the reply's body.
    #[must_use]
    pub fn of(bytes: &'a [u8], encoding: Encoding) -> Self {
        Self { bytes: Cow::Borrowed(bytes), encoding }
    }

    /// Creates a part from bytes that the dialect itself built.
    #[must_use]
    pub fn made(bytes: Vec<u8>, encoding: Encoding) -> Self {
        Self { bytes: Cow::Owned(bytes), encoding }
    }

    /// Returns the part as a payload, which can be decoded.
    #[must_use]
    pub fn payload(&self) -> Payload<'_> {
        Payload::new(&self.bytes, self.encoding)
    }
}
