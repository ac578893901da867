//! Reading the reply to a poll: of a status monitor, of a `Location`, of the resource, or of the
//! response.

use http::{HeaderName, StatusCode};

use super::{
    LOCATION, MONITORS,
    body::Body,
    cursor::{self, Place},
    errors::{self, error_reply},
    expect_success, monitor_in,
    words::Words,
};
use crate::{
    dialect::{
        Cursor, Observation,
        json::unexpected_body,
        location::{self, LocationReply, body_of, done, is_redirect, kept_url_in, metadata_of, result_at},
    },
    message::Reply,
    settings::Verdict,
    status::{Failure, State},
};

/// Reads the reply to a poll.
pub(super) fn read<'a>(words: Words<'_>, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
    // A cursor from a name alone has no place. What its URL is can then be told only from the
    // reply.
    let known = Place::of(cursor);
    let place = known.unwrap_or_else(|| place_by_reply(reply));
    let may_lead = known.is_none() && place != Place::Monitor;
    if let Some(seen) = may_lead.then(|| first_reply(cursor, reply)).flatten() {
        return Ok(seen);
    }
    let may_tell = matches!(place, Place::Location | Place::Resource);
    if let Some(verdict) = verdict(cursor, reply).filter(|_| may_tell) {
        return Ok(verdict);
    }
    let mut seen = match place {
        Place::Monitor => read_monitor(words, cursor, reply)?,
        Place::Resource if is_redirect(reply.status()) => read_location(words, cursor, Place::Resource, reply)?,
        Place::Resource => read_made_resource(words, reply)?,
        Place::Location | Place::Result | Place::MaybeResult => read_location(words, cursor, place, reply)?,
    };
    let is_news = may_tell && cursor.part(cursor::SEEN).is_none();
    if is_news && !seen.state.is_terminal() && !seen.follow {
        seen.cursor = Some(cursor::seen_running(seen.cursor.unwrap_or_else(|| cursor.clone())));
    }
    Ok(seen)
}

/// Returns the cursor after a monitor's reply, or `None` if the reply has no header that moves it.
fn moved(cursor: &Cursor, reply: &Reply) -> Option<Cursor> {
    // The usual case. A poll that moves nothing should cost no more than this.
    let is_url = |name: &HeaderName| name.as_str() == LOCATION || MONITORS.contains(&name.as_str());
    if !reply.headers().keys().any(is_url) {
        return None;
    }
    cursor::moved(cursor, monitor_in(reply, cursor.key()), kept_url_in(reply, LOCATION, cursor.key()))
}

/// Returns the place of an operation that was resumed from its name alone, by its reply: the
/// resource if that has a `provisioningState`, a status monitor if it has a `status`, else a
/// `Location`.
///
/// The resource first, because it may have a `status` of its own.
fn place_by_reply(reply: &Reply) -> Place {
    match Body::of(reply, Words::default()) {
        Ok(body) if body.provisioning_state().is_some() => Place::Resource,
        Ok(body) if body.status().is_some() => Place::Monitor,
        _ => Place::Location,
    }
}

/// Reads the first reply to an operation that was resumed from its name alone, if it is a `202`
/// that names a status monitor: as the reply of a start call, which it repeats. Without a monitor,
/// and once another place is known, a `Location` is what leads on.
fn first_reply<'a>(cursor: &Cursor, reply: &'a Reply) -> Option<Observation<'a>> {
    let monitor = monitor_in(reply, cursor.key()).filter(|_| reply.status() == StatusCode::ACCEPTED)?;
    let next = cursor::moved(cursor, Some(monitor), kept_url_in(reply, LOCATION, cursor.key()))?;
    let mut seen = Observation::new(State::Running);
    seen.raw_status = Body::of(reply, Words::default()).ok().and_then(|body| body.provisioning_state());
    seen.metadata = metadata_of(reply);
    seen.cursor = Some(next.with(cursor::PLACE, Place::Monitor.word()));
    Some(seen)
}

/// Reads a `4xx` as the end of the operation, if it is one: the answer of a `Location` or a
/// resource that has said before that the operation runs.
///
/// Such a place has no other word for failure. Before it has said anything, an error may as well be
/// about the poll: then it is a failed poll.
fn verdict<'a>(cursor: &Cursor, reply: &'a Reply) -> Option<Observation<'a>> {
    let may_be = reply.status().is_client_error() && !OF_THE_POLL.contains(&reply.status().as_u16());
    if !may_be || cursor.part(cursor::SEEN).is_none() {
        return None;
    }
    let status = errors::said(reply)?;
    // A throttle is the origin's, whatever its code.
    if error_reply(reply).verdict() == Verdict::Retry {
        return None;
    }
    if status.reason().is_some_and(|reason| OF_THE_VERSION.contains(&reason)) {
        return None;
    }
    let mut seen = Observation::new(State::Failed);
    seen.status = Some(status);
    Some(seen)
}

/// The `4xx` that are about the poll, its credentials or its timing, whatever was seen before.
const OF_THE_POLL: &[u16] = &[401, 403, 404, 408, 410, 412, 429];

/// The codes of a poll that lacks the `api-version`, or has one that is not the service's.
const OF_THE_VERSION: &[&str] = &[
    "MissingApiVersionParameter",
    "InvalidApiVersionParameter",
    "MissingApiVersion",
    "InvalidApiVersion",
    "UnsupportedApiVersion",
];

/// Reads the reply to a poll of a status monitor.
///
/// The guidelines have a monitor answer `200`. Services in the field answer `202` while the
/// operation runs, so the word in the body counts, whatever `2xx` it comes with.
fn read_monitor<'a>(words: Words<'_>, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
    if is_redirect(reply.status()) {
        return read_location(words, cursor, Place::Monitor, reply);
    }
    expect_success(reply)?;
    if reply.status() == StatusCode::NO_CONTENT && cursor::is_delete(cursor) {
        return Ok(done(reply)); // the monitor went with what was deleted
    }
    let moved = moved(cursor, reply);
    let body = Body::of(reply, words);
    let Some(word) = body.as_ref().ok().and_then(Body::status) else {
        // 202 is itself a word for running. Without it nothing says how the operation is.
        if reply.status() == StatusCode::ACCEPTED {
            let mut seen = Observation::new(State::Running);
            seen.metadata = metadata_of(reply);
            seen.cursor = moved;
            return Ok(seen);
        }
        let why = body.err().map_or_else(|| "it has no `status`".to_owned(), |error| error.to_string());
        return Err(unexpected_body("a status monitor", &why, reply.body()));
    };
    // With the moved cursor, because the last reply may bring the `Location` of the final `GET`.
    let place = moved.as_ref().unwrap_or(cursor);
    let mut seen = body.unwrap_or_default().observe(place, Place::Monitor, cursor.key(), word);
    seen.metadata = metadata_of(reply);
    // After the end nothing is polled, so a URL that cannot be followed does not matter.
    if !seen.state.is_terminal() {
        seen.cursor = seen.cursor.or(moved);
    }
    Ok(seen)
}

/// Reads the reply to a poll of a `Location` or of the result of a monitor that has succeeded, or a
/// redirect from any place.
fn read_location<'a>(
    words: Words<'_>,
    cursor: &Cursor,
    place: Place,
    reply: &'a Reply,
) -> Result<Observation<'a>, Failure> {
    let has_no_result = place == Place::MaybeResult && has_no_result(reply);
    if !has_no_result && !is_redirect(reply.status()) {
        expect_success(reply)?;
    }
    let mut seen = match location::read_location(reply, cursor.key()) {
        Err(_) if has_no_result => Observation::new(State::Succeeded),
        Err(failure) => return Err(failure),
        Ok(LocationReply::Done) if place == Place::Location => read_answer_of_location(words, cursor, reply),
        Ok(LocationReply::Done) => done(reply),
        Ok(LocationReply::Redirect(url)) => result_at(cursor::at(cursor, &url).with(cursor::PLACE, place.word())),
        Ok(LocationReply::Running { next }) => {
            let mut seen = Observation::new(State::Running);
            // A result that is not there yet answers `202`, too: its body must not replace what the
            // monitor said last.
            seen.metadata = metadata_of(reply).filter(|_| place == Place::Location);
            seen.cursor = next.map(|url| cursor::at(cursor, &url));
            seen
        }
    };
    if matches!(place, Place::Result | Place::MaybeResult) {
        // A snapshot takes its status word from its own reply, and this one has none: the monitor's
        // last word still holds.
        seen.raw_status = Some(cursor.part(cursor::WORD).unwrap_or("Succeeded").to_owned().into());
    }
    Ok(seen)
}

/// Whether this is how a place that no reply has named says that it has no result.
///
/// Fabric answers `400` with this reason where an operation has none; any other `400` is about the
/// request. Where a service has no such place at all, there is nothing to fetch, and the operation
/// has succeeded all the same: as an error, a `404` would take its success away for good.
fn has_no_result(reply: &Reply) -> bool {
    match reply.status().as_u16() {
        400 => errors::said(reply).is_some_and(|status| status.reason() == Some("OperationHasNoResult")),
        status => matches!(status, 404 | 405 | 410),
    }
}

/// Reads the `2xx` other than `202` of a `Location`.
///
/// What a `Location` leads to is known only now. It may be the result, and the operation is done. A
/// `200` or `201` may also be the resource while it is being made, or a status monitor, as in
/// Fabric: their words say how the operation is.
fn read_answer_of_location<'a>(words: Words<'_>, cursor: &Cursor, reply: &'a Reply) -> Observation<'a> {
    let may_run = matches!(reply.status(), StatusCode::OK | StatusCode::CREATED);
    let Some(body) = Body::of(reply, words).ok().filter(|_| may_run) else { return done(reply) };
    // The monitor names itself while the operation runs, and at the end the result.
    let location = kept_url_in(reply, LOCATION, cursor.key()).map(|url| cursor::at(cursor, &url));
    let location = location.filter(|location| location.key() != cursor.key());
    let mut seen = if let Some(word) = body.provisioning_state() {
        body.observe_resource(reply, word)
    } else if let Some(word) = body.operation_status(cursor::is_delete(cursor)) {
        let of_result = location.as_ref().map(|location| {
            if location.is_own() {
                cursor.clone().with_own(cursor::LOCATION, location.key())
            } else {
                cursor.clone().with(cursor::LOCATION, location.key())
            }
        });
        let mut seen = body.observe(of_result.as_ref().unwrap_or(cursor), Place::Location, cursor.key(), word);
        seen.metadata = metadata_of(reply);
        seen
    } else {
        return done(reply);
    };
    if !seen.state.is_terminal() {
        seen.cursor = seen.cursor.or(location);
    }
    seen
}

/// Reads the resource from the reply to a `GET`, which must have it.
fn read_made_resource<'a>(words: Words<'_>, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
    let says_nothing = body_of(reply).is_none();
    if says_nothing && matches!(reply.status(), StatusCode::OK | StatusCode::CREATED) {
        // Not a success: the resource has not been seen.
        return Err(unexpected_body("a resource", &"it is empty", reply.body()));
    }
    read_resource(words, reply)
}

/// Reads the resource itself, from the reply of the start call or of a later `GET`.
pub(super) fn read_resource<'a>(words: Words<'_>, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
    if !reply.status().is_success() {
        return Err(error_reply(reply));
    }
    let body = if body_of(reply).is_some() { Body::of(reply, words) } else { Ok(Body::default()) };
    if reply.status() == StatusCode::ACCEPTED {
        let mut seen = Observation::new(State::Running);
        seen.raw_status = body.ok().and_then(|body| body.provisioning_state());
        seen.metadata = metadata_of(reply);
        return Ok(seen);
    }
    let body = body.map_err(|error| unexpected_body("a resource", &error, reply.body()))?;
    let word = body.provisioning_state();
    // In the Resource Manager's contract a resource without a `provisioningState` has succeeded.
    Ok(match word {
        Some(word) => body.observe_resource(reply, word),
        None => done(reply),
    })
}
