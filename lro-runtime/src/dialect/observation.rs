//! What one reply said.

use std::borrow::Cow;

use super::{Cursor, Encoding, Payload};
use crate::{
    hint::Hint,
    status::{State, Status},
};

/// What one reply said: a borrowed reading of it, in which nothing is decoded yet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Observation<'a> {
    /// The state it shows.
    pub state: State,
    /// The operation's name, if the reply has one.
    pub name: Option<Cow<'a, str>>,
    /// The status word as the server wrote it, where the dialect has words.
    pub raw_status: Option<Cow<'a, str>>,
    /// Whether the dialect knows that word.
    pub is_known_status: bool,
    /// The metadata.
    pub metadata: Option<Part<'a>>,
    /// The response, where the state is [`State::Succeeded`].
    pub response: Option<Part<'a>>,
    /// Why, where the state is [`State::Failed`] or [`State::Cancelled`].
    pub status: Option<Status>,
    /// The fraction done, 0 to 1, where the dialect itself has one.
    pub progress: Option<f64>,
    /// When the server wants to be asked again.
    pub hint: Option<Hint>,
    /// Where to look next; where it was, if none.
    pub cursor: Option<Cursor>,
    /// Whether to look there at once: the monitor is done, the result is elsewhere.
    pub follow: bool,
}

impl Observation<'_> {
    /// An observation of `state` and nothing else.
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
            hint: None,
            cursor: None,
            follow: false,
        }
    }
}

/// A part of a reply that is a payload. Parts of the body are borrowed and never copied.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Part<'a> {
    /// The bytes.
    pub bytes: Cow<'a, [u8]>,
    /// How they are written.
    pub encoding: Encoding,
}

impl<'a> Part<'a> {
    /// A part of the body.
    #[must_use]
    pub fn of(bytes: &'a [u8], encoding: Encoding) -> Self {
        Self { bytes: Cow::Borrowed(bytes), encoding }
    }

    /// A part that the dialect made.
    #[must_use]
    pub fn made(bytes: Vec<u8>, encoding: Encoding) -> Self {
        Self { bytes: Cow::Owned(bytes), encoding }
    }

    /// The part as a payload.
    #[must_use]
    pub fn payload(&self) -> Payload<'_> {
        Payload::new(&self.bytes, self.encoding)
    }
}
