//! Start calls: the calls whose reply is an operation, and how the first snapshot is made of that
//! reply.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::Method as HttpMethod;
use serde::Serialize;

use super::{Operations, current_method, start_policy};
use crate::{
    dialect::{Call, CallerHeaders, Dialect, Observation, started_unreadably},
    error::{Error, ErrorKind, Result},
    message::Request,
    operation::{
        Method, RawOperation,
        snapshot::{ReplyTime, Snapshot, StartTime, Successor},
    },
    status::Failure,
    timer::Timer,
    transport::BoxFuture,
};

/// The time limit of one attempt at a start call, the reply's body included. Longer than that of a
/// poll, because the service does some of the work before it answers.
const START_TIMEOUT: Duration = Duration::from_secs(120);

impl Operations {
    /// Starts an operation with a request of any method, headers and body.
    ///
    /// A path is resolved below the base URL; an absolute URL must be on a trusted origin. Each
    /// attempt may take up to two minutes, the reply's body included. After that it fails, and
    /// whether the service started an operation is not known.
    ///
    /// # Errors
    ///
    /// Of kind [`Start`](crate::ErrorKind::Start) when the call failed,
    /// [`Protocol`](crate::ErrorKind::Protocol) when the dialect cannot read its reply,
    /// [`UntrustedUrl`](crate::ErrorKind::UntrustedUrl) when the request is to go to an origin that
    /// is not trusted. Where the *reply* leads to such an origin, the operation has started: it is
    /// returned, with its name and its token, and its polls fail with this kind.
    pub fn start<B: Into<Bytes>>(&self, request: http::Request<B>) -> BoxFuture<'static, Result<RawOperation>> {
        let (parts, body) = request.into_parts();
        let call = Call { headers: parts.headers, body: body.into(), ..Call::new(parts.method, parts.uri.to_string()) };
        self.start_call(Ok(call))
    }

    /// Starts an operation by a `POST` of `body` as JSON to `path` below the base URL.
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

    /// Starts an operation by a `PUT` of `body` as JSON to `path` below the base URL.
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

    /// Starts an operation by a `PATCH` of `body` as JSON to `path` below the base URL.
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

    /// Sends a start call and reads its reply. An error in `call` is returned when the future is
    /// polled, so that the public calls are not `Result`s of futures.
    pub(crate) fn start_call(&self, call: Result<Call>) -> BoxFuture<'static, Result<RawOperation>> {
        let client = self.clone();
        Box::pin(async move {
            // Read when the future is polled, not when it is made: in `start(operations.post(…))`
            // the call is made before the method is known.
            let method = current_method::current();
            let name = method.map_or("the start call", |method| method.name());
            let call = call?;
            client
                .start_erased(call, method)
                .await
                .map_err(|failure| Error::from_failure(ErrorKind::Start, format!("{name} failed"), failure))
        })
    }

    /// Sends a start call, and sends it again where the start policy allows. Not generic: compiled
    /// once for all methods.
    async fn start_erased(&self, call: Call, method: Option<&'static Method>) -> Result<RawOperation, Failure> {
        let dialect = self.dialect_of(method);
        let options = Method::options_of(method);
        // Taken before the client's headers and the id are added: dialects repeat the caller's
        // headers on every poll, the client adds its own again by itself, and the id belongs to the
        // start call alone.
        let by_caller = CallerHeaders(call.headers.clone());
        let mut request = self.start_request(call)?;
        request.extensions_mut().insert(by_caller);
        dialect.prepare_start(&mut request, options)?;
        // Before the loop: every attempt has the same id, by which the service can tell that it is
        // one start.
        self.inner.start_policy.identify(&mut request);
        let mut failed = 0;
        loop {
            match self.start_once(Arc::clone(&dialect), &request, method).await {
                Err(failure) if self.inner.start_policy.try_again(failed, &failure) => {
                    failed += 1;
                    // `build` has checked these settings. If they were invalid all the same, the
                    // failure says more than they do.
                    let Ok(schedule) = self.settings().clone().resolve() else { return Err(failure) };
                    let timer = self.timer();
                    timer.sleep(start_policy::delay_before_retry(failed, &failure, &schedule, &**timer)).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Sends a start call once and makes the first snapshot of its reply.
    async fn start_once(
        &self,
        dialect: Arc<dyn Dialect>,
        request: &Request,
        method: Option<&'static Method>,
    ) -> Result<RawOperation, Failure> {
        let timer = self.timer();
        // The start is when this attempt is sent: a `404` within the grace after it means that the
        // operation is not visible yet.
        let started = StartTime { at: timer.now(), system: timer.system_time() };
        let reply = self.exchange(request, START_TIMEOUT, &**timer).await?;
        let now = timer.now();
        let replied = ReplyTime { at: now, round_trip: now.saturating_duration_since(started.at), answers_start: true };
        let seen = dialect
            .read_start(request, &reply, Method::options_of(method))
            .or_else(|failure| started_unreadably(&reply, failure))?;
        // `seen` borrows the reply's body. `first` uses it up, and only then can the body be moved
        // into the snapshot.
        let next = self.first(dialect, seen, reply.body(), method, Some(started), replied);
        Ok(RawOperation::new(next.with_body(|| reply.into_body()), self.clone(), method))
    }

    /// Makes the first snapshot of an operation, from what was `seen` in `body`. Cannot fail: the
    /// service has accepted the operation, wherever the reply leads to.
    pub(crate) fn first(
        &self,
        dialect: Arc<dyn Dialect>,
        mut seen: Observation<'_>,
        body: &[u8],
        method: Option<&Method>,
        started: Option<StartTime>,
        replied: ReplyTime,
    ) -> Successor {
        let id = dialect.id();
        let target = seen.cursor.take().map(|cursor| self.target(dialect, cursor));
        // A poll that is refused is not worth a delay.
        seen.follow |= target.as_ref().is_some_and(|target| target.request.is_err());
        // Without a name the cursor's key names the operation: the URL of a monitor, for example. A
        // finished operation may have neither.
        let named = seen.name.as_deref().filter(|name| !name.is_empty());
        let name = named.or(target.as_ref().map(|target| target.cursor.key())).unwrap_or_default().to_owned();
        Snapshot::unpolled(&name, id, target, started).after(seen, body, method, replied)
    }
}

/// A start call with a JSON body.
fn json_call<T: Serialize + ?Sized>(method: HttpMethod, path: &str, body: &T) -> Result<Call> {
    // Serializing is the only part that depends on the request type: only this line is compiled
    // once for each.
    call_of(method, path, serde_json::to_vec(body))
}

fn call_of(method: HttpMethod, path: &str, body: serde_json::Result<Vec<u8>>) -> Result<Call> {
    let body =
        body.map_err(|e| Error::new(ErrorKind::Start, format!("the request does not serialize: {e}")).with_source(e))?;
    Ok(Call::new(method, path).with_json(body))
}
