//! Lists of operations: the query, and one page of the answer.

use std::{borrow::Cow, fmt};

use super::{Observation, Options};
use crate::{
    status::{Failure, Status},
    text::{First, quoted, quoted_name},
};

/// How many entries of a page are read; no service sends a tenth as many. An entry of two bytes
/// becomes a value of several hundred, so that without a limit a page would take several hundred
/// times its length in memory.
pub(super) const MOST_ENTRIES: usize = 10_000;

/// How many details of the error of an entry are kept. The limit of a reply that has one error
/// would, in each entry of a page, be a limit of several million.
const MOST_DETAILS: usize = 8;

/// Selects the operations that a list call returns.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ListQuery {
    /// The resource whose operations are listed; empty for the service's own collection.
    pub parent: String,
    /// The filter, in the service's filter language; empty for all operations.
    pub filter: String,
    /// The maximum number of operations on a page; `None` leaves it to the service.
    pub page_size: Option<u32>,
    /// The token of the page to return; empty for the first page.
    pub page_token: String,
    /// Whether unreachable parts of the service are listed in [`ListPage::unreachable`] instead of
    /// failing the call.
    pub return_partial_success: bool,
    /// The options of the method whose operations are listed; empty for a list of no one method.
    pub options: &'static Options,
}

// By hand, not derived: the token of a page may be a URL with a signature, and may let its holder
// in.
impl fmt::Debug for ListQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListQuery")
            .field("parent", &quoted_name(&self.parent))
            .field("filter", &quoted(&self.filter))
            .field("page_size", &self.page_size)
            .field("page_token", &format_args!("{} bytes", self.page_token.len()))
            .finish_non_exhaustive()
    }
}

/// One page of a list.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ListPage<'a> {
    /// The entries of the page, readable or not.
    pub operations: Vec<Listed<'a>>,
    /// The token of the next page; empty on the last page.
    pub next_page_token: String,
    /// The names of the parts of the service that did not answer.
    pub unreachable: Vec<String>,
    /// Why the list cannot go on after these entries, such as a token of the next page that cannot
    /// be read. The caller gets the entries, then this failure as the list's last error.
    pub failure: Option<Failure>,
}

// By hand, not derived: a page has as many entries as its server likes.
impl fmt::Debug for ListPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unreachable: Vec<_> = self.unreachable.iter().map(|name| quoted_name(name)).collect();
        f.debug_struct("ListPage")
            .field("operations", &format_args!("{} entries", self.operations.len()))
            .field("next_page_token", &format_args!("{} bytes", self.next_page_token.len()))
            .field("unreachable", &First(&unreachable, 3))
            .field("failure", &self.failure)
            .finish()
    }
}

impl<'a> ListPage<'a> {
    /// Creates a page with these operations and no next page.
    #[must_use]
    pub fn new(operations: Vec<Listed<'a>>) -> Self {
        Self { operations, ..Self::default() }
    }

    /// Says that a page has this many entries that are not read.
    pub(super) fn with_left_out(mut self, left_out: usize) -> Self {
        if left_out > 0 {
            self.failure = Some(Failure::protocol(format!(
                "the page has {left_out} entries behind the first {MOST_ENTRIES}, which are not read: ask for \
                 smaller pages"
            )));
        }
        self
    }

    /// Sets the token of the next page, or why it cannot be read.
    pub(super) fn with_next(mut self, token: Result<String, Failure>) -> Self {
        match token {
            Ok(token) => self.next_page_token = token,
            Err(why) => self.failure = Some(why),
        }
        self
    }
}

/// One entry of a [`ListPage`]: an operation, or why it cannot be read.
///
/// An entry that cannot be read costs the others nothing: the caller gets an error in its place.
#[derive(Clone)]
#[non_exhaustive]
pub struct Listed<'a> {
    /// The operation's message: the part of the page's body that it was read from.
    pub message: &'a [u8],
    /// What the message says; unless that is terminal, it must have a cursor. A failure if the
    /// message cannot be read.
    pub seen: Result<Observation<'a>, Failure>,
    /// The operation's name, if that can be read although the message cannot: the operation can
    /// then still be polled. Not used if the message can be read.
    pub name: Option<Cow<'a, str>>,
}

// By hand, not derived: a message is a body.
impl fmt::Debug for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed")
            .field("message", &format_args!("{} bytes", self.message.len()))
            .field("seen", &self.seen)
            .field("name", &self.name.as_deref().map(quoted_name))
            .finish()
    }
}

impl<'a> Listed<'a> {
    /// Creates an entry from a message and what it says.
    #[must_use]
    pub fn new(message: &'a [u8], seen: Observation<'a>) -> Self {
        Self { message, seen: Ok(seen), name: None }
    }

    /// Creates an entry from a message, and `name` from a message that `read` cannot read.
    ///
    /// Of the details of an operation that failed the first eight are kept: a page has as many
    /// entries as its server likes. The message has all of them.
    #[must_use]
    pub fn read(
        message: &'a [u8],
        read: impl FnOnce(&'a [u8]) -> Result<Observation<'a>, Failure>,
        name: impl FnOnce(&'a [u8]) -> Option<Cow<'a, str>>,
    ) -> Self {
        let seen = read(message).map(|mut seen| {
            seen.status = seen.status.map(with_first_details);
            seen
        });
        let name = if seen.is_err() { name(message) } else { None };
        Self { message, seen, name }
    }
}

/// Returns the status with no more than [`MOST_DETAILS`] details.
fn with_first_details(status: Status) -> Status {
    match status.details().get(..MOST_DETAILS) {
        // Copied, not truncated: a truncated vector keeps the memory of all.
        Some(first) if status.details().len() > MOST_DETAILS => {
            let first = first.to_vec();
            status.with_details(first)
        }
        _ => status,
    }
}
