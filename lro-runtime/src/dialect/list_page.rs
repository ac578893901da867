//! Lists: what to ask for, and what one page said.

use super::Observation;

/// Which operations to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListQuery {
    /// The resource whose operations are meant; empty for the service's own.
    pub parent: String,
    /// A filter in the service's language; empty for all.
    pub filter: String,
    /// At most so many on a page.
    pub page_size: Option<u32>,
    /// The page to continue with; empty for the first.
    pub page_token: String,
    /// Whether unreachable parts of the service are listed as such instead of failing the call.
    pub return_partial_success: bool,
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListPage<'a> {
    /// The operations on it.
    pub operations: Vec<Listed<'a>>,
    /// The token of the next page; empty on the last.
    pub next_page_token: String,
    /// Parts of the service that did not answer.
    pub unreachable: Vec<String>,
}

impl<'a> ListPage<'a> {
    /// The last page, with these operations on it.
    #[must_use]
    pub fn new(operations: Vec<Listed<'a>>) -> Self {
        Self { operations, ..Self::default() }
    }
}

/// One operation on a page.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listed<'a> {
    /// Its message: the part of the page that it was read from.
    pub message: &'a [u8],
    /// What the message says, with a cursor unless it is terminal.
    pub seen: Observation<'a>,
}

impl<'a> Listed<'a> {
    /// An operation whose message says this.
    #[must_use]
    pub fn new(message: &'a [u8], seen: Observation<'a>) -> Self {
        Self { message, seen }
    }
}
