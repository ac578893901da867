//! The dialect of Azure, for the data plane and the Resource Manager.

use http::{Method, StatusCode};

use self::{
    body::Body,
    cursor::{Place, StartCall},
    errors::error_reply,
};
use super::{
    Dialect, Options,
    json::unexpected_body,
    location::{
        self, LocationReply, body_of, done, is_redirect, kept_url_in, metadata_of, repeated_headers, result_at,
    },
};
use crate::{
    dialect::{Call, Cursor, Observation},
    hint::Hint,
    message::{Reply, Request},
    status::{Failure, State},
};

mod body;
mod cursor;
mod errors;
mod final_state_via;
mod words;

pub use self::final_state_via::FinalStateVia;

/// Azure: the [REST
/// guidelines](https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#long-running-operations--jobs)
/// of the data plane and the [asynchronous
/// operations](https://github.com/cloud-and-ai-microsoft/resource-provider-contract/blob/master/v1.0/async-api-reference.md)
/// of the Resource Manager.
///
/// The reply of the start call says what is polled: the URL in `Operation-Location`, else in
/// `Azure-AsyncOperation` (both lead to a *status monitor*), else in `Location`, else for `PUT` and
/// `PATCH` the resource itself and its `provisioningState`. Without any of them the operation is
/// finished, except after a `202`, which is then an error. The headers of a later reply may move
/// the URL.
///
/// | polled | running | ended |
/// |---|---|---|
/// | status monitor | any other `status`; `202` without one | `Succeeded`, `Failed`, `Canceled` or `Cancelled`, in any case |
/// | `Location` | `202`; a `200` or `201` whose body is an operation or a resource that says so | any other `2xx`; its body is the response |
/// | the resource | `202`, or any other `provisioningState` | the same words; without a word it has succeeded |
///
/// The body of a `202` to a `POST` or `DELETE` may be the monitor's already. That of a `PUT` or
/// `PATCH` is the resource: where a monitor is named, the monitor decides, and a `status` in that
/// body is not read. A `201` without a body says nothing: the resource is polled once.
///
/// A `202` with a `Location` alone never proves what is there, so the body of every reply is read
/// first. With `properties.provisioningState` it is the resource, and with a known `status` and
/// nothing of a resource around it a status monitor, as in Fabric: the `Location` of its last reply,
/// or `/result` below it, then has the response.
///
/// After a monitor has said `Succeeded`, the response is fetched at once with one more `GET`,
/// unless the monitor has it; [`FinalStateVia`] says from where. A `4xx` or `5xx` is a failed poll,
/// not a failed operation, with one exception: a `Location` or a resource that has said before that
/// the operation runs tells its failure by a `4xx` with an error. 401, 403, 404, 408, 410, 412 and
/// 429 stay failed polls there, too.
///
/// The code of an error is its [`reason`](crate::Status::reason), in every form that services write:
/// `{"error": {"code", "message"}}`, `odata.error`, code and message without a wrapper, a string, or
/// the header `x-ms-error-code`.
///
/// Relative URLs resolve against the URL of the call that was answered with them. A URL that cannot
/// be resolved fails the poll that would follow it, and nothing else.
///
/// The start call's `api-version` is added to every URL that has none, because the URLs that
/// services write into headers lack it and are refused without it. The headers that the caller put
/// on the start call are sent with every poll ([`repeated_headers`]). The operation's name is the
/// URL that is polled first. The metadata is the whole body of the monitor, or of a `202`.
///
/// A client-chosen `Operation-Id` makes the start call idempotent: see
/// [`OperationsBuilder::start_id`](crate::OperationsBuilder::start_id) and
/// [`start_retries`](crate::OperationsBuilder::start_retries).
#[derive(Clone, Copy, Debug, Default)]
pub struct Azure {
    via: Option<FinalStateVia>,
}

/// The name of the method option that sets [`FinalStateVia`].
const FINAL_STATE_VIA: &str = "final_state_via";

impl Azure {
    /// Creates the dialect with the rules of Azure's own clients.
    #[must_use]
    pub const fn new() -> Self {
        Self { via: None }
    }

    /// Sets where the response is for methods without the option `final_state_via`. Default: the
    /// order given at [`FinalStateVia`].
    #[must_use]
    pub const fn with_final_state_via(mut self, via: FinalStateVia) -> Self {
        self.via = Some(via);
        self
    }

    /// Returns what the method's options say, else what the dialect was built with.
    fn via(self, options: &Options) -> Result<Option<FinalStateVia>, Failure> {
        let Some((_, word)) = options.iter().find(|(option, _)| *option == FINAL_STATE_VIA) else {
            return Ok(self.via);
        };
        let known = FinalStateVia::of(word).map(Some);
        known.ok_or_else(|| {
            Failure::unsupported(format!(
                "final_state_via = `{word}`: expected one of {}",
                FinalStateVia::ALL.map(|(word, _)| word).join(", ")
            ))
        })
    }
}

impl Dialect for Azure {
    fn id(&self) -> &'static str {
        "azure"
    }

    fn prepare_start(&self, _request: &mut Request, options: &Options) -> Result<(), Failure> {
        // A misspelt option fails here, before anything is sent. Later, it would hide an operation
        // that has started.
        self.via(options).map(drop)
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let start = request.uri().to_string();
        let location = kept_url_in(reply, LOCATION, &start);
        let start_call = StartCall {
            start: &start,
            method: request.method(),
            via: self.via(options)?.map(FinalStateVia::word),
            location: location.as_deref(),
            operation_id: reply.headers().get("x-ms-operation-id").and_then(|id| id.to_str().ok()),
        };
        let cursor = |url: &str, place| start_call.cursor(url, place).with_headers(repeated_headers(request));
        // A `Location` beside a monitor is not polled: it is where the final `GET` may go, and
        // `start_call` keeps it for that.
        let seen = match (monitor_in(reply, &start), &location) {
            (Some(monitor), _) => start_of_monitor(cursor(&monitor, Place::Monitor), request, reply),
            (None, Some(location)) => start_of_location(cursor(location, Place::Location), reply),
            // Without headers, the resource says by its `provisioningState` how far it is.
            (None, None) if is_write(request.method()) => start_of_resource(cursor(&start, Place::Resource), reply),
            (None, None) if reply.status() == StatusCode::ACCEPTED => return Err(nowhere_to_poll(request)),
            (None, None) => finished(request, reply),
        };
        Ok(with_headers(seen, reply))
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        let cursor = Cursor::new(name);
        Ok(match self.via(options)? {
            Some(via) => cursor.with(cursor::VIA, via.word()),
            None => cursor,
        })
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        cursor::check(cursor)?;
        Ok(Call::get(cursor.key()).with_headers(cursor.headers()))
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        // A cursor from a name alone has no place. What its URL is can then be told only from the
        // reply.
        let place = Place::of(cursor).unwrap_or_else(|| place_by_reply(reply));
        let is_seen_there = matches!(place, Place::Location | Place::Resource);
        if let Some(verdict) = verdict(cursor, reply).filter(|_| is_seen_there) {
            return Ok(with_headers(verdict, reply));
        }
        let mut seen = match place {
            Place::Monitor => read_monitor(cursor, reply)?,
            Place::Resource if is_redirect(reply.status()) => read_location(cursor, Place::Resource, reply)?,
            Place::Resource => read_resource(reply)?,
            Place::Location | Place::Result | Place::MaybeResult => read_location(cursor, place, reply)?,
        };
        let is_news = cursor.part(cursor::SEEN).is_none();
        if is_seen_there && is_news && !seen.state.is_terminal() && !seen.follow {
            seen.cursor = Some(cursor::seen_running(seen.cursor.unwrap_or_else(|| cursor.clone())));
        }
        Ok(with_headers(seen, reply))
    }
}

/// Returns `Ok` for a `2xx`, and the failure made by [`error_reply`] for any other reply.
fn expect_success(reply: &Reply) -> Result<(), Failure> {
    if reply.status().is_success() { Ok(()) } else { Err(error_reply(reply)) }
}

/// The failure for a `202` that names no URL: work is going on, and nothing says where to poll.
///
/// Some clients read a `DELETE` like this as a finished one. But `202` says that it is not, and the
/// Resource Manager's contract asks for a `Location`: success would be told while the deletion runs,
/// or has failed. So nothing is guessed, and the caller learns what was accepted and what to do.
fn nowhere_to_poll(request: &Request) -> Failure {
    let then = match *request.method() {
        Method::DELETE => "; a GET of the resource tells whether it is gone",
        _ => "",
    };
    Failure::protocol(format!(
        "HTTP 202 without Operation-Location, Azure-AsyncOperation or Location: the service has accepted the {}, and the reply does not say which URL to poll{then}",
        request.method()
    ))
}

/// Completes what a reply says with its headers: the hint, and the code of its error.
fn with_headers<'a>(mut seen: Observation<'a>, reply: &Reply) -> Observation<'a> {
    seen.hint = Hint::from_headers(reply.headers());
    seen.status = seen.status.map(|status| errors::with_reason_of(reply, status));
    seen
}

/// Whether a start call with this method makes or changes a resource, so that its reply and a `GET`
/// of its URL are that resource.
fn is_write(method: &Method) -> bool {
    *method == Method::PUT || *method == Method::PATCH
}

/// The header that names where the result is, or what is polled if there is no monitor.
const LOCATION: &str = "location";

/// The headers that name a status monitor. As in Azure's clients, `Operation-Location` (the data
/// plane's header) goes before `Azure-AsyncOperation` (the Resource Manager's).
const MONITORS: [&str; 2] = ["operation-location", "azure-asyncoperation"];

/// Returns the URL of the status monitor that the reply names.
fn monitor_in(reply: &Reply, polled: &str) -> Option<String> {
    let [data_plane, resource_manager] = MONITORS.map(|header| kept_url_in(reply, header, polled));
    data_plane.or(resource_manager)
}

/// Returns the cursor after a monitor's reply, or `None` if the reply has no header that moves it.
fn moved(cursor: &Cursor, reply: &Reply) -> Option<Cursor> {
    cursor::moved(cursor, monitor_in(reply, cursor.key()), kept_url_in(reply, LOCATION, cursor.key()))
}

/// Returns the place of an operation that was resumed from its name alone, by its reply: the
/// resource if that has a `provisioningState`, a status monitor if it has a `status`, else a
/// `Location`.
///
/// The resource first, because it may have a `status` of its own.
fn place_by_reply(reply: &Reply) -> Place {
    match Body::of(reply) {
        Ok(body) if body.provisioning_state().is_some() => Place::Resource,
        Ok(body) if body.status().is_some() => Place::Monitor,
        _ => Place::Location,
    }
}

/// Reads a start reply that names a monitor.
fn start_of_monitor<'a>(cursor: Cursor, request: &Request, reply: &'a Reply) -> Observation<'a> {
    // The monitor decides, so a body that cannot be read does not matter.
    let body = Body::of(reply).unwrap_or_default();
    // The body of a `202` may already be the monitor's, and may say that the operation has ended.
    // That of a `PUT` or `PATCH` is the resource, whose own `status` (of a job, for example) says
    // nothing about the operation.
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
fn start_of_location(cursor: Cursor, reply: &Reply) -> Observation<'_> {
    let mut seen = Observation::new(State::Running);
    let is_accepted = reply.status() == StatusCode::ACCEPTED;
    seen.metadata = metadata_of(reply).filter(|_| is_accepted);
    let says_it_runs = || Body::of(reply).is_ok_and(|body| body.provisioning_state().is_some());
    seen.cursor = Some(if is_accepted || says_it_runs() { cursor::seen_running(cursor) } else { cursor });
    seen
}

/// Reads a start reply that names no URL and may be the resource itself.
///
/// Where it cannot be read, the service has accepted the start all the same: the operation is
/// pending, and the first poll looks at the resource.
fn start_of_resource(cursor: Cursor, reply: &Reply) -> Observation<'_> {
    let says_nothing = reply.status() == StatusCode::CREATED && body_of(reply).is_none();
    let read = if says_nothing { None } else { read_resource(reply).ok() };
    let mut seen = read.unwrap_or_else(|| Observation::new(State::Pending));
    seen.cursor = Some(if seen.state == State::Running { cursor::seen_running(cursor) } else { cursor });
    seen
}

/// Reads a start reply that names no URL and ends the operation by its HTTP status. Its body may
/// still say that the operation has failed.
fn finished<'a>(request: &Request, reply: &'a Reply) -> Observation<'a> {
    let body = Body::of(reply).unwrap_or_default();
    match body.failure_word(*request.method() == Method::DELETE) {
        Some(word) => body.observe_resource(reply, word),
        None => done(reply),
    }
}

/// Reads a `4xx` as the end of the operation, if it is one: the answer of a `Location` or a resource
/// that has said before that the operation runs.
///
/// Such a place has no other word for failure. Before it has said anything, an error may as well be
/// about the poll: then it is a failed poll.
fn verdict<'a>(cursor: &Cursor, reply: &'a Reply) -> Option<Observation<'a>> {
    let may_be = reply.status().is_client_error() && !OF_THE_POLL.contains(&reply.status().as_u16());
    if !may_be || cursor.part(cursor::SEEN).is_none() {
        return None;
    }
    let status = errors::said(reply)?;
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
fn read_monitor<'a>(cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
    if is_redirect(reply.status()) {
        return read_location(cursor, Place::Monitor, reply);
    }
    expect_success(reply)?;
    if reply.status() == StatusCode::NO_CONTENT && cursor::is_delete(cursor) {
        return Ok(done(reply)); // the monitor went with what was deleted
    }
    let moved = moved(cursor, reply);
    let body = Body::of(reply);
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
fn read_location<'a>(cursor: &Cursor, place: Place, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
    // No reply has named this URL, so it may be that there is nothing: Fabric answers 400 with
    // `OperationHasNoResult`.
    let has_no_result = place == Place::MaybeResult && matches!(reply.status().as_u16(), 400 | 404 | 405 | 410);
    if !has_no_result && !is_redirect(reply.status()) {
        expect_success(reply)?;
    }
    let mut seen = match location::read_location(reply, || cursor::base(cursor)) {
        Err(_) if has_no_result => Observation::new(State::Succeeded),
        Err(failure) => return Err(failure),
        Ok(LocationReply::Done) if place == Place::Location => read_answer_of_location(cursor, reply),
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
        seen.raw_status = Some("Succeeded".into());
    }
    Ok(seen)
}

/// Reads the `2xx` other than `202` of a `Location`.
///
/// What a `Location` leads to is known only now. It may be the result, and the operation is done. A
/// `200` or `201` may also be the resource while it is being made, or a status monitor, as in
/// Fabric: their words say how the operation is.
fn read_answer_of_location<'a>(cursor: &Cursor, reply: &'a Reply) -> Observation<'a> {
    let may_run = matches!(reply.status(), StatusCode::OK | StatusCode::CREATED);
    let Some(body) = Body::of(reply).ok().filter(|_| may_run) else { return done(reply) };
    // The monitor names itself while the operation runs, and at the end the result.
    let location = kept_url_in(reply, LOCATION, cursor.key()).map(|url| cursor::at(cursor, &url));
    let location = location.filter(|location| location.key() != cursor.key());
    let mut seen = if let Some(word) = body.provisioning_state() {
        body.observe_resource(reply, word)
    } else if let Some(word) = body.operation_status(cursor::is_delete(cursor)) {
        let of_result = location.as_ref().map(|location| cursor.clone().with(cursor::LOCATION, location.key()));
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

/// Reads the resource itself, from the reply of the start call or of a later `GET`.
fn read_resource(reply: &Reply) -> Result<Observation<'_>, Failure> {
    if !reply.status().is_success() {
        return Err(error_reply(reply));
    }
    let body = if body_of(reply).is_some() { Body::of(reply) } else { Ok(Body::default()) };
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
