//! Spare requests: what nearly every poll sends is a `GET` with the client's headers, of which only
//! the URL is the operation's own. So an operation keeps the URL at most, and its polls borrow the
//! rest.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use http::Uri;

use super::Operations;
use crate::{message::Request, operation::snapshot::Named, secrets::mark_headers, status::Failure};

/// How many spare requests a client keeps: as many as there are polls in flight at once in most
/// programs. A poll beyond them makes a request of its own.
const MOST: usize = 64;

/// How many of them are looked at to find one that no poll is sending.
const LOOKS: usize = 8;

/// How long the URL of a spare request may be.
const LONGEST_URL: usize = 1024;

/// The requests that a client keeps. A poll that sends one shares it until it is answered or
/// dropped; one that nobody shares is free.
#[derive(Default)]
pub(super) struct SpareRequests(Mutex<Spare>);

#[derive(Default)]
struct Spare {
    requests: Vec<SpareRequest>,
    /// Which one was lent last: if it is free again, it may have the right URL.
    last: usize,
}

/// A `GET` with the client's headers.
struct SpareRequest {
    request: Arc<Request>,
    /// What the URL was made with, if a name is at its end. A program that polls few operations
    /// gets the same request again and again, and the URL need not be made again then.
    named: Option<Arc<Named>>,
}

/// The URL of a poll.
#[derive(Clone, Copy)]
enum Url<'a> {
    Own(&'a Uri),
    Named(&'a Arc<Named>, &'a str),
}

impl SpareRequests {
    /// Returns the requests, unless another poll is borrowing one at this moment: to make one costs
    /// less than to wait.
    fn lock(&self) -> Option<MutexGuard<'_, Spare>> {
        match self.0.try_lock() {
            Ok(spare) => Some(spare),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl Spare {
    /// Returns a request of this URL, if one that is looked at is free.
    fn lend(&mut self, url: Url<'_>) -> Option<Result<Arc<Request>, Failure>> {
        let count = self.requests.len();
        for at in (self.last..count).chain(0..self.last).take(LOOKS) {
            let Some(spare) = self.requests.get_mut(at) else { break };
            if let Some(request) = Arc::get_mut(&mut spare.request) {
                self.last = at;
                if !url.is_that_of(request, spare.named.as_ref()) {
                    match url.uri() {
                        Ok(uri) => (*request.uri_mut(), spare.named) = (uri, url.named()),
                        Err(failure) => return Some(Err(failure)),
                    }
                }
                return Some(Ok(Arc::clone(&spare.request)));
            }
        }
        None
    }
}

impl Url<'_> {
    /// Whether it is the URL of a request that was made with `named`.
    fn is_that_of(self, request: &Request, named: Option<&Arc<Named>>) -> bool {
        match (self, named) {
            (Self::Named(known, name), Some(named)) => {
                Arc::ptr_eq(known, named) && known.was_made_for(request.uri(), name)
            }
            _ => false,
        }
    }

    fn uri(self) -> Result<Uri, Failure> {
        match self {
            Self::Own(uri) => Ok(uri.clone()),
            Self::Named(named, name) => named.uri(name),
        }
    }

    fn named(self) -> Option<Arc<Named>> {
        match self {
            Self::Own(_) => None,
            Self::Named(named, _) => Some(Arc::clone(named)),
        }
    }

    /// Whether it is too long for a client to keep it.
    fn is_long(self) -> bool {
        let path = |uri: &Uri| uri.path_and_query().map_or(0, |path| path.as_str().len());
        let length = match self {
            Self::Own(uri) => path(uri),
            Self::Named(named, name) => named.path().len() + name.len(),
        };
        length > LONGEST_URL
    }
}

impl Operations {
    /// Returns a `GET` of `uri` with the client's headers.
    pub(crate) fn lend(&self, uri: &Uri) -> Result<Arc<Request>, Failure> {
        self.lent(Url::Own(uri))
    }

    /// Returns a `GET` of a URL with this name at its end, with the client's headers.
    pub(crate) fn lend_named(&self, named: &Arc<Named>, name: &str) -> Result<Arc<Request>, Failure> {
        self.lent(Url::Named(named, name))
    }

    fn lent(&self, url: Url<'_>) -> Result<Arc<Request>, Failure> {
        let mut spare = self.inner.spare.lock().filter(|_| !url.is_long());
        if let Some(lent) = spare.as_mut().and_then(|spare| spare.lend(url)) {
            return lent;
        }
        let mut request = Request::default();
        *request.uri_mut() = url.uri()?;
        *request.headers_mut() = self.inner.headers.clone();
        mark_headers(request.headers_mut());
        let request = Arc::new(request);
        if let Some(mut spare) = spare.filter(|spare| spare.requests.len() < MOST) {
            spare.last = spare.requests.len();
            spare.requests.push(SpareRequest { request: Arc::clone(&request), named: url.named() });
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations() -> Operations {
        Operations::builder("https://images.example.com")
            .transport(|_: Request| async { Err(crate::transport::TransportError::body_too_large(0)) })
            .timer(|_| async {})
            .build()
            .unwrap()
    }

    /// Returns the request of a poll of the operation of this name.
    fn polled(operations: &Operations, name: &str) -> Arc<Request> {
        operations.resume(name).unwrap().outgoing(None).unwrap()
    }

    #[test]
    fn a_request_is_lent_again_when_its_poll_is_over_and_not_before() {
        let operations = operations();
        let first = polled(&operations, "operations/1");
        let second = polled(&operations, "operations/1");
        assert!(!Arc::ptr_eq(&first, &second));
        let (known, uri) = (Arc::as_ptr(&first), first.uri().clone());
        drop(first);
        let third = polled(&operations, "operations/1");
        assert_eq!((Arc::as_ptr(&third), third.uri()), (known, &uri));
    }

    #[test]
    fn each_poll_gets_its_own_url_whatever_was_polled_before() {
        let operations = operations();
        let long = format!("operations/{}", "9".repeat(2 * LONGEST_URL));
        for name in ["operations/1", "operations/22", "operations/1", &long, "other/1", "operations/1"] {
            let request = polled(&operations, name);
            assert_eq!(request.uri().to_string(), format!("https://images.example.com/v1/{name}"));
            assert!(request.headers().contains_key("user-agent"));
        }
        let uri = Uri::from_static("https://images.example.com/other?key=1");
        assert_eq!(operations.lend(&uri).unwrap().uri(), &uri);
        assert_eq!(polled(&operations, "operations/1").uri().path(), "/v1/operations/1");
        let kept = operations.inner.spare.lock().unwrap().requests.len();
        assert_eq!(kept, 1, "one poll at a time needs one");
    }

    #[test]
    fn no_more_requests_are_kept_than_are_sent_at_once_in_most_programs() {
        let operations = operations();
        let sent: Vec<_> = (0..2 * MOST).map(|number| polled(&operations, &format!("operations/{number}"))).collect();
        assert!(sent.iter().zip(0..).all(|(sent, number)| sent.uri().path() == format!("/v1/operations/{number}")));
        assert_eq!(operations.inner.spare.lock().unwrap().requests.len(), MOST);
    }
}
