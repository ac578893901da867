//! One exchange with the service: where a request may go, what the client adds to it, how long its reply may take.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use http::{HeaderMap, Uri};

use super::Operations;
use crate::{
    dialect::{Call, Cursor, Dialect},
    message::{Reply, Request},
    operation::snapshot::PollTarget,
    status::{Cause, Failure},
    timer::Timer,
    url::{Origin, redacted, resolve},
};

impl Operations {
    /// The request that looks at `cursor`.
    pub(crate) fn target(&self, dialect: Arc<dyn Dialect>, cursor: Cursor) -> Result<PollTarget, Failure> {
        let request = self.request(dialect.poll(&cursor)?)?;
        Ok(PollTarget { dialect, cursor, request })
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

/// Whether a call's target is a URL of its own.
fn is_absolute(target: &str) -> bool {
    target.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}
