//! The dialect of plain HTTP: `202 Accepted` with a `Location`, as RFC 9110 defines them.

use http::{StatusCode, Uri};

use super::{
    Call, Cursor, Dialect, Observation, Options, expect_success,
    location::{
        self, LocationReply, base_of, body_of, done, is_redirect, location_in, metadata_of, repeated_headers, result_at,
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

    /// Reads a reply to a poll. `base` is what its URLs are relative to.
    fn observe<'a>(
        cursor: &Cursor,
        base: impl FnOnce() -> Result<Uri, Failure>,
        reply: &'a Reply,
    ) -> Result<Observation<'a>, Failure> {
        let mut seen = match location::read_location(reply, base)? {
            LocationReply::Done => done(reply),
            LocationReply::Redirect(url) => result_at(cursor.clone().at(url)),
            LocationReply::Running { next } => {
                let mut seen = Observation::new(State::Running);
                seen.metadata = metadata_of(reply);
                seen.cursor = next.map(|url| cursor.clone().at(url));
                seen
            }
        };
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }
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
        // Redirects pass: a 303 is handled below, and any other fails there.
        if !is_redirect(reply.status()) {
            expect_success(reply)?;
        }
        // Only these two say that there is something to poll. The `Location` of a 201 is the
        // resource that was made (RFC 9110, 15.3.2), so a 201 is finished. The redirects other than
        // 303 ask for the start call itself to be sent elsewhere, which is not done.
        let is_long_running = reply.status() == StatusCode::ACCEPTED || reply.status() == StatusCode::SEE_OTHER;
        match location_in(reply, request.uri())?.filter(|_| is_long_running) {
            Some(url) => {
                // Relative to the URL of the start call (RFC 9110, 10.2.2), and absolute from here
                // on: the cursor must lead to the same place from a token, without the start call.
                let cursor = Cursor::new(url).with_headers(repeated_headers(request));
                let mut seen = Self::observe(&cursor, || Ok(request.uri().clone()), reply)?;
                // The same place that `observe` has found, because it reads the same `Location`.
                seen.cursor = Some(cursor);
                Ok(seen)
            }
            None if is_long_running => Err(Failure::protocol(format!(
                "HTTP {} without a Location: the reply does not say which URL to poll",
                reply.status().as_u16()
            ))),
            None => {
                expect_success(reply)?;
                let mut seen = Observation::new(State::Succeeded);
                seen.response = body_of(reply);
                Ok(seen)
            }
        }
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
        Self::observe(cursor, || base_of(cursor.key()), reply)
    }
}
