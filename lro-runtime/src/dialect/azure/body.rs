//! What matters in the body of a status monitor, or of a resource. Nothing of it is decoded before it is asked for.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{cursor, words};
use crate::{
    dialect::{
        Cursor, Encoding, Observation, Part,
        json::string,
        location::{follow, without_mark},
    },
    message::Reply,
    status::{Failure, State, Status},
};

/// The body of a reply, taken apart but not decoded: unknown members and members of unexpected types pass.
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
    /// The body's JSON object. JSON that is no object has no members.
    pub(super) fn of(reply: &'a Reply) -> Result<Self, serde_json::Error> {
        let whole = without_mark(reply.body());
        let is_object = whole.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        // Checked for UTF-8 once, not once per member. What is not may still have members that can be read.
        let fields = match std::str::from_utf8(whole) {
            Ok(text) if is_object => serde_json::from_str(text)?,
            _ if is_object => serde_json::from_slice(whole)?,
            _ => serde_json::from_slice::<&RawValue>(whole).map(|_| Fields::default())?,
        };
        Ok(Self { properties: present(fields.properties), fields, whole })
    }

    /// The status word of a monitor.
    pub(super) fn status(&self) -> Option<Cow<'a, str>> {
        text(self.fields.status)
    }

    /// The status word of a resource: under `properties`, or at the top as some services have it.
    pub(super) fn provisioning_state(&self) -> Option<Cow<'a, str>> {
        text(self.properties().provisioning_state.or(self.fields.provisioning_state))
    }

    /// Why it failed, if the state says that it did.
    pub(super) fn failure(&self, state: State, word: &str) -> Option<Status> {
        let error = present(self.fields.error);
        (state != State::Succeeded && state.is_terminal())
            .then(|| words::failure(state, word, error.or_else(|| present(self.properties().error))))
    }

    /// What a monitor with this body and this status word says.
    pub(super) fn observe(&self, cursor: &Cursor, word: Cow<'a, str>) -> Result<Observation<'a>, Failure> {
        let state = words::state(&word);
        let result = match state {
            State::Succeeded => cursor::result_of(cursor, text(self.fields.resource_location).as_deref())?,
            _ => None,
        };
        let mut seen = match result {
            Some(cursor) => follow(cursor),
            None => Observation::new(state),
        };
        if seen.state == State::Succeeded {
            seen.response = self.response(cursor);
        }
        let percent = self.fields.percent_complete.and_then(|percent| serde_json::from_str::<f64>(percent.get()).ok());
        seen.progress = percent.map(|percent| percent / 100.0);
        seen.status = self.failure(state, &word);
        seen.is_known_status = words::is_known(&word);
        seen.raw_status = Some(word);
        Ok(seen)
    }

    /// The response that is in the monitor itself: its `result`, else all of it. What was deleted has only the former.
    fn response(&self, cursor: &Cursor) -> Option<Part<'a>> {
        let whole = (!cursor::is_delete(cursor)).then_some(self.whole);
        present(self.fields.result)
            .map(|result| result.get().as_bytes())
            .or(whole)
            .map(|bytes| Part::of(bytes, Encoding::Json))
    }

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

/// Absent and `null` are the same.
fn present(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

/// A member that is a string.
fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    raw.and_then(string)
}
