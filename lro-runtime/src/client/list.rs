//! The list of a service's operations, page by page.

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
        OwnTimer,
        park::{block_on, own_timer},
    },
    transport::BoxFuture,
};

/// The operations of a service, as a [`Stream`] over pages: the next page is asked for when the last one is used up, so that whoever stops
/// costs no more requests. The stream ends after an error.
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

enum Stage {
    /// The page that this query is for comes next.
    Before(Box<Pages>),
    Asking(BoxFuture<'static, Result<(Page, Option<Box<Pages>>)>>),
    Ended,
}

/// One page, adopted.
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

    /// Lists the operations of this resource (`projects/p/locations/l`) instead of the service's own.
    pub fn parent(self, parent: impl Into<String>) -> Self {
        self.with(|query| query.parent = parent.into())
    }

    /// Asks for at most so many on a page.
    pub fn page_size(self, page_size: u32) -> Self {
        self.with(|query| query.page_size = Some(page_size))
    }

    /// Begins with the page of this token instead of the first.
    pub fn page_token(self, page_token: impl Into<String>) -> Self {
        self.with(|query| query.page_token = page_token.into())
    }

    /// Asks for what can be reached, and for the names of what cannot ([`unreachable`](Self::unreachable)), instead of failing the whole call.
    pub fn return_partial_success(self) -> Self {
        self.with(|query| query.return_partial_success = true)
    }

    /// The parts of the service that have not answered, on the pages so far. Ask after the last operation.
    #[must_use]
    pub fn unreachable(&self) -> &[String] {
        &self.unreachable
    }

    /// The next operation; none after the last one, and none after an error. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](ErrorKind::Unsupported) where the dialect or the service has no such call, [`Protocol`](ErrorKind::Protocol) when a page is
    /// not of the dialect or the pages lead back to where they began, else of kind [`Poll`](ErrorKind::Poll).
    pub async fn next(&mut self) -> Option<Result<RawOperation>> {
        std::future::poll_fn(|context| self.poll_page(context)).await
    }

    /// The same without async: an iterator that waits on its thread.
    pub fn blocking(self) -> BlockingList {
        let timer = own_timer(self.client.timer());
        let mut list = self;
        if let Stage::Before(pages) = &mut list.stage {
            pages.timer = Some(timer);
        }
        BlockingList(list)
    }

    fn with(mut self, change: impl FnOnce(&mut ListQuery)) -> Self {
        if let Stage::Before(pages) = &mut self.stage {
            change(&mut pages.query);
        }
        self
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<RawOperation>>> {
        loop {
            if let Some(operation) = self.page.pop_front() {
                return Poll::Ready(Some(Ok(operation)));
            }
            match std::mem::replace(&mut self.stage, Stage::Ended) {
                Stage::Ended => return Poll::Ready(None),
                Stage::Before(pages) => self.stage = Stage::Asking(Box::pin(pages.ask(self.client.clone()))),
                Stage::Asking(mut asking) => match asking.as_mut().poll(context) {
                    Poll::Pending => {
                        self.stage = Stage::Asking(asking);
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
        self.poll_page(context)
    }
}

impl fmt::Debug for ListOperations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListOperations").field("on_this_page", &self.page.len()).finish_non_exhaustive()
    }
}

/// The list as an iterator: see [`ListOperations::blocking`].
#[derive(Debug)]
#[must_use = "an iterator does nothing unless asked"]
pub struct BlockingList(ListOperations);

impl BlockingList {
    /// See [`ListOperations::unreachable`].
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

/// Where the list stands between two pages.
struct Pages {
    query: ListQuery,
    /// A token that was seen before, moved on after 1, 2, 4, … pages: a list that goes round in a circle of any length meets it again
    /// (Brent's algorithm), and nothing grows.
    landmark: String,
    steps: u64,
    until_next: u64,
    timer: OwnTimer,
}

impl Pages {
    async fn ask(mut self: Box<Self>, client: Operations) -> Result<(Page, Option<Box<Self>>)> {
        let error = |failure| {
            let error = Error::from_failure(ErrorKind::Poll, "the list call failed", failure);
            error.with_advice(
                ErrorKind::Unsupported,
                "store each operation's token when it is started, and resume from it",
            )
        };
        let timer = client.timer_or(self.timer.clone());
        let limit = client.settings().clone().resolve()?.poll_timeout;
        let dialect = Arc::clone(client.dialect());
        let call = dialect.list(&self.query).map_err(error)?;
        let reply = client.call(call, limit, &*timer).await.map_err(error)?;
        let page = dialect.read_list(&reply).map_err(error)?;
        let operations: Result<_, Failure> =
            page.operations.into_iter().map(|listed| client.adopt_listed(listed)).collect();
        let seen = Page { operations: operations.map_err(error)?, unreachable: page.unreachable };
        let more = self.turn(page.next_page_token).map_err(error)?;
        Ok((seen, more.then_some(self)))
    }

    /// Turns to the page of `token`: whether there is one.
    fn turn(&mut self, token: String) -> Result<bool, Failure> {
        if token.is_empty() {
            return Ok(false);
        }
        if token == self.query.page_token || token == self.landmark {
            return Err(Failure::protocol(
                "the pages of the list go round in a circle: a page token came a second time",
            ));
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
