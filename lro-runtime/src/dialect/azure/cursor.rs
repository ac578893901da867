//! The cursors of the Azure dialect: what the polled URL is, and what the final `GET` will need.

use http::Method;

use crate::{
    dialect::{
        Cursor,
        location::{placed, readable},
    },
    url::{Origin, is_absolute},
};

// The names of a cursor's parts. Tokens contain them, so they must never change.

/// What the cursor's URL is: a word of [`Place`].
pub(super) const PLACE: &str = "place";
/// The URL of the start call: the source of `api-version`, and perhaps where the response is.
pub(super) const START: &str = "start";
/// The method of the start call, on which the place of the response depends.
pub(super) const METHOD: &str = "method";
/// The word of the [`FinalStateVia`] that the SDK author declared.
pub(super) const VIA: &str = "via";
/// The `api-version` of the start call, for a URL on another origin: `name=value`. Only the client
/// knows whether that origin may get it.
pub(super) const VERSION: &str = "version";
/// The last `Location` beside a monitor: that of the start reply, or of a later reply. As it was
/// written if it cannot be resolved, because nobody may need it.
pub(super) const LOCATION: &str = "location";

/// The status words that the SDK author has declared for the method, in the form that
/// [`words::of_method`](super::words::of_method) gives them.
pub(super) const WORDS: &str = "words";
/// The word with which the monitor has ended, while the response is fetched.
pub(super) const WORD: &str = "word";
/// Whether the URL, a `Location` or the resource, has said that the operation runs: what makes a
/// later `4xx` there the end of the operation. The value is always [`RUNNING`].
pub(super) const SEEN: &str = "seen";
/// The value of [`SEEN`].
pub(super) const RUNNING: &str = "running";
/// The operation's id, by which Fabric's services are told apart: the result of an operation there
/// is below its monitor.
pub(super) const OPERATION_ID: &str = "operation_id";

/// The parts that only a monitor's last reply may make needed.
pub(super) const SPARE: &[&str] = &[START, LOCATION];

/// What the URL of a cursor leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A status monitor.
    Monitor,
    /// A `Location`, which answers `202` until the operation is done.
    Location,
    /// The resource that the start call made or changed.
    Resource,
    /// The response of an operation whose monitor has succeeded.
    Result,
    /// The same, at a URL that no reply has named: the operation may have no response.
    MaybeResult,
}

impl Place {
    /// Returns the word in a cursor. Tokens contain it, so it must never change.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Location => "location",
            Self::Resource => "resource",
            Self::Result => "result",
            Self::MaybeResult => "maybe_result",
        }
    }

    /// Returns the place of a cursor; `None` if the cursor was made from a name alone.
    pub(super) fn of(cursor: &Cursor) -> Option<Self> {
        let word = cursor.part(PLACE)?;
        [Self::Monitor, Self::Location, Self::Resource, Self::Result, Self::MaybeResult]
            .into_iter()
            .find(|place| place.word() == word)
    }
}

/// The start call: its URL and method, and what is known about the place of the response.
pub(super) struct StartCall<'a> {
    pub(super) start: &'a str,
    pub(super) method: &'a Method,
    pub(super) via: Option<&'static str>,
    pub(super) location: Option<&'a str>,
    pub(super) operation_id: Option<&'a str>,
    pub(super) words: &'a str,
}

impl StartCall<'_> {
    /// Returns the cursor that leads to `url`.
    pub(super) fn cursor(&self, url: &str, place: Place) -> Cursor {
        let start = self.start;
        let cursor = versioned(Cursor::default(), url, start, url == start);
        let mut cursor = cursor.with(PLACE, place.word()).with(METHOD, self.method.as_str());
        if let Some(via) = self.via {
            cursor = cursor.with(VIA, via);
        }
        if !self.words.is_empty() {
            cursor = cursor.with(WORDS, self.words);
        }
        // Beside a monitor only: anywhere else the `Location` is what is polled.
        if let Some(location) = self.location.filter(|_| place == Place::Monitor) {
            cursor = with_location(cursor, location, start);
        }
        if let Some(id) = self.operation_id.filter(|_| place == Place::Location) {
            cursor = cursor.with(OPERATION_ID, id);
        }
        cursor.with_own(START, start)
    }
}

/// Returns the same cursor at another URL, to which the `api-version` is added.
pub(super) fn at(cursor: &Cursor, url: &str) -> Cursor {
    let start = cursor.part(START);
    versioned(cursor.clone(), url, start.unwrap_or_else(|| cursor.key()), start == Some(url))
}

/// Returns the cursor at `url`, with the `api-version` of the start call in the URL, or beside it
/// if the URL is on another origin than the start call. A URL that cannot be resolved was kept as
/// it was written, in case nobody would follow it, and is refused here. `is_start` says that it is
/// the URL of the start call, which the caller wrote.
fn versioned(cursor: Cursor, url: &str, start: &str, is_start: bool) -> Cursor {
    let cursor = if is_start { cursor.at_own(url) } else { placed(cursor, url) };
    if cursor.refusal().is_some() {
        return cursor;
    }
    match api_version(start) {
        None => cursor,
        Some(version) if is_elsewhere(url, start) => cursor.with(VERSION, version),
        Some(_) if api_version(url).is_some() => cursor,
        Some(version) => cursor.at(appended(url, version)),
    }
}

/// Returns the cursor after a monitor's reply that named these URLs; `None` if it named neither.
pub(super) fn moved(cursor: &Cursor, monitor: Option<String>, location: Option<String>) -> Option<Cursor> {
    let mut next = None;
    if let Some(url) = monitor {
        next = Some(at(cursor, &url));
    }
    if let Some(url) = location {
        let next_cursor = next.unwrap_or_else(|| cursor.clone());
        next = Some(with_location(next_cursor, &url, cursor.part(START).unwrap_or_default()));
    }
    next
}

/// Returns the same cursor with this `Location` beside the monitor. It may be the URL of the start
/// call, to which an empty reference leads.
fn with_location(cursor: Cursor, location: &str, start: &str) -> Cursor {
    let url = with_api_version(location, start);
    if location == start { cursor.with_own(LOCATION, url) } else { cursor.with(LOCATION, url) }
}

/// Returns the same cursor at this segment below its URL.
pub(super) fn below(cursor: &Cursor, segment: &str) -> Cursor {
    let (path, query) = cursor.key().split_once('?').map_or((cursor.key(), None), |(path, query)| (path, Some(query)));
    let path = path.trim_end_matches('/');
    let url = query.map_or_else(|| format!("{path}/{segment}"), |query| format!("{path}/{segment}?{query}"));
    cursor.clone().at(url)
}

/// Returns the cursor, which now says that its URL has said that the operation runs.
pub(super) fn seen_running(cursor: Cursor) -> Cursor {
    cursor.with(SEEN, RUNNING)
}

/// Whether the start call was a `DELETE`, after which there is nothing to fetch.
pub(super) fn is_delete(cursor: &Cursor) -> bool {
    cursor.part(METHOD) == Some(Method::DELETE.as_str())
}

/// Whether `url` is on another origin than the start call. A path is not: it is below the client's
/// base URL.
fn is_elsewhere(url: &str, start: &str) -> bool {
    let origin = |text: &str| text.parse().ok().and_then(|uri| Origin::of(&uri));
    is_absolute(url) && origin(url) != origin(start)
}

/// Returns `url` with the `api-version` of the start call added, unless it has one of its own, is
/// on another origin, or cannot be resolved.
///
/// The URLs that services write into headers lack it, and without it a poll is answered with 400.
fn with_api_version(url: &str, start: &str) -> String {
    let (Some(version), None) = (api_version(start), api_version(url)) else { return url.to_owned() };
    if is_elsewhere(url, start) || readable(url).is_err() {
        return url.to_owned();
    }
    appended(url, version)
}

/// Returns `url` with this parameter at the end of its query.
fn appended(url: &str, parameter: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{parameter}")
}

/// Returns the parameter `api-version` of a URL as it is written there, name and value. Services
/// write the name in any case.
fn api_version(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find(|pair| pair.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("api-version")))
}
