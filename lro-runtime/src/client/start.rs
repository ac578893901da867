//! Start calls: the calls whose reply is an operation.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::Method as HttpMethod;
use serde::Serialize;

use super::{Operations, current_method, start_policy};
use crate::{
    dialect::{Call, CallerHeaders, Dialect, Observation},
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

/// How long a start call may take. Longer than a poll: the service does something.
const START_TIMEOUT: Duration = Duration::from_secs(120);

impl Operations {
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

    async fn start_erased(&self, call: Call, method: Option<&'static Method>) -> Result<RawOperation, Failure> {
        let dialect = self.dialect_of(method);
        let options = Method::options_of(method);
        let by_caller = CallerHeaders(call.headers.clone());
        let mut request = self.request(call)?;
        request.extensions_mut().insert(by_caller);
        dialect.prepare_start(&mut request, options)?;
        self.inner.start_policy.identify(&mut request);
        let mut failed = 0;
        loop {
            match self.start_once(Arc::clone(&dialect), &request, method).await {
                Err(failure) if self.inner.start_policy.try_again(failed, &failure) => {
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
        let started = StartTime { at: timer.now(), system: timer.system_time() };
        let reply = self.exchange(request, START_TIMEOUT, &**timer).await?;
        let now = timer.now();
        let replied = ReplyTime { at: now, round_trip: now.saturating_duration_since(started.at), to_start: true };
        let seen = dialect.read_start(request, &reply, Method::options_of(method))?;
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
        started: Option<StartTime>,
        replied: ReplyTime,
    ) -> Result<Successor, Failure> {
        let target = seen.cursor.take().map(|cursor| self.target(dialect, cursor)).transpose()?;
        let named = seen.name.as_deref().filter(|name| !name.is_empty());
        let name = named.or(target.as_ref().map(|target| target.cursor.key())).unwrap_or_default().to_owned();
        Ok(Snapshot::unseen(&name, target, started).after(seen, body, method, replied))
    }
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
