//! Translates headers between `http`, which keeps bytes and order, and surf, which keeps ASCII
//! values by name.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use surf::http::{Headers, headers::HeaderValue as SurfValue};

use crate::transport::{TransportError, TransportErrorKind};

/// The header that carries the origin of the caller's request through middleware. A request that
/// middleware clones has the caller's headers and none of its extensions, so that only a header
/// tells where they may go. It is never sent.
pub(super) const ORIGIN: &str = "lro-origin";

/// Copies `headers` to surf's headers. Each byte that is not ASCII becomes `?`.
pub(super) fn to_surf(headers: &HeaderMap, to: &mut Headers) {
    for (name, value) in headers {
        // Fails only for bytes that are not ASCII, and `to_ascii` has replaced those.
        if let Ok(value) = SurfValue::from_bytes(to_ascii(value)) {
            to.append(name.as_str(), value);
        }
    }
}

/// Returns `original` with the changes that surf's middleware made: names that were added, were
/// removed, or have other values now.
///
/// Unchanged names keep their original bytes. Invalid values are left out: surf's own HTTP/1
/// backend adds a `date` header that ends in a line break.
pub(super) fn merged(original: &HeaderMap, after: &Headers) -> HeaderMap {
    // Unchanged names first, from the original: surf keeps neither the order across names nor bytes
    // that are not ASCII.
    let mut merged = HeaderMap::with_capacity(original.len());
    for (name, value) in original {
        if is_unchanged(original, after, name) {
            merged.append(name, value.clone());
        }
    }
    for (name, values) in after {
        // surf accepts any ASCII text as a name, HTTP only tokens (RFC 9110, section 5.1).
        let Ok(name) = HeaderName::from_bytes(name.as_str().as_bytes()) else { continue };
        if name == ORIGIN || is_unchanged(original, after, &name) {
            continue;
        }
        for value in values.iter().filter_map(|value| HeaderValue::from_str(value.as_str()).ok()) {
            merged.append(&name, value);
        }
    }
    merged
}

/// Refuses invalid header values in a request. A value that middleware set is sent or reported,
/// never left out in silence as in a reply.
pub(super) fn check(headers: &Headers) -> Result<(), TransportError> {
    let sendable = headers.values().all(|value| HeaderValue::from_str(value.as_str()).is_ok());
    if sendable {
        return Ok(());
    }
    Err(TransportError::message(TransportErrorKind::InvalidRequest, "a middleware set an invalid header value"))
}

/// Returns the announced length of a body, or `None` if a transfer encoding frames it (RFC 9112,
/// section 6.3).
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Returns whether surf's values for `name` are the ones it was given.
fn is_unchanged(original: &HeaderMap, after: &Headers, name: &HeaderName) -> bool {
    let before = original.get_all(name).iter().map(to_ascii);
    after.get(name.as_str()).is_some_and(|after| after.iter().map(|value| value.as_str().as_bytes()).eq(before))
}

/// Returns a header value as surf is given it: each byte that is not ASCII is `?`.
fn to_ascii(value: &HeaderValue) -> Vec<u8> {
    value.as_bytes().iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect()
}
