//! Which origins a client sends requests to, and what of its own they get.

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE, USER_AGENT},
};

use crate::{message::Request, url::Origin};

/// What an origin gets with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// The client's headers, its credentials, its cookies, and its query parameters.
    Full,
    /// The request alone: its method, its URL as the server gave it, its body, and the library's
    /// own headers.
    Bare,
}

/// Marks a request to an origin that gets nothing of the client's own, for the part of an exchange
/// that adds credentials and cookies.
#[derive(Clone, Copy, Debug)]
pub(super) struct BareRequest;

/// Whether `request` goes to an origin that gets no credentials.
pub(crate) fn is_bare(request: &Request) -> bool {
    request.extensions().get::<BareRequest>().is_some()
}

/// Marks a request to the client's own origin, which gets the client's query parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnRequest;

/// The origins that a client trusts.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    /// The origin of the base URL. It has full access.
    own: Origin,
    others: Vec<(Origin, Access)>,
}

impl Origins {
    pub(super) fn new(own: Origin) -> Self {
        Self { own, others: Vec::new() }
    }

    /// Adds a trusted origin. One that is added twice has the wider access.
    pub(super) fn allow(&mut self, origin: Origin, access: Access) {
        self.others.push((origin, access));
    }

    pub(super) fn own(&self) -> &Origin {
        &self.own
    }

    /// Returns what `origin` gets; `None` if it is not trusted.
    pub(super) fn access(&self, origin: &Origin) -> Option<Access> {
        if *origin == self.own {
            return Some(Access::Full);
        }
        let mut allowed = self.others.iter().filter(|(known, _)| known == origin).map(|(_, access)| *access);
        let first = allowed.next()?;
        Some(if first == Access::Full || allowed.any(|access| access == Access::Full) {
            Access::Full
        } else {
            Access::Bare
        })
    }
}

/// Returns the headers of every request of this library, which a caller may replace.
pub(super) fn library_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (USER_AGENT, HeaderValue::from_static(concat!("lro-runtime/", env!("CARGO_PKG_VERSION")))),
        (ACCEPT, HeaderValue::from_static("application/json")),
    ])
}

/// Returns those of a call's headers that describe its body. The others may be the caller's own,
/// repeated from the start call.
pub(super) fn of_the_body(headers: &HeaderMap) -> HeaderMap {
    headers.get(CONTENT_TYPE).map(|value| (CONTENT_TYPE, value.clone())).into_iter().collect()
}
