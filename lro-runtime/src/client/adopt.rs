//! Operations made from messages that this client did not get from a start call: adopted ones and
//! listed ones.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{ListOperations, Operations, current_method};
use crate::{
    dialect::Listed,
    error::{Error, ErrorKind, Result},
    message::{Reply, Request},
    operation::{
        Method, RawOperation,
        snapshot::{ReplyTime, Snapshot},
    },
    status::Failure,
};

impl Operations {
    /// Lists the service's operations, as the stream [`ListOperations`]. No request is sent before
    /// the stream is polled.
    ///
    /// The `filter` is in the service's own language, such as `done=true`. An empty filter lists
    /// all operations.
    pub fn list(&self, filter: impl Into<String>) -> ListOperations {
        ListOperations::new(self.clone(), None, filter.into())
    }

    /// Makes an operation from its message as the service wrote it. No I/O.
    ///
    /// The message is the reply to a call that was made by other means, or one that was stored
    /// ([`RawOperation::raw`]).
    ///
    /// ```
    /// # let operations = lro_runtime::Operations::builder("https://images.example.com").build()?;
    /// let operation = operations.adopt(r#"{"name": "operations/7", "metadata": {"percent": 40}}"#)?;
    /// assert_eq!((operation.name(), operation.is_completed()), ("operations/7", false));
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Of kind [`Protocol`](ErrorKind::Protocol) when the dialect cannot read the message,
    /// [`UntrustedUrl`](ErrorKind::UntrustedUrl) when the message points to an origin that is not
    /// trusted.
    pub fn adopt(&self, message: impl Into<Bytes>) -> Result<RawOperation> {
        let reply = Reply::new(message.into());
        self.adopt_reply(reply)
            .map_err(|failure| Error::from_failure(ErrorKind::Protocol, "the message is not an operation", failure))
    }

    fn adopt_reply(&self, reply: Reply) -> Result<RawOperation, Failure> {
        let method = current_method::current();
        let dialect = self.dialect_of(method);
        // There was no start call of this client. The base URL stands in for its URL, so that a
        // dialect can resolve relative URLs.
        let mut request = Request::default();
        *request.uri_mut() = self.base().clone();
        let seen = dialect.read_start(&request, &reply, Method::options_of(method))?;
        // The time of the start is unknown: without it a `404` is an error at once, with no grace.
        let next = self.first(dialect, seen, reply.body(), method, None, self.just_now())?;
        Ok(RawOperation::new(next.with_body(|| reply.into_body()), self.clone(), method))
    }

    /// Makes an operation of `method` from one entry of a list page. Copies its bytes, so keeping
    /// one does not keep the page alive.
    ///
    /// # Errors
    ///
    /// Why the entry cannot be read, and the operation that it stands for: one that was not polled
    /// yet, with the entry as its raw message. It can be polled if its name could be read.
    pub(crate) fn adopt_listed(
        &self,
        listed: Listed<'_>,
        method: Option<&'static Method>,
        replied: ReplyTime,
    ) -> Result<RawOperation, (Failure, RawOperation)> {
        let Listed { message, seen, name } = listed;
        let dialect = self.dialect_of(method);
        // Cloned, because reading uses up the observation. Most names are borrowed from the page.
        let name = seen.as_ref().map_or(name, |seen| seen.name.clone());
        let read = seen.and_then(|seen| {
            if seen.cursor.is_none() && !seen.state.is_terminal() {
                return Err(Failure::protocol("it is not completed, and does not say where it can be polled"));
            }
            self.first(Arc::clone(&dialect), seen, message, method, None, replied)
        });
        let body = || Bytes::copy_from_slice(message);
        match read {
            Ok(next) => Ok(RawOperation::new(next.with_body(body), self.clone(), method)),
            Err(failure) => {
                let name = name.unwrap_or_default();
                let cursor = dialect.locate(&name, Method::options_of(method)).ok();
                let target = cursor.and_then(|cursor| self.target(dialect, cursor).ok());
                let snapshot = Snapshot { body: body(), ..Snapshot::unpolled(&name, target, None) };
                Err((failure, RawOperation::new(snapshot, self.clone(), method)))
            }
        }
    }

    /// The time of a reply that is handed over now, took no time, and is not the reply to a start
    /// call: the initial delay does not apply.
    fn just_now(&self) -> ReplyTime {
        ReplyTime { at: self.timer().now(), round_trip: Duration::ZERO, answers_start: false }
    }
}
