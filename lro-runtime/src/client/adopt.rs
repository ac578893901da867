//! Operations whose messages came another way than by a start call of this client.

use std::time::Duration;

use bytes::Bytes;

use super::{ListOperations, Operations, current_method};
use crate::{
    dialect::Listed,
    error::{Error, ErrorKind, Result},
    message::{Reply, Request},
    operation::{Method, RawOperation, snapshot::ReplyTime},
    status::Failure,
};

impl Operations {
    /// Lists operations: see [`ListOperations`]. The `filter` is in the service's language (`done=true`); empty for all.
    pub fn list(&self, filter: impl Into<String>) -> ListOperations {
        ListOperations::new(self.clone(), filter.into())
    }

    /// An operation from its message as the service wrote it: the reply of a call that was made by other means, or one that was stored
    /// ([`RawOperation::raw`]). No I/O.
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
    /// Of kind [`Protocol`](ErrorKind::Protocol) when it is not of the dialect, [`UntrustedUrl`](ErrorKind::UntrustedUrl) when it leads to a place that is
    /// not trusted.
    pub fn adopt(&self, message: impl Into<Bytes>) -> Result<RawOperation> {
        let reply = Reply::new(message.into());
        self.adopt_reply(reply)
            .map_err(|failure| Error::from_failure(ErrorKind::Protocol, "the message is of no operation", failure))
    }

    fn adopt_reply(&self, reply: Reply) -> Result<RawOperation, Failure> {
        let method = current_method::current();
        let dialect = self.dialect_of(method);
        let mut request = Request::default();
        *request.uri_mut() = self.base().clone();
        let seen = dialect.read_start(&request, &reply, Method::options_of(method))?;
        let next = self.first(dialect, seen, reply.body(), method, None, self.just_now())?;
        Ok(RawOperation::new(next.with_body(|| reply.into_body()), self.clone(), method))
    }

    /// One operation of a page, independent of it: who keeps one does not keep the page.
    pub(crate) fn adopt_listed(&self, listed: Listed<'_>) -> Result<RawOperation, Failure> {
        let Listed { message, seen } = listed;
        let next = self.first(self.dialect().clone(), seen, message, None, None, self.just_now())?;
        Ok(RawOperation::new(next.with_body(|| Bytes::copy_from_slice(message)), self.clone(), None))
    }

    fn just_now(&self) -> ReplyTime {
        ReplyTime { at: self.timer().now(), round_trip: Duration::ZERO, to_start: false }
    }
}
