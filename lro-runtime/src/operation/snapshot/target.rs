//! Where an operation is polled: at a place of its own, or where its name says.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{
    Uri,
    uri::{Parts, PathAndQuery},
};

use crate::{
    client::trust::is_bare,
    dialect::{Cursor, Dialect},
    message::Request,
    status::Failure,
};

/// Where to poll: the cursor, its dialect, and the request that the dialect makes of it. Every poll
/// sends the same request until the server moves the cursor.
///
/// A place that is not trusted, or cannot be read, has no request but the reason. It is kept here
/// instead of failing the reply that named it: the operation that a start call has begun goes on,
/// and what the reply said of it counts.
pub(crate) struct PollTarget {
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) cursor: Cursor,
    pub(crate) request: Result<PollRequest, Box<Failure>>,
}

/// The request of a poll: what of it must be kept between polls.
pub(crate) enum PollRequest {
    /// A `GET` of a URL with the cursor's key at its end, with the client's headers and nothing
    /// else, as nearly every poll is.
    Named(Arc<Named>),
    /// The same of this URL.
    Get(Uri),
    Whole(Arc<Request>),
}

/// What operations share that are polled at one URL with their names at its end. Of a hundred
/// thousand of them, each keeps no more than its name.
pub(crate) struct Named {
    pub(crate) dialect: Arc<dyn Dialect>,
    /// The URL that the names are appended to, as they are.
    url: Uri,
}

impl Named {
    /// Returns what the operation of this `name`, which is polled at `uri`, shares with others;
    /// `None` if the name is not at the end of the URL.
    pub(crate) fn new(dialect: Arc<dyn Dialect>, uri: &Uri, name: &str) -> Option<Self> {
        let path = path_before(uri, name)?;
        let url = with_path(uri, path.to_owned())?;
        Some(Self { dialect, url })
    }

    /// Whether the operation of this `name`, which is polled at `uri`, is one of these.
    pub(crate) fn is_of(&self, uri: &Uri, name: &str) -> bool {
        (uri.scheme(), uri.authority()) == (self.url.scheme(), self.url.authority())
            && path_before(uri, name) == Some(self.path())
    }

    /// Returns the URL that is polled for the operation of this name.
    ///
    /// # Errors
    ///
    /// When the two do not fit together. They do: the URL was known before the name was taken off.
    pub(crate) fn uri(&self, name: &str) -> Result<Uri, Failure> {
        let path = self.path();
        let mut whole = String::with_capacity(path.len() + name.len());
        whole.push_str(path);
        whole.push_str(name);
        with_path(&self.url, whole).ok_or_else(|| Failure::protocol("its name does not fit into the URL of its polls"))
    }

    /// Whether `uri`, which was made by [`uri`](Self::uri), is that of this name.
    pub(crate) fn was_made_for(&self, uri: &Uri, name: &str) -> bool {
        let path = uri.path_and_query().map_or("", PathAndQuery::as_str);
        path.len() == self.path().len() + name.len() && path.ends_with(name)
    }

    /// Returns the path and the query that the names are appended to.
    pub(crate) fn path(&self) -> &str {
        self.url.path_and_query().map_or("", PathAndQuery::as_str)
    }
}

/// Returns what stands before `name` at the end of a path and query; `None` if that is nothing.
fn path_before<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.path_and_query()?.as_str().strip_suffix(name).filter(|path| path.starts_with('/'))
}

/// Returns `uri` with another path and query.
fn with_path(uri: &Uri, path: String) -> Option<Uri> {
    let mut parts = Parts::default();
    parts.scheme = uri.scheme().cloned();
    parts.authority = uri.authority().cloned();
    parts.path_and_query = Some(PathAndQuery::from_maybe_shared(Bytes::from(path)).ok()?);
    Uri::from_parts(parts).ok()
}

/// Where a snapshot is polled, in the form that it keeps.
#[derive(Clone)]
pub(crate) enum Target {
    /// Where the snapshot's name says.
    Named(Arc<Named>),
    Own(Arc<PollTarget>),
}

impl Target {
    /// Keeps where the operation `name` is polled.
    pub(crate) fn new(target: PollTarget, name: &str) -> Self {
        match &target.request {
            Ok(PollRequest::Named(named)) if target.cursor.key() == name => Self::Named(Arc::clone(named)),
            _ => Self::Own(Arc::new(target)),
        }
    }

    /// Whether this is the very target that `other` is.
    #[cfg(feature = "fleet")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(one), Self::Named(other)) => Arc::ptr_eq(one, other),
            (Self::Own(one), Self::Own(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// Where an operation is polled.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(super) target: &'a Target,
    /// The operation's.
    pub(super) name: &'a Arc<str>,
}

/// The request of a poll, of which the client has the rest.
pub(crate) enum PlaceRequest<'a> {
    /// A `GET` of the URL with this name at its end, with the client's headers.
    Named(&'a Arc<Named>, &'a str),
    /// The same of this URL.
    Get(&'a Uri),
    Whole(&'a Arc<Request>),
}

impl<'a> Place<'a> {
    pub(crate) fn dialect(self) -> &'a Arc<dyn Dialect> {
        match self.target {
            Target::Named(named) => &named.dialect,
            Target::Own(own) => &own.dialect,
        }
    }

    pub(crate) fn cursor(self) -> Cow<'a, Cursor> {
        match self.target {
            Target::Named(_) => Cow::Owned(Cursor::named(Arc::clone(self.name))),
            Target::Own(own) => Cow::Borrowed(&own.cursor),
        }
    }

    /// Returns the request of a poll.
    ///
    /// # Errors
    ///
    /// The refusal, if nothing is sent to this place.
    pub(crate) fn request(self) -> Result<PlaceRequest<'a>, Failure> {
        let own = match self.target {
            Target::Named(named) => return Ok(PlaceRequest::Named(named, self.name)),
            Target::Own(own) => own,
        };
        match own.request() {
            Ok(PollRequest::Named(named)) => Ok(PlaceRequest::Named(named, own.cursor.key())),
            Ok(PollRequest::Get(uri)) => Ok(PlaceRequest::Get(uri)),
            Ok(PollRequest::Whole(request)) => Ok(PlaceRequest::Whole(request)),
            Err(refusal) => Err(refusal.clone()),
        }
    }

    /// Returns a URL of the server that is polled; `None` if nothing is sent to this place.
    pub(crate) fn server(self) -> Option<&'a Uri> {
        match self.target {
            Target::Named(named) => Some(&named.url),
            Target::Own(own) => match own.request().ok()? {
                PollRequest::Named(named) => Some(&named.url),
                PollRequest::Get(uri) => Some(uri),
                PollRequest::Whole(request) => Some(request.uri()),
            },
        }
    }

    /// Whether nothing is sent to this place.
    #[cfg(feature = "fleet")]
    pub(crate) fn is_refused(self) -> bool {
        matches!(self.target, Target::Own(own) if own.request.is_err())
    }

    /// Whether the polls go to an origin that gets no credentials.
    pub(crate) fn is_bare(self) -> bool {
        match self.target {
            Target::Named(_) => false,
            Target::Own(own) => matches!(&own.request, Ok(PollRequest::Whole(request)) if is_bare(request)),
        }
    }

    /// Fails if the dialect refused the place. Calls that do not go to the place that is polled,
    /// such as a cancel call by name, may still be sent if only the polled URL is not trusted.
    pub(crate) fn check_place(self) -> Result<(), Failure> {
        match self.target {
            Target::Named(_) => Ok(()),
            Target::Own(own) => own.cursor.refusal().map_or(Ok(()), Err),
        }
    }
}

impl PollTarget {
    /// Returns the request of a poll, or why there is none.
    pub(crate) fn request(&self) -> Result<&PollRequest, &Failure> {
        self.request.as_ref().map_err(|refusal| &**refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Google;

    #[test]
    fn the_url_of_a_name_is_the_very_url_that_it_was_made_from() {
        for (uri, name, before) in [
            ("http://h/v1/operations/7", "operations/7", Some("http://h/v1/")),
            ("https://h:8443/operations/7", "operations/7", Some("https://h:8443/")),
            ("http://h/tasks?id=7", "7", Some("http://h/tasks?id=")),
            ("http://h/v1/operations/7", "7", Some("http://h/v1/operations/")),
            ("http://h/v1/operations/7:wait", "operations/7", None),
            ("http://h/v1/a%20b", "a b", None),
            ("http://h/7", "/7", None),
            ("http://h/7", "", Some("http://h/7")),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let named = Named::new(Arc::new(Google::new()), &uri, name);
            assert_eq!(named.as_ref().map(|named| named.url.to_string()).as_deref(), before, "{uri} {name}");
            if let Some(named) = named {
                assert!(named.is_of(&uri, name));
                assert_eq!(named.uri(name).unwrap(), uri);
                assert!(named.was_made_for(&uri, name) && !named.was_made_for(&uri, "other"));
                let other: Uri = "http://other/v1/operations/7".parse().unwrap();
                assert!(!named.is_of(&other, name) && !named.is_of(&named.url, name) || name.is_empty());
            }
        }
    }
}
