//! The builder of start calls: method, path with its variables, query, headers, body, start id and
//! time limit, checked before anything is sent.

use std::{
    fmt::{self, Display},
    future::IntoFuture,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use serde::Serialize;

use super::{
    Operations, path_template,
    start_id::{self, StartIdIn, StartIdPlace},
};
use crate::{
    dialect::Call,
    error::Result,
    operation::{self, RawOperation},
    text::{excerpt, quoted_name},
    transport::BoxFuture,
};

/// A start call that is being put together: made by [`Operations::call`], sent when it is awaited.
///
/// Every value is encoded for the place where it stands and cannot leave it: a path variable cannot
/// reach another segment, a query value cannot add a parameter, a header value cannot add a header.
/// The methods only store what they are given. What is wrong with it is the error of the awaited
/// call, of kind [`Start`](crate::ErrorKind::Start): it names the argument, what was found and what
/// is legal, and nothing was sent.
///
/// ```
/// use lro_runtime::{Operations, RawOperation, Result, http::Method, long_running};
/// # #[derive(serde::Serialize)]
/// # pub struct Workflow { pub source: String }
/// # #[derive(serde::Deserialize)]
/// # pub struct Deployed;
///
/// pub struct WorkflowClient {
///     operations: Operations,
/// }
///
/// #[long_running(response = Deployed, metadata = ())]
/// impl WorkflowClient {
///     /// `parent` is `projects/…/locations/…`.
///     #[long_running]
///     pub async fn create(&self, parent: &str, id: &str, workflow: &Workflow) -> Result<RawOperation> {
///         let path = "v1/{parent=projects/*/locations/*}/workflows";
///         self.operations.call(Method::POST, path).path("parent", parent).query("workflowId", id).json(workflow).await
///     }
///
///     #[long_running]
///     pub async fn purge(&self, parent: &str, etag: Option<&str>) -> Result<RawOperation> {
///         let path = "v1/{parent=projects/*/locations/*}/workflows";
///         self.operations.call(Method::DELETE, path).path("parent", parent).query_opt("etag", etag).no_body().await
///     }
/// }
/// # use lro_runtime::{block_on, testing::{Script, ScriptedTransport, VirtualClock}};
/// # let transport = ScriptedTransport::new(Script::new().running(1));
/// # let client = WorkflowClient { operations: transport.operations(&VirtualClock::new())? };
/// # let workflow = Workflow { source: String::new() };
/// # block_on(client.create("projects/p/locations/l", "a&b", &workflow))?;
/// # let path = "/v1/projects/p/locations/l/workflows?workflowId=a%26b";
/// # assert_eq!(transport.requests()[0].uri().path_and_query().unwrap(), path);
/// # let error = block_on(client.create("projects/p/locations/..", "w", &workflow)).unwrap_err();
/// # assert!(error.to_string().contains("`parent` is `projects/p/locations/..`"), "{error}");
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing is sent before the call is awaited"]
pub struct StartCall {
    // Boxed: each method of the builder moves it, and so does the future of the call.
    parts: Box<Parts>,
}

/// What a start call is put together of.
#[derive(Clone)]
struct Parts {
    client: Operations,
    call: Call,
    /// Whether the target is a template: that of a whole request is sent as it is.
    is_template: bool,
    variables: Vec<(String, String)>,
    query: Vec<(String, String)>,
    place: Option<StartIdPlace>,
    /// The id that the caller has chosen.
    own_id: Option<String>,
    /// The id that is sent if the caller has chosen none. Made with the call and not when it is
    /// sent, so that it can be written down before.
    fresh_id: Option<Arc<str>>,
    timeout: Option<Duration>,
    mistake: Option<Mistake>,
}

/// Writes a body as JSON: the only part of a start call that depends on the type of the request,
/// and is compiled once for each.
pub(super) type WriteJson<'a> = &'a dyn Fn(&mut Vec<u8>) -> serde_json::Result<()>;

pub(super) fn to_json<T: Serialize + ?Sized>(body: &T) -> impl Fn(&mut Vec<u8>) -> serde_json::Result<()> {
    move |json| serde_json::to_writer(json, body)
}

/// Why a start call cannot be sent.
#[derive(Clone)]
pub(crate) struct Mistake {
    pub(crate) text: String,
    pub(crate) source: Option<Arc<serde_json::Error>>,
}

impl From<String> for Mistake {
    fn from(text: String) -> Self {
        Self { text, source: None }
    }
}

/// Returns what a start call of `method` is called in errors.
pub(super) fn name_of(method: Option<&'static operation::Method>) -> &'static str {
    method.map_or("the start call", operation::Method::name)
}

/// A start call that was checked, with what the client must know to send it.
pub(crate) struct CheckedCall {
    pub(crate) call: Call,
    /// The headers that the caller has set, which dialects repeat on every poll. The start id is
    /// not among them: it belongs to the start call alone.
    pub(crate) by_caller: HeaderMap,
    pub(crate) start_id: Option<Arc<str>>,
    pub(crate) timeout: Duration,
}

impl Operations {
    /// Begins a start call with this HTTP method and `path`, which has variables in braces. It is
    /// sent when it is awaited.
    ///
    /// The path is resolved below the base URL; an absolute URL must be on a trusted origin. Its
    /// syntax is that of
    /// [`google.api.http`](https://github.com/googleapis/googleapis/blob/master/google/api/http.proto),
    /// and with that of the paths in most descriptions of APIs:
    ///
    /// | variable | its value | `a/b c` becomes |
    /// |---|---|---|
    /// | `{name}` | one segment, or a part of one | `a%2Fb%20c` |
    /// | `{name=projects/*/locations/*}` | segments that match, each `*` being one | an error |
    /// | `{name=**}`, also `{+name}` and `{name+}` | one or more segments | `a/b%20c` |
    ///
    /// Any HTTP method can start an operation, `DELETE` included. A `GET` is a start call as well:
    /// that of a [waiter](crate::dialect::Waiter) whose service needs no other.
    ///
    /// The call learns from the task that awaits it which annotated method it starts an operation
    /// of, and with that the method's dialect and options. So await it in the body of the method: a
    /// body that hands it to another task (`spawn(call.into_future())`) sends it with the client's
    /// dialect and without options.
    ///
    /// ```no_run
    /// use lro_runtime::http::Method;
    ///
    /// # async fn start(operations: lro_runtime::Operations) -> lro_runtime::Result<()> {
    /// let path = "subscriptions/{subscription}/resourceGroups/{group}";
    /// let call = operations.call(Method::DELETE, path).path("subscription", "0-0-0").path("group", "a b");
    /// let operation = call.query("api-version", "2024-03-01").no_body().await?;
    /// # Ok(()) }
    /// ```
    pub fn call(&self, method: Method, path: impl AsRef<str>) -> StartCall {
        StartCall::new(self, Call::new(method, path.as_ref()), true)
    }
}

impl StartCall {
    /// Makes a start call of `call`, whose target is a template or is sent as it is.
    pub(crate) fn new(client: &Operations, call: Call, is_template: bool) -> Self {
        let place = client.inner.start_policy.place.clone();
        let parts = Parts {
            client: client.clone(),
            call,
            is_template,
            variables: vec![],
            query: vec![],
            fresh_id: place.is_some().then(|| start_id::fresh().into()),
            place,
            own_id: None,
            timeout: None,
            mistake: None,
        };
        Self { parts: Box::new(parts) }
    }

    /// Sets the value of the path variable `name`. Each variable has exactly one value.
    ///
    /// A value is percent-encoded but for letters, digits and `-._~`. It must not be empty, and
    /// must not have a segment `.` or `..`: encoding these does not help, because servers decode
    /// them again. The value of a variable with a pattern must match it.
    pub fn path(mut self, name: impl AsRef<str>, value: impl Display) -> Self {
        self.parts.variables.push((name.as_ref().to_owned(), value.to_string()));
        self
    }

    /// Adds a query parameter. A parameter that is added more than once is sent more than once.
    ///
    /// It is of this call alone, and a [token leaves it out](crate::Token::left_out) unless it is
    /// known to be harmless. A key that the service wants on every request is the client's:
    /// [`OperationsBuilder::query`](crate::OperationsBuilder::query).
    pub fn query(mut self, name: impl AsRef<str>, value: impl Display) -> Self {
        self.parts.query.push((name.as_ref().to_owned(), value.to_string()));
        self
    }

    /// Adds a query parameter if it has a value.
    pub fn query_opt(self, name: impl AsRef<str>, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a query parameter for each of these values.
    pub fn query_each<T: Display>(self, name: impl AsRef<str>, values: impl IntoIterator<Item = T>) -> Self {
        values.into_iter().fold(self, |call, value| call.query(name.as_ref(), value))
    }

    /// Sets a header of this call. It replaces the client's header of the same name, and one that
    /// this call has already.
    ///
    /// Dialects that poll with the caller's headers repeat it on every poll, unless it describes
    /// the start call itself, such as `If-Match`.
    pub fn header(mut self, name: impl AsRef<str>, value: impl Display) -> Self {
        let name = name.as_ref();
        match header(name, &value.to_string()) {
            Ok((name, value)) => {
                self.parts.call.headers.insert(name, value);
                self
            }
            Err(why) => self.mistaken(why.into()),
        }
    }

    /// Sets a header of this call if it has a value.
    pub fn header_opt(self, name: impl AsRef<str>, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// Sets a body: `body` as JSON, with `Content-Type: application/json` unless this call has a
    /// content type already, such as that of a merge patch.
    ///
    /// What serializes as `null`, such as `()` and `None`, is no body.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.json_by(&to_json(body))
    }

    // Not inlined: its callers are compiled once per type of request.
    #[inline(never)]
    pub(super) fn json_by(mut self, write: WriteJson<'_>) -> Self {
        let mut body = Vec::new();
        match write(&mut body) {
            Ok(()) if body == b"null" => self.no_body(),
            Ok(()) => {
                let content_type = self.parts.call.headers.entry(CONTENT_TYPE);
                content_type.or_insert(HeaderValue::from_static("application/json"));
                self.parts.call.body = body.into();
                self
            }
            Err(error) => {
                let text = format!("the request does not serialize: {error}");
                self.mistaken(Mistake { text, source: Some(Arc::new(error)) })
            }
        }
    }

    /// Sets a body of any content type.
    pub fn bytes(mut self, content_type: impl AsRef<str>, body: impl Into<Bytes>) -> Self {
        self.parts.call.body = body.into();
        self.header(CONTENT_TYPE, content_type.as_ref())
    }

    /// Sends no body, and no content type. This is the default; saying so shows that none was
    /// forgotten.
    pub fn no_body(mut self) -> Self {
        self.parts.call.headers.remove(CONTENT_TYPE);
        self.parts.call.body = Bytes::new();
        self
    }

    /// Sets where this call has its start id. Default: the client's
    /// ([`start_id_in`](crate::OperationsBuilder::start_id_in)), which may be none.
    pub fn start_id_in(mut self, place: StartIdIn) -> Self {
        match StartIdPlace::of(place) {
            Ok(place) => {
                self.parts.place = Some(place);
                self.parts.fresh_id.get_or_insert_with(|| start_id::fresh().into());
                self
            }
            Err(why) => self.mistaken(format!("start_id_in: {why}").into()),
        }
    }

    /// Sets the start id. Default: a fresh random one (a version 4 UUID), if the call has a place
    /// for it.
    ///
    /// A start that may have happened is repeated with the id that it had: a service that remembers
    /// the id starts no second operation.
    pub fn with_start_id(mut self, id: impl Into<String>) -> Self {
        self.parts.own_id = Some(id.into());
        self
    }

    /// Returns the start id that this call will be sent with, for writing down what is about to be
    /// started; `None` if it has no place for one.
    ///
    /// It is the same for every attempt and for every clone of this call, and the operation has it
    /// as well ([`RawOperation::start_id`]).
    ///
    /// ```
    /// use lro_runtime::{Operations, StartIdIn, http::Method};
    ///
    /// let operations = Operations::builder("https://images.example.com").build()?;
    /// let call = operations.call(Method::POST, "v1/images:export").start_id_in(StartIdIn::Query("requestId"));
    /// let id = call.start_id().unwrap_or_default();                   // store this, then await `call`
    ///
    /// // After a crash: the same call with the same id.
    /// let again = operations.call(Method::POST, "v1/images:export").start_id_in(StartIdIn::Query("requestId"));
    /// assert_eq!(again.with_start_id(&id).start_id(), Some(id));
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    #[must_use]
    pub fn start_id(&self) -> Option<String> {
        let place = self.parts.place.as_ref()?;
        let mut call = self.parts.call.clone();
        push_query(&mut call.target, &self.parts.query);
        place
            .found_in(&call)
            .or_else(|| self.parts.own_id.clone())
            .or_else(|| self.parts.fresh_id.as_deref().map(str::to_owned))
    }

    /// Sets the time limit of one attempt at this call, the reply's body included. Default: the
    /// client's ([`start_timeout`](crate::OperationsBuilder::start_timeout)).
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.parts.timeout = Some(timeout);
        self
    }

    /// Notes what is wrong with this call. The first mistake is reported.
    fn mistaken(mut self, mistake: Mistake) -> Self {
        self.parts.mistake.get_or_insert(mistake);
        self
    }

    /// Returns a header that the call has already.
    #[cfg(feature = "grpc")]
    pub(crate) fn header_value(&self, name: &str) -> Option<&str> {
        self.parts.call.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns the client that the call is made with.
    pub(crate) fn client(&self) -> &Operations {
        &self.parts.client
    }

    /// Checks the whole call. No I/O.
    pub(crate) fn check(self) -> Result<CheckedCall, Mistake> {
        let parts = *self.parts;
        if let Some(mistake) = parts.mistake {
            return Err(mistake);
        }
        let mut call = parts.call;
        if parts.is_template {
            call.target = path_template::fill(&call.target, &parts.variables)?;
        } else {
            path_template::check(&call.target)?;
        }
        push_query(&mut call.target, &parts.query);
        let timeout = parts.timeout.unwrap_or(parts.client.inner.start_policy.timeout);
        if timeout.is_zero() {
            return Err("start_timeout = 0s: expected more than zero".to_owned().into());
        }
        let mut by_caller = call.headers.clone();
        let start_id = match (&parts.place, &parts.own_id) {
            (None, None) => None,
            (None, Some(id)) => {
                return Err(format!(
                    "the start id `{}` has no place in the request: say where it goes with `start_id_in`",
                    excerpt(id.as_bytes())
                )
                .into());
            }
            (Some(place), own) => {
                let id = identify(place, own.as_deref(), parts.fresh_id, &mut call)?;
                place.date(parts.client.timer().system_time(), &mut call);
                // On a poll the id would name the wrong request, also where the caller has put it
                // into its header.
                if let StartIdPlace::Header(name) = place {
                    by_caller.remove(name);
                }
                Some(id)
            }
        };
        Ok(CheckedCall { call, by_caller, start_id, timeout })
    }
}

/// Puts the start id into `call`, unless the caller has done so, and returns it.
fn identify(
    place: &StartIdPlace,
    own: Option<&str>,
    fresh: Option<Arc<str>>,
    call: &mut Call,
) -> Result<Arc<str>, String> {
    match (place.found_in(call), own) {
        (Some(found), Some(own)) if found != own => Err(format!(
            "the call has the start id `{}`, and `with_start_id` gives `{}`: expected one of them",
            excerpt(found.as_bytes()),
            excerpt(own.as_bytes())
        )),
        (Some(found), _) => Ok(found.into()),
        (None, Some("")) => Err("the start id is empty: expected at least one character".to_owned()),
        (None, own) => {
            let id = own.map(Arc::from).or(fresh).unwrap_or_else(|| start_id::fresh().into());
            place.put(&id, call)?;
            Ok(id)
        }
    }
}

/// Appends query parameters to a target.
fn push_query(target: &mut String, query: &[(String, String)]) {
    for (name, value) in query {
        path_template::push_parameter(target, name, value);
    }
}

/// Reads a header of a caller: one rule for the headers of a client and of a call. A value may have
/// any characters but control characters, as in [RFC 9110,
/// 5.5](https://www.rfc-editor.org/rfc/rfc9110#section-5.5); text that is not ASCII is sent as
/// UTF-8. The error does not show the value, which may be secret.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let legal: HeaderName =
        name.parse().map_err(|_| format!("the header `{}`: not a header name", excerpt(name.as_bytes())))?;
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| format!("the header `{legal}`: the value has control characters"))?;
    Ok((legal, value))
}

impl IntoFuture for StartCall {
    type Output = Result<RawOperation>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// Checks the call, sends it, and makes the operation of its reply.
    ///
    /// # Errors
    ///
    /// As [`Operations::start`], and of kind [`Start`](crate::ErrorKind::Start) when an argument is
    /// not legal in its place. Nothing was sent then.
    fn into_future(self) -> Self::IntoFuture {
        self.client().clone().start_call(self)
    }
}

// Values may be secret: only the template is shown.
impl fmt::Debug for StartCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartCall")
            .field("method", &self.parts.call.method)
            .field("path", &quoted_name(&self.parts.call.target))
            .finish_non_exhaustive()
    }
}
