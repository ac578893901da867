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
pub(super) fn merged(original: &HeaderMap, after: &Headers) -> Result<HeaderMap, TransportError> {
    let mut merged = HeaderMap::with_capacity(original.len());
    for (name, value) in original {
        if is_unchanged(original, after, name) {
            merged.append(name, value.clone());
        }
    }
    for (name, values) in after {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).map_err(invalid)?;
        if is_unchanged(original, after, &name) {
            continue;
        }
        for value in values {
            merged.append(&name, HeaderValue::from_str(value.as_str()).map_err(invalid)?);
        }
    }
    Ok(merged)
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

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TransportError {
    TransportError::new(TransportErrorKind::Other, error)
}
