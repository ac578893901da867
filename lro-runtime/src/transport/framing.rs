//! The headers that say where the body of a request ends: the same rules in every adapter.

use http::{
    HeaderMap, HeaderValue, Method,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};

use super::{Request, TransportError, TransportErrorKind};

/// Refuses a request whose own headers frame its body wrongly.
///
/// A server that believed such a header would read the next request as part of this one, or wait
/// for bytes that never come (RFC 9112, section 6.3). Clients treat it differently: hyper sends it,
/// ureq fails late. A `Content-Length` that is the body's is fine.
pub(super) fn check(request: &Request) -> Result<(), TransportError> {
    let refuse = |why: String| Err(TransportError::message(TransportErrorKind::InvalidRequest, why));
    let length = request.body().len();
    if let Some(wrong) = request.headers().get_all(CONTENT_LENGTH).iter().find(|value| number(value) != Some(length)) {
        // What is no number may be a secret in the wrong place: errors show no values of headers.
        let wrong = number(wrong).map_or_else(|| "no length".to_owned(), |number| number.to_string());
        return refuse(format!("its `content-length` is {wrong} and its body has {length} bytes"));
    }
    if request.headers().contains_key(TRANSFER_ENCODING) {
        return refuse("it has a `transfer-encoding`, and a transport sends bodies as they are".to_owned());
    }
    Ok(())
}

/// Removes a `Content-Length` that [`check`] let pass: clients write their own, and some would send
/// both.
pub(super) fn remove(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
}

/// Returns whether a request of this method says that it has no body. Without `Content-Length: 0`,
/// some front ends answer it with `411 Length Required` (RFC 9110, section 8.6).
pub(super) fn announces_empty(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// Prepares headers for hyper, which frames every body except an empty one.
#[cfg(any(feature = "hyper", feature = "reqwest"))]
pub(super) fn for_hyper(headers: &mut HeaderMap, method: &Method, is_empty: bool) {
    remove(headers);
    if is_empty && announces_empty(method) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}

/// Returns a length as HTTP writes it: digits alone (RFC 9110, section 8.6).
fn number(value: &HeaderValue) -> Option<usize> {
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}
