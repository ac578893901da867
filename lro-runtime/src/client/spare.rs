//! Spare requests: what nearly every poll sends is a `GET` with the client's headers, of which only
//! the URL is the operation's own. So an operation keeps the URL, and its polls borrow the rest.

use std::{
    ops::Deref,
    sync::{Mutex, MutexGuard, TryLockError},
};

use http::Uri;

use super::Operations;
use crate::{message::Request, secrets::mark_headers};

/// How many spare requests a client keeps: as many as there are polls in flight at once in most
/// programs. A poll beyond them makes a request of its own.
const MOST: usize = 64;

/// The requests of a client that no poll is sending.
#[derive(Default)]
pub(super) struct SpareRequests(Mutex<Spare>);

/// Boxed, so that a request is not moved when it is lent.
type Spare = Vec<Box<Request>>;

impl SpareRequests {
    /// Returns the requests, unless another poll is taking or returning one at this moment: to make
    /// one costs less than to wait.
    fn lock(&self) -> Option<MutexGuard<'_, Spare>> {
        match self.0.try_lock() {
            Ok(spare) => Some(spare),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// A request that is about to be sent.
pub(crate) enum Outgoing<'a> {
    /// Made for this call.
    Own(Box<Request>),
    /// The operation's.
    Kept(&'a Request),
    /// One of the client's spare requests.
    Lent(Box<Request>),
}

impl Deref for Outgoing<'_> {
    type Target = Request;

    fn deref(&self) -> &Request {
        match self {
            Self::Own(request) | Self::Lent(request) => request,
            Self::Kept(request) => request,
        }
    }
}

impl Operations {
    /// Returns a `GET` of `uri` with the client's headers.
    pub(crate) fn lend(&self, uri: Uri) -> Box<Request> {
        let spare = self.inner.spare.lock().and_then(|mut spare| spare.pop());
        let mut request = spare.unwrap_or_else(|| {
            let mut request = Request::default();
            *request.headers_mut() = self.inner.headers.clone();
            mark_headers(request.headers_mut());
            Box::new(request)
        });
        *request.uri_mut() = uri;
        request
    }

    /// Takes back what was lent. A poll that is dropped before returns nothing.
    pub(crate) fn take_back(&self, sent: Outgoing<'_>) {
        let Outgoing::Lent(mut request) = sent else { return };
        // The URL may be long, and is the operation's.
        *request.uri_mut() = Uri::default();
        if let Some(mut spare) = self.inner.spare.lock().filter(|spare| spare.len() < MOST) {
            spare.push(request);
        }
    }
}
