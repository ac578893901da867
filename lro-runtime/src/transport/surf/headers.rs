//! Headers between `http`, which keeps bytes and order, and surf, which keeps ASCII and names.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use surf::http::{Headers, headers::HeaderValue as SurfValue};

use crate::transport::{TransportError, TransportErrorKind};

/// Shows `headers` to surf: whatever is not ASCII as `?`.
pub(super) fn show(headers: &HeaderMap, to: &mut Headers) {
    for (name, value) in headers {
        if let Ok(value) = SurfValue::from_bytes(shown(value)) {
            to.append(name.as_str(), value);
        }
    }
}

/// `original` with what was changed since it was shown: names that were added, removed, or have other values now.
///
/// Values that no header can have are left out: surf's own HTTP/1 backend makes up a `date` that ends in a line break.
pub(super) fn merged(original: &HeaderMap, after: &Headers) -> HeaderMap {
    let mut merged = HeaderMap::with_capacity(original.len());
    for (name, value) in original {
        if is_unchanged(original, after, name) {
            merged.append(name, value.clone());
        }
    }
    for (name, values) in after {
        let Ok(name) = HeaderName::from_bytes(name.as_str().as_bytes()) else { continue };
        if is_unchanged(original, after, &name) {
            continue;
        }
        for value in values.iter().filter_map(|value| HeaderValue::from_str(value.as_str()).ok()) {
            merged.append(&name, value);
        }
    }
    merged
}

/// Refuses values that no header can have.
pub(super) fn check(headers: &Headers) -> Result<(), TransportError> {
    let sendable = headers.values().all(|value| HeaderValue::from_str(value.as_str()).is_ok());
    if sendable {
        return Ok(());
    }
    Err(TransportError::message(
        TransportErrorKind::InvalidRequest,
        "a middleware gave it a value that no header can have",
    ))
}

/// The announced length of a body that is not framed otherwise.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn is_unchanged(original: &HeaderMap, after: &Headers, name: &HeaderName) -> bool {
    let before = original.get_all(name).iter().map(shown);
    after.get(name.as_str()).is_some_and(|after| after.iter().map(|value| value.as_str().as_bytes()).eq(before))
}

fn shown(value: &HeaderValue) -> Vec<u8> {
    value.as_bytes().iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect()
}
