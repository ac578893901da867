//! The dialect of Azure, for the data plane and the Resource Manager.

use self::{errors::error_reply, words::Words};
use super::{Dialect, Options, location::kept_url_in};
use crate::{
    dialect::{Call, Cursor, Observation},
    hint::Hint,
    message::{Reply, Request},
    status::{Failure, State},
};

mod body;
mod cursor;
mod errors;
mod final_state_via;
mod poll;
mod start;
mod words;

pub use self::final_state_via::FinalStateVia;

/// Azure: the [REST
/// guidelines](https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#long-running-operations--jobs)
/// of the data plane and the [asynchronous
/// operations](https://github.com/cloud-and-ai-microsoft/resource-provider-contract/blob/master/v1.0/async-api-reference.md)
/// of the Resource Manager.
///
/// The reply of the start call says what is polled: the URL in `Operation-Location`, else in
/// `Azure-AsyncOperation` (both lead to a *status monitor*), else in `Location`, else for `PUT` and
/// `PATCH` the resource itself and its `provisioningState`. Without any of them the operation is
/// finished, except after a `202`, which is then an error. The headers of a later reply may move
/// the URL.
///
/// | polled | running | ended |
/// |---|---|---|
/// | status monitor | any other `status`; `202` without one | `Succeeded`, `Failed`, `Canceled` or `Cancelled`, in any case, or a word [declared](Azure::with_words) for the service |
/// | `Location` | `202`; a `200` or `201` whose body is an operation or a resource that says so | any other `2xx`; its body is the response |
/// | the resource | `202`, or any other `provisioningState` | the same words; without a word it has succeeded |
///
/// The body of a `202` to a `POST` or `DELETE` may be the monitor's already. That of a `PUT` or
/// `PATCH` is the resource: where a monitor is named, the monitor decides, and a `status` in that
/// body is not read. A `201` without a body says nothing: the resource is polled once.
///
/// A `202` with a `Location` alone never proves what is there, so the body of every reply is read
/// first. With `properties.provisioningState` it is the resource, and with a known `status` and
/// nothing of a resource around it a status monitor, as in Fabric: the `Location` of its last
/// reply, or `/result` below it, then has the response.
///
/// Of an operation that is resumed from its URL alone, the replies say what is there: a body with a
/// `provisioningState` is the resource, one with a `status` is a monitor's. A `202` that is not a
/// monitor's and names one leads there, as the reply of a start call does.
///
/// After a monitor has said `Succeeded`, the response is fetched at once with one more `GET`,
/// unless the monitor has it; [`FinalStateVia`] says from where. A `4xx` or `5xx` is a failed poll,
/// not a failed operation, with one exception: a `Location` or a resource that has said before that
/// the operation runs tells its failure by a `4xx` with an error. 401, 403, 404, 408, 410, 412 and
/// 429 stay failed polls there, too, as do throttles and errors about the `api-version`.
///
/// The code of an error is its [`reason`](crate::Status::reason), in every form that services
/// write: `{"error": {"code", "message"}}`, `odata.error`, code and message without a wrapper, a
/// string, or the header `x-ms-error-code`.
///
/// Relative URLs resolve against the URL of the call that was answered with them ([RFC 9110,
/// 10.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.2)). A URL that cannot
/// be resolved fails the poll that would follow it, and nothing else.
///
/// The start call's `api-version` is added to every URL that has none, because the URLs that
/// services write into headers lack it and are refused without it; not on an origin that gets no
/// credentials. The headers that the caller put on the start call are sent with every poll
/// ([`repeated_headers`](super::repeated_headers)). The operation's name is the URL that is polled
/// first. The metadata is the whole body of the monitor, or of a `202`.
///
/// A client-chosen `Operation-Id` makes the start call idempotent: see
/// [`OperationsBuilder::start_id`](crate::OperationsBuilder::start_id) and
/// [`start_retries`](crate::OperationsBuilder::start_retries).
#[derive(Clone, Copy, Debug, Default)]
pub struct Azure {
    via: Option<FinalStateVia>,
    words: &'static [(&'static str, State)],
}

/// The name of the method option that sets [`FinalStateVia`].
const FINAL_STATE_VIA: &str = "final_state_via";

impl Azure {
    /// Creates the dialect with the rules of Azure's own clients.
    #[must_use]
    pub const fn new() -> Self {
        Self { via: None, words: &[] }
    }

    /// Sets where the response is for methods without the option `final_state_via`. Default: the
    /// order given at [`FinalStateVia`].
    #[must_use]
    pub const fn with_final_state_via(mut self, via: FinalStateVia) -> Self {
        self.via = Some(via);
        self
    }

    /// Sets what status words of this service mean, beside Azure's own. Default: none.
    ///
    /// Azure's guidelines end an operation with `Succeeded`, `Failed` or `Canceled`. Any other word
    /// means running, so an operation of a service that ends with a word of its own would never
    /// end. Words are compared without regard to case. Those three, `Cancelled` and
    /// `NotStarted` keep their meaning.
    ///
    /// One method declares its words with the key `words`:
    /// `words(succeeded = "partiallySucceeded")`. They go before those of the client.
    ///
    /// ```
    /// use lro_runtime::{Operations, State, dialect::Azure};
    ///
    /// let dialect = Azure::new().with_words(&[("partiallySucceeded", State::Succeeded), ("expired", State::Failed)]);
    /// let operations = Operations::builder("https://language.example.com").dialect(dialect).build()?;
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    #[must_use]
    pub const fn with_words(mut self, words: &'static [(&'static str, State)]) -> Self {
        self.words = words;
        self
    }

    /// Returns the words of the client with these of the method.
    fn words(self, of_method: &str) -> Words<'_> {
        Words { of_client: self.words, of_method }
    }

    /// Returns what the method's options say, else what the dialect was built with.
    fn via(self, options: &Options) -> Result<Option<FinalStateVia>, Failure> {
        let Some((_, word)) = options.iter().find(|(option, _)| *option == FINAL_STATE_VIA) else {
            return Ok(self.via);
        };
        let known = FinalStateVia::of(word).map(Some);
        known.ok_or_else(|| {
            Failure::unsupported(format!(
                "final_state_via = `{word}`: expected one of {}",
                FinalStateVia::ALL.map(|(word, _)| word).join(", ")
            ))
        })
    }
}

impl Dialect for Azure {
    fn id(&self) -> &'static str {
        "azure"
    }

    fn prepare_start(&self, _request: &mut Request, options: &Options) -> Result<(), Failure> {
        // A misspelt option fails here, before anything is sent. Later, it would hide an operation
        // that has started.
        self.via(options).map(drop)
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        let of_method = words::of_method(options);
        start::read(self.via(options)?, self.words(&of_method), request, reply).map(|seen| completed(seen, reply))
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        let mut cursor = Cursor::new(name);
        if let Some(via) = self.via(options)? {
            cursor = cursor.with(cursor::VIA, via.word());
        }
        let words = words::of_method(options);
        Ok(if words.is_empty() { cursor } else { cursor.with(cursor::WORDS, words) })
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        let call = Call::get(cursor.key()).with_headers(cursor.headers());
        Ok(cursor.part(cursor::VERSION).into_iter().fold(call, Call::with_own_query))
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        let words = self.words(cursor.part(cursor::WORDS).unwrap_or_default());
        poll::read(words, cursor, reply).map(|seen| completed(seen, reply))
    }
}

/// Returns `Ok` for a `2xx`, and the failure made by [`error_reply`] for any other reply.
fn expect_success(reply: &Reply) -> Result<(), Failure> {
    if reply.status().is_success() { Ok(()) } else { Err(error_reply(reply)) }
}

/// Completes what a reply says with its headers: the hint, and the code of its error. Of the cursor
/// it says what no poll needs.
fn completed<'a>(mut seen: Observation<'a>, reply: &Reply) -> Observation<'a> {
    seen.hint = Hint::from_headers(reply.headers());
    seen.status = seen.status.map(|status| errors::with_reason_of(reply, status));
    seen.cursor = seen.cursor.map(|cursor| cursor.with_spare(cursor::SPARE));
    seen
}

/// The header that names where the result is, or what is polled if there is no monitor.
const LOCATION: &str = "location";

/// The headers that name a status monitor. As in Azure's clients, `Operation-Location` (the data
/// plane's header) goes before `Azure-AsyncOperation` (the Resource Manager's).
const MONITORS: [&str; 2] = ["operation-location", "azure-asyncoperation"];

/// Returns the URL of the status monitor that the reply names.
fn monitor_in(reply: &Reply, polled: &str) -> Option<String> {
    MONITORS.iter().find_map(|header| kept_url_in(reply, header, polled))
}
