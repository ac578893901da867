//! The dialect of waiters: one call, repeated, and ordered acceptors that say what its replies
//! mean.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::value::RawValue;

use super::{
    Coverage, Dialect, ListPage, Options, error_reply, expect_success,
    location::{body_of, repeated_headers, without_mark},
};
use crate::{
    dialect::{Call, Cursor, Encoding, Observation, Part, encode_name},
    hint::Hint,
    message::{Reply, Request},
    settings::Verdict,
    status::{Cause, Failure, State, Status},
    text::{excerpt, reason},
};

mod acceptor;
mod named;
mod path;

pub use self::acceptor::{Acceptor, Comparator, Matcher, Meaning};
use self::path::Path;

/// A waiter ([Smithy](https://smithy.io/2.0/additional-specs/waiters.html)): a call that is
/// repeated until ordered acceptors find success or failure in a reply. It is for services without
/// operations, whose resources reach a state or disappear.
///
/// The first acceptor that matches a reply decides: success, failure, or poll again. Errors are
/// matched like any other reply: `NotFound` means success when waiting for a deletion. Where no
/// acceptor matches:
///
/// - a 2xx reply means poll again,
/// - an error that every dialect retries (`408`, `429`, `500`, `502`, `503`, `504`) is a failed
///   poll,
/// - any other error is failure.
///
/// A waiter is a constant:
///
/// ```
/// use lro_runtime::dialect::{Acceptor, Waiter};
///
/// const RUNNING: Waiter = Waiter::get("v1/instances/{name}").name_at("instance.id").acceptors(&[
///     Acceptor::success_when("state", "running"),
///     Acceptor::failure_when("state", "terminated"),
///     Acceptor::retry_on_error("NotFound"),                       // not on this replica yet
/// ]);
/// const DELETED: Waiter = Waiter::start_url().acceptors(&[Acceptor::success_on_error("NotFound")]);
/// # let _ = (RUNNING, DELETED);
/// ```
///
/// An SDK author declares a waiter on the method, with the key `waiter` of
/// [`long_running`](macro@crate::long_running) and the acceptors in the order in which they are
/// tried. The key `dialect` takes a constant instead:
///
/// ```
/// use lro_runtime::{Operations, PollSettings, RawOperation, Result, block_on, http::Method, long_running};
/// # use lro_runtime::dialect::{Acceptor, Waiter};
/// # const DELETED: Waiter = Waiter::start_url().acceptors(&[Acceptor::success_on_error("NotFound")]);
///
/// #[derive(serde::Deserialize)]
/// pub struct Instance {
///     pub id: String,
/// }
///
/// pub struct InstanceClient {
///     operations: Operations,
/// }
///
/// #[long_running]
/// impl InstanceClient {
///     #[long_running(
///         response = Instance,
///         metadata = (),
///         waiter(
///             get = "v1/instances/{name}",
///             name_at = "instance.id",
///             response_at = "instance",
///             success(output = "instance.state", is = "running"),
///             failure(output = "instance.state", is = "terminated"),
///             failure(output = "disks[].state", any = "lost"),
///             retry(error = "NotFound"),                          // not on this replica yet
///         ),
///     )]
///     pub async fn create(&self) -> Result<RawOperation> {
///         self.operations.post("v1/instances", &()).await
///     }
///
///     #[long_running(response = (), metadata = (), dialect = DELETED)]
///     pub async fn delete(&self, id: &str) -> Result<RawOperation> {
///         self.operations.call(Method::DELETE, "v1/instances/{id}").path("id", id).no_body().await
///     }
/// }
/// # use lro_runtime::testing::{Script, ScriptedTransport, VirtualClock};
/// # let transport = ScriptedTransport::new(
/// #     Script::new()
/// #         .json(serde_json::json!({"instance": {"id": "i-7"}}))
/// #         .http(404, "")
/// #         .json(serde_json::json!({"instance": {"id": "i-7", "state": "running"}}))
/// #         .http(200, "")
/// #         .http(404, ""),
/// # );
/// # let client = InstanceClient { operations: transport.operations(&VirtualClock::new())? };
/// # block_on(async {
/// let created = client.create().await?.poll_until_completed(PollSettings::default()).await?.into_result()?;
/// assert_eq!(created.id, "i-7");
/// client.delete("i-7").await?.poll_until_completed(PollSettings::default()).await?.into_result()?;
///
/// // Who knows the name waits without a start call.
/// let resumed = client.resume_create("i-7")?;
/// # drop(resumed);
/// # Ok::<(), lro_runtime::Error>(())
/// # })?;
/// # transport.assert_finished();
/// # Ok::<(), lro_runtime::Error>(())
/// ```
///
/// Paths are the part of [JMESPath](https://jmespath.org/specification.html) that waiters use:
/// `a.b`, `"odd name"`, `list[0]`, `list[*].state` (of every element), `list[].state` (of every
/// element, and of those of the lists among them), `length(list)`,
/// `` count > `3` ``, `==`, `!=`, `<`, `<=`, `>=`.
///
/// Acceptors are not applied to the reply of the start call, which may be of any form: the
/// operation is pending until the first poll. What a snapshot shows:
///
/// - The name is what [`name_at`](Self::name_at) finds in the reply of the start call. It replaces
///   `{name}` in the path and in the body. A reply in which nothing is found is an error only where
///   a poll needs the name.
/// - The metadata is the latest output, which is the body of a 2xx reply.
/// - The response is the output that succeeded, or the part of it at
///   [`response_at`](Self::response_at).
/// - The token has the URL of the start call, if that is polled, with the query that the caller
///   wrote: it is what the wait is about, as in `?clusterName=a`. Only parameters that are known
///   secrets are [left out](crate::Token::left_out). A key belongs on the client:
///   [`OperationsBuilder::query`](crate::OperationsBuilder::query).
/// - The raw status is the string that the path of the first output acceptor finds, the different
///   strings of a list that it finds (`ready, starting`), or the type of an error.
#[derive(Clone, Copy, Debug)]
pub struct Waiter {
    post: bool,
    path: Option<&'static str>,
    body: Option<&'static str>,
    headers: &'static [(&'static str, &'static str)],
    name_at: Option<&'static str>,
    response_at: Option<&'static str>,
    acceptors: &'static [Acceptor],
    named: Option<Elements>,
}

/// Where the output of a call that takes several names has what it says of each.
#[derive(Clone, Copy, Debug)]
struct Elements {
    /// The path of the elements, such as `tasks[]`.
    at: &'static str,
    /// The path of the name in an element.
    id: &'static str,
    /// How many names one call takes at most.
    most: u32,
}

/// The placeholder for the operation's name; also the name of the cursor's part that holds it, for
/// a waiter whose key is a URL.
const NAME: &str = "{name}";

impl Waiter {
    /// Creates a waiter that polls with `GET` at this path below the base URL, in which `{name}`
    /// stands for the operation's name.
    #[must_use]
    pub const fn get(path: &'static str) -> Self {
        Self {
            post: false,
            path: Some(path),
            body: None,
            headers: &[],
            name_at: None,
            response_at: None,
            acceptors: &[],
            named: None,
        }
    }

    /// Creates a waiter that polls with `POST` and this JSON body. `{name}` stands for the
    /// operation's name in the path and in the body.
    #[must_use]
    pub const fn post(path: &'static str, body: &'static str) -> Self {
        Self { post: true, body: Some(body), ..Self::get(path) }
    }

    /// Creates a waiter that polls with `GET` at the URL of the start call: after a `PUT` until the
    /// resource is ready, after a `DELETE` until it is gone.
    #[must_use]
    pub const fn start_url() -> Self {
        Self { path: None, ..Self::get("") }
    }

    /// Sets the acceptors, which are tried in this order. Default: none, so that no 2xx reply ends
    /// the wait.
    #[must_use]
    pub const fn acceptors(mut self, acceptors: &'static [Acceptor]) -> Self {
        self.acceptors = acceptors;
        self
    }

    /// Sets headers that are sent with every poll. Default: none. They replace headers of the same
    /// name that the start call had.
    #[must_use]
    pub const fn headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the path at which the reply of the start call has the operation's name. Default: none,
    /// for polls without `{name}`.
    #[must_use]
    pub const fn name_at(mut self, path: &'static str) -> Self {
        self.name_at = Some(path);
        self
    }

    /// Sets the path at which the output that succeeded has the response. Default: the whole output
    /// is the response.
    #[must_use]
    pub const fn response_at(mut self, path: &'static str) -> Self {
        self.response_at = Some(path);
        self
    }

    /// Fails if one of the declared paths cannot be parsed. A `const fn` cannot parse them, so that
    /// a hand-written constant is checked here, before anything is sent.
    fn check(&self) -> Result<(), Failure> {
        let declared = self.acceptors.iter().filter_map(Acceptor::path).chain(self.name_at).chain(self.response_at);
        let mut declared = declared.chain(self.named.into_iter().flat_map(|named| [named.at, named.id]));
        declared.try_for_each(|path| Path::parse(path).map(drop))
    }

    /// Whether the polls have the operation's name.
    fn polls_by_name(&self) -> bool {
        [self.path, self.body].into_iter().flatten().any(|template| template.contains(NAME))
    }

    /// Finds the operation's name in the output of the start call. Returns `None` if no path is
    /// declared.
    fn name(&self, output: Option<&RawValue>) -> Result<Option<String>, Failure> {
        let Some(path) = self.name_at else { return Ok(None) };
        let parsed = Path::parse(path)?;
        let found = parsed.find(output);
        // An id that is a number is a name as well.
        let name = found.string().filter(|name| !name.is_empty()).or_else(|| found.number_text());
        match name {
            Some(name) => Ok(Some(name.into_owned())),
            None => Err(Failure::protocol(format!(
                "the reply does not name the operation: `{path}` is `{}`",
                excerpt(found.into_json().as_bytes())
            ))),
        }
    }

    /// Reads the output of a 2xx reply.
    fn observe<'a>(&self, output: Option<&'a RawValue>, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        let mut seen = self.judge(output)?;
        if seen.state == State::Succeeded {
            seen.response = self.response(output, reply)?;
        }
        seen.metadata = body_of(reply);
        Ok(seen)
    }

    /// Returns what the acceptors make of an output.
    fn judge(&self, output: Option<&RawValue>) -> Result<Observation<'static>, Failure> {
        let decided = acceptor::decide(self.acceptors, &acceptor::Outcome::Output(output))?;
        let mut seen = Observation::new(decided.map_or(State::Running, |acceptor| acceptor.meaning().state()));
        let word = acceptor::status_word(self.acceptors, output)?;
        // A reply without a word has no unknown word.
        seen.is_known_status = decided.is_some() || word.as_ref().is_none_or(|word| word.is_known_list);
        seen.raw_status = word.map(|word| Cow::Owned(word.word));
        if seen.state == State::Failed {
            seen.status = Some(acceptor::failure(decided.and_then(|acceptor| acceptor.word())));
        }
        Ok(seen)
    }

    /// Makes the call to this path and with this body, for the operation at this cursor.
    fn call(&self, path: String, body: Option<String>, cursor: &Cursor) -> Result<Call, Failure> {
        let call = if self.post { Call::new(Method::POST, path) } else { Call::get(path) };
        let call = body.into_iter().fold(call, Call::with_json);
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            let illegal = || Failure::unsupported(format!("the declared header `{name}` has an illegal name or value"));
            headers.insert(
                HeaderName::try_from(*name).map_err(|_| illegal())?,
                HeaderValue::from_str(value).map_err(|_| illegal())?,
            );
        }
        // Declared headers last: they replace those of the start call, whose `x-amz-target` names
        // another method.
        Ok(call.with_headers(cursor.headers()).with_headers(headers))
    }

    /// Returns the response in an output that succeeded. What is a value of the output is borrowed;
    /// a list that the path puts together is written anew.
    fn response<'a>(&self, output: Option<&'a RawValue>, reply: &'a Reply) -> Result<Option<Part<'a>>, Failure> {
        let Some(path) = self.response_at else { return Ok(body_of(reply)) };
        let path = Path::parse(path)?;
        let bytes = match path.find(output).into_json() {
            Cow::Borrowed(json) => Cow::Borrowed(json.as_bytes()),
            Cow::Owned(json) => Cow::Owned(json.into_bytes()),
        };
        Ok(Some(Part { bytes, encoding: Encoding::Json }))
    }
}

impl Dialect for Waiter {
    fn id(&self) -> &'static str {
        "waiter"
    }

    fn prepare_start(&self, _request: &mut Request, _options: &Options) -> Result<(), Failure> {
        self.check()
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        _options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        // The body is parsed only for the name: without one, the reply need not be JSON.
        let name =
            if self.name_at.is_some() { output_of(reply).and_then(|output| self.name(output)) } else { Ok(None) };
        let name = match name {
            // The service has accepted the start, and the polls are known without a name.
            Err(_) if !self.polls_by_name() => None,
            name => name?,
        };
        let cursor = match (self.path, name) {
            // A name that would leave its collection fails the polls: the work has begun. A path
            // without `{name}` needs no key.
            (Some(_), name) => name.map_or_else(Cursor::default, Cursor::new),
            (None, name) => {
                // Not marked as the caller's: its query is what the wait is about.
                let cursor = Cursor::new(request.uri().to_string());
                name.into_iter().fold(cursor, |cursor, name| cursor.with(NAME, name))
            }
        };
        let mut seen = Observation::new(State::Pending);
        seen.name = cursor.part(NAME).map(|name| Cow::Owned(name.to_owned()));
        seen.hint = Hint::from_headers(reply.headers());
        seen.cursor = Some(cursor.with_headers(repeated_headers(request)));
        Ok(seen)
    }

    fn locate(&self, name: &str, _options: &Options) -> Result<Cursor, Failure> {
        self.check()?;
        if self.path.is_some() { checked(name).map(Cursor::new) } else { Ok(Cursor::new(name)) }
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        let target = match self.path {
            // An empty key is the cursor of a waiter without a name. A name is never empty:
            // `encode_name` refuses it.
            Some(path) if cursor.key().is_empty() => path.to_owned(),
            Some(path) => path.replace(NAME, &encode_name(cursor.key())?),
            None => cursor.key().to_owned(),
        };
        let name = cursor.part(NAME).unwrap_or_else(|| cursor.key());
        self.call(target, self.body.map(|body| body.replace(NAME, &in_json(name))), cursor)
    }

    fn read<'a>(&self, _cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        let mut seen = if reply.status().is_success() {
            self.observe(output_of(reply)?, reply)?
        } else {
            self.observe_error(reply)?
        };
        seen.hint = seen.hint.or_else(|| Hint::from_headers(reply.headers()));
        Ok(seen)
    }

    fn coverage(&self, cursor: &Cursor, _options: &'static Options) -> Option<Coverage> {
        self.named_coverage(cursor)
    }

    fn poll_named(&self, cursors: &[&Cursor]) -> Result<Call, Failure> {
        self.poll_several(cursors)
    }

    fn read_named<'a>(&self, cursors: &[&Cursor], reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        self.read_several(cursors, reply)
    }
}

impl Waiter {
    /// Reads an error reply.
    fn observe_error<'a>(&self, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        let words = acceptor::error_words(reply);
        let failure = in_its_words(error_reply(reply), &words);
        let decided = acceptor::decide(self.acceptors, &acceptor::Outcome::Error(&words.types))?;
        // Smithy calls every unmatched error a failure. An outage or a throttle says nothing of the
        // resource, so that it spends the error budget instead.
        if decided.is_none() && failure.verdict() == Verdict::Retry {
            return Err(failure);
        }
        let mut seen = Observation::new(decided.map_or(State::Failed, |acceptor| acceptor.meaning().state()));
        seen.hint = failure.hint();
        seen.raw_status = words.types.into_iter().next().map(Cow::Owned);
        seen.is_known_status = decided.is_some();
        if seen.state == State::Failed {
            seen.status = failure.status().cloned();
        }
        Ok(seen)
    }
}

/// Returns the failure of an error reply with the service's own word as its reason, whichever
/// protocol the service speaks. A failure that has a reason is in its own words already.
fn in_its_words(failure: Failure, words: &acceptor::ErrorWords) -> Failure {
    let (Cause::Http(http, status), Some(reason)) = (failure.cause(), &words.reason) else { return failure };
    if status.reason().is_some() {
        return failure;
    }
    let message = words.message.as_deref().unwrap_or(status.message());
    let status = Status::new(status.code(), message)
        .with_details(status.details().to_vec())
        .with_reason(reason)
        .with_http_status(http.as_u16());
    Failure::new(Cause::Http(*http, status)).with_hint(failure.hint())
}

/// Fails if `name` cannot be put into a path.
fn checked(name: &str) -> Result<&str, Failure> {
    encode_name(name).map(|_| name)
}

/// Returns the output as the text of one JSON value; `None` if the body is empty.
fn output_of(reply: &Reply) -> Result<Option<&RawValue>, Failure> {
    let body = without_mark(reply.body());
    if body.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(body).map(Some).map_err(|error| {
        Failure::protocol(format!("the output is not JSON: {}; found `{}`", reason(&error), excerpt(reply.body())))
    })
}

/// Escapes a name for a place between the quotes of a JSON string.
fn in_json(name: &str) -> String {
    let quoted = serde_json::Value::from(name).to_string();
    quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
}
