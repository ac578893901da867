//! The client: where operations are started and looked at.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method as HttpMethod, Uri};
use serde::Serialize;

use crate::{
    dialect::{Call, CallerHeaders, Cursor, Dialect, Observation},
    error::{Error, ErrorKind, Result},
    operation::{
        Method, RawOperation, Resume,
        snapshot::{Look, Next, Replied, Snapshot, Started},
    },
    settings::PollSettings,
    status::{Cause, Failure},
    timer::Timer,
    transport::{BoxFuture, Reply, Request, Transport},
    url::{Origin, redacted, resolve},
};

mod adopt;
mod blocking_operations;
mod builder;
mod cookies;
mod credentials;
pub(crate) mod current_method;
mod list;
mod start_policy;

pub use self::{
    blocking_operations::BlockingOperations,
    builder::OperationsBuilder,
    credentials::{Credentials, CredentialsError, bearer},
    list::{BlockingList, ListOperations},
};
use self::{cookies::Cookies, start_policy::Starts};

/// How long a start call may take. Longer than a poll: the service does something.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A client of one service: starts operations and gives access to them by name.
///
/// An SDK's client holds one; its annotated methods start operations with it, and its users may use it directly: the calls of the
/// [Operations service](https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto) stand on it. Cheap to clone.
///
/// ```
/// use lro_runtime::{Operations, PollSettings};
///
/// let operations = Operations::builder("https://images.example.com")
///     .header("x-goog-user-project", "my-project")
///     .poll_settings(PollSettings::interactive())
///     .build()?;
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone)]
pub struct Operations {
    inner: Arc<Inner>,
}

struct Inner {
    base: Uri,
    dialect: Arc<dyn Dialect>,
    transport: Arc<dyn Transport>,
    timer: Arc<dyn Timer>,
    headers: HeaderMap,
    credentials: Option<Arc<dyn Credentials>>,
    settings: PollSettings,
    origins: Vec<Origin>,
    max_body: usize,
    starts: Starts,
    cookies: Option<Cookies>,
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = redacted(&self.inner.base.to_string());
        f.debug_struct("Operations")
            .field("base", &base)
            .field("dialect", &self.inner.dialect.id())
            .finish_non_exhaustive()
    }
}

impl Operations {
    /// A client for the service at `base_url`, such as `https://images.example.com` or `http://localhost:8080/prefix`.
    pub fn builder(base_url: impl Into<String>) -> OperationsBuilder {
        OperationsBuilder::new(base_url.into())
    }

    /// Starts an operation with any request. A path is below the base URL; an absolute URL must be of a trusted origin. A start call may take up to
    /// two minutes, its body included; what an answer that came too late has started is not known here.
    ///
    /// # Errors
    ///
    /// Of kind [`Start`](crate::ErrorKind::Start) when the call failed, [`Protocol`](crate::ErrorKind::Protocol) when its reply is not of the dialect,
    /// [`UntrustedUrl`](crate::ErrorKind::UntrustedUrl) when the reply leads elsewhere.
    pub fn start<B: Into<Bytes>>(&self, request: http::Request<B>) -> BoxFuture<'static, Result<RawOperation>> {
        let (parts, body) = request.into_parts();
        let call =
            Call { method: parts.method, target: parts.uri.to_string(), headers: parts.headers, body: body.into() };
        self.start_call(Ok(call))
    }

    /// Starts an operation by `POST` of `body` as JSON to `path` below the base URL.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and of kind `Start` when `body` does not serialize.
    pub fn post<T: Serialize + ?Sized>(
        &self,
        path: impl AsRef<str>,
        body: &T,
    ) -> BoxFuture<'static, Result<RawOperation>> {
        self.start_call(json_call(HttpMethod::POST, path.as_ref(), body))
    }

    /// Starts an operation by `PUT` of `body` as JSON to `path` below the base URL.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post).
    pub fn put<T: Serialize + ?Sized>(
        &self,
        path: impl AsRef<str>,
        body: &T,
    ) -> BoxFuture<'static, Result<RawOperation>> {
        self.start_call(json_call(HttpMethod::PUT, path.as_ref(), body))
    }

    /// Starts an operation by `PATCH` of `body` as JSON to `path` below the base URL.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post).
    pub fn patch<T: Serialize + ?Sized>(
        &self,
        path: impl AsRef<str>,
        body: &T,
    ) -> BoxFuture<'static, Result<RawOperation>> {
        self.start_call(json_call(HttpMethod::PATCH, path.as_ref(), body))
    }

    /// Looks at the operation `name` once.
    ///
    /// # Errors
    ///
    /// Of kind [`Poll`](crate::ErrorKind::Poll) when the call failed, [`Protocol`](crate::ErrorKind::Protocol) when its reply is not of the dialect.
    pub async fn get(&self, name: &str) -> Result<RawOperation> {
        self.resume(name)?.poll_once().await
    }

    /// Asks for the cancellation of the operation `name`. Best effort: look at the operation to learn what came of it.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](crate::ErrorKind::Unsupported) where the dialect or the service has no such call, else of kind `Poll`.
    pub async fn cancel(&self, name: &str) -> Result<()> {
        self.resume(name)?.cancel().await
    }

    /// Tells the service that nobody is interested in the operation `name` any more. It does not cancel it.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.resume(name)?.delete().await
    }

    /// Looks at the operation `name`, for which the server may take up to `timeout` if the operation is not done before. Best effort: the
    /// snapshot may be of a running operation.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    pub async fn wait(&self, name: &str, timeout: Duration) -> Result<RawOperation> {
        self.resume(name)?.wait(timeout).await
    }

    /// An operation that was started before, from its name or a token. No I/O.
    ///
    /// # Errors
    ///
    /// Of kind [`InvalidToken`](crate::ErrorKind::InvalidToken) when it cannot be resumed from, [`UntrustedUrl`](crate::ErrorKind::UntrustedUrl) when it leads
    /// to a place that is not trusted.
    pub fn resume(&self, from: impl Into<Resume>) -> Result<RawOperation> {
        from.into().resume(self, None)
    }

    pub(crate) fn base(&self) -> &Uri {
        &self.inner.base
    }

    pub(crate) fn settings(&self) -> &PollSettings {
        &self.inner.settings
    }

    pub(crate) fn timer(&self) -> &Arc<dyn Timer> {
        &self.inner.timer
    }

    pub(crate) fn dialect(&self) -> &Arc<dyn Dialect> {
        &self.inner.dialect
    }

    pub(crate) fn start_call(&self, call: Result<Call>) -> BoxFuture<'static, Result<RawOperation>> {
        let client = self.clone();
        Box::pin(async move {
            let method = current_method::current();
            let name = method.map_or("the start call", |method| method.name());
            let call = call?;
            client
                .start_erased(call, method)
                .await
                .map_err(|failure| Error::from_failure(ErrorKind::Start, format!("{name} failed"), failure))
        })
    }

    async fn start_erased(&self, call: Call, method: Option<&'static crate::Method>) -> Result<RawOperation, Failure> {
        let dialect =
            method.and_then(|method| method.dialect).map_or_else(|| Arc::clone(self.dialect()), |dialect| dialect());
        let options = method.map_or(&[] as &[_], |method| method.options);
        let by_caller = CallerHeaders(call.headers.clone());
        let mut request = self.request(call)?;
        request.extensions_mut().insert(by_caller);
        dialect.prepare_start(&mut request, options)?;
        self.inner.starts.identify(&mut request);
        let mut failed = 0;
        loop {
            match self.start_once(Arc::clone(&dialect), &request, method).await {
                Err(failure) if self.inner.starts.try_again(failed, &failure) => {
                    failed += 1;
                    let Ok(schedule) = self.settings().clone().resolve() else { return Err(failure) };
                    let timer = self.timer();
                    timer.sleep(start_policy::pause(failed, &failure, &schedule, &**timer)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn start_once(
        &self,
        dialect: Arc<dyn Dialect>,
        request: &Request,
        method: Option<&'static Method>,
    ) -> Result<RawOperation, Failure> {
        let timer = self.timer();
        let started = Started { at: timer.now(), system: timer.system_time() };
        let reply = self.exchange(request, START_TIMEOUT, &**timer).await?;
        let now = timer.now();
        let replied = Replied { at: now, round_trip: now.saturating_duration_since(started.at), to_start: true };
        let seen = dialect.read_start(request, &reply, method.map_or(&[], |method| method.options))?;
        let next = self.first(dialect, seen, reply.body(), method, Some(started), replied)?;
        Ok(RawOperation::new(next.with_body(|| reply.into_body()), self.clone(), method))
    }

    /// The first snapshot of an operation: what was `seen` of it.
    pub(crate) fn first(
        &self,
        dialect: Arc<dyn Dialect>,
        mut seen: Observation<'_>,
        body: &[u8],
        method: Option<&Method>,
        started: Option<Started>,
        replied: Replied,
    ) -> Result<Next, Failure> {
        let look = seen.cursor.take().map(|cursor| self.look(dialect, cursor)).transpose()?;
        let named = seen.name.as_deref().filter(|name| !name.is_empty());
        let name = named.or(look.as_ref().map(|look| look.cursor.key())).unwrap_or_default().to_owned();
        Ok(Snapshot::unseen(&name, look, started).after(seen, body, method, replied))
    }

    /// The request that looks at `cursor`.
    pub(crate) fn look(&self, dialect: Arc<dyn Dialect>, cursor: Cursor) -> Result<Look, Failure> {
        let request = self.request(dialect.poll(&cursor)?)?;
        Ok(Look { dialect, cursor, request })
    }

    /// `call` with everything the client adds, if it goes to a trusted origin.
    pub(crate) fn request(&self, call: Call) -> Result<Request, Failure> {
        let inner = &*self.inner;
        let uri = if is_absolute(&call.target) {
            let uri = resolve(&inner.base, &call.target)?;
            self.check_origin(&uri)?;
            uri
        } else {
            let base = inner.base.path().trim_end_matches('/');
            resolve(&inner.base, &format!("{base}/{}", call.target.trim_start_matches('/')))?
        };
        let mut request = Request::new(call.body);
        *request.method_mut() = call.method;
        *request.uri_mut() = uri;
        let mut headers = inner.headers.clone();
        for (name, value) in &call.headers {
            headers.insert(name, value.clone());
        }
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn check_origin(&self, uri: &Uri) -> Result<(), Failure> {
        let shown = || redacted(&uri.to_string());
        let origin = Origin::of(uri)
            .ok_or_else(|| Failure::untrusted(format!("the URL `{}` has no origin to trust", shown())))?;
        if self.inner.origins.contains(&origin) {
            return Ok(());
        }
        let own = self.inner.origins.first().map(ToString::to_string).unwrap_or_default();
        Err(Failure::untrusted(format!(
            "the URL `{}` is of the origin {origin}, this client's is {own}: nothing was sent",
            shown()
        )))
    }

    /// Sends a call.
    pub(crate) async fn call(&self, call: Call, limit: Duration, timer: &dyn Timer) -> Result<Reply, Failure> {
        self.exchange(&self.request(call)?, limit, timer).await
    }

    /// Sends `request` with fresh credentials and waits at most `limit` for the whole reply.
    pub(crate) async fn exchange(
        &self,
        request: &Request,
        limit: Duration,
        timer: &dyn Timer,
    ) -> Result<Reply, Failure> {
        let inner = &*self.inner;
        let mut changed = None;
        within(limit, timer, async {
            if let Some(credentials) = &inner.credentials {
                let headers =
                    credentials.headers().await.map_err(|error| Failure::new(Cause::Credentials(Arc::from(error))))?;
                changed = Some(with_headers(request.clone(), headers));
            }
            if let Some(cookies) = &inner.cookies {
                changed = cookies.added_to(changed.as_ref().unwrap_or(request), timer.system_time()).or(changed.take());
            }
            let request = changed.as_ref().unwrap_or(request);
            let sent = inner.transport.send_within(request, inner.max_body, limit).await;
            let reply = sent.map_err(|error| Failure::new(Cause::Transport(error)))?;
            if let Some(cookies) = &inner.cookies {
                cookies.store(request.uri(), reply.headers(), timer.system_time());
            }
            Ok(reply)
        })
        .await
    }
}

/// `future`'s output, or a failure if it is not there within `limit`. The timer is asked only if there is something to wait for, and an
/// output that is there at once counts even if nothing of the limit is left.
async fn within<T>(
    limit: Duration,
    timer: &dyn Timer,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut future = pin!(future);
    let mut sleep = None;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        let sleep = sleep.get_or_insert_with(|| timer.sleep(limit));
        sleep.as_mut().poll(context).map(|()| Err(Failure::new(Cause::TimedOut(limit))))
    })
    .await
}

/// `request` with these headers, which no log shows.
fn with_headers(mut request: Request, headers: HeaderMap) -> Request {
    for (name, mut value) in headers {
        value.set_sensitive(true);
        if let Some(name) = name {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

fn json_call<T: Serialize + ?Sized>(method: HttpMethod, path: &str, body: &T) -> Result<Call> {
    // Only this line is compiled per request type.
    call_of(method, path, serde_json::to_vec(body))
}

fn call_of(method: HttpMethod, path: &str, body: serde_json::Result<Vec<u8>>) -> Result<Call> {
    let body =
        body.map_err(|e| Error::new(ErrorKind::Start, format!("the request does not serialize: {e}")).with_source(e))?;
    Ok(Call::new(method, path).with_json(body))
}

/// Whether a call's target is a URL of its own.
fn is_absolute(target: &str) -> bool {
    target.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}
