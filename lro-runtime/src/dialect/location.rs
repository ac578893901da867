//! Following URLs in headers: what 202 + `Location` means, the same to every dialect that has it.

use http::{HeaderMap, HeaderName, StatusCode, Uri, header::LOCATION};

use super::{Cursor, Encoding, Observation, Part, error_reply};
use crate::{
    message::{Reply, Request},
    status::{Failure, State},
    text::excerpt,
    url::resolve,
};

/// The headers that a caller put on the start call: what [`repeated_headers`] chooses from.
#[derive(Clone, Debug)]
pub(crate) struct CallerHeaders(pub(crate) HeaderMap);

/// Headers that speak of the start request itself: its body, its preconditions, its identity.
const OF_THE_START: &[&str] = &[
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

/// The headers that the caller put on the start call and that belong on every later call about the operation, for [`Cursor::with_headers`]:
/// all but those of the start request itself (`Content-*`, `If-*`, idempotency keys). Those that the client adds are not among them, the
/// client adds them again.
#[must_use]
pub fn repeated_headers(start: &Request) -> HeaderMap {
    let Some(CallerHeaders(headers)) = start.extensions().get() else { return HeaderMap::new() };
    let repeated = headers.iter().filter(|(name, _)| !OF_THE_START.contains(&name.as_str()));
    repeated.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The URL in a header of the reply, absolute, seen from `base`. None where the header is missing or empty.
///
/// Whether it may be followed is decided by the client, which sends nothing to an origin that is not trusted.
///
/// # Errors
///
/// When it cannot be a URL, or when the header is there more than once with different values.
pub fn url_in(reply: &Reply, header: &str, base: &Uri) -> Result<Option<String>, Failure> {
    let mut values = reply.headers().get_all(header).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|other| other != first) {
        return Err(Failure::protocol(format!("the header `{header}` is there more than once, with different values")));
    }
    let reference = String::from_utf8_lossy(first.as_bytes());
    match reference.trim_matches([' ', '\t']) {
        "" => Ok(None),
        reference => resolved(base, reference).map(Some),
    }
}

/// The URL that `reference` means, seen from `base`: absolute, or a path where the base is the client's own.
pub(super) fn resolved(base: &Uri, reference: &str) -> Result<String, Failure> {
    let url = resolve(base, reference)?.to_string();
    // What names the placeholder itself is another host like any other.
    if reference.contains("base.invalid") { Ok(url) } else { Ok(below_base(url)) }
}

/// The same for the header `Location`.
pub(super) fn location_in(reply: &Reply, base: &Uri) -> Result<Option<String>, Failure> {
    url_in(reply, HeaderName::as_str(&LOCATION), base)
}

/// Stands for the client's base URL in the cursor of an operation that was resumed from a path: no name ends in `.invalid`
/// ([RFC 6761](https://www.rfc-editor.org/rfc/rfc6761#section-6.4)).
const BASE: &str = "http://base.invalid";

/// What references are relative to, seen from a cursor's key: the key if it is a URL, else the client's base URL.
pub(super) fn base_of(key: &str) -> Result<Uri, Failure> {
    let parsed =
        if key.contains("://") { key.parse() } else { format!("{BASE}/{}", key.trim_start_matches('/')).parse() };
    parsed.map_err(|_| Failure::untrusted(format!("`{}` is not a URL", crate::url::redacted(&excerpt(key.as_bytes())))))
}

/// A URL below [`BASE`] as the path that it stands for; any other as it is.
fn below_base(url: String) -> String {
    match url.strip_prefix(BASE) {
        Some(path) if path.starts_with('/') => path.to_owned(),
        _ => url,
    }
}

/// What a look at a `Location` said.
pub(super) enum LocationReply {
    /// `202`: not yet; perhaps the next look goes elsewhere.
    Running { moved: Option<String> },
    /// A redirect: the answer is there.
    Redirect(String),
    /// Any other `2xx`: this is the answer.
    Done,
}

/// Reads the reply of a `GET` of a `Location` ([RFC 9110, 15.3.3](https://www.rfc-editor.org/rfc/rfc9110#section-15.3.3)): `202` is running, `303` and the other redirects
/// of a `GET` lead on, any other `2xx` is done. Everything else is a look that failed.
pub(super) fn read_location(
    reply: &Reply,
    base: impl FnOnce() -> Result<Uri, Failure>,
) -> Result<LocationReply, Failure> {
    match reply.status() {
        StatusCode::ACCEPTED if !reply.headers().contains_key(LOCATION) => Ok(LocationReply::Running { moved: None }),
        StatusCode::ACCEPTED => Ok(LocationReply::Running { moved: location_in(reply, &base()?)? }),
        status if status.is_success() => Ok(LocationReply::Done),
        status if leads_on(status) => match location_in(reply, &base()?)? {
            Some(url) => Ok(LocationReply::Redirect(url)),
            None => Err(Failure::protocol(format!("HTTP {} without a Location", status.as_u16()))),
        },
        _ => Err(error_reply(reply)),
    }
}

/// Whether a `GET` that is answered so is to be sent again to the `Location`.
pub(super) fn leads_on(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The observation of an operation whose result is at `cursor`.
pub(super) fn follow<'a>(cursor: Cursor) -> Observation<'a> {
    let mut seen = Observation::new(State::Running);
    seen.cursor = Some(cursor);
    seen.follow = true;
    seen
}

/// The observation of success, with the body as the response if there is one.
pub(super) fn done(reply: &Reply) -> Observation<'_> {
    let mut seen = Observation::new(State::Succeeded);
    seen.response = body_of(reply);
    seen
}

/// The whole body; none if it is empty. Whatever its `Content-Type` says: it is often wrong or missing.
pub(super) fn body_of(reply: &Reply) -> Option<Part<'_>> {
    let body = without_mark(reply.body());
    (!body.is_empty()).then(|| Part::of(body, Encoding::Json))
}

/// The whole body if it begins as a JSON object does: what a server says while it works.
pub(super) fn metadata_of(reply: &Reply) -> Option<Part<'_>> {
    body_of(reply).filter(|part| part.bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{'))
}

/// Some services write a byte order mark, which JSON parsers may refuse ([RFC 8259, 8.1](https://www.rfc-editor.org/rfc/rfc8259#section-8.1)).
pub(super) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}
