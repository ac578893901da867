//! Start calls: the calls whose reply is an operation, and how the first snapshot is made of that
//! reply.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method as HttpMethod, StatusCode};
use serde::Serialize;

#[cfg(feature = "fleet")]
use super::start_recorder;
use super::{
    Operations,
    call::{CheckedCall, StartCall, WriteJson, name_of, to_json},
    current_method, start_policy,
};
use crate::{
    dialect::{Call, CallerHeaders, Dialect, Observation},
    error::{Error, ErrorKind, Result},
    message::Request,
    operation::{
        Method, RawOperation,
        snapshot::{ReplyTime, Snapshot, StartTime, Successor},
    },
    settings::PollSettings,
    status::{Cause, Failure},
    telemetry::{CallKind, CallOutcome, CallTelemetry, Lent},
    timer::Timer,
    transport::BoxFuture,
};

/// Why a start call gave no operation.
struct StartFailure {
    failure: Failure,
    /// Whether the reply was a success by its HTTP status, but cannot be read: there may be an
    /// operation. Over gRPC that holds for refusals, too, whose kind then says that they are none.
    answered_with_success: bool,
}

impl StartFailure {
    /// Whether there may be an operation, which nobody knows.
    fn may_have_started(&self) -> bool {
        self.answered_with_success && matches!(self.failure.cause(), Cause::Protocol(_) | Cause::Untrusted(_))
    }
}

impl From<Failure> for StartFailure {
    fn from(failure: Failure) -> Self {
        Self { failure, answered_with_success: false }
    }
}

/// The advice where a start call was answered with success, and its reply names no operation.
const ACCEPTED: &str = "the service answered with success, so look for the operation before you start again; check that the dialect and the address are those of the service";

/// The error of a start call that has a mistake.
fn not_sent(method: Option<&'static Method>, mistake: &str) -> Error {
    let error = Error::new(ErrorKind::Start, format!("{} was not sent: {mistake}", name_of(method)));
    error.with_advice(ErrorKind::Start, "correct the argument, then start again")
}

/// The error of a start call that gave no operation. With the id, a start that may have happened
/// can be repeated.
fn start_error(why: StartFailure, method: Option<&'static Method>, start_id: Option<Arc<str>>) -> Error {
    let with_id = start_id.as_deref().map(|id| format!(" with the start id `{id}`")).unwrap_or_default();
    let text = format!("{}{with_id} failed", name_of(method));
    let error = Error::from_failure(ErrorKind::Start, text, why.failure).with_start_id(start_id);
    if !why.answered_with_success {
        return error;
    }
    error.with_advice(ErrorKind::Protocol, ACCEPTED).with_advice(ErrorKind::UntrustedUrl, ACCEPTED)
}

/// What each attempt at a start call sends, and how its reply is read.
struct Attempt {
    request: Request,
    dialect: Arc<dyn Dialect>,
    method: Option<&'static Method>,
    timeout: Duration,
}

impl Operations {
    /// Starts an operation with a whole request: any method, headers and body.
    ///
    /// A path is resolved below the base URL; an absolute URL must be on a trusted origin. The URL
    /// is sent as it is, and one with a segment `.` or `..` is refused; one that has values of
    /// users in it is better built by [`call`](Self::call), which encodes them.
    ///
    /// Each attempt may take as long as the client's
    /// [`start_timeout`](crate::OperationsBuilder::start_timeout), the reply's body included. After
    /// that it fails, and whether the service started an operation is not known.
    ///
    /// # Errors
    ///
    /// Of kind [`Start`](crate::ErrorKind::Start) when the call failed,
    /// [`Protocol`](crate::ErrorKind::Protocol) when the dialect finds no operation in its reply,
    /// [`UntrustedUrl`](crate::ErrorKind::UntrustedUrl) when the request is to go to an origin that
    /// is not trusted. Where the *reply* leads to such an origin, the operation has started: it is
    /// returned, with its name and its token, and its polls fail with this kind.
    pub fn start<B: Into<Bytes>>(&self, request: http::Request<B>) -> BoxFuture<'static, Result<RawOperation>> {
        let (parts, body) = request.into_parts();
        let call = Call { headers: parts.headers, body: body.into(), ..Call::new(parts.method, parts.uri.to_string()) };
        self.start_call(StartCall::new(self, call, false))
    }

    /// Starts an operation by a `POST` of `body` as JSON to `path` below the base URL. What
    /// serializes as `null`, such as `()`, is no body.
    ///
    /// The path is sent as it is: one with values in it is built by [`call`](Self::call), which
    /// encodes them.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and of kind `Start` when `body` does not serialize, or `path` has
    /// a segment `.` or `..` or a character that is not legal in a URL. Nothing was sent then.
    pub fn post<T: Serialize + ?Sized>(
        &self,
        path: impl AsRef<str>,
        body: &T,
    ) -> BoxFuture<'static, Result<RawOperation>> {
        self.start_with_json(HttpMethod::POST, path.as_ref(), &to_json(body))
    }

    // Not inlined: its callers are compiled once per type of request.
    #[inline(never)]
    fn start_with_json(
        &self,
        method: HttpMethod,
        path: &str,
        write: WriteJson<'_>,
    ) -> BoxFuture<'static, Result<RawOperation>> {
        self.start_call(self.call(method, path).json_by(write))
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
        self.start_with_json(HttpMethod::PUT, path.as_ref(), &to_json(body))
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
        self.start_with_json(HttpMethod::PATCH, path.as_ref(), &to_json(body))
    }

    /// Sends a start call and reads its reply. A mistake in `call` is returned when the future is
    /// polled, so that the public calls are not `Result`s of futures.
    pub(crate) fn start_call(&self, call: StartCall) -> BoxFuture<'static, Result<RawOperation>> {
        let client = self.clone();
        Box::pin(async move {
            // Read when the future is polled, not when it is made: in `start(operations.post(…))`
            // the call is made before the method is known.
            let method = current_method::current();
            let call = call.check().map_err(|mistake| {
                let error = not_sent(method, &mistake.text);
                match mistake.source {
                    Some(source) => error.with_source(source),
                    None => error,
                }
            })?;
            #[cfg(feature = "fleet")]
            if let Some(recorder) = start_recorder::current() {
                // In a box, so that a start call without a recorder has no place for it.
                return Box::pin(client.start_recorded(recorder, call, method)).await;
            }
            client.start_checked(call, method).await
        })
    }

    /// Sends a checked start call, and reads its reply, as an operation of `method`.
    pub(super) fn start_checked(
        self,
        call: CheckedCall,
        method: Option<&'static Method>,
    ) -> impl Future<Output = Result<RawOperation>> + Send {
        // Before the future, which so keeps no more of the call than what is sent.
        let start_id = call.start_id.clone();
        let attempt = self.attempt(call, method);
        async move {
            let subject = || self.subject(method, self.dialect_of(method).id(), None);
            let mut telemetry = CallTelemetry::begin(CallKind::Start, subject);
            let started = match &attempt {
                Ok(attempt) => self.start_erased(attempt, start_id.is_some(), &telemetry).await,
                Err(failure) => Err(failure.clone().into()),
            };
            telemetry.ended(|| match &started {
                Ok(operation) => CallOutcome::Started(operation.seen(self.timer().now().into())),
                Err(why) if why.may_have_started() => CallOutcome::Unreadable(&why.failure),
                Err(why) => CallOutcome::StartFailed(&why.failure),
            });
            match started {
                Ok(operation) => Ok(operation.with_start_id(start_id)),
                Err(why) => Err(start_error(why, method, start_id)),
            }
        }
    }

    /// Makes what each attempt at a checked start call sends.
    fn attempt(&self, call: CheckedCall, method: Option<&'static Method>) -> Result<Attempt, Failure> {
        let CheckedCall { call, by_caller, timeout, .. } = call;
        let dialect = self.dialect_of(method);
        let mut request = self.start_request(call)?;
        request.extensions_mut().insert(CallerHeaders(by_caller));
        dialect.prepare_start(&mut request, Method::options_of(method))?;
        Ok(Attempt { request, dialect, method, timeout })
    }

    /// Sends a start call, and sends it again where the start policy allows. Not generic: compiled
    /// once for all methods.
    async fn start_erased(
        &self,
        attempt: &Attempt,
        has_id: bool,
        telemetry: &CallTelemetry,
    ) -> Result<RawOperation, StartFailure> {
        let mut failed = 0;
        loop {
            // Every attempt sends the same request with the same id, by which the service can tell
            // that it is one start.
            match self.start_once(attempt, telemetry.lent()).await {
                Err(StartFailure { failure, .. }) if self.inner.start_policy.try_again(failed, &failure, has_id) => {
                    failed += 1;
                    telemetry.again(&failure);
                    // `build` has checked these settings. If they were invalid all the same, the
                    // failure says more than they do.
                    let Ok(schedule) = self.schedule(PollSettings::default(), None, None) else {
                        return Err(failure.into());
                    };
                    let timer = self.timer();
                    timer.sleep(start_policy::delay_before_retry(failed, &failure, &schedule, &**timer)).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Sends a start call once and makes the first snapshot of its reply.
    async fn start_once(&self, attempt: &Attempt, span: Lent<'_>) -> Result<RawOperation, StartFailure> {
        let Attempt { request, dialect, method, timeout } = attempt;
        let timer = self.timer();
        // The start is when this attempt is sent: a `404` within the grace after it means that the
        // operation is not visible yet.
        let started = StartTime::new(timer.now().into(), timer.system_time());
        let reply = self.exchange(request, *timeout, &**timer, span).await?;
        let replied = ReplyTime { began: started.at, at: timer.now().into(), answers_start: true };
        let seen = dialect.read_start(request, &reply, Method::options_of(*method)).map_err(|failure| {
            // A 303 answers the call as well: the result is elsewhere.
            let answered_with_success = reply.status().is_success() || reply.status() == StatusCode::SEE_OTHER;
            StartFailure { failure, answered_with_success }
        })?;
        // `seen` borrows the reply's body. `first` uses it up, and only then can the body be moved
        // into the snapshot.
        let next = self.first(Arc::clone(dialect), seen, reply.body(), *method, Some(started), replied);
        Ok(RawOperation::new(next.with_body(|| reply.into_body()), self.clone(), *method))
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
        let name_is_own = named.is_none() && target.as_ref().is_some_and(|target| target.cursor.is_own());
        let name = named.or(target.as_ref().map(|target| target.cursor.key())).unwrap_or_default().to_owned();
        let unpolled = Snapshot { name_is_own, ..Snapshot::unpolled(&name, id, target, started) };
        unpolled.after(seen, body, method, replied)
    }
}
