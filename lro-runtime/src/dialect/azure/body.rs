//! The body of a status monitor or a resource: the members that the dialect reads, each decoded on
//! demand.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    cursor::{self, Place},
    errors, final_state_via,
    words::Words,
};
use crate::{
    dialect::{
        Cursor, Encoding, Observation, Part,
        json::{Members, is_object, present, read_members, string},
        location::{body_of, kept, metadata_of, result_at, without_mark},
    },
    message::Reply,
    status::{State, Status},
};

/// The body of a reply, split into members that are not decoded.
///
/// Unknown members are ignored, and a member of an unexpected type counts as absent: neither may
/// fail the operation.
#[derive(Default)]
pub(super) struct Body<'a, 'w> {
    fields: Fields<'a>,
    whole: &'a [u8],
    words: Words<'w>,
}

#[derive(Default)]
struct Fields<'a> {
    status: Option<&'a RawValue>,
    provisioning_state: Option<&'a RawValue>,
    properties: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    resource_location: Option<&'a RawValue>,
    percent_complete: Option<&'a RawValue>,
    /// When the operation began: a member that only a status monitor has.
    start_time: Option<&'a RawValue>,
    /// Whether there is a member that no status monitor has.
    has_others: bool,
}

/// What status monitors have beside the members that are read: those of Azure's guidelines, of the
/// Resource Manager's contract, of Fabric, and of services before them.
const OF_MONITORS: &[&str] = &[
    "id",
    "name",
    "kind",
    "endTime",
    "createdDateTime",
    "lastUpdatedDateTime",
    "lastActionDateTime",
    "expirationDateTime",
    "createdTimeUtc",
    "lastUpdatedTimeUtc",
    "createdTime",
    "lastUpdatedTime",
    "createdTimestamp",
    "lastActionTimestamp",
    "operationId",
    "jobId",
    "requestId",
    "correlationId",
    "activityId",
    "resourceId",
    "operations",
    "statusMessage",
    "warnings",
    "errors",
    "code",
    "message",
    "details",
    "odata.error",
    "@odata.context",
];

impl<'a> Members<'a> for Fields<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        Some(match name {
            "status" => &mut self.status,
            "provisioningState" => &mut self.provisioning_state,
            "properties" => &mut self.properties,
            "error" => &mut self.error,
            "result" => &mut self.result,
            "resourceLocation" => &mut self.resource_location,
            "percentComplete" => &mut self.percent_complete,
            "startTime" => &mut self.start_time,
            _ => {
                self.has_others |= !OF_MONITORS.contains(&name);
                return None;
            }
        })
    }
}

impl<'a, 'w> Body<'a, 'w> {
    /// Splits the body of a reply. JSON that is not an object has no members.
    ///
    /// # Errors
    ///
    /// When the body is not JSON.
    pub(super) fn of(reply: &'a Reply, words: Words<'w>) -> Result<Self, serde_json::Error> {
        let whole = without_mark(reply.body());
        let mut fields = Fields::default();
        if is_object(whole) {
            read_members(whole, &mut fields)?;
        } else {
            serde_json::from_slice::<&RawValue>(whole)?;
        }
        Ok(Self { fields, whole, words })
    }

    /// Returns the status word of a monitor.
    pub(super) fn status(&self) -> Option<Cow<'a, str>> {
        text(self.fields.status)
    }

    /// Returns the status word if the body is an operation, and not a resource that has a status of
    /// its own.
    ///
    /// A `Location` may lead to either, and nothing but the body tells them apart. A body is an
    /// operation if its word is one of an operation and nothing else in it is of a resource. A word
    /// for failure with an `error` is enough. After a `DELETE` there is no resource, so any such
    /// word is the operation's.
    pub(super) fn operation_status(&self, is_delete: bool) -> Option<Cow<'a, str>> {
        let word = self.status()?;
        // Monitors may have `properties`, too. These members only they have.
        let is_marked = self.fields.percent_complete.or(self.fields.start_time).is_some();
        let has_properties = present(self.fields.properties).is_some_and(|properties| !is_empty(properties));
        let is_bare = !self.fields.has_others && (is_marked || !has_properties);
        let (state, is_known) = self.words.judge(&word);
        let has_failed = is_failure(state) && self.error().is_some();
        (is_bare && (is_known || is_marked) || is_known && (is_delete || has_failed)).then_some(word)
    }

    /// Returns the status word if the body is an operation that has failed, and says why. After a
    /// `DELETE` it need not say why.
    pub(super) fn failure_word(&self, is_delete: bool) -> Option<Cow<'a, str>> {
        let may_be = is_delete || self.error().is_some();
        self.operation_status(is_delete).filter(|word| may_be && is_failure(self.words.state(word)))
    }

    /// Returns the status word of a resource: `provisioningState` in `properties`, or at the top
    /// level, where some services write it.
    pub(super) fn provisioning_state(&self) -> Option<Cow<'a, str>> {
        text(self.properties().provisioning_state.or(self.fields.provisioning_state))
    }

    /// Returns why the operation failed or was cancelled; `None` in any other state, because an
    /// `error` before the end does not count.
    fn failure(&self, state: State, word: &str) -> Option<Status> {
        // Beside `properties`, a code or a message is the resource's own.
        let flat = if self.fields.properties.is_none() { self.whole } else { &[] };
        is_failure(state).then(|| errors::failure(state, word, self.error(), flat))
    }

    /// Returns the `error`, which is in `properties` where the body is a resource.
    fn error(&self) -> Option<&'a RawValue> {
        present(self.fields.error).or_else(|| present(self.properties().error))
    }

    /// Returns what an operation with this body and this status word says. `place` is what the
    /// cursor's URL is, and `polled` the URL that was answered with this body.
    pub(super) fn observe(&self, cursor: &Cursor, place: Place, polled: &str, word: Cow<'a, str>) -> Observation<'a> {
        let (state, is_known) = self.words.judge(&word);
        let result = match state {
            State::Succeeded => {
                let has_result = present(self.fields.result).is_some();
                let elsewhere = text(self.fields.resource_location).map(|url| kept(&url, polled));
                final_state_via::result_cursor(cursor, place, elsewhere.as_deref(), has_result)
                    .map(|cursor| cursor.with(cursor::WORD, word.as_ref()))
            }
            _ => None,
        };
        // While the result is still to be fetched, the operation is running: success without its
        // response would be a snapshot that never changes again.
        let mut seen = match result {
            Some(cursor) => result_at(cursor),
            None => Observation::new(state),
        };
        if seen.state == State::Succeeded && !final_state_via::has_no_result(cursor) {
            seen.response = self.response(cursor);
        }
        // Values out of range pass: the progress of a snapshot is `None` for them.
        let percent = self.fields.percent_complete.and_then(|percent| serde_json::from_str::<f64>(percent.get()).ok());
        seen.progress = percent.map(|percent| percent / 100.0);
        seen.status = self.failure(state, &word);
        seen.is_known_status = is_known;
        seen.raw_status = Some(word);
        seen
    }

    /// Returns what a body says that is itself the response: a resource with this
    /// `provisioningState`, or an operation that has failed.
    pub(super) fn observe_resource(&self, reply: &'a Reply, word: Cow<'a, str>) -> Observation<'a> {
        let (state, is_known) = self.words.judge(&word);
        let mut seen = Observation::new(state);
        seen.is_known_status = is_known;
        seen.status = self.failure(state, &word);
        seen.raw_status = Some(word);
        match state {
            State::Succeeded => seen.response = body_of(reply),
            _ => seen.metadata = metadata_of(reply),
        }
        seen
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
        let mut properties = Properties::default();
        if let Some(raw) = self.fields.properties {
            // What is not an object has no members: nothing is lost by the error.
            let _ = read_members(raw.get().as_bytes(), &mut properties);
        }
        properties
    }
}

#[derive(Default)]
struct Properties<'a> {
    provisioning_state: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

impl<'a> Members<'a> for Properties<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        match name {
            "provisioningState" => Some(&mut self.provisioning_state),
            "error" => Some(&mut self.error),
            _ => None,
        }
    }
}

/// Whether the state is an end without a response.
fn is_failure(state: State) -> bool {
    matches!(state, State::Failed | State::Cancelled)
}

/// Returns the member if it is a string.
fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    raw.and_then(string)
}

/// Whether the value is `{}`, written with any space.
fn is_empty(raw: &RawValue) -> bool {
    raw.get().bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(*b"{}")
}
