//! Coverage: which call shows an operation together with others.

use std::{fmt, time::Duration};

use super::ListQuery;
use crate::text::quoted_name;

/// For how long a new operation may be missing from the list, where no service says so: as long as
/// a poll that finds no operation is forgiven after its start.
const VISIBLE_AFTER: Duration = Duration::from_secs(10);

/// Which call shows an operation together with others, so that many of them cost one request.
///
/// [`Dialect::coverage`](super::Dialect::coverage) answers it for each operation. Coverage is a
/// chance, never a duty: an operation that has one can still be polled alone, and is, where that
/// takes fewer requests.
///
/// What such a call shows of an operation counts as a poll of it. What it does not show proves
/// nothing: pages are no snapshot of a collection, lists lag, and are cut to what the caller may
/// see.
///
/// # Example
///
/// A service that lists the jobs of a queue, at most 200 a page, and among them only those that are
/// still to be done:
///
/// ```
/// use lro_runtime::{
///     Failure,
///     dialect::{
///         Call, Coverage, Cursor, Dialect, ListPage, ListQuery, Observation, Options, Shows, Sweep, encode_name,
///     },
///     transport::{Reply, Request},
/// };
///
/// struct Queues;
///
/// impl Dialect for Queues {
///     fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
///         // Only for a cursor that equals the one which `read_list` gives for the same operation.
///         let (queue, _) = cursor.key().split_once("/jobs/").filter(|_| *cursor == Cursor::new(cursor.key()))?;
///         let mut query = ListQuery::default();
///         (query.parent, query.filter, query.page_size) = (queue.to_owned(), "open".to_owned(), Some(200));
///         Some(Coverage::Sweep(Sweep::new(query).with_shows(Shows::Running)))
///     }
///
///     fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
///         let ListQuery { parent, filter, page_token, .. } = query;
///         Ok(Call::get(format!("{}/jobs?state={filter}&limit=200&after={page_token}", encode_name(parent)?)))
///     }
///
///     fn read_list<'a>(&self, _: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
///         // …
/// #       let _ = reply;
/// #       Ok(ListPage::default())
///     }
///     // …
/// #   fn id(&self) -> &'static str { "queues" }
/// #   fn read_start<'a>(&self, _: &Request, _: &'a Reply, _: &Options) -> Result<Observation<'a>, Failure> {
/// #       Err(Failure::unsupported("not shown"))
/// #   }
/// #   fn locate(&self, name: &str, _: &Options) -> Result<Cursor, Failure> { Ok(Cursor::new(name)) }
/// #   fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> { Ok(Call::get(cursor.key())) }
/// #   fn read<'a>(&self, _: &Cursor, _: &'a Reply) -> Result<Observation<'a>, Failure> {
/// #       Err(Failure::unsupported("not shown"))
/// #   }
/// }
///
/// let seven = Queues.locate("queues/urgent/jobs/7", &[])?;
/// let Some(Coverage::Sweep(sweep)) = Queues.coverage(&seven, &[]) else { panic!("jobs are listed") };
/// assert_eq!(Queues.list(&sweep.query)?.target, "queues/urgent/jobs?state=open&limit=200&after=");
/// // The jobs of one queue are swept together.
/// let eight = Queues.locate("queues/urgent/jobs/8", &[])?;
/// assert_eq!(Queues.coverage(&eight, &[]), Some(Coverage::Sweep(sweep)));
/// # Ok::<(), Failure>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coverage {
    /// A list of the collection that the operation is in.
    Sweep(Sweep),
    /// A call that takes the names of several operations.
    Named(Named),
}

/// A list that shows an operation, page by page. Operations of one equal [`query`](Self::query) are
/// swept together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Sweep {
    /// The query for the first page, as [`Dialect::list`](super::Dialect::list) takes it. Its
    /// `page_size` is what is asked for, from which the price of a sweep is reckoned until the
    /// first one tells it; `None` for a service that gives everything on one page, or decides
    /// itself.
    pub query: ListQuery,
    /// Which operations the list has.
    pub shows: Shows,
    /// Whether an entry is all that a poll would show. Then a finished operation on a page brings
    /// its result, and is not polled once more.
    pub whole: bool,
    /// How long after its start an operation may be missing from the list.
    pub visible_after: Duration,
}

impl Sweep {
    /// Creates the sweep of a query. Default: the list shows [all](Shows::All) operations as
    /// [whole](Self::whole) messages, new ones after ten seconds.
    #[must_use]
    pub const fn new(query: ListQuery) -> Self {
        Self { query, shows: Shows::All, whole: true, visible_after: VISIBLE_AFTER }
    }

    /// Sets [which operations](Self::shows) the list has.
    #[must_use]
    pub const fn with_shows(mut self, shows: Shows) -> Self {
        self.shows = shows;
        self
    }

    /// Sets whether an entry is [all that a poll would show](Self::whole).
    #[must_use]
    pub const fn with_whole(mut self, whole: bool) -> Self {
        self.whole = whole;
        self
    }

    /// Sets how long a new operation [may be missing](Self::visible_after).
    #[must_use]
    pub const fn with_visible_after(mut self, delay: Duration) -> Self {
        self.visible_after = delay;
        self
    }
}

/// Which operations of its collection a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shows {
    /// Only those that have not finished. One that has finished since is missing.
    Running,
    /// All that the service remembers.
    All,
}

/// A call that takes the names of several operations:
/// [`Dialect::poll_named`](super::Dialect::poll_named).
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Named {
    /// What the operations of one call have in common, such as the path that is asked.
    pub place: String,
    /// How many operations one call takes at most; never zero.
    pub most: u32,
    /// Whether an entry is all that a poll would show, as in [`Sweep::whole`].
    pub whole: bool,
}

impl Named {
    /// Creates the coverage of a call that takes up to `most` operations of one `place`; zero means
    /// one. Default: an entry is the [whole](Self::whole) message.
    #[must_use]
    pub fn new(place: impl Into<String>, most: u32) -> Self {
        Self { place: place.into(), most: most.max(1), whole: true }
    }

    /// Sets whether an entry is [all that a poll would show](Self::whole).
    #[must_use]
    pub const fn with_whole(mut self, whole: bool) -> Self {
        self.whole = whole;
        self
    }
}

// By hand, not derived: the place may be a URL, whose query may have secrets.
impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named")
            .field("place", &quoted_name(&self.place))
            .field("most", &self.most)
            .field("whole", &self.whole)
            .finish()
    }
}

#[cfg(test)]
mod tests;
