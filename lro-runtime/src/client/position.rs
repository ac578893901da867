//! Where in a list the next page is.

use crate::{dialect::ListQuery, status::Failure};

/// A position in a list: the query of the next page, and how a list that repeats is noticed.
pub(crate) struct Position {
    /// The query for the next page.
    pub(crate) query: ListQuery,
    /// A page token that came before, replaced after 1, 2, 4, … pages (Brent's algorithm): a list
    /// that goes round in a circle of any length comes to it a second time, and there is no growing
    /// set of all tokens.
    landmark: String,
    /// The number of pages since the landmark was set.
    steps: u64,
    /// The number of pages after which the landmark is set again.
    until_next: u64,
}

impl Position {
    pub(crate) fn new(query: ListQuery) -> Self {
        Self { query, landmark: String::new(), steps: 0, until_next: 1 }
    }

    /// Moves on to the page of `token`. Returns whether there is one; fails where the token came
    /// before.
    pub(crate) fn turn_to(&mut self, token: String) -> Result<bool, Failure> {
        if token.is_empty() {
            self.query.page_token.clear();
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
