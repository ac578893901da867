//! Operations made from messages that this client did not get from a start call: adopted ones and
//! listed ones.

use std::sync::Arc;

use bytes::Bytes;

use super::{ListOperations, Operations, current_method};
use crate::{
    dialect::{Dialect, Listed},
    error::{Error, ErrorKind, Result},
    message::{Reply, Request},
    operation::{
        Handle, LongRunning, Method, OperationState, RawOperation,
        snapshot::{ReplyTime, Snapshot, StartTime},
    },
    status::Failure,
};

impl Operations {
    /// Lists the service's operations, as the stream [`ListOperations`]. No request is sent before
    /// the stream is polled.
    ///
    /// The `filter` is in the service's own language, such as `done=true`. An empty filter lists
    /// all operations.
    ///
    /// A service's list has the operations of all its methods. Here they belong to no method: the
    /// client's dialect reads them, and no method's `pending` or `classify` judges them. An entry
    /// says nowhere which method started it, and no method is guessed from its name or its payload:
    /// a wrong guess would change its state. Where the filter or the parent selects the operations
    /// of one method, [`list_of`](Self::list_of) lists them as that method sees them. Else the
    /// caller decides entry by entry, and resumes the operation with the method's `resume_…`.
    pub fn list(&self, filter: impl Into<String>) -> ListOperations {
        ListOperations::new(self.clone(), None, filter.into())
    }

    /// Lists the operations of one method, typed, as [`list`](Self::list) does without types.
    ///
    /// Everything that the method declares holds, as it does for an operation that the method
    /// started or resumed: its dialect and path, its `pending`, `classify` and `progress`, its
    /// settings, and its name in tokens.
    ///
    /// Every entry is taken as an operation of this method, so the filter or the parent must select
    /// them: names are not looked at. An operation of another method is judged by this method all
    /// the same, and its payloads do not decode.
    ///
    /// ```no_run
    /// use lro_runtime::{Operations, RawOperation, Result, long_running};
    ///
    /// pub struct ImageClient {
    ///     operations: Operations,
    /// }
    ///
    /// #[long_running]
    /// impl ImageClient {
    ///     #[long_running(response = String, metadata = (), poll(delay = "1s"))]
    ///     pub async fn export_image(&self) -> Result<RawOperation> {
    ///         self.operations.post("v1/images:export", "cat").await
    ///     }
    ///
    ///     pub async fn print_exports(&self) -> Result<()> {
    ///         let mut exports = self.operations.list_of::<ExportImageOperation>("metadata.kind=export");
    ///         while let Some(export) = exports.next().await {
    ///             println!("{:?}", export?.result());
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn list_of<O: LongRunning + Handle>(&self, filter: impl Into<String>) -> ListOperations<O> {
        ListOperations::new(self.clone(), Some(<O::State as OperationState>::METHOD), filter.into())
    }

    /// Makes an operation from its message as the service wrote it. No I/O.
    ///
    /// The message is the reply to a start call that was made by other means, or one that was
    /// stored ([`RawOperation::raw`]). It is taken as a start reply that arrives now, because it
    /// does not say when it was written: the `initial_delay`, its hint and the `not_found_grace`
    /// count from now, and no poll has found the operation yet. Where the time of the start
    /// matters, store the [`token`](RawOperation::token) instead, which has it.
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
    /// Of kind [`Protocol`](ErrorKind::Protocol) when the dialect cannot read the message, not even
    /// its name. One that leads to an origin that is not trusted is an operation whose polls fail.
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
        // Read as a start reply, it is one in time as well: of a message that has just come, a
        // `404` means that the operation is not visible yet. Of an older one it costs a wait no
        // more than the grace.
        let timer = self.timer();
        let started = StartTime::new(timer.now().into(), timer.system_time());
        let replied = ReplyTime { began: started.at, at: started.at, answers_start: true };
        let next = self.first(dialect, seen, reply.body(), method, Some(started), replied);
        Ok(RawOperation::new(next.with_body(|| reply.into_body()), self.clone(), method))
    }

    /// Makes an operation of `method` from the entry at `index` of a list page. Copies its bytes,
    /// so keeping one does not keep the page alive.
    ///
    /// The error of an entry that cannot be read has the operation that it stands for: one that was
    /// not polled yet, with the entry as its raw message. It can be polled if its name could be
    /// read.
    pub(crate) fn adopt_listed(
        &self,
        index: usize,
        listed: Listed<'_>,
        method: Option<&'static Method>,
        replied: ReplyTime,
    ) -> Result<RawOperation> {
        let Listed { message, seen, name } = listed;
        let dialect = self.dialect_of(method);
        // Cloned, because reading uses up the observation. Most names are borrowed from the page.
        let name = seen.as_ref().map_or(name, |seen| seen.name.clone());
        let read = seen.and_then(|seen| {
            if seen.cursor.is_none() && !seen.state.is_terminal() {
                return Err(Failure::protocol("it is not completed, and does not say where it can be polled"));
            }
            Ok(self.first(Arc::clone(&dialect), seen, message, method, None, replied))
        });
        let body = || Bytes::copy_from_slice(message);
        match read {
            Ok(next) => Ok(RawOperation::new(next.with_body(body), self.clone(), method)),
            Err(failure) => {
                let name = name.unwrap_or_default();
                let cursor = dialect.locate(&name, Method::options_of(method)).ok();
                let id = dialect.id();
                let target = cursor.map(|cursor| self.target(dialect, cursor));
                let snapshot = Snapshot { body: Some(body()), ..Snapshot::unpolled(&name, id, target, None) };
                let what = format!("the entry at index {index} of its page cannot be read");
                Err(Error::from_failure(ErrorKind::Protocol, what, failure)
                    .with_operation(&RawOperation::new(snapshot, self.clone(), method))
                    .with_advice(ErrorKind::Protocol, "the snapshot's `raw()` is the entry; the others are listed"))
            }
        }
    }
}
