//! Records: what is written down of an operation, and how.
//!
//! A record is a version, the length of its head, the head as JSON, and bytes that the head
//! describes, such as the body of a reply. What a newer version has written is refused, so that
//! nothing of it is lost.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub(in crate::fleet) use crate::operation::token::Content;
use crate::{
    client::start_record::StartRecord,
    error::KeptError,
    fleet::{
        lanes::Priority,
        store::{StoreError, StoreErrorKind, Table},
    },
    operation::snapshot::KeptReply,
    settings::PollSettings,
};

/// The version of the records that this library writes, and the newest that it reads.
pub(in crate::fleet) const VERSION: u8 = 1;

/// An operation, or the intent to start one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::fleet) enum Live {
    Starting(Box<Starting>),
    Watched(Box<Watched>),
}

/// A start call that was begun.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::fleet) struct Starting {
    /// The caller's key.
    pub(in crate::fleet) key: String,
    /// When it was begun, in milliseconds since 1970.
    pub(in crate::fleet) at: u64,
    /// The call; `None` if it was not sent by then, or not by this library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::fleet) call: Option<Call>,
}

/// A start call that was about to be sent.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::fleet) struct Call {
    /// The name of the service.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::fleet) service: String,
    pub(in crate::fleet) request: Request,
}

/// What is known of the request of a start call.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::fleet) enum Request {
    /// All that is needed to send it again.
    Kept(Box<StartRecord>),
    /// It is not kept. With why, and the id that it was sent with.
    NotKept { why: String, start_id: Option<String> },
}

/// An operation that is watched.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::fleet) struct Watched {
    /// The name of the service.
    pub(in crate::fleet) service: String,
    pub(in crate::fleet) token: Content,
    /// When the wait began, in milliseconds since 1970.
    pub(in crate::fleet) began: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::fleet) key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::fleet) start_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::fleet) lane: Option<String>,
    #[serde(default, skip_serializing_if = "is_normal", with = "words")]
    pub(in crate::fleet) priority: Priority,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::fleet) settings: PollSettings,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_normal(priority: &Priority) -> bool {
    *priority == Priority::Normal
}

fn is_default(settings: &PollSettings) -> bool {
    *settings == PollSettings::default()
}

/// The words of priorities.
mod words {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Priority;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(super) fn serialize<S: Serializer>(priority: &Priority, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match priority {
            Priority::Urgent => "urgent",
            Priority::Normal => "normal",
            Priority::Background => "background",
        })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Priority, D::Error> {
        match &*std::borrow::Cow::<str>::deserialize(deserializer)? {
            "urgent" => Ok(Priority::Urgent),
            "normal" => Ok(Priority::Normal),
            "background" => Ok(Priority::Background),
            _ => Err(D::Error::custom("a priority is `urgent`, `normal` or `background`")),
        }
    }
}

/// What has changed of an operation since it was taken in.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::fleet) struct Amendment {
    /// Where it is polled now, with all that was known then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::fleet) token: Option<Content>,
    /// Whether its cancel was asked for, and the service has not answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::fleet) cancel: bool,
}

/// How a wait has ended.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::fleet) struct Outcome {
    /// The operation as it was last seen; `None` if its start is not known to have happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::fleet) token: Option<Content>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::fleet) reply: Option<KeptReply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::fleet) error: Option<KeptError>,
}

/// Encodes a record.
pub(in crate::fleet) fn encode<T: Serialize>(head: &T, tail: &[u8]) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(head).map_err(|error| {
        StoreError::new(StoreErrorKind::Io, "a record of the fleet does not serialize").with_source(error)
    })?;
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    let mut record = Vec::with_capacity(5 + json.len() + tail.len());
    record.push(VERSION);
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(&json);
    record.extend_from_slice(tail);
    Ok(record)
}

/// Decodes a record. The bytes behind its head are copied.
///
/// # Errors
///
/// When it is damaged, or a newer version has written it.
pub(in crate::fleet) fn decode<T: DeserializeOwned>(
    table: Table,
    key: u64,
    record: &[u8],
) -> Result<(T, Bytes), StoreError> {
    let place = || format!("the record {key} of the table `{}`", table.name());
    let damaged = || StoreError::new(StoreErrorKind::Damaged, format!("{} is damaged", place()));
    let (version, rest) = record.split_first().ok_or_else(damaged)?;
    check_version((*version).into(), place)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    let (json, tail) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(damaged)?;
    let head = serde_json::from_slice(json).map_err(|error| damaged().with_source(error))?;
    Ok((head, Bytes::copy_from_slice(tail)))
}

/// Checks the version of what is read.
///
/// # Errors
///
/// When a newer library has written it, or none.
pub(in crate::fleet) fn check_version(version: u64, place: impl Fn() -> String) -> Result<(), StoreError> {
    match version {
        1 => Ok(()),
        0 => Err(StoreError::new(StoreErrorKind::Damaged, format!("{} is damaged: it has no version", place()))),
        _ => Err(StoreError::new(
            StoreErrorKind::Newer,
            format!("{} is of version {version}, and this library reads versions up to {VERSION}", place()),
        )),
    }
}

/// Returns a time in milliseconds since 1970.
pub(in crate::fleet) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the time so many milliseconds after 1970, in the year 9999 at the latest: no calendar
/// goes further.
pub(in crate::fleet) fn system_time(millis: u64) -> SystemTime {
    const LAST: u64 = 253_402_300_799_999;
    let millis = millis.min(LAST);
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}
