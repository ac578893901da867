//! Spare requests: what nearly every poll sends is a `GET` with the client's headers, of which only
//! the URL is the operation's own. So an operation keeps the URL at most, and its polls borrow the
//! rest.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, TryLockError},
};

use http::Uri;

use super::Operations;
use crate::{message::Request, operation::snapshot::Named, secrets::mark_headers, status::Failure};

/// How many spare requests a client keeps: as many as there are polls in flight at once in most
/// programs. A poll beyond them makes a request of its own.
const MOST: usize = 64;

/// How long the path and the query of a spare request may be.
const LONGEST_PATH: usize = 1024;

/// The requests of a client that no poll is sending.
#[derive(Default)]
pub(super) struct SpareRequests(Mutex<Spare>);

/// Boxed, so that a request is not moved when it is lent.
type Spare = Vec<Box<SpareRequest>>;

/// A `GET` with the client's headers.
#[derive(Default)]
pub(crate) struct SpareRequest {
    request: Request,
    /// What the URL was made with, if a name is at its end. A program that polls few operations
    /// gets the same request again and again, and the URL need not be made again then.
    named: Option<Arc<Named>>,
}

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

/// The request of a poll that is about to be sent.
pub(crate) enum Outgoing {
    /// Made for this poll, or for all of the operation.
    Kept(Arc<Request>),
    /// One of the client's spare requests.
    Lent(Box<SpareRequest>),
}

impl Deref for Outgoing {
    type Target = Request;

    fn deref(&self) -> &Request {
        match self {
            Self::Kept(request) => request,
            Self::Lent(spare) => &spare.request,
        }
    }
}

impl Operations {
    /// Returns a `GET` of `uri` with the client's headers.
    pub(crate) fn lend(&self, uri: &Uri) -> Box<SpareRequest> {
        let mut spare = self.spare();
        *spare.request.uri_mut() = uri.clone();
        spare.named = None;
        spare
    }

    /// Returns a `GET` of a URL with this name at its end, with the client's headers.
    pub(crate) fn lend_named(&self, named: &Arc<Named>, name: &str) -> Result<Box<SpareRequest>, Failure> {
        let mut spare = self.spare();
        let is_known = spare.named.as_ref().is_some_and(|known| Arc::ptr_eq(known, named));
        if !is_known || !named.was_made_for(spare.request.uri(), name) {
            *spare.request.uri_mut() = named.uri(name)?;
            spare.named = Some(Arc::clone(named));
        }
        Ok(spare)
    }

    /// Returns a request that no poll is sending, whatever its URL is.
    fn spare(&self) -> Box<SpareRequest> {
        let spare = self.inner.spare.lock().and_then(|mut spare| spare.pop());
        spare.unwrap_or_else(|| {
            let mut spare = Box::<SpareRequest>::default();
            *spare.request.headers_mut() = self.inner.headers.clone();
            mark_headers(spare.request.headers_mut());
            spare
        })
    }

    /// Takes back what was lent. A poll that is dropped before returns nothing.
    pub(crate) fn take_back(&self, sent: Outgoing) {
        let Outgoing::Lent(mut spare) = sent else { return };
        // A URL that is an operation's own may be long and have secrets in it.
        let length = spare.request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        if spare.named.is_none() || length > LONGEST_PATH {
            (*spare.request.uri_mut(), spare.named) = (Uri::default(), None);
        }
        if let Some(mut known) = self.inner.spare.lock().filter(|known| known.len() < MOST) {
            known.push(spare);
        }
    }
}
