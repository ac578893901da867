//! The stream over a service's operations, fetched page by page.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::Operations;
use crate::{
    dialect::{Dialect, ListQuery},
    error::{Error, ErrorKind, Result},
    operation::RawOperation,
    status::Failure,
    timer::{
        TimerOverride,
        park::{block_on, blocking_timer},
    },
    transport::BoxFuture,
};

/// A [`Stream`] of a service's operations.
///
/// A page is requested when the one before is used up, so a caller that stops early sends no
/// further request. The stream ends after an error.
///
/// ```no_run
/// # async fn list(operations: lro_runtime::Operations) -> lro_runtime::Result<()> {
/// let mut running = operations.list("done=false").parent("projects/p/locations/l").page_size(100);
/// while let Some(operation) = running.next().await {
///     println!("{:?}", operation?);
/// }
/// # Ok(()) }
/// ```
#[must_use = "a stream does nothing unless polled"]
pub struct ListOperations {
    client: Operations,
    stage: Stage,
    page: VecDeque<RawOperation>,
    unreachable: Vec<String>,
}

/// What the stream is doing.
enum Stage {
    /// The next page has not been requested. The query can still be changed.
    Before(Box<Pages>),
    /// A page is on its way. The future owns the position and hands it back with the page, so that
    /// nothing borrows from the stream.
    Fetching(BoxFuture<'static, Result<(Page, Option<Box<Pages>>)>>),
    /// There is no further page, or an error ended the stream.
    Ended,
}

/// One page, its entries made into operations.
struct Page {
    operations: VecDeque<RawOperation>,
    unreachable: Vec<String>,
}

impl ListOperations {
    pub(crate) fn new(client: Operations, filter: String) -> Self {
        let query = ListQuery { filter, ..ListQuery::default() };
        let pages = Box::new(Pages { query, landmark: String::new(), steps: 0, until_next: 1, timer: None });
        Self { client, stage: Stage::Before(pages), page: VecDeque::new(), unreachable: Vec::new() }
    }

    /// Sets the resource whose operations are listed, such as `projects/p/locations/l`. Default:
    /// the service's own operations.
    pub fn parent(self, parent: impl Into<String>) -> Self {
        self.with(|query| query.parent = parent.into())
    }

    /// Sets the largest number of operations on a page. Default: the service's own.
    pub fn page_size(self, page_size: u32) -> Self {
        self.with(|query| query.page_size = Some(page_size))
    }

    /// Sets the token of the page to begin with. Default: the first page.
    pub fn page_token(self, page_token: impl Into<String>) -> Self {
        self.with(|query| query.page_token = page_token.into())
    }

    /// Asks for partial results: the operations of the parts of the service that can be reached,
    /// and the names of the others, which [`unreachable`](Self::unreachable) returns. Default: off,
    /// and the service may fail the whole call.
    pub fn return_partial_success(self) -> Self {
        self.with(|query| query.return_partial_success = true)
    }

    /// Returns the names of the parts of the service that did not answer, as far as the pages so
    /// far say. Complete after the last operation.
    #[must_use]
    pub fn unreachable(&self) -> &[String] {
        &self.unreachable
    }

    /// Returns the next operation; `None` after the last one and after an error. Dropping the
    /// future loses nothing.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](ErrorKind::Unsupported) where the dialect or the service has no list
    /// call, [`Protocol`](ErrorKind::Protocol) when the dialect cannot read a page or a page token
    /// comes a second time, else of kind [`Poll`](ErrorKind::Poll).
    pub async fn next(&mut self) -> Option<Result<RawOperation>> {
        std::future::poll_fn(|context| self.poll_operation(context)).await
    }

    /// Returns the list as an iterator, which blocks the calling thread while a page is on its way.
    pub fn blocking(self) -> BlockingList {
        let timer = blocking_timer(self.client.timer());
        let mut list = self;
        if let Stage::Before(pages) = &mut list.stage {
            pages.timer = Some(timer);
        }
        BlockingList(list)
    }

    /// Changes the query of the next page. Has no effect while a page is on its way.
    fn with(mut self, change: impl FnOnce(&mut ListQuery)) -> Self {
        if let Stage::Before(pages) = &mut self.stage {
            change(&mut pages.query);
        }
        self
    }

    /// Polls for the next operation, and requests a page where the current one is used up.
    fn poll_operation(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<RawOperation>>> {
        loop {
            if let Some(operation) = self.page.pop_front() {
                return Poll::Ready(Some(Ok(operation)));
            }
            // `Ended` is the placeholder while the stage is moved out. Every branch that continues
            // sets the next stage; an error leaves the stream ended.
            match std::mem::replace(&mut self.stage, Stage::Ended) {
                Stage::Ended => return Poll::Ready(None),
                Stage::Before(pages) => self.stage = Stage::Fetching(Box::pin(pages.fetch(self.client.clone()))),
                Stage::Fetching(mut fetching) => match fetching.as_mut().poll(context) {
                    Poll::Pending => {
                        self.stage = Stage::Fetching(fetching);
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Ready(Ok((page, next))) => {
                        self.page = page.operations;
                        self.unreachable.extend(page.unreachable);
                        self.stage = next.map_or(Stage::Ended, Stage::Before);
                    }
                },
            }
        }
    }
}

impl Stream for ListOperations {
    type Item = Result<RawOperation>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_operation(context)
    }
}

impl fmt::Debug for ListOperations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListOperations").field("on_this_page", &self.page.len()).finish_non_exhaustive()
    }
}

/// The blocking form of [`ListOperations`]: an iterator, made by [`ListOperations::blocking`].
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct BlockingList(ListOperations);

impl BlockingList {
    /// Returns the names of the parts of the service that did not answer: see
    /// [`ListOperations::unreachable`].
    #[must_use]
    pub fn unreachable(&self) -> &[String] {
        self.0.unreachable()
    }
}

impl Iterator for BlockingList {
    type Item = Result<RawOperation>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next())
    }
}

/// The position in the list between two pages.
struct Pages {
    /// The query for the next page.
    query: ListQuery,
    /// A page token that came before, replaced after 1, 2, 4, … pages (Brent's algorithm): a list
    /// that goes round in a circle of any length comes to it a second time, and there is no growing
    /// set of all tokens.
    landmark: String,
    /// The number of pages since the landmark was set.
    steps: u64,
    /// The number of pages after which the landmark is set again.
    until_next: u64,
    /// The timer that a blocking list brings instead of the client's.
    timer: TimerOverride,
}

impl Pages {
    /// Requests one page. Returns it with the position of the next; with `None` after the last.
    async fn fetch(mut self: Box<Self>, client: Operations) -> Result<(Page, Option<Box<Self>>)> {
        let error = |failure| {
            let error = Error::from_failure(ErrorKind::Poll, "the list call failed", failure);
            error.with_advice(
                ErrorKind::Unsupported,
                "store each operation's token when it is started, and resume from it",
            )
        };
        let timer = client.timer_or(self.timer.clone());
        // A page has the time limit of one poll.
        let limit = client.settings().clone().resolve()?.poll_timeout;
        let dialect = Arc::clone(client.dialect());
        let call = dialect.list(&self.query).map_err(error)?;
        let reply = client.send(call, limit, &*timer).await.map_err(error)?;
        let page = dialect.read_list(&reply).map_err(error)?;
        let operations: Result<_, Failure> =
            page.operations.into_iter().map(|listed| client.adopt_listed(listed)).collect();
        let seen = Page { operations: operations.map_err(error)?, unreachable: page.unreachable };
        let more = self.turn_to(page.next_page_token).map_err(error)?;
        Ok((seen, more.then_some(self)))
    }

    /// Moves on to the page of `token`. Returns whether there is one; fails where the token came
    /// before.
    fn turn_to(&mut self, token: String) -> Result<bool, Failure> {
        if token.is_empty() {
            return Ok(false);
        }
        // The token of the page that was just read catches a server that repeats one page, without
        // waiting for the landmark.
        if token == self.query.page_token || token == self.landmark {
            return Err(Failure::protocol("the list repeats: a page token came a second time"));
        }
        self.steps += 1;
        if self.steps == self.until_next {
            (self.steps, self.until_next) = (0, self.until_next.saturating_mul(2));
            self.landmark.clone_from(&token);
        }
        self.query.page_token = token;
        Ok(true)
    }
}
