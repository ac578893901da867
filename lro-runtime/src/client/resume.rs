//! Resuming operations that were started before, from a name or from a token.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{Operations, current_method};
use crate::{
    dialect::{Cursor, Dialect},
    error::{Error, ErrorKind, Result},
    operation::{
        Method, RawOperation, Resume, Token,
        left_out::LeftOut,
        snapshot::{PollTarget, Snapshot, StartTime},
        token::Source,
    },
    stamp::{Stamp, nanos},
    status::{Failure, State},
    text::excerpt,
    url::redacted,
};

impl Operations {
    /// Returns an operation that was started before, from its name or a token. No I/O.
    ///
    /// From a name the operation is pending until the first poll. From a token it has the state
    /// that the token was written in; one that succeeded is running until a poll has fetched its
    /// response. A token that leads nowhere, because what the service named could not be read, or
    /// [kept](Token#how-long-it-is), gives an operation whose polls fail and say why.
    ///
    /// In the body of an annotated method the operation is one of that method, with its dialect,
    /// its options and its settings; a token of another method is refused there. Elsewhere it is
    /// untyped, in the client's dialect; it stays bound to the method of its token.
    ///
    /// A name or a token proves nothing about who sends it: [`Resume`] says how a web handler takes
    /// one from outside.
    ///
    /// # Errors
    ///
    /// Of kind [`InvalidToken`](crate::ErrorKind::InvalidToken) when the name or the token cannot
    /// be used, [`UntrustedUrl`](crate::ErrorKind::UntrustedUrl) when it points to an origin that
    /// is not trusted.
    pub fn resume(&self, from: impl Into<Resume>) -> Result<RawOperation> {
        self.resume_as(from.into(), current_method::current())
    }

    /// Resumes an operation of `method`, or an untyped one.
    pub(crate) fn resume_as(&self, from: Resume, method: Option<&'static Method>) -> Result<RawOperation> {
        match from.into_source() {
            Source::Name(name) => self.resume_name(&name, method),
            Source::Token(token) => self.resume_token(*token, method),
            Source::Damaged(error) => Err(error),
        }
    }

    /// Resumes from a name: the dialect makes the cursor of it.
    fn resume_name(&self, name: &str, method: Option<&'static Method>) -> Result<RawOperation> {
        let dialect = self.dialect_of(method);
        let said = format!("cannot resume from `{}`", redacted(&excerpt(name.as_bytes())));
        let id = dialect.id();
        let cursor = dialect
            .locate(name, Method::options_of(method))
            .map_err(|failure| invalid(format!("{said}: {failure}")))?;
        let target = self
            .resumable(dialect, cursor)
            .map_err(|failure| Error::from_failure(ErrorKind::InvalidToken, said, failure))?;
        Ok(RawOperation::new(Snapshot::unpolled(name, id, Some(target), None), self.clone(), method))
    }

    /// Resumes from a token: its cursor, state, status and start time.
    fn resume_token(&self, token: Token, method: Option<&'static Method>) -> Result<RawOperation> {
        let token = token.into_content();
        // A token without a method was written by an untyped operation and fits any method; an
        // untyped resume takes any token.
        if let Some(method) = method.filter(|method| !token.method.is_empty() && method.name() != token.method) {
            return Err(invalid(format!(
                "the token belongs to the method `{}`, not to `{}`",
                excerpt(token.method.as_bytes()),
                method.name()
            )));
        }
        // A cursor has a meaning only in the dialect that made it.
        let dialect = self.dialect_of(method);
        if dialect.id() != token.dialect {
            return Err(invalid(format!(
                "the token belongs to the dialect `{}`, not to `{}`",
                excerpt(token.dialect.as_bytes()),
                dialect.id()
            )));
        }
        let id = dialect.id();
        // A token comes from outside the process: its URL passes the same origin check as one that
        // a server gives. What was refused when the token was written is refused by the polls
        // again, and the rest of what the token says is not lost for it.
        let target = token.cursor.map(|cursor| match cursor.refusal() {
            Some(_) => Ok(self.target(dialect, cursor)),
            None => self.resumable(dialect, cursor),
        });
        let target = target.transpose();
        let target = target.map_err(|failure| {
            Error::from_failure(ErrorKind::InvalidToken, "the token's URL or name cannot be used", failure)
        })?;
        if target.is_none() && !token.state.is_terminal() {
            return Err(invalid("the token has no cursor".to_owned()));
        }
        let started = token.started.map(|millis| self.started_at(millis));
        let mut snapshot = Snapshot::unpolled(&token.name, id, target, started);
        // A token has no payloads. As a running operation, one that succeeded is polled once more,
        // which fetches its response.
        let must_fetch = token.state == State::Succeeded && snapshot.target.is_some();
        snapshot.state = if must_fetch { State::Running } else { token.state };
        if token.status.is_some() || token.raw_status.is_some() {
            let more = snapshot.more_mut();
            (more.status, more.raw_status) = (token.status.map(Arc::new), token.raw_status.map(Arc::from));
        }
        snapshot.is_found = token.found;
        // Within the bounds of a token of our own, and cleaned as its names are: this one may be
        // anybody's.
        let mut left_out = LeftOut { details: token.left_out.details, ..LeftOut::default() };
        left_out.add(token.left_out.parameters);
        if !left_out.is_empty() {
            snapshot.provenance_mut().left_out = left_out;
        }
        if method.is_none() && !token.method.is_empty() {
            snapshot.provenance_mut().token_method = Some(token.method.into());
        }
        Ok(RawOperation::new(snapshot, self.clone(), method))
    }

    /// Builds the target of a resumed operation. Unlike one that a server's reply leads to, it
    /// fails at once if it cannot be polled: the caller still has the name or the token.
    fn resumable(&self, dialect: Arc<dyn Dialect>, cursor: Cursor) -> Result<PollTarget, Failure> {
        let target = self.target(dialect, cursor);
        match target.request() {
            Ok(_) => Ok(target),
            Err(refusal) => Err(refusal.clone()),
        }
    }

    /// Translates a token's start time, in milliseconds since 1970, to the monotonic clock of this
    /// process: the base of the `404` grace.
    fn started_at(&self, millis: u64) -> StartTime {
        let (now, system_now) = (self.timer().now(), self.timer().system_time());
        let system = UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(SystemTime::UNIX_EPOCH);
        // The clock of the process that wrote the token may be ahead of this one: then the start is
        // taken as now.
        let age = system_now.duration_since(system).unwrap_or(Duration::ZERO);
        StartTime { at: Stamp::from(now).after(-nanos(age)), unix_millis: millis }
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidToken, message)
}
