//! The stream over a service's operations, fetched page by page.

use std::{
    collections::VecDeque,
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{Operations, position::Position};
use crate::{
    dialect::{ListPage, ListQuery},
    error::{Error, ErrorKind, Result},
    operation::{Handle, Method, RawOperation, snapshot::ReplyTime},
    settings::{PollSettings, Verdict},
    status::{Code, Failure, Status},
    telemetry::{CallKind, CallOutcome, CallTelemetry},
    timer::{
        TimerOverride,
        park::{block_on, blocking_timer},
    },
    transport::BoxFuture,
};

/// A [`Stream`] of a service's operations.
///
/// A page is requested when the one before is used up, so a caller that stops early sends no
/// further request. `O` is what the entries are: [`RawOperation`]s from [`Operations::list`],
/// operations of one method from [`Operations::list_of`].
///
/// ```no_run
/// # async fn list(operations: lro_runtime::Operations) -> lro_runtime::Result<()> {
/// let mut running = operations.list("done=false").parent("projects/p/locations/l").page_size(100);
/// while let Some(operation) = running.next().await {
///     println!("{:?}", operation?);
/// }
/// # Ok(()) }
/// ```
///
/// # Errors in the list
///
/// An entry that cannot be read costs the others nothing: in its place comes an error, and the list
/// goes on. Such an error has a [`snapshot`](Error::snapshot), whose `raw()` is the entry as
/// received and whose `name()` is the operation's, where that can be read; it can then be polled.
/// An error without a snapshot is of the list itself, and ends it.
///
/// ```no_run
/// # async fn list(operations: lro_runtime::Operations) -> lro_runtime::Result<()> {
/// let mut all = operations.list("");
/// while let Some(entry) = all.next().await {
///     match entry {
///         Ok(operation) => println!("{}: {}", operation.name(), operation.state()),
///         Err(error) if error.snapshot().is_some() => eprintln!("skipped: {error}"),
///         Err(error) => return Err(error),
///     }
/// }
/// # Ok(()) }
/// ```
#[must_use = "a stream does nothing unless polled"]
pub struct ListOperations<O = RawOperation> {
    client: Operations,
    /// The method whose operations are listed, by which the entries are judged.
    method: Option<&'static Method>,
    position: Position,
    stage: Stage,
    page: VecDeque<Result<RawOperation>>,
    unreachable: Vec<String>,
    /// The timer that a blocking list brings instead of the client's.
    timer: TimerOverride,
    // A function that returns `O`, because no `O` is stored: the stream is `Send` and `Unpin`
    // whatever `O` is.
    item: PhantomData<fn() -> O>,
}

/// What the stream is doing.
enum Stage {
    /// The page at the position has not been requested.
    Before,
    /// The page at the position is on its way.
    Fetching(BoxFuture<'static, Result<Page>>),
    /// There is no further page, or an error ended the stream.
    Ended,
}

/// One page, its entries made into operations.
struct Page {
    operations: VecDeque<Result<RawOperation>>,
    unreachable: Vec<String>,
    next_page_token: String,
    failure: Option<Failure>,
}

impl<O> ListOperations<O> {
    pub(super) fn new(client: Operations, method: Option<&'static Method>, filter: String) -> Self {
        let query = ListQuery { filter, options: Method::options_of(method), ..ListQuery::default() };
        Self {
            client,
            method,
            position: Position::new(query),
            stage: Stage::Before,
            page: VecDeque::new(),
            unreachable: Vec::new(),
            timer: None,
            item: PhantomData,
        }
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

    /// Returns the token of the page that is requested next: empty before the first page and after
    /// the last. After an error that ended the list, it is that of the page that failed: one that
    /// did not come, or one that does not say readably what comes after it.
    ///
    /// Another list begins there with [`page_token`](Self::page_token), also in another process:
    ///
    /// ```no_run
    /// # async fn list(operations: lro_runtime::Operations) -> lro_runtime::Result<()> {
    /// // One page, as a web page shows it, and where the next one begins.
    /// let mut list = operations.list("").page_size(20).page_token("");
    /// let mut page = Vec::new();
    /// while let Some(operation) = list.next().await {
    ///     page.push(operation?);
    ///     if list.left_on_page() == 0 {
    ///         break;
    ///     }
    /// }
    /// let next = list.next_page_token();
    /// # let _ = next;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn next_page_token(&self) -> &str {
        &self.position.query.page_token
    }

    /// Returns how many entries of the page that came last have not been returned yet. At 0, the
    /// next call requests a page, unless the page was the last.
    #[must_use]
    pub fn left_on_page(&self) -> usize {
        self.page.len()
    }

    /// Changes the query of the next page. Has no effect while a page is on its way.
    fn with(mut self, change: impl FnOnce(&mut ListQuery)) -> Self {
        if let Stage::Before = &self.stage {
            change(&mut self.position.query);
        }
        self
    }
}

impl<O: Handle> ListOperations<O> {
    /// Returns the next operation; `None` after the last one, and after an error that ends the
    /// list. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](ErrorKind::Unsupported) where the dialect or the service has no list
    /// call, [`Protocol`](ErrorKind::Protocol) when the dialect cannot read a page or the token of
    /// the next one, or a page token comes a second time, else of kind [`Poll`](ErrorKind::Poll).
    ///
    /// An entry that cannot be read is an error of kind [`Protocol`](ErrorKind::Protocol) with a
    /// [`snapshot`](Error::snapshot), or of kind [`UntrustedUrl`](ErrorKind::UntrustedUrl) where it
    /// leads to an origin that is not trusted. The list goes on after it.
    pub async fn next(&mut self) -> Option<Result<O>> {
        std::future::poll_fn(|context| self.poll_operation(context)).await
    }

    /// Returns the list as an iterator, which blocks the calling thread while a page is on its way.
    pub fn blocking(mut self) -> BlockingList<O> {
        self.timer = Some(blocking_timer(self.client.timer()));
        // A page on its way has the client's timer, which may need an executor: it is requested
        // again.
        if let Stage::Fetching(_) = &self.stage {
            self.stage = Stage::Before;
        }
        BlockingList(self)
    }

    /// Polls for the next operation, and requests a page where the current one is used up.
    fn poll_operation(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<O>>> {
        loop {
            if let Some(operation) = self.page.pop_front() {
                return Poll::Ready(Some(operation.map(O::from_raw_operation)));
            }
            // `Ended` is the placeholder while the stage is moved out. Every branch that continues
            // sets the next stage; an error leaves the stream ended.
            match std::mem::replace(&mut self.stage, Stage::Ended) {
                Stage::Ended => return Poll::Ready(None),
                Stage::Before => {
                    let client = self.client.clone();
                    let page = fetch(client, self.method, self.position.query.clone(), self.timer.clone());
                    self.stage = Stage::Fetching(Box::pin(page));
                }
                Stage::Fetching(mut fetching) => match fetching.as_mut().poll(context) {
                    Poll::Pending => {
                        self.stage = Stage::Fetching(fetching);
                        return Poll::Pending;
                    }
                    Poll::Ready(page) => self.turn(page?),
                },
            }
        }
    }

    /// Takes the page that has arrived, and moves on to the next.
    fn turn(&mut self, page: Page) {
        self.page = page.operations;
        self.unreachable.extend(page.unreachable);
        match page.failure.map_or_else(|| self.position.turn_to(page.next_page_token), Err) {
            Ok(true) => self.stage = Stage::Before,
            Ok(false) => {}
            // After the page's own operations: they were read.
            Err(failure) => {
                let error = Error::from_failure(ErrorKind::Poll, "the list cannot go on after this page", failure);
                self.page.push_back(Err(error));
            }
        }
    }
}

/// Requests the page of `query`.
async fn fetch(
    client: Operations,
    method: Option<&'static Method>,
    query: ListQuery,
    timer: TimerOverride,
) -> Result<Page> {
    let timer = client.timer_or(timer);
    // A page has the time limit of one poll of the method whose operations are listed.
    let limit = client.schedule(PollSettings::default(), method, None)?.poll_timeout;
    let dialect = client.dialect_of(method);
    let call = dialect.list(&query).map_err(failed)?;
    let subject = || client.subject(method, dialect.id(), None);
    let mut telemetry = CallTelemetry::begin(CallKind::List, subject);
    let began = timer.now().into();
    let reply = client.send(call, limit, &*timer, telemetry.lent()).await;
    // Not the reply to a start call: the initial delay does not apply.
    let replied = ReplyTime::of_poll(began, timer.now().into());
    let page = reply.as_ref().map_err(Failure::clone).and_then(|reply| dialect.read_list(&query, reply));
    telemetry.ended(|| page.as_ref().map_or_else(CallOutcome::Failed, |_| CallOutcome::Accepted));
    let page = page.map_err(failed)?;
    let entries = page.operations.into_iter().enumerate();
    let operations = entries.map(|(index, listed)| client.adopt_listed(index, listed, method, replied)).collect();
    let ListPage { unreachable, next_page_token, failure, .. } = page;
    Ok(Page { operations, unreachable, next_page_token, failure })
}

/// Makes the error that ends a list.
fn failed(failure: Failure) -> Error {
    let refused = match failure.status().map(Status::code) {
        _ if failure.verdict() == Verdict::Retry => None,
        Some(Code::Unauthenticated | Code::PermissionDenied) => Some("check the credentials"),
        Some(_) => Some("check the arguments of the call"),
        None => None,
    };
    let error = Error::from_failure(ErrorKind::Poll, "the list call failed", failure);
    let error = match refused {
        Some(advice) => error.with_advice(ErrorKind::Poll, advice),
        None => error,
    };
    error.with_advice(ErrorKind::Unsupported, "store each operation's token when it is started, and resume from it")
}

impl<O: Handle> Stream for ListOperations<O> {
    type Item = Result<O>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_operation(context)
    }
}

impl<O> fmt::Debug for ListOperations<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListOperations").field("on_this_page", &self.page.len()).finish_non_exhaustive()
    }
}

/// The blocking form of [`ListOperations`]: an iterator, made by [`ListOperations::blocking`].
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct BlockingList<O = RawOperation>(ListOperations<O>);

impl<O> BlockingList<O> {
    /// Returns the names of the parts of the service that did not answer: see
    /// [`ListOperations::unreachable`].
    #[must_use]
    pub fn unreachable(&self) -> &[String] {
        self.0.unreachable()
    }

    /// Returns the token of the page that is requested next: see
    /// [`ListOperations::next_page_token`].
    #[must_use]
    pub fn next_page_token(&self) -> &str {
        self.0.next_page_token()
    }

    /// Returns how many entries of the page that came last have not been returned yet: see
    /// [`ListOperations::left_on_page`].
    #[must_use]
    pub fn left_on_page(&self) -> usize {
        self.0.left_on_page()
    }
}

impl<O: Handle> Iterator for BlockingList<O> {
    type Item = Result<O>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next())
    }
}
