//! Decides which call of the service a request is, and answers it.

use std::time::Duration;

use serde_json::Value;

use super::{
    http1::Incoming,
    shared::Shared,
    store::{Answer, Claim, Query, error},
};
use crate::{client::StartIdIn, duration, status::Code};

/// The longest time that `:wait` holds a request. A wait call is best effort: it may answer before
/// the operation is done.
const LONGEST_HOLD: Duration = Duration::from_secs(30);

/// A call of the service.
enum Call<'a> {
    Start(&'a str),
    Get(&'a str),
    List(&'a str, Query),
    Cancel(&'a str),
    Delete(&'a str),
    Wait(&'a str, Duration),
}

/// Answers a request.
pub(super) fn call(shared: &Shared, request: &Incoming) -> Answer {
    shared.lock().store.log(format!("{} {}", request.method, request.path));
    if let Some(token) = &shared.bearer
        && request.header("authorization") != Some(&format!("Bearer {token}"))
    {
        return error(Code::Unauthenticated, "the bearer token is missing or wrong").into();
    }
    let call = match Call::of(shared, request) {
        Ok(call) => call,
        Err((code, why)) => return error(code, &why).into(),
    };
    let answer = match call {
        Call::Start(path) => start(shared, path, request),
        Call::Get(name) => shared.lock().store.poll(name),
        Call::List(parent, query) => shared.lock().store.list(parent, &query),
        Call::Cancel(name) => shared.lock().store.cancel(name),
        Call::Delete(name) => shared.lock().store.delete(name),
        // Without the lock: other requests go on, and may cancel or delete the operation meanwhile.
        Call::Wait(name, timeout) => {
            shared.wait_for(timeout, |state| !state.store.is_open(name));
            shared.lock().store.poll(name)
        }
    };
    // A poll or a cancel call may have completed an operation that a wait call is waiting for.
    shared.changed.notify_all();
    answer
}

fn start(shared: &Shared, path: &str, request: &Incoming) -> Answer {
    let (route, body) = match (shared.routes.get(path), json(request)) {
        (Some(route), Ok(body)) => (route, body),
        (_, Err((code, why))) => return error(code, &why).into(),
        (None, _) => return error(Code::NotFound, "no such method").into(),
    };
    let id = shared.start_id.and_then(|place| start_id(place, request, &body));
    if let Some(id) = &id {
        // One at a time has an id: the same call may come in again while a route is at work.
        shared.wait_for(LONGEST_HOLD, |state| !state.store.is_starting(id));
        if let Claim::Known(answer) = shared.lock().store.claim(id, path, &request.body) {
            return answer;
        }
    }
    let claimed = Claimed { shared, id: id.as_deref() };
    // Called without the lock, because a route is the test's own code and may use the server.
    let job = route(&body);
    let answer = shared.lock().store.start(job, id.as_deref());
    drop(claimed);
    answer
}

/// A start id that is given back when nothing was started under it, also by a panic of a route.
struct Claimed<'a> {
    shared: &'a Shared,
    id: Option<&'a str>,
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shared.lock().store.give_back(id);
        }
    }
}

/// Returns the start id of a start call.
fn start_id(place: StartIdIn, request: &Incoming, body: &Value) -> Option<String> {
    let id = match place {
        StartIdIn::Header(name) => request.header(name).map(str::to_owned),
        StartIdIn::Query(name) => request.query.iter().find(|(known, _)| known == name).map(|(_, id)| id.clone()),
        StartIdIn::Body(path) => {
            let member = path.split('.').try_fold(body, |value, name| value.get(name))?;
            member.as_str().map(str::to_owned)
        }
    };
    id.filter(|id| !id.is_empty())
}

impl<'a> Call<'a> {
    /// Returns the call that `request` makes, or why it is not a call of this service.
    fn of(shared: &Shared, request: &'a Incoming) -> Result<Self, (Code, String)> {
        let path = request.path.as_str();
        let unknown = || (Code::NotFound, format!("no such method: {} {path}", request.method));
        if request.method == "POST" && shared.routes.contains_key(path) {
            no_query(request, shared.start_id)?;
            return Ok(Self::Start(path));
        }
        let resource = path.strip_prefix("/v1/").ok_or_else(unknown)?;
        if request.method == "GET" && (resource == "operations" || resource.ends_with("/operations")) {
            return Ok(Self::List(resource.strip_suffix("operations").unwrap_or(resource), query(request)?));
        }
        no_query(request, None)?;
        let (name, verb) = match resource.rsplit_once(':') {
            Some((name, verb)) if !verb.contains('/') => (name, verb),
            _ => (resource, ""),
        };
        match (request.method.as_str(), verb) {
            ("GET", "") => Ok(Self::Get(name)),
            ("DELETE", "") => Ok(Self::Delete(name)),
            ("POST", "cancel") => match json(request)? {
                Value::Object(fields) if fields.is_empty() => Ok(Self::Cancel(name)),
                _ => Err((Code::InvalidArgument, "the body of a cancel call is `{}`".to_owned())),
            },
            ("POST", "wait") => Ok(Self::Wait(name, hold(&json(request)?)?)),
            _ => Err(unknown()),
        }
    }
}

/// Returns the `timeout` of a wait call, at most [`LONGEST_HOLD`].
fn hold(body: &Value) -> Result<Duration, (Code, String)> {
    match body.get("timeout").map(|timeout| timeout.as_str().map(duration::parse)) {
        None => Ok(LONGEST_HOLD),
        Some(Some(Ok(timeout))) => Ok(timeout.min(LONGEST_HOLD)),
        Some(_) => Err((Code::InvalidArgument, "`timeout` is not a duration such as `1.5s`".to_owned())),
    }
}

/// Returns the body of a request, which must be JSON and have that content type. No body counts as
/// an empty object, as for Google's services.
fn json(request: &Incoming) -> Result<Value, (Code, String)> {
    // Google's own client for Python sends a cancel call without a body, but with a content type.
    if request.body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let is_json = request.header("content-type").is_some_and(|of| of.starts_with("application/json"));
    if !is_json {
        return Err((Code::InvalidArgument, "the content type is not application/json".to_owned()));
    }
    serde_json::from_slice(&request.body).map_err(|e| (Code::InvalidArgument, format!("the body is not JSON: {e}")))
}

/// Returns the query of a list call. Unknown parameters are refused.
fn query(request: &Incoming) -> Result<Query, (Code, String)> {
    let mut query = Query::default();
    for (name, value) in &request.query {
        match name.as_str() {
            "filter" => query.filter.clone_from(value),
            "pageToken" => query.page_token.clone_from(value),
            "pageSize" => {
                query.page_size = value
                    .parse()
                    .map_err(|_| (Code::InvalidArgument, format!("pageSize = `{value}` is not a size")))?;
            }
            "returnPartialSuccess" => {} // no part of this server is ever unreachable
            name => return Err((Code::InvalidArgument, format!("unknown parameter `{name}`"))),
        }
    }
    Ok(query)
}

/// Refuses a query where the call has none but a start id.
fn no_query(request: &Incoming, start_id: Option<StartIdIn>) -> Result<(), (Code, String)> {
    match request.query.iter().find(|(name, _)| !matches!(start_id, Some(StartIdIn::Query(known)) if known == name)) {
        Some((name, _)) => Err((Code::InvalidArgument, format!("unknown parameter `{name}`"))),
        None => Ok(()),
    }
}
