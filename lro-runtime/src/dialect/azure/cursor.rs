//! What a cursor of Azure's carries: where it leads, and what the final `GET` will need.

use http::{Method, Uri};

use super::final_state_via::FinalStateVia;
use crate::{
    dialect::{
        Cursor,
        location::{base_of, resolved},
    },
    status::Failure,
};

/// What the cursor's URL is.
pub(super) const PLACE: &str = "place";
/// The URL of the start call.
const START: &str = "start";
/// The method of the start call.
const METHOD: &str = "method";
/// Where the author says the response is.
pub(super) const VIA: &str = "via";
/// The last `Location` that a monitor's reply had.
const LOCATION: &str = "location";

/// What the URL of a cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A status monitor.
    Monitor,
    /// A `Location` that answers 202 until it is done.
    Location,
    /// The resource that the start call made or changed.
    Resource,
    /// The response of an operation whose monitor has succeeded.
    Result,
}

impl Place {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Location => "location",
            Self::Resource => "resource",
            Self::Result => "result",
        }
    }

    /// What the cursor says; none if it was made from a name.
    pub(super) fn of(cursor: &Cursor) -> Option<Self> {
        let word = cursor.part(PLACE)?;
        [Self::Monitor, Self::Location, Self::Resource, Self::Result].into_iter().find(|place| place.word() == word)
    }
}

/// What the start call was, and what its reply said about the response.
pub(super) struct StartCall<'a> {
    pub(super) start: &'a Uri,
    pub(super) method: &'a Method,
    pub(super) via: Option<FinalStateVia>,
    pub(super) location: Option<&'a str>,
}

impl StartCall<'_> {
    /// The cursor that leads to `url`.
    pub(super) fn cursor(&self, url: &str, place: Place) -> Cursor {
        let start = self.start.to_string();
        let mut cursor =
            Cursor::new(with_api_version(url, &start)).with(PLACE, place.word()).with(METHOD, self.method.as_str());
        if let Some(via) = self.via {
            cursor = cursor.with(VIA, via.word());
        }
        if let Some(location) = self.location.filter(|_| place == Place::Monitor) {
            cursor = cursor.with(LOCATION, with_api_version(location, &start));
        }
        cursor.with(START, start)
    }
}

/// What relative URLs are seen from: the start URL, or without one where the cursor leads.
pub(super) fn base(cursor: &Cursor) -> Result<Uri, Failure> {
    base_of(cursor.part(START).unwrap_or_else(|| cursor.key()))
}

/// The same cursor at another URL.
pub(super) fn at(cursor: &Cursor, url: &str) -> Cursor {
    let url = with_api_version(url, cursor.part(START).unwrap_or_else(|| cursor.key()));
    cursor.clone().at(url)
}

/// The cursor after a monitor's reply that had these headers; none if they moved nothing.
pub(super) fn moved(cursor: &Cursor, monitor: Option<String>, location: Option<String>) -> Option<Cursor> {
    let mut next = None;
    if let Some(url) = monitor {
        next = Some(at(cursor, &url));
    }
    if let Some(url) = location {
        let url = with_api_version(&url, cursor.part(START).unwrap_or_default());
        next = Some(next.unwrap_or_else(|| cursor.clone()).with(LOCATION, url));
    }
    next
}

/// Whether there is nothing to fetch because it was deleted.
pub(super) fn is_delete(cursor: &Cursor) -> bool {
    cursor.part(METHOD) == Some(Method::DELETE.as_str())
}

/// The cursor that leads to the response of an operation whose monitor has succeeded; none if the monitor itself has it.
pub(super) fn result_of(cursor: &Cursor, resource_location: Option<&str>) -> Result<Option<Cursor>, Failure> {
    let (method, start, location) = (cursor.part(METHOD), cursor.part(START), cursor.part(LOCATION));
    let is = |wanted: Method| method == Some(wanted.as_str());
    let via = cursor.part(VIA).and_then(FinalStateVia::of);
    let url = match via {
        _ if is(Method::DELETE) => None,
        Some(FinalStateVia::OperationLocation | FinalStateVia::AzureAsyncOperation) if is(Method::POST) => None,
        Some(FinalStateVia::Location) if location.is_some() => location.map(str::to_owned),
        Some(FinalStateVia::OriginalUri) if start.is_some() => start.map(str::to_owned),
        _ => match resource_location.filter(|url| !url.is_empty()) {
            Some(reference) => Some(resolved(&base(cursor)?, reference)?),
            None if is(Method::PUT) || is(Method::PATCH) => start.map(str::to_owned),
            None => location.map(str::to_owned),
        },
    };
    Ok(url.map(|url| at(cursor, &url).with(PLACE, Place::Result.word())))
}

/// `url` with the `api-version` of the start call, unless it has one.
fn with_api_version(url: &str, start: &str) -> String {
    let (Some(version), None) = (api_version(start), api_version(url)) else { return url.to_owned() };
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{version}")
}

/// The parameter `api-version` of a URL, as it is written there.
fn api_version(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find(|pair| pair.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("api-version")))
}
