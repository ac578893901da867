//! The members of a service's messages, by the names that the service gives them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::{
    dialect::json::{self, read_members, string},
    status::Failure,
    text::excerpt,
};

/// The member names of a service's own operation message, for the four fields that are annotated by
/// [`extended_operations.proto`](https://github.com/googleapis/googleapis/blob/master/google/cloud/extended_operations.proto).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedFields {
    /// The operation's name.
    pub name: &'static str,
    /// The state: a word (`DONE` is the terminal one) or a bool (`true` when the operation is
    /// done).
    pub status: &'static str,
    /// The HTTP status of the failure.
    pub error_code: &'static str,
    /// The error message.
    pub error_message: &'static str,
}

impl ExtendedFields {
    /// The member names that Compute Engine uses.
    pub const COMPUTE: Self =
        Self { name: "name", status: "status", error_code: "httpErrorStatusCode", error_message: "httpErrorMessage" };
}

/// The members of a message or a page that are read, not decoded. A member that is `null` is
/// absent.
pub(super) struct Members<'a>(Vec<(&'static str, Option<&'a RawValue>)>);

impl<'a> json::Members<'a> for Members<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        self.0.iter_mut().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl<'a> Members<'a> {
    pub(super) fn of(body: &'a [u8], fields: &ExtendedFields) -> Result<Self, Failure> {
        let names = [
            fields.name,
            fields.status,
            fields.error_code,
            fields.error_message,
            "error",
            "items",
            "nextPageToken",
            "progress",
            "region",
            "selfLink",
            "statusMessage",
            "targetLink",
            "unreachables",
            "zone",
        ];
        let mut members = Self(names.into_iter().map(|name| (name, None)).collect());
        read_members(body, &mut members)
            .map_err(|e| Failure::protocol(format!("the body is not an object: {e}; found `{}`", excerpt(body))))?;
        Ok(members)
    }

    /// Returns the member `name`; one that [`of`](Self::of) does not name is never there.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| *known == name).and_then(|(_, value)| *value)
    }

    /// Returns the member `name` if it is a string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(string).map(Cow::into_owned)
    }

    /// Returns the member `name` if it is a number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.get().parse().ok()
    }
}
