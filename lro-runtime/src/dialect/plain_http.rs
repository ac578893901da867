//! 202 + `Location`, as HTTP itself has it.

use http::{StatusCode, Uri};

use super::{
    Call, Cursor, Dialect, Observation, Options, expect_success,
    location::{
        self, LocationReply, base_of, body_of, done, follow, leads_on, location_in, metadata_of, repeated_headers,
    },
};
use crate::{
    hint::Hint,
    message::{Reply, Request},
    status::{Failure, State},
};

/// Plain HTTP: the start call is answered with `202 Accepted` and a `Location`, which answers `202` until it is done
/// ([RFC 9110, 15.3.3](https://www.rfc-editor.org/rfc/rfc9110#section-15.3.3)).
///
/// - `202` is running, and may move the `Location`. What its body says, if it is a JSON object, is the metadata.
/// - `303 See Other` leads to the result, [and so do the other redirects](https://www.rfc-editor.org/rfc/rfc9110#section-15.4): on trusted origins only.
/// - Any other `2xx` is done; its body is the response.
/// - Everything else is a poll that failed. HTTP has no way to say that the *work* failed: a service that has one is of another dialect, or its
///   author tells such responses with `classify`.
///
/// Headers that the caller put on the start call are sent with every poll ([`repeated_headers`]). The operation's name is its URL.
#[derive(Clone, Copy, Debug, Default)]
pub struct Http;

impl Http {
    /// The dialect. It has no options.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    fn observe<'a>(
        cursor: &Cursor,
        base: impl FnOnce() -> Result<Uri, Failure>,
        reply: &'a Reply,
    ) -> Result<Observation<'a>, Failure> {
        let mut seen = match location::read_location(reply, base)? {
            LocationReply::Done => done(reply),
            LocationReply::Redirect(url) => follow(cursor.clone().at(url)),
            LocationReply::Running { moved } => {
                let mut seen = Observation::new(State::Running);
                seen.metadata = metadata_of(reply);
                seen.cursor = moved.map(|url| cursor.clone().at(url));
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
        if !leads_on(reply.status()) {
            expect_success(reply)?;
        }
        let asked_for = reply.status() == StatusCode::ACCEPTED || reply.status() == StatusCode::SEE_OTHER;
        match location_in(reply, request.uri())?.filter(|_| asked_for) {
            Some(url) => {
                let cursor = Cursor::new(url).with_headers(repeated_headers(request));
                let mut seen = Self::observe(&cursor, || Ok(request.uri().clone()), reply)?;
                seen.cursor = Some(cursor);
                Ok(seen)
            }
            None if asked_for => Err(Failure::protocol(format!(
                "HTTP {} without a Location: there is nowhere to look",
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
        Self::observe(cursor, || base_of(cursor.key()), reply)
    }
}
