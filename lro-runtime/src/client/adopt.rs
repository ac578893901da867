//! Operations made from messages that this client did not get from a start call: adopted ones and
//! listed ones.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{ListOperations, Operations, current_method};
use crate::{
    dialect::{Dialect, Listed},
    error::{Error, ErrorKind, Result},
    message::{Reply, Request},
    operation::{Method, RawOperation, snapshot::ReplyTime},
    status::Failure,
};

impl Operations {
    /// Lists the service's operations, as the stream [`ListOperations`]. No request is sent before
    /// the stream is polled.
    ///
    /// The `filter` is in the service's own language, such as `done=true`. An empty filter lists
    /// all operations.
    pub fn list(&self, filter: impl Into<String>) -> ListOperations {
        ListOperations::new(self.clone(), filter.into())
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
    /// Of kind [`Protocol`](ErrorKind::Protocol) when the dialect cannot read the message. A
    /// message that leads to an origin that is not trusted is an operation whose polls fail.
    pub fn adopt(&self, message: impl Into<Bytes>) -> Result<RawOperation> {
        let method = current_method::current();
        self.adopt_reply(Reply::new(message.into()), self.dialect_of(method), method)
            .map_err(|failure| Error::from_failure(ErrorKind::Protocol, "the message is not an operation", failure))
    }

    /// Makes an operation of `method` from its message in the client's dialect, also where the
    /// method declares another one: for the test kit.
    #[cfg(feature = "testing")]
    pub(crate) fn adopt_as(&self, message: Bytes, method: &'static Method) -> Result<RawOperation> {
        let dialect = self.dialect().clone();
        self.adopt_reply(Reply::new(message), dialect, Some(method))
            .map_err(|failure| Error::from_failure(ErrorKind::Protocol, "the message is not an operation", failure))
    }

    fn adopt_reply(
        &self,
        reply: Reply,
        dialect: Arc<dyn Dialect>,
        method: Option<&'static Method>,
    ) -> Result<RawOperation, Failure> {
        // There was no start call of this client. The base URL stands in for its URL, so that a
        // dialect can resolve relative URLs.
        let mut request = Request::default();
        *request.uri_mut() = self.base().clone();
        let seen = dialect.read_start(&request, &reply, Method::options_of(method))?;
        // The time of the start is unknown: without it a `404` is an error at once, with no grace.
        let next = self.first(dialect, seen, reply.body(), method, None, self.just_now());
        Ok(RawOperation::new(next.with_body(|| reply.into_body()), self.clone(), method))
    }

    /// Makes an operation from one entry of a list page. Copies its bytes, so keeping one does not
    /// keep the page alive.
    pub(crate) fn adopt_listed(&self, listed: Listed<'_>) -> RawOperation {
        let Listed { message, seen } = listed;
        let next = self.first(self.dialect().clone(), seen, message, None, None, self.just_now());
        RawOperation::new(next.with_body(|| Bytes::copy_from_slice(message)), self.clone(), None)
    }

    /// The time of a reply that is handed over now, took no time, and is not the reply to a start
    /// call: the initial delay does not apply.
    fn just_now(&self) -> ReplyTime {
        ReplyTime { at: self.timer().now(), round_trip: Duration::ZERO, answers_start: false }
    }
}
