//! The untyped operation: one snapshot with its client and its method, and how the next poll is
//! made of it.

use std::{fmt, future::Future, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    Method, Token,
    snapshot::{Alike, Place, PlaceRequest, ReplyTime, Snapshot, Target},
};
use crate::{
    client::Operations,
    dialect::{Dialect, Hint, Payload},
    error::{Error, ErrorKind, Result},
    message::{Reply, Request},
    settings::{PollSettings, Schedule, Verdict},
    stamp::Stamp,
    status::{Code, Failure, State, Status},
    telemetry::{CallKind, CallOutcome, CallTelemetry, Done},
    text::{excerpt, quoted, quoted_name},
    timer::{Timer, limit::within},
    transport::Transport,
};

/// One immutable snapshot of an operation without declared payload types, and the means to poll it
/// again.
///
/// It has all the calls of a typed [`Operation`](crate::Operation). Its payloads stay as they were
/// received. Cheap to clone.
#[derive(Clone)]
#[must_use = "dropping an operation does not stop it: it runs on without being polled"]
pub struct RawOperation {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) client: Operations,
    pub(crate) method: Option<&'static Method>,
}

impl RawOperation {
    pub(crate) fn new(snapshot: Snapshot, client: Operations, method: Option<&'static Method>) -> Self {
        Self { snapshot: Arc::new(snapshot), client, method }
    }

    /// Returns the same operation as one of `method`, with its settings and its name in tokens.
    pub(crate) fn bind(self, method: &'static Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Returns the same operation as one of `method`, which may not be the method of the call that
    /// it is from: the body may have made that call on another task.
    ///
    /// What the method alone says is made up for: it judges the reply, and its dialect polls. Where
    /// that cannot be, because the reply was read in another dialect or without options that the
    /// method declares, or because it was resumed from the token of another method, the operation
    /// is one whose polls say so. It goes on at the service, so its name is not lost.
    pub(crate) fn taken_by(self, method: &'static Method) -> Self {
        if self.method.is_some_and(|known| known.name() == method.name()) {
            return self.bind(method);
        }
        let declared = self.client.dialect_of(Some(method));
        let snapshot = match self.target_in(Arc::clone(&declared), method) {
            Ok(target) => {
                let mut snapshot = Snapshot { target, ..Snapshot::clone(&self.snapshot) };
                // Found to be this method's, or of none: from here on `method` says it.
                if snapshot.provenance().token_method.is_some() {
                    snapshot.provenance_mut().token_method = None;
                }
                snapshot.judged_by(method)
            }
            Err(why) => self.snapshot.misread(declared, why),
        };
        Self::new(snapshot, self.client, Some(method))
    }

    /// Returns where `method` polls this operation, which another method or none has started.
    fn target_in(&self, declared: Arc<dyn Dialect>, method: &Method) -> Result<Option<Target>, Failure> {
        let misread = |as_what: &str, but: &str| {
            Err(Failure::protocol(format!(
                "the first reply was read {as_what}, but the method `{}` speaks {but}: make the call in the body of the method, not on another task or before it",
                method.name()
            )))
        };
        if let Some(known) = self.snapshot.provenance().token_method.as_deref().filter(|known| *known != method.name())
        {
            return Err(Failure::protocol(format!(
                "the token belongs to the method `{}`, not to `{}`",
                excerpt(known.as_bytes()),
                method.name()
            )));
        }
        if declared.id() != self.snapshot.dialect() {
            return misread(&format!("as `{}`", self.snapshot.dialect()), &format!("`{}`", declared.id()));
        }
        let Some(place) = self.snapshot.place() else { return Ok(None) };
        let cursor = place.cursor();
        let known = Method::options_of(self.method);
        let cursor = if method.options == known {
            cursor.into_owned()
        } else {
            // A cursor that says nothing but the name can be made again, with the options.
            match declared.locate(self.name(), known) {
                Ok(by_name) if by_name == *cursor => declared.locate(self.name(), method.options)?,
                _ => {
                    let options: Vec<_> =
                        method.options.iter().map(|(name, value)| format!("{name} = {value}")).collect();
                    return misread("without its options", &format!("`{}`", options.join(", ")));
                }
            }
        };
        Ok(Some(Target::new(self.client.target(declared, cursor), self.name())))
    }

    /// Returns the name that the service gave the operation; store it to resume later. Empty if a
    /// finished operation came without a name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.snapshot.name
    }

    /// Returns the same operation with the id that its start call had.
    pub(crate) fn with_start_id(mut self, id: Option<Arc<str>>) -> Self {
        if id.is_some() {
            // The snapshot was just made and is not shared: nothing is copied.
            Arc::make_mut(&mut self.snapshot).provenance_mut().start_id = id;
        }
        self
    }

    /// Returns the start id that the start call was sent with: see
    /// [`StartCall::start_id`](crate::StartCall::start_id). `None` if it had none, and after a
    /// resume, because tokens do not keep it.
    #[must_use]
    pub fn start_id(&self) -> Option<&str> {
        self.snapshot.provenance().start_id.as_deref()
    }

    /// Returns the name of the method that the operation is of; `None` if that is not known.
    pub(crate) fn method_name(&self) -> Option<&str> {
        // The token's first: a method that has refused it has not made it its own.
        self.snapshot.provenance().token_method.as_deref().or_else(|| self.method.map(Method::name))
    }

    /// Returns the name fit to print. It may be a URL, whose query may have secrets.
    pub(crate) fn label(&self) -> String {
        crate::url::redacted(self.name())
    }

    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> State {
        self.snapshot.state
    }

    /// Returns the status word as the service wrote it, in dialects that have words. A word that
    /// the dialect does not know means running.
    #[must_use]
    pub fn raw_status(&self) -> Option<&str> {
        self.snapshot.more().raw_status.as_deref()
    }

    /// Returns what the service says in words about how the operation stands, in dialects that have
    /// a field for that ([`Compute`](crate::dialect::Compute)); else, once the operation has failed
    /// or was cancelled, the message of its [`status`](Self::status).
    ///
    /// The words are those of the last reply, for people to read. They are not in tokens.
    #[must_use]
    pub fn status_message(&self) -> Option<&str> {
        let of_status = || self.status().map(Status::message).filter(|words| !words.is_empty());
        self.snapshot.more().status_message.as_deref().or_else(of_status)
    }

    /// Whether the operation is terminal: it succeeded, failed, or was cancelled.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.state().is_terminal()
    }

    /// Whether the operation succeeded. Its response may still not decode as a given type.
    #[must_use]
    pub fn is_succeeded(&self) -> bool {
        self.state() == State::Succeeded
    }

    /// Whether the operation failed.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.state() == State::Failed
    }

    /// Whether the operation was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state() == State::Cancelled
    }

    /// Returns the fraction done, 0 to 1, if the service or the method gives one; 1 once the
    /// operation has succeeded. A value that is no such fraction is `None`.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        if self.is_succeeded() {
            return Some(1.0);
        }
        // The author's declaration takes precedence over the dialect's reading: it is made for the
        // metadata of this method.
        let declared = self.method.and_then(|method| method.progress);
        let from_metadata = declared.and_then(|progress| self.metadata().and_then(progress));
        // What lies outside was read in the wrong unit, per cent for a fraction: clamped, it would
        // say "done" at the first poll.
        from_metadata.or(self.snapshot.more().progress).filter(|fraction| (0.0..=1.0).contains(fraction))
    }

    /// Returns the last known metadata, also on a terminal snapshot.
    #[must_use]
    pub fn metadata(&self) -> Option<Payload<'_>> {
        self.snapshot.metadata()
    }

    /// Returns the response, once the operation has succeeded. A success may have none.
    #[must_use]
    pub fn response(&self) -> Option<Payload<'_>> {
        self.snapshot.response()
    }

    /// Returns why the operation failed or was cancelled, as the service says.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.snapshot.more().status.as_deref()
    }

    /// Returns the message as received: the body of the reply that this snapshot was made from.
    /// Empty if the operation was resumed and not polled yet.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        self.snapshot.body()
    }

    /// Returns the token to store in order to resume the operation in another process.
    #[must_use]
    pub fn token(&self) -> Token {
        Token::of(&self.snapshot, self.method_name())
    }

    /// Returns the client that the operation belongs to.
    #[must_use]
    pub fn client(&self) -> &Operations {
        &self.client
    }

    /// Returns the same operation, whose requests go through `transport` instead of the client's:
    /// the polls of a wait, a cancel and a delete call.
    ///
    /// A closure is a transport, so this is how a wait gets a polling function of one's own: the
    /// delays, the error budget, the time limit and the dialect stay as they are. The requests are
    /// those of the client, with its headers and credentials.
    ///
    /// ```
    /// use lro_runtime::{
    ///     Operations, PollSettings,
    ///     transport::{Reply, Request},
    /// };
    ///
    /// let operation = Operations::builder("https://images.example.com").build()?.resume("operations/7")?;
    /// let operation = operation.with_transport(|request: Request| async move {
    ///     println!("asked for {}", request.uri()); // ask a cache, a queue or another client instead
    ///     Ok(Reply::new(r#"{"name": "operations/7", "done": true, "response": {}}"#.into()))
    /// });
    /// assert!(operation.blocking().poll_until_completed(PollSettings::default())?.is_succeeded());
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    pub fn with_transport(&self, transport: impl Transport) -> Self {
        Self { client: self.client.with_transport(Arc::new(transport)), ..self.clone() }
    }

    /// Returns the schedule of a wait for this operation, or of one call about it.
    pub(crate) fn schedule(&self, argument: PollSettings) -> Result<Arc<Schedule>> {
        // The dialect of the operation, which may be another than the client's.
        let dialect = self.snapshot.place().map(|place| &**place.dialect());
        self.client.schedule(argument, self.method, dialect)
    }

    /// Returns the time limit of a single call outside a wait.
    pub(crate) fn poll_timeout(&self) -> Result<Duration> {
        Ok(self.schedule(PollSettings::default())?.poll_timeout)
    }

    /// Polls over the network once, and returns the operation at its next snapshot. With `hold` the
    /// server is asked to hold the reply for that long.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    pub(crate) fn poll<'a>(
        &'a self,
        limit: Duration,
        hold: Option<Duration>,
        timer: &'a dyn Timer,
    ) -> impl Future<Output = Result<Self, Failure>> + Send + 'a {
        async move {
            let began = Stamp::from(timer.now());
            let mut telemetry = CallTelemetry::begin(CallKind::Poll(hold), || self.subject());
            let reply = within(pin!(self.reply(limit, hold, timer)), limit, timer, telemetry.lent()).await;
            let now = timer.now().into();
            let next = reply.and_then(|mut reply| {
                let mut next = self.clone();
                next.advance(&mut reply, ReplyTime::of_poll(began, now))?;
                Ok(next)
            });
            let outcome = || match &next {
                Ok(next) => CallOutcome::Seen(next.seen(now)),
                Err(failure) => CallOutcome::Failed(failure),
            };
            telemetry.polled(|| Done { took: now.since(began), outcome: outcome() });
            next
        }
    }

    /// Sends a poll and returns its reply, however long it takes. The transport is told the
    /// `limit`.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    pub(crate) fn reply<'a>(
        &'a self,
        limit: Duration,
        hold: Option<Duration>,
        timer: &'a dyn Timer,
    ) -> impl Future<Output = Result<Reply, Failure>> + Send + 'a {
        async move {
            let request = self.outgoing(hold)?;
            self.client.reply(&request, limit, timer).await
        }
    }

    /// Returns the request of a poll. With `hold` it asks the server to hold the reply for that
    /// long.
    pub(crate) fn outgoing(&self, hold: Option<Duration>) -> Result<Arc<Request>, Failure> {
        let place = self.place()?;
        let ordinary = place.request()?;
        match (hold, ordinary) {
            // A held poll has its time limit in it and is built for each.
            (Some(hold), _) => {
                let call = place.dialect().wait(&place.cursor(), hold)?;
                Ok(Arc::new(self.client.request(call)?))
            }
            (None, PlaceRequest::Named(named, name)) => self.client.lend_named(named, name),
            (None, PlaceRequest::Get(uri)) => self.client.lend(uri),
            (None, PlaceRequest::Whole(request)) => Ok(Arc::clone(request)),
        }
    }

    /// Returns where the operation is polled.
    ///
    /// # Errors
    ///
    /// When the server has named no place.
    fn place(&self) -> Result<Place<'_>, Failure> {
        self.snapshot.place().ok_or_else(|| Failure::protocol("the operation has no name: it cannot be polled"))
    }

    /// Moves on to the snapshot that follows from the reply to a poll, whose body it takes if it
    /// says something new. The snapshot is overwritten in place where no clone shares it, which
    /// saves an allocation per poll.
    ///
    /// # Errors
    ///
    /// When the dialect reads a failure. The snapshot is unchanged then.
    pub(crate) fn advance(&mut self, reply: &mut Reply, replied: ReplyTime) -> Result<(), Failure> {
        self.advance_from(None, reply, replied)
    }

    /// As [`advance`](Self::advance), of a snapshot whose body is `packed` if it has none.
    pub(crate) fn advance_from(
        &mut self,
        packed: Option<&Alike>,
        reply: &mut Reply,
        replied: ReplyTime,
    ) -> Result<(), Failure> {
        let packed = packed.filter(|_| self.snapshot.body.is_none());
        let place = self.place()?;
        // Most replies say again what the one before has said: they need not be read.
        if self.snapshot.is_of(reply.body(), packed) && place.dialect().reads_the_same(reply) {
            let hint = Hint::from_headers(reply.headers());
            Arc::make_mut(&mut self.snapshot).repeat(hint, replied);
            return Ok(());
        }
        let cursor = place.cursor();
        let mut read = place.dialect().read(&cursor, reply);
        // In its place: an observation is large.
        let seen = match read {
            Ok(ref mut seen) => seen,
            Err(failure) => return Err(failure),
        };
        // A cursor that has not moved keeps its request. One that moves to an origin that is not
        // trusted does not fail this poll, whose reply was read from a trusted one: its word and
        // its body count, and the next poll fails.
        let moved = seen.cursor.take().filter(|moved| *moved != *cursor);
        let moved = moved.map(|cursor| self.client.target(Arc::clone(place.dialect()), cursor));
        // A poll that is refused is not worth a delay.
        seen.follow |= moved.as_ref().is_some_and(|moved| moved.request.is_err());
        let change = self.snapshot.change(seen, reply.body(), self.method, replied);
        let snapshot = Arc::make_mut(&mut self.snapshot);
        if let Some(packed) = packed.filter(|_| change.keeps_metadata()) {
            snapshot.body = Some(packed.unpack());
        }
        snapshot.apply(change, || std::mem::take(reply.body_mut()));
        if let Some(moved) = moved {
            (snapshot.target, snapshot.repeats) = (Some(Target::new(moved, &snapshot.name)), false);
        }
        Ok(())
    }

    /// Makes an error of a failed call. It carries this operation, and says what to do where the
    /// cause allows it.
    pub(crate) fn poll_error(&self, message: &str, failure: Failure) -> Error {
        // What "not found" means depends on what was known of the operation: a poll that has seen
        // it, the start call that was accepted, or a token or a name from elsewhere.
        let known = match &self.snapshot {
            snapshot if snapshot.is_found => Known::Found,
            snapshot if snapshot.replied.is_some() => Known::Started,
            _ => Known::Resumed,
        };
        let gone = failure.is_not_found().then_some(known);
        let code = failure.status().map(Status::code);
        let unauthorized = matches!(code, Some(Code::Unauthenticated | Code::PermissionDenied));
        // Google's APIs throttle with PERMISSION_DENIED: no other credentials would help.
        let unauthorized = unauthorized && !failure.is_throttle_in_words();
        let message = match gone {
            Some(Known::Found) => format!("{message}: the operation was found before and is gone now"),
            Some(Known::Started) => format!("{message}: the start call was accepted, and its operation is not found"),
            _ => message.to_owned(),
        };
        // A refusal may be for want of what the token does not have. Not where a poll has found the
        // operation without it, and not of what the client adds.
        let is_refusal = failure.status().is_some() && failure.verdict() != Verdict::Retry && !self.snapshot.is_found;
        let is_missing = |name: &str| !self.client.has_query(name);
        let left_out = Some(&self.snapshot.provenance().left_out).filter(|_| is_refusal);
        let missing = left_out.and_then(|left_out| left_out.parameters_in_words(is_missing));
        let message = match &missing {
            Some(names) => format!("{message}: the token that it was resumed from was written without {names}"),
            None => message,
        };
        let error = Error::from_failure(ErrorKind::Poll, message, failure).with_operation(self);
        let error = error.with_advice(
            ErrorKind::Unsupported,
            "check the base URL and the dialect: the service does not have this call",
        );
        let uri = self.snapshot.place().and_then(Place::server);
        if missing.is_some() && uri.is_some_and(|uri| self.client.is_to_own_origin(uri)) {
            return error.with_advice(
                ErrorKind::Poll,
                "what every request needs belongs on the client (`.query(…)`); what belongs to this URL alone is only in the name that the service gave: resume from that",
            );
        }
        match gone {
            Some(Known::Found) => error.with_advice(ErrorKind::Poll, "its result may have expired, or it was deleted"),
            Some(Known::Started) => error.with_advice(
                ErrorKind::Poll,
                "it may have expired, or need longer to appear: poll again from the snapshot, or raise `not_found_grace`",
            ),
            Some(Known::Resumed) => error.with_advice(
                ErrorKind::Poll,
                "it may have expired or been deleted: check its name, the dialect and the address of the service",
            ),
            None if unauthorized && self.snapshot.place().is_some_and(Place::is_bare) => error
                .with_advice(
                    ErrorKind::Poll,
                    "this origin gets no credentials; if it is the service's own, allow it with `allow_origin_with_credentials`",
                ),
            None if unauthorized => {
                error.with_advice(ErrorKind::Poll, "check the credentials, then poll again from the snapshot")
            }
            None => error,
        }
    }
}

/// What was known of an operation before a poll did not find it.
#[derive(Clone, Copy)]
enum Known {
    /// A poll has found it.
    Found,
    /// The start call was accepted.
    Started,
    /// A token or a name, and no reply since.
    Resumed,
}

impl fmt::Debug for RawOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RawOperation");
        out.field("name", &quoted_name(self.name())).field("state", &self.state());
        if let Some(word) = self.raw_status() {
            out.field("raw_status", &quoted(word));
        }
        if let Some(status) = self.status() {
            out.field("status", status);
        }
        out.finish_non_exhaustive()
    }
}

impl RawOperation {
    /// Returns `Ok` if the operation succeeded, else the error that
    /// [`no_response`](Self::no_response) makes.
    pub(crate) fn success(&self) -> Result<()> {
        if self.is_succeeded() { Ok(()) } else { Err(self.no_response()) }
    }

    /// Makes the error of an operation that has no response because it failed, was cancelled, or is
    /// not terminal yet.
    #[cold]
    pub(crate) fn no_response(&self) -> Error {
        let ended = |word: &str| self.status().map_or_else(|| word.to_owned(), |status| format!("{word}: {status}"));
        let (kind, message) = match self.state() {
            State::Failed => (ErrorKind::Failed, ended("failed")),
            State::Cancelled => (ErrorKind::Cancelled, ended("was cancelled")),
            state => (ErrorKind::NotCompleted, format!("has no result yet, it is {state}")),
        };
        let error = Error::new(kind, message).with_operation(self);
        match &self.snapshot.more().status {
            Some(status) => error.with_status(status),
            None => error,
        }
    }
}
