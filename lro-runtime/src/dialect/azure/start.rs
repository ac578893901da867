//! Reading the reply of a start call: what is polled, and what the reply says already.

use http::{Method, StatusCode};

use super::{
    FinalStateVia, LOCATION,
    body::Body,
    cursor::{self, Place, StartCall},
    expect_success, monitor_in, poll,
    words::Words,
};
use crate::{
    dialect::{
        Cursor, Observation,
        location::{self, body_of, done, kept_url_in, metadata_of, repeated_headers},
    },
    message::{Reply, Request},
    status::{Failure, State},
    text::head,
};

/// The header by which Fabric names an operation.
const OPERATION_ID: &str = "x-ms-operation-id";

/// How much of an operation's id is kept: that there is one is what counts.
const LONGEST_ID: usize = 128;

/// Reads the reply of a start call.
pub(super) fn read<'a>(
    via: Option<FinalStateVia>,
    words: Words<'_>,
    request: &Request,
    reply: &'a Reply,
) -> Result<Observation<'a>, Failure> {
    expect_success(reply)?;
    let start = request.uri().to_string();
    let location = kept_url_in(reply, LOCATION, &start);
    let start_call = StartCall {
        start: &start,
        method: request.method(),
        via: via.map(FinalStateVia::word),
        location: location.as_deref(),
        operation_id: reply.headers().get(OPERATION_ID).and_then(|id| id.to_str().ok()).map(|id| head(id, LONGEST_ID)),
        words: words.of_method,
    };
    let cursor = |url: &str, place| start_call.cursor(url, place).with_headers(repeated_headers(request));
    // A `Location` beside a monitor is not polled: it is where the final `GET` may go, and
    // `start_call` keeps it for that.
    Ok(match (monitor_in(reply, &start), &location) {
        (Some(monitor), _) => of_monitor(words, cursor(&monitor, Place::Monitor), request, reply),
        (None, Some(location)) => of_location(words, cursor(location, Place::Location), reply),
        // Without headers, the resource says by its `provisioningState` how far it is.
        (None, None) if is_write(request.method()) => of_resource(words, cursor(&start, Place::Resource), reply),
        (None, None) if reply.status() == StatusCode::ACCEPTED => return Err(nowhere_to_poll(request, reply)),
        (None, None) => finished(words, request, reply),
    })
}

/// Whether a start call with this method makes or changes a resource, so that its reply and a `GET`
/// of its URL are that resource.
fn is_write(method: &Method) -> bool {
    *method == Method::PUT || *method == Method::PATCH
}

/// The failure for a `202` that names no URL.
///
/// Some clients read a `DELETE` like this as a finished one. But `202` says that it is not, and the
/// Resource Manager's contract asks for a `Location`: success would be told while the deletion
/// runs, or has failed. So nothing is guessed, and the caller learns what was accepted and what to
/// do.
fn nowhere_to_poll(request: &Request, reply: &Reply) -> Failure {
    let missing = "Operation-Location, Azure-AsyncOperation or Location";
    let failure = location::nowhere_to_poll(request, reply, missing);
    if *request.method() != Method::DELETE {
        return failure;
    }
    Failure::protocol(format!("{failure}; a GET of the resource tells whether it is gone"))
}

/// Reads a start reply that names a monitor.
fn of_monitor<'a>(words: Words<'_>, cursor: Cursor, request: &Request, reply: &'a Reply) -> Observation<'a> {
    // The monitor decides, so a body that cannot be read does not matter.
    let body = Body::of(reply, words).unwrap_or_default();
    // The body of a `202` may already be the monitor's, and may say that the operation has ended.
    // That of a `PUT` or `PATCH` is the resource, whose own `status` (of a job, for example) says
    // nothing about the operation. Nor does a `provisioningState` that reads `Succeeded`: of an
    // update it may be the state before it began. Some clients take it for the end and save a poll.
    let word = if is_write(request.method()) {
        None
    } else if reply.status() == StatusCode::ACCEPTED {
        body.status()
    } else {
        body.operation_status(*request.method() == Method::DELETE)
    };
    let mut seen = if let Some(word) = word {
        let mut seen = body.observe(&cursor, Place::Monitor, &request.uri().to_string(), word);
        seen.metadata = metadata_of(reply);
        seen
    } else {
        let word = body.provisioning_state();
        let mut seen = Observation::new(if word.is_some() { State::Running } else { State::Pending });
        seen.raw_status = word;
        seen
    };
    // `observe` may have set the cursor of the final `GET` already.
    seen.cursor.get_or_insert(cursor);
    seen
}

/// Reads a start reply that leads to a `Location`. Only the body of a `202` is about the operation,
/// and so its metadata.
fn of_location<'a>(words: Words<'_>, cursor: Cursor, reply: &'a Reply) -> Observation<'a> {
    let mut seen = Observation::new(State::Running);
    let is_accepted = reply.status() == StatusCode::ACCEPTED;
    seen.metadata = metadata_of(reply).filter(|_| is_accepted);
    let runs = |word: &str| !words.state(word).is_terminal();
    let says_it_runs =
        || Body::of(reply, words).is_ok_and(|body| body.provisioning_state().as_deref().is_some_and(runs));
    seen.cursor = Some(if is_accepted || says_it_runs() { cursor::seen_running(cursor) } else { cursor });
    seen
}

/// Reads a start reply that names no URL and may be the resource itself.
///
/// Where it cannot be read, the service has accepted the start all the same: the operation is
/// pending, and the first poll looks at the resource.
fn of_resource<'a>(words: Words<'_>, cursor: Cursor, reply: &'a Reply) -> Observation<'a> {
    let says_nothing = reply.status() == StatusCode::CREATED && body_of(reply).is_none();
    let read = if says_nothing { None } else { poll::read_resource(words, reply).ok() };
    let mut seen = read.unwrap_or_else(|| Observation::new(State::Pending));
    seen.cursor = Some(if seen.state == State::Running { cursor::seen_running(cursor) } else { cursor });
    seen
}

/// Reads a start reply that names no URL and ends the operation by its HTTP status. Its body may
/// still say that the operation has failed.
fn finished<'a>(words: Words<'_>, request: &Request, reply: &'a Reply) -> Observation<'a> {
    let body = Body::of(reply, words).unwrap_or_default();
    match body.failure_word(*request.method() == Method::DELETE) {
        Some(word) => body.observe_resource(reply, word),
        None => done(reply),
    }
}
