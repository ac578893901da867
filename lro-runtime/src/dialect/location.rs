//! URLs in headers, and the meaning of `202` with a `Location`, for every dialect that uses them.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode, Uri, header::LOCATION};

use super::{Cursor, Encoding, Observation, Part, error_reply};
use crate::{
    message::{Reply, Request},
    status::{Failure, State},
    text::excerpt,
    url::{from_bytes, is_absolute, on_own_origin, path_on_own_origin, redacted, resolve},
};

/// The headers that the caller put on the start call, from which [`repeated_headers`] selects. The
/// client stores them in the extensions of the start request, which by then also has the client's
/// own headers.
#[derive(Clone, Debug)]
pub(crate) struct CallerHeaders(pub(crate) HeaderMap);

/// Headers that describe the start request itself, and must not be repeated on a poll.
///
/// They describe its body, its connection, its preconditions (`If-Match` on a poll would make it
/// conditional), or its identity: the last four make a start call idempotent, and on a poll would
/// name the wrong request.
const NOT_REPEATED: &[&str] = &[
    "content-type",
    "content-length",
    "content-encoding",
    "content-language",
    "content-location",
    "content-disposition",
    "content-md5",
    "digest",
    "transfer-encoding",
    "expect",
    "host",
    "connection",
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
    "operation-id",
    "repeatability-request-id",
    "repeatability-first-sent",
    "idempotency-key",
];

/// Returns the headers of the start call that belong on every later call about the operation, for
/// [`Cursor::with_headers`].
///
/// These are the headers that the caller put on the start call, without those that describe that
/// request itself (`Content-*`, `If-*`, idempotency keys). The client's own headers are not among
/// them: the client adds them to every call.
#[must_use]
pub fn repeated_headers(start: &Request) -> HeaderMap {
    let Some(CallerHeaders(headers)) = start.extensions().get() else { return HeaderMap::new() };
    let repeated = headers.iter().filter(|(name, _)| !NOT_REPEATED.contains(&name.as_str()));
    repeated.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Returns the URL in a header of the reply, resolved against `base`; `None` if the header is
/// missing or empty.
///
/// Resolving a URL does not make it trusted: the client checks its origin, and sends nothing to an
/// origin that is not trusted.
///
/// # Errors
///
/// When the value is not a URL, or when the header occurs more than once with different values. The
/// service has accepted the start call all the same, so the operation must not be lost with it: its
/// cursor is [`refused`](Cursor::refused).
///
/// ```
/// use lro_runtime::{
///     Failure,
///     dialect::{Cursor, url_in},
///     transport::{Reply, Request},
/// };
///
/// fn cursor_of(request: &Request, reply: &Reply) -> Result<Option<Cursor>, Failure> {
///     match (url_in(reply, "location", request.uri()), reply.headers().get("location")) {
///         (Ok(url), _) => Ok(url.map(Cursor::new)),
///         (Err(why), Some(written)) => Ok(Some(Cursor::new(String::from_utf8_lossy(written.as_bytes())).refused(&why))),
///         (Err(why), None) => Err(why),
///     }
/// }
/// # let mut reply = Reply::default();
/// # reply.headers_mut().insert("location", "http:x".parse()?);
/// let cursor = cursor_of(&Request::default(), &reply)?.expect("the header is there");
/// assert_eq!(cursor.key(), "http:x");
/// assert!(cursor.refusal().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn url_in(reply: &Reply, header: &str, base: &Uri) -> Result<Option<String>, Failure> {
    reference_in(reply, header).map(|reference| resolved(base, &reference)).transpose()
}

/// Returns the URL in a header as a cursor keeps it; see [`kept`].
pub(super) fn kept_url_in(reply: &Reply, header: &str, polled: &str) -> Option<String> {
    reference_in(reply, header).map(|reference| kept(&reference, polled))
}

/// Returns a URL as a cursor keeps it: resolved against the URL or path that was `polled`, or as it
/// was written if it cannot be resolved. Then the poll that follows it fails, and no other: a URL
/// that is never followed loses nothing.
pub(super) fn kept(reference: &str, polled: &str) -> String {
    base_of(polled).and_then(|base| resolved(&base, reference)).unwrap_or_else(|_| {
        // A cursor would read the server's `///x` as its own form of a path on the client's origin.
        let is_own_form = path_on_own_origin(reference).is_some();
        if is_own_form { format!("https:{reference}") } else { reference.to_owned() }
    })
}

/// Fails if a URL that was [`kept`] could not be resolved, and says why.
pub(super) fn readable(url: &str) -> Result<(), Failure> {
    resolved(&Uri::from_static(BASE), path_on_own_origin(url).unwrap_or(url)).map(drop)
}

/// Returns the cursor at a URL that was [`kept`]: refused, if the URL could not be resolved. Of
/// values that differ, the first then names the operation.
pub(super) fn placed(cursor: Cursor, url: &str) -> Cursor {
    match readable(url) {
        Ok(()) => cursor.at(url),
        Err(why) => cursor.at(url.split(BETWEEN_VALUES).next().unwrap_or_default()).refused(&why),
    }
}

/// Returns the cursor of an operation that the reply to a start call at `start` places at one of
/// these URLs, as they were [`kept`]: at the first that can be followed, else at the first,
/// refused.
///
/// The service has accepted the start call. A caller who is told that it failed starts a second
/// operation: so the operation is there wherever its reply leads, and its polls fail. Where it is
/// the URL of the start call itself, to which a reference without path and query leads, the caller
/// wrote it.
pub(super) fn first_placed(start: &str, urls: impl IntoIterator<Item = String>) -> Option<Cursor> {
    let mut cursors = urls
        .into_iter()
        .map(|url| if url == start { Cursor::default().at_own(url) } else { placed(Cursor::default(), &url) });
    let first = cursors.next()?;
    if first.refusal().is_none() {
        return Some(first);
    }
    Some(cursors.find(|cursor| cursor.refusal().is_none()).unwrap_or(first))
}

/// The failure for a start call that was accepted by a reply which names no URL: work is going on,
/// and nothing says where to poll. `missing` are the places where the URL was looked for.
pub(super) fn nowhere_to_poll(request: &Request, reply: &Reply, missing: &str) -> Failure {
    Failure::protocol(format!(
        "HTTP {} without {missing}: the service has accepted the {}, and the reply does not say which URL to poll",
        reply.status().as_u16(),
        request.method()
    ))
}

/// What stands between values of one header that differ. No URL has it, so it is refused by
/// [`resolved`] wherever it was kept.
const BETWEEN_VALUES: char = '\n';

/// Returns the URL in a header as it is written; `None` if the header is missing or empty.
fn reference_in<'a>(reply: &'a Reply, header: &str) -> Option<Cow<'a, str>> {
    let mut values = reply.headers().get_all(header).iter();
    let first = values.next()?;
    // Two values that differ would have to be chosen between. The same value twice is harmless.
    let other = values.find(|other| *other != first);
    let first = trimmed(from_bytes(first.as_bytes()));
    match other {
        None => Some(first).filter(|reference| !reference.is_empty()),
        // Two are enough for a refusal that names them, however many lines the server writes.
        Some(other) => Some(Cow::Owned(format!("{first}{BETWEEN_VALUES}{}", from_bytes(other.as_bytes())))),
    }
}

/// Returns the value without the blanks around it.
fn trimmed(value: Cow<'_, str>) -> Cow<'_, str> {
    const BLANKS: [char; 2] = [' ', '\t'];
    match value {
        Cow::Borrowed(value) => Cow::Borrowed(value.trim_matches(BLANKS)),
        Cow::Owned(value) => Cow::Owned(value.trim_matches(BLANKS).to_owned()),
    }
}

/// Resolves `reference` against `base`. The result is an absolute URL; or a path if it is below the
/// placeholder [`BASE`]; or [`on_own_origin`] if it is below the placeholder [`ORIGIN`].
pub(super) fn resolved(base: &Uri, reference: &str) -> Result<String, Failure> {
    if let Some((first, second)) = reference.split_once(BETWEEN_VALUES) {
        let shown = |url: &str| redacted(&excerpt(url.as_bytes()));
        return Err(Failure::untrusted(format!(
            "a header with the URL occurs more than once with different values: `{}` and `{}`",
            shown(first),
            shown(second)
        )));
    }
    let url = resolve(base, reference)?.to_string();
    // A server that writes the placeholder into a URL means a foreign host. Cutting it off would
    // turn the URL into a path below the client's base URL, which is trusted.
    if reference.contains("base.invalid") || reference.contains("origin.invalid") {
        return Ok(url);
    }
    // Of the origin, whatever path the base URL has (RFC 3986, 5.2.2).
    let is_of_origin = reference.trim_start_matches(' ').starts_with('/');
    Ok(match (path_below(ORIGIN, &url), path_below(BASE, &url)) {
        (Some(path), _) => on_own_origin(path),
        (_, Some(path)) if is_of_origin => on_own_origin(path),
        (_, Some(path)) => path.to_owned(),
        (None, None) => url,
    })
}

/// The placeholder for the client's base URL while references are resolved.
///
/// An operation may be resumed from a path, and a dialect does not know the client's base URL.
/// References are then resolved against this URL, and [`resolved`] cuts it off again. The host does
/// not exist: `.invalid` is reserved ([RFC
/// 6761](https://www.rfc-editor.org/rfc/rfc6761#section-6.4)).
const BASE: &str = "http://base.invalid";

/// The same for the client's own origin, for what is relative to a path there.
const ORIGIN: &str = "http://origin.invalid";

/// Returns the base URL for references in a reply to a poll of `key`: the key itself if it is a
/// URL, else the key below the placeholder for the client's base URL, or for its origin.
pub(super) fn base_of(key: &str) -> Result<Uri, Failure> {
    let base = Uri::from_static(BASE);
    if is_absolute(key) {
        return Ok(resolve(&base, key)?);
    }
    let base = if path_on_own_origin(key).is_some() { Uri::from_static(ORIGIN) } else { base };
    Ok(resolve(&base, &format!("/{}", key.trim_start_matches('/')))?)
}

/// Returns the path of a URL below a placeholder; `None` for any other URL.
fn path_below<'a>(placeholder: &str, url: &'a str) -> Option<&'a str> {
    // `http://base.invalid:80` and `http://base.invalid.example` begin the same, but are not below
    // the placeholder.
    url.strip_prefix(placeholder).filter(|path| path.starts_with('/'))
}

/// What the reply to a poll of a `Location` says.
pub(super) enum LocationReply {
    /// `202`: not done. With `next`, the next poll goes to that URL, which was [`kept`]: what else
    /// the reply says is not lost for a URL that cannot be resolved.
    Running { next: Option<String> },
    /// A redirect: the answer is at this URL.
    Redirect(String),
    /// Any other `2xx`: this reply is the answer.
    Done,
}

/// Reads the reply to a `GET` of a `Location` ([RFC 9110,
/// 15.3.3](https://www.rfc-editor.org/rfc/rfc9110#section-15.3.3)).
///
/// `202` is running, `303` and the other redirects of a `GET` lead on, and any other `2xx` is done.
/// Everything else is a failed poll. URLs are relative to what was `polled`.
pub(super) fn read_location(reply: &Reply, polled: &str) -> Result<LocationReply, Failure> {
    match reply.status() {
        StatusCode::ACCEPTED => Ok(LocationReply::Running { next: kept_url_in(reply, LOCATION.as_str(), polled) }),
        status if status.is_success() => Ok(LocationReply::Done),
        status if is_redirect(status) => match url_in(reply, LOCATION.as_str(), &base_of(polled)?)? {
            Some(url) => Ok(LocationReply::Redirect(url)),
            None => Err(Failure::protocol(format!("HTTP {} without a Location", status.as_u16()))),
        },
        _ => Err(error_reply(reply)),
    }
}

/// Whether a `GET` with this reply is to be sent again to the `Location`.
///
/// Not among them: 300 offers a choice, 304 is not a redirect to another URL, 305 is deprecated and
/// 306 unused (RFC 9110, 15.4).
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Returns the observation of an operation whose result is at `cursor`: still running, and to be
/// polled there at once.
pub(super) fn result_at<'a>(cursor: Cursor) -> Observation<'a> {
    let mut seen = Observation::new(State::Running);
    seen.cursor = Some(cursor);
    seen.follow = true;
    seen
}

/// Returns the observation of success, with the body, if there is one, as the response.
pub(super) fn done(reply: &Reply) -> Observation<'_> {
    let mut seen = Observation::new(State::Succeeded);
    seen.response = body_of(reply);
    seen
}

/// Returns the whole body as JSON, or `None` if it is empty. `Content-Type` is not read, because it
/// is often wrong or missing.
pub(super) fn body_of(reply: &Reply) -> Option<Part<'_>> {
    let body = without_mark(reply.body());
    (!body.is_empty()).then(|| Part::of(body, Encoding::Json))
}

/// Returns the whole body if it begins like a JSON object: what a server says while the operation
/// runs.
pub(super) fn metadata_of(reply: &Reply) -> Option<Part<'_>> {
    body_of(reply).filter(|part| part.bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{'))
}

/// Returns the body without a UTF-8 byte order mark, which some services write and JSON parsers may
/// refuse ([RFC 8259, 8.1](https://www.rfc-editor.org/rfc/rfc8259#section-8.1)).
pub(super) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}
