//! One exchange with the service: the origin check of a request, the headers that the client adds,
//! and the time limit of the reply.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Uri};

use super::{
    Operations,
    cookies::Cookies,
    trust::{Access, BareRequest, OwnRequest, is_bare, library_headers, of_the_body},
};
use crate::{
    dialect::{Call, Cursor, Dialect},
    message::{Reply, Request},
    operation::snapshot::{Place, PollRequest, PollTarget},
    secrets::mark_headers,
    status::{Cause, Failure},
    telemetry::Lent,
    timer::{Timer, limit::within},
    transport::{BoxFuture, TransportError},
    url::{Origin, is_absolute, path_on_own_origin, redacted, resolve, with_query},
};

impl Operations {
    /// Builds the request that polls `cursor`, once for all polls: it is sent as it is until the
    /// cursor changes. For a place to which nothing is sent, the target has the reason instead.
    pub(crate) fn target(&self, dialect: Arc<dyn Dialect>, cursor: Cursor) -> PollTarget {
        let request = match cursor.refusal() {
            Some(refusal) => Err(refusal),
            None => dialect.poll(&cursor).and_then(|call| self.poll_request(call, &dialect, &cursor)),
        };
        PollTarget { dialect, cursor, request: request.map_err(Box::new) }
    }

    /// Builds the request of a poll, as little of it as it has of its own.
    fn poll_request(&self, call: Call, dialect: &Arc<dyn Dialect>, cursor: &Cursor) -> Result<PollRequest, Failure> {
        let (uri, access) = self.resolved(&call.target)?;
        if access == Access::Full && self.inner.query.is_empty() && call.is_plain_get() {
            let is_kept = || Arc::ptr_eq(dialect, self.dialect()) || self.inner.dialects.keeps(dialect);
            let named = self.inner.named.get(dialect, is_kept, cursor, &uri);
            return Ok(named.map_or(PollRequest::Get(uri), PollRequest::Named));
        }
        Ok(PollRequest::Whole(Arc::new(self.request_to(uri, access, call)?)))
    }

    /// Builds the request of `call` with the client's headers. Fails if its target is not on a
    /// trusted origin.
    ///
    /// Credentials and cookies are not part of it: they may differ at every send, and
    /// [`exchange`](Self::exchange) adds them.
    pub(crate) fn request(&self, call: Call) -> Result<Request, Failure> {
        let (uri, access) = self.resolved(&call.target)?;
        self.request_to(uri, access, call)
    }

    /// Builds the request of `call`, whose target is `uri`.
    fn request_to(&self, uri: Uri, access: Access, call: Call) -> Result<Request, Failure> {
        let mut request = Request::new(call.body);
        *request.method_mut() = call.method;
        let headers = match access {
            Access::Full => {
                *request.uri_mut() = call.own_query.iter().try_fold(uri, |uri, pair| with_query(&uri, pair))?;
                // The call's headers replace the client's of the same name: they belong to this
                // call.
                let mut headers = self.inner.headers.clone();
                headers.extend(call.headers);
                if !self.inner.query.is_empty() && self.is_to_own_origin(request.uri()) {
                    request.extensions_mut().insert(OwnRequest);
                }
                headers
            }
            Access::Bare => {
                *request.uri_mut() = uri;
                request.extensions_mut().insert(BareRequest);
                let mut headers = library_headers();
                headers.extend(of_the_body(&call.headers));
                headers
            }
        };
        *request.headers_mut() = headers;
        mark_headers(request.headers_mut());
        Ok(request)
    }

    /// Builds the request of a start call. As [`request`](Self::request), but all headers of the
    /// call go to every trusted origin: the caller has written both into one request.
    pub(crate) fn start_request(&self, call: Call) -> Result<Request, Failure> {
        let headers = call.headers.clone();
        let mut request = self.request(call)?;
        request.headers_mut().extend(headers);
        mark_headers(request.headers_mut());
        Ok(request)
    }

    /// Resolves the target of a call into the URL that is sent, and what its origin gets.
    fn resolved(&self, target: &str) -> Result<(Uri, Access), Failure> {
        let inner = &*self.inner;
        if let Some(path) = path_on_own_origin(target) {
            // One slash, for the same reason as below.
            return Ok((resolve(&inner.base, &format!("/{}", path.trim_start_matches('/')))?, Access::Full));
        }
        if is_absolute(target) {
            // The parsed URL is checked, which is what will be sent: two parsers may read one text
            // as two hosts.
            let uri = resolve(&inner.base, target)?;
            let access = self.access(&uri)?;
            return Ok((uri, access));
        }
        // All leading slashes are removed: a target such as `//host/x` could otherwise resolve to
        // another host. What remains is below the base URL, on the client's own origin, and needs
        // no check.
        let base = inner.base.path().trim_end_matches('/');
        Ok((resolve(&inner.base, &[base, "/", target.trim_start_matches('/')].concat())?, Access::Full))
    }

    /// Returns what the origin of `uri` gets. Fails unless it is the client's own or an allowed
    /// one.
    fn access(&self, uri: &Uri) -> Result<Access, Failure> {
        let shown = || redacted(&uri.to_string());
        let origin = Origin::of(uri)
            .ok_or_else(|| Failure::untrusted(format!("the URL `{}` has no origin to trust", shown())))?;
        self.inner.origins.access(&origin).ok_or_else(|| {
            let own = self.inner.origins.own();
            Failure::not_allowed(format!(
                "the URL `{}` is on the origin {origin}, which is not trusted (this client's origin is {own})",
                shown()
            ))
        })
    }

    /// Returns the origin that is asked about an operation; the client's own, if nothing is sent to
    /// the place of its polls.
    pub(crate) fn origin_of(&self, place: Option<Place<'_>>) -> Origin {
        let origin = place.and_then(Place::server).and_then(Origin::of);
        origin.unwrap_or_else(|| self.inner.origins.own().clone())
    }

    /// Whether `uri` is on the client's own origin, whose requests get the client's query.
    pub(crate) fn is_to_own_origin(&self, uri: &Uri) -> bool {
        Origin::of(uri).as_ref() == Some(self.inner.origins.own())
    }

    /// Whether every request to the own origin gets a query parameter of this name.
    pub(crate) fn has_query(&self, name: &str) -> bool {
        self.inner.query.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Returns the request with the client's query parameters; `None` if it gets none.
    fn with_own_query(&self, request: &Request) -> Result<Option<Request>, Failure> {
        if request.extensions().get::<OwnRequest>().is_none() {
            return Ok(None);
        }
        let uri = self.inner.query.iter().try_fold(request.uri().clone(), |uri, (_, pair)| with_query(&uri, pair))?;
        let mut request = request.clone();
        *request.uri_mut() = uri;
        Ok(Some(request))
    }

    /// Builds the request of `call` and sends it: see [`exchange`](Self::exchange).
    pub(crate) async fn send(
        &self,
        call: Call,
        limit: Duration,
        timer: &dyn Timer,
        span: Lent<'_>,
    ) -> Result<Reply, Failure> {
        self.exchange(&self.request(call)?, limit, timer, span).await
    }

    /// Sends `request` with fresh credentials and waits at most `limit` for the whole reply, in the
    /// span of its call.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    pub(crate) fn exchange<'a>(
        &'a self,
        request: &'a Request,
        limit: Duration,
        timer: &'a dyn Timer,
        span: Lent<'a>,
    ) -> impl Future<Output = Result<Reply, Failure>> + Send + 'a {
        async move {
            let sent = {
                // A transport may begin its own spans when it is called, before it is polled.
                let _entered = span.enter();
                self.reply(request, limit, timer)
            };
            within(pin!(sent), limit, timer, span).await
        }
    }

    /// Sends `request` with fresh credentials, however long the reply takes. The transport is told
    /// the `limit`.
    pub(crate) fn reply<'a>(&'a self, request: &'a Request, limit: Duration, timer: &'a dyn Timer) -> Sent<'a> {
        // The request is borrowed because every poll sends the same one; it is cloned only where
        // the client's query, credentials or cookies change it.
        if self.sends_as_it_is(request) {
            Sent::AsItIs(self.transmit(request, limit))
        } else {
            Sent::Changed(Box::pin(self.reply_to_changed(request, limit, timer)))
        }
    }

    /// As [`reply`](Self::reply), for a client that changes the request.
    async fn reply_to_changed(&self, request: &Request, limit: Duration, timer: &dyn Timer) -> Result<Reply, Failure> {
        let changed = self.changed(request, timer).await?;
        let request = changed.as_ref().unwrap_or(request);
        let reply = Sent::AsItIs(self.transmit(request, limit)).await?;
        if let Some(cookies) = self.cookies_of(request) {
            cookies.store(request.uri(), reply.headers(), timer.system_time());
        }
        Ok(reply)
    }

    fn transmit<'a>(&'a self, request: &'a Request, limit: Duration) -> BoxFuture<'a, Result<Reply, TransportError>> {
        self.inner.transport.send_within(request, self.inner.max_body, limit)
    }

    /// Whether nothing of the client is added to `request`.
    fn sends_as_it_is(&self, request: &Request) -> bool {
        let inner = &*self.inner;
        inner.query.is_empty() && inner.credentials.is_none() && inner.cookies.is_none() || is_bare(request)
    }

    /// Returns the cookies that `request` gets, and that its reply may set.
    fn cookies_of(&self, request: &Request) -> Option<&Cookies> {
        self.inner.cookies.as_deref().filter(|_| !is_bare(request))
    }

    /// Returns `request` with the client's query, fresh credentials and cookies, unless none of
    /// these changes it.
    async fn changed(&self, request: &Request, timer: &dyn Timer) -> Result<Option<Request>, Failure> {
        // The query is not part of the request as dialects see it: they keep the URL of a start
        // call, and what is kept ends up in tokens. The credentials see it, which may sign it.
        let mut changed = self.with_own_query(request)?;
        if let Some(credentials) = self.inner.credentials.as_ref().filter(|_| !is_bare(request)) {
            let request = changed.as_ref().unwrap_or(request);
            let headers = credentials
                .headers(request)
                .await
                .map_err(|error| Failure::new(Cause::Credentials(Arc::from(error))))?;
            changed = Some(with_headers(request.clone(), headers));
        }
        // Cookies come after credentials. Credentials replace headers, so a hook that sets `Cookie`
        // would remove the stored cookies; the store adds its cookies after those that are there.
        if let Some(cookies) = self.cookies_of(request) {
            let added = cookies.added_to(changed.as_ref().unwrap_or(request), timer.system_time());
            changed = added.or(changed);
        }
        Ok(changed)
    }
}

/// A request that was sent, whose reply is awaited.
pub(crate) enum Sent<'a> {
    /// The transport has it as it was given.
    AsItIs(BoxFuture<'a, Result<Reply, TransportError>>),
    /// The client changes it first. Boxed, because most polls need no place for that.
    Changed(BoxFuture<'a, Result<Reply, Failure>>),
}

impl Future for Sent<'_> {
    type Output = Result<Reply, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::AsItIs(sent) => sent.as_mut().poll(context).map_err(|error| Failure::new(Cause::Transport(error))),
            Self::Changed(reply) => reply.as_mut().poll(context),
        }
    }
}

/// Returns `request` with these headers, marked as sensitive so that `Debug` of the request does
/// not show them.
fn with_headers(mut request: Request, mut headers: HeaderMap) -> Request {
    headers.values_mut().for_each(|value| value.set_sensitive(true));
    // All values of a header go in place of those that the request has.
    request.headers_mut().extend(headers);
    request
}
