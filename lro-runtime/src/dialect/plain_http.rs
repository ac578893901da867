//! The dialect of plain HTTP: `202 Accepted` with a `Location`, as RFC 9110 defines them.

use http::{StatusCode, header::LOCATION};

use super::{
    Call, Cursor, Dialect, Observation, Options, expect_success,
    location::{
        self, LocationReply, done, first_placed, kept_url_in, metadata_of, nowhere_to_poll, placed, repeated_headers,
        result_at,
    },
};
use crate::{
    hint::Hint,
    message::{Reply, Request},
    status::{Failure, State},
};

/// Plain HTTP: the start call is answered with `202 Accepted` and a `Location`, and a `GET` of that
/// `Location` is answered with `202` until the operation is done ([RFC 9110,
/// 15.3.3](https://www.rfc-editor.org/rfc/rfc9110#section-15.3.3)).
///
/// - `202` means running. Its `Location`, if it has one, is where the next poll goes. Its body, if
///   it is a JSON object, is the metadata.
/// - `303 See Other` leads to the result, [as do the other
///   redirects](https://www.rfc-editor.org/rfc/rfc9110#section-15.4). Redirects are followed on
///   trusted origins only.
/// - Any other `2xx` means done. Its body is the response.
/// - Everything else is a failed poll. HTTP has no status that says that the *work* failed: a
///   service that reports this needs another dialect, or the SDK author recognises such responses
///   with `classify`.
///
/// Headers that the caller put on the start call are sent with every poll ([`repeated_headers`]).
/// The operation's name is its URL.
#[derive(Clone, Copy, Debug, Default)]
pub struct Http;

impl Http {
    /// Creates the dialect. It has no options.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

/// Returns what a `202` says, with the cursor to which it moves the operation.
fn running(reply: &Reply, cursor: Option<Cursor>) -> Observation<'_> {
    let mut seen = Observation::new(State::Running);
    seen.metadata = metadata_of(reply);
    seen.cursor = cursor;
    seen
}

impl Dialect for Http {
    fn id(&self) -> &'static str {
        "http"
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        _options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        // The only redirect that answers a start call. The others ask for it to be sent elsewhere,
        // which is not done.
        let is_result = reply.status() == StatusCode::SEE_OTHER;
        if !is_result {
            expect_success(reply)?;
        }
        // No other reply has something to poll. The `Location` of a 201 is the resource that was
        // made (RFC 9110, 15.3.2), so a 201 is finished, and the URL is not even read.
        if !is_result && reply.status() != StatusCode::ACCEPTED {
            return Ok(done(reply));
        }
        // Relative to the URL of the start call (RFC 9110, 10.2.2), and absolute from here on: the
        // cursor must lead to the same place from a token, without the start call.
        let start = request.uri().to_string();
        let url = kept_url_in(reply, LOCATION.as_str(), &start);
        let cursor = first_placed(&start, url).ok_or_else(|| nowhere_to_poll(request, reply, "a Location"))?;
        let cursor = cursor.with_headers(repeated_headers(request));
        let mut seen = if is_result { result_at(cursor) } else { running(reply, Some(cursor)) };
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    fn locate(&self, name: &str, _options: &Options) -> Result<Cursor, Failure> {
        Ok(Cursor::new(name))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::get(cursor.key()).with_headers(cursor.headers()))
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        // A `Location` is relative to the URL that was requested (RFC 9110, 10.2.2), here the one
        // that was polled.
        let mut seen = match location::read_location(reply, cursor.key())? {
            LocationReply::Done => done(reply),
            LocationReply::Redirect(url) => result_at(cursor.clone().at(url)),
            LocationReply::Running { next } => running(reply, next.map(|url| placed(cursor.clone(), &url))),
        };
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }
}
