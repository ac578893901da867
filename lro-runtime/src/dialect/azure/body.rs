//! The body of a status monitor or a resource: the members that the dialect reads, each decoded on
//! demand.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{cursor, final_state_via, words};
use crate::{
    dialect::{
        Cursor, Encoding, Observation, Part,
        json::{present, string},
        location::{result_at, without_mark},
    },
    message::Reply,
    status::{Failure, State, Status},
};

/// The body of a reply, split into members that are not decoded.
///
/// Unknown members are ignored, and a member of an unexpected type counts as absent: neither may
/// fail the operation.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) properties: Option<&'a RawValue>,
    fields: Fields<'a>,
    whole: &'a [u8],
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    provisioning_state: Option<&'a RawValue>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_location: Option<&'a RawValue>,
    #[serde(borrow)]
    percent_complete: Option<&'a RawValue>,
}

impl<'a> Body<'a> {
    /// Splits the body of a reply. JSON that is not an object has no members.
    ///
    /// # Errors
    ///
    /// When the body is not JSON.
    pub(super) fn of(reply: &'a Reply) -> Result<Self, serde_json::Error> {
        let whole = without_mark(reply.body());
        // Asked first, because serde reads an array into a struct, member by member.
        let is_object = whole.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        // `from_str` checks for UTF-8 once, `from_slice` once per member. A body with invalid UTF-8
        // may still be readable, if the bad bytes are in a member that is not needed.
        let fields = match std::str::from_utf8(whole) {
            Ok(text) if is_object => serde_json::from_str(text)?,
            _ if is_object => serde_json::from_slice(whole)?,
            _ => serde_json::from_slice::<&RawValue>(whole).map(|_| Fields::default())?,
        };
        Ok(Self { properties: present(fields.properties), fields, whole })
    }

    /// Returns the status word of a monitor.
    pub(super) fn status(&self) -> Option<Cow<'a, str>> {
        text(self.fields.status)
    }

    /// Returns the status word of a resource: `provisioningState` in `properties`, or at the top
    /// level, where some services write it.
    pub(super) fn provisioning_state(&self) -> Option<Cow<'a, str>> {
        text(self.properties().provisioning_state.or(self.fields.provisioning_state))
    }

    /// Returns why the operation failed or was cancelled; `None` in any other state, because an
    /// `error` before the end does not count.
    pub(super) fn failure(&self, state: State, word: &str) -> Option<Status> {
        let error = present(self.fields.error);
        (state != State::Succeeded && state.is_terminal())
            .then(|| words::failure(state, word, error.or_else(|| present(self.properties().error))))
    }

    /// Returns what a monitor with this body and this status word says.
    pub(super) fn observe(&self, cursor: &Cursor, word: Cow<'a, str>) -> Result<Observation<'a>, Failure> {
        let state = words::state(&word);
        let result = match state {
            State::Succeeded => final_state_via::result_cursor(cursor, text(self.fields.resource_location).as_deref())?,
            _ => None,
        };
        // While the result is still to be fetched, the operation is running: success without its
        // response would be a snapshot that never changes again.
        let mut seen = match result {
            Some(cursor) => result_at(cursor),
            None => Observation::new(state),
        };
        if seen.state == State::Succeeded {
            seen.response = self.response(cursor);
        }
        // Values out of range pass: the progress of a snapshot is `None` for them.
        let percent = self.fields.percent_complete.and_then(|percent| serde_json::from_str::<f64>(percent.get()).ok());
        seen.progress = percent.map(|percent| percent / 100.0);
        seen.status = self.failure(state, &word);
        seen.is_known_status = words::is_known(&word);
        seen.raw_status = Some(word);
        Ok(seen)
    }

    /// Returns the response that is in the monitor itself: its `result`, else the whole body.
    ///
    /// A `DELETE` has only the former: the body of its monitor is not a response, because there is
    /// no resource left.
    fn response(&self, cursor: &Cursor) -> Option<Part<'a>> {
        let whole = (!cursor::is_delete(cursor)).then_some(self.whole);
        present(self.fields.result)
            .map(|result| result.get().as_bytes())
            .or(whole)
            .map(|bytes| Part::of(bytes, Encoding::Json))
    }

    /// The members of `properties` that matter; empty if it is missing or not an object.
    fn properties(&self) -> Properties<'a> {
        self.properties.and_then(|properties| serde_json::from_str(properties.get()).ok()).unwrap_or_default()
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Properties<'a> {
    #[serde(borrow)]
    provisioning_state: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Returns the member if it is a string.
fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    raw.and_then(string)
}
