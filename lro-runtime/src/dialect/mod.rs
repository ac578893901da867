//! Dialects: how one family of APIs writes an operation on the wire. Pure: bytes in, observation out.
//!
//! | the service | its dialect |
//! |---|---|
//! | `google.longrunning` over REST | [`Google`], the default |
//! | Azure, data plane and Resource Manager | [`Azure`] |
//! | `202` with a `Location`, and nothing else | [`Http`] |
//! | no operations: a resource that becomes something, or goes away | [`Waiter`], a constant |
//! | LXD, Incus | [`Lxd`] |
//! | Redfish tasks | [`Redfish`] |
//! | anything else | a type of yours that implements [`Dialect`]: one file |

use std::{sync::Arc, time::Duration};

use ::http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    detail::Detail,
    failure::{Cause, Failure},
    hint::Hint,
    observation::{Call, Cursor, Observation},
    status::{Code, Status},
    text::excerpt,
    transport::{Reply, Request},
};

mod azure;
mod compute;
pub(crate) mod declared;
mod google;
#[cfg(feature = "grpc")]
mod grpc;
mod http;
mod jobs;
mod location;
mod lxd;
mod redfish;
mod vertex;
mod waiter;

#[cfg(feature = "grpc")]
pub use self::grpc::GoogleGrpc;
#[cfg(feature = "grpc")]
pub(crate) use self::grpc::rpc_failure;
pub(crate) use self::location::CallerHeaders;
pub use crate::url::encode_name;

pub use self::{
    azure::{Azure, FinalStateVia},
    compute::{Compute, ExtendedFields},
    declared::Declared,
    google::Google,
    http::Http,
    jobs::Jobs,
    location::{repeated_headers, url_in},
    lxd::Lxd,
    redfish::Redfish,
    vertex::Vertex,
    waiter::{Acceptor, Comparator, Matcher, Meaning, Waiter},
};

/// Options of one method for its dialect, as `(name, value)`: what `path = …` or `final_state_via = …` in the attribute say.
pub type Options = [(&'static str, &'static str)];

/// How one family of APIs writes an operation on the wire.
///
/// A dialect does no I/O and reads no clock: it builds the next [`Call`] from a [`Cursor`] and reads one [`Reply`] into an
/// [`Observation`]. It sees every reply, HTTP errors included, because to some dialects an error is an answer; those to which it is not
/// return [`error_reply`]'s failure. Everything else (waiting, retrying, tokens, trust) is the same for all dialects.
///
/// One for a service that answers `201` with an id, then `{"ready": bool, "value": …}` at `jobs/<id>`:
///
/// ```
/// use lro_runtime::{
///     Call, Cursor, Dialect, Encoding, Failure, Hint, Observation, Part, State,
///     dialect::{Options, encode_name, error_reply},
///     transport::{Reply, Request},
/// };
///
/// struct Jobs;
///
/// #[derive(serde::Deserialize)]
/// struct Job<'a> {
///     id: String,
///     ready: bool,
///     #[serde(borrow)]
///     value: Option<&'a serde_json::value::RawValue>,
/// }
///
/// fn observe(reply: &Reply) -> Result<Observation<'_>, Failure> {
///     if !reply.status().is_success() {
///         return Err(error_reply(reply)); // a poll that failed, not an operation that failed
///     }
///     let job: Job<'_> = serde_json::from_slice(reply.body()).map_err(|error| Failure::protocol(format!("not a job: {error}")))?;
///     let mut seen = Observation::new(if job.ready { State::Succeeded } else { State::Running });
///     seen.response = job.value.map(|value| Part::of(value.get().as_bytes(), Encoding::Json));
///     seen.hint = Hint::from_headers(reply.headers());
///     seen.cursor = Some(Cursor::new(job.id));
///     Ok(seen)
/// }
///
/// impl Dialect for Jobs {
///     fn id(&self) -> &'static str {
///         "jobs"
///     }
///
///     fn read_start<'a>(&self, _: &Request, reply: &'a Reply, _: &Options) -> Result<Observation<'a>, Failure> {
///         observe(reply)
///     }
///
///     fn locate(&self, name: &str, _: &Options) -> Result<Cursor, Failure> {
///         Ok(Cursor::new(name))
///     }
///
///     fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
///         Ok(Call::get(format!("jobs/{}", encode_name(cursor.key())?))) // a name cannot leave its collection
///     }
///
///     fn read<'a>(&self, _: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
///         observe(reply)
///     }
/// }
///
/// let operations = lro_runtime::Operations::builder("https://jobs.example.com").dialect(Jobs).build()?;
/// assert_eq!(operations.resume("7")?.name(), "7");
/// # Ok::<(), lro_runtime::Error>(())
/// ```
pub trait Dialect: Send + Sync + 'static {
    /// A word that names the dialect in tokens. It never changes.
    fn id(&self) -> &'static str;

    /// Changes the request of a start call before it is sent. As it is, if not said.
    ///
    /// # Errors
    ///
    /// When the request cannot be sent in this dialect.
    fn prepare_start(&self, request: &mut Request, options: &Options) -> Result<(), Failure> {
        let _ = (request, options);
        Ok(())
    }

    /// Reads the reply of the start call. The observation has a cursor unless it is terminal.
    ///
    /// # Errors
    ///
    /// When the reply is an error, or not of this dialect.
    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure>;

    /// Where an operation is that is known by its name only.
    ///
    /// # Errors
    ///
    /// When the name cannot be one of this dialect's.
    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure>;

    /// The call that looks at the operation.
    ///
    /// # Errors
    ///
    /// When the cursor is not of this dialect.
    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure>;

    /// Reads the reply to [`poll`](Self::poll) or [`wait`](Self::wait).
    ///
    /// # Errors
    ///
    /// When the reply is an error, or not of this dialect.
    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure>;

    /// Reads the reply to a call that has no answer but success ([`cancel`](Self::cancel), [`delete`](Self::delete)). Any `2xx`, if not said.
    ///
    /// # Errors
    ///
    /// When the reply is an error.
    fn read_answer(&self, reply: &Reply) -> Result<(), Failure> {
        expect_success(reply)
    }

    /// The call that asks for cancellation.
    ///
    /// # Errors
    ///
    /// When the dialect has none.
    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        let _ = cursor;
        Err(Failure::unsupported("this dialect has no cancel call"))
    }

    /// The call that says that nobody is interested any more.
    ///
    /// # Errors
    ///
    /// When the dialect has none.
    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        let _ = cursor;
        Err(Failure::unsupported("this dialect has no delete call"))
    }

    /// The call that looks at the operation and may be held by the server for up to `timeout`.
    ///
    /// # Errors
    ///
    /// When the dialect has none.
    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Call, Failure> {
        let _ = (cursor, timeout);
        Err(Failure::unsupported("this dialect has no wait call"))
    }

    /// The call that lists operations.
    ///
    /// # Errors
    ///
    /// When the dialect has none.
    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        let _ = query;
        Err(Failure::unsupported("this dialect has no list call"))
    }

    /// Reads the reply to [`list`](Self::list).
    ///
    /// # Errors
    ///
    /// When the reply is an error, or not of this dialect.
    fn read_list<'a>(&self, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        let _ = reply;
        Err(Failure::unsupported("this dialect has no list call"))
    }
}

impl<D: Dialect + ?Sized> Dialect for Arc<D> {
    fn id(&self) -> &'static str {
        (**self).id()
    }

    fn prepare_start(&self, request: &mut Request, options: &Options) -> Result<(), Failure> {
        (**self).prepare_start(request, options)
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        (**self).read_start(request, reply, options)
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        (**self).locate(name, options)
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        (**self).poll(cursor)
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        (**self).read(cursor, reply)
    }

    fn read_answer(&self, reply: &Reply) -> Result<(), Failure> {
        (**self).read_answer(reply)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        (**self).cancel(cursor)
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        (**self).delete(cursor)
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Call, Failure> {
        (**self).wait(cursor, timeout)
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        (**self).list(query)
    }

    fn read_list<'a>(&self, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        (**self).read_list(reply)
    }
}

/// Which operations to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListQuery {
    /// The resource whose operations are meant; empty for the service's own.
    pub parent: String,
    /// A filter in the service's language; empty for all.
    pub filter: String,
    /// At most so many on a page.
    pub page_size: Option<u32>,
    /// The page to continue with; empty for the first.
    pub page_token: String,
    /// Whether unreachable parts of the service are listed as such instead of failing the call.
    pub return_partial_success: bool,
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct ListPage<'a> {
    /// The operations on it.
    pub operations: Vec<Listed<'a>>,
    /// The token of the next page; empty on the last.
    pub next_page_token: String,
    /// Parts of the service that did not answer.
    pub unreachable: Vec<String>,
}

/// One operation on a page.
#[derive(Clone, Debug)]
pub struct Listed<'a> {
    /// Its message: the part of the page that it was read from.
    pub message: &'a [u8],
    /// What the message says, with a cursor unless it is terminal.
    pub seen: Observation<'a>,
}

/// The failure that an HTTP error reply is: its status, what its body says (in Google's or in Azure's form, or none), its hint.
#[must_use]
pub fn error_reply(reply: &Reply) -> Failure {
    let status = reply.status();
    let said = read_error_body(reply.body(), status);
    let hint = Hint::from_headers(reply.headers()).or_else(|| said.retry_delay().map(Hint::After));
    Failure::new(Cause::Http(status, said)).with_hint(hint)
}

/// `Ok` for a `2xx`; the failure that it is for anything else.
pub(crate) fn expect_success(reply: &Reply) -> Result<(), Failure> {
    if reply.status().is_success() { Ok(()) } else { Err(error_reply(reply)) }
}

/// `{"error": {"code", "message", "status", "details"}}`: here `code` is the HTTP status, or a service's own word.
fn read_error_body(body: &[u8], status: StatusCode) -> Status {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        error: &'a RawValue,
    }
    let by_http = Code::from_http_status(status.as_u16());
    let said = serde_json::from_slice::<Body<'_>>(body).ok().map(|body| read_error(body.error, by_http));
    let said = said.unwrap_or_else(|| {
        let reason = status.canonical_reason().unwrap_or_default();
        let text = if body.is_empty() {
            reason.to_owned()
        } else {
            format!("{reason}: {}", excerpt(body)).trim_start_matches(": ").to_owned()
        };
        Status::new(by_http, text)
    });
    said.with_http_status(status.as_u16())
}

/// An error object of whatever shape: `code` is a number or a word, `status` the name of a canonical code.
pub(crate) fn read_error(error: &RawValue, fallback: Code) -> Status {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Lenient<'a> {
        #[serde(borrow)]
        code: Option<&'a RawValue>,
        #[serde(borrow)]
        message: Option<&'a RawValue>,
        #[serde(borrow)]
        status: Option<&'a RawValue>,
        #[serde(borrow)]
        details: Option<&'a RawValue>,
    }
    let read = serde_json::from_str::<Lenient<'_>>(error.get()).ok().filter(|_| is_object(error.get().as_bytes()));
    let Some(read) = read else {
        let message = serde_json::from_str::<String>(error.get()).unwrap_or_else(|_| excerpt(error.get().as_bytes()));
        return Status::new(fallback, message);
    };
    let text = |value: Option<&RawValue>| value.and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    let named = text(read.status).and_then(|name| Code::from_name(&name));
    let status = Status::new(named.unwrap_or(fallback), text(read.message).unwrap_or_default())
        .with_details(read_details(read.details));
    match text(read.code) {
        Some(reason) => status.with_reason(reason),
        None => status,
    }
}

/// Whether JSON text is an object: what serde reads into a struct may be an array, too.
pub(crate) fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'{')
}

/// The elements of `details`, each kept whatever it is.
pub(crate) fn read_details(details: Option<&RawValue>) -> Vec<Detail> {
    let elements = details.and_then(|details| serde_json::from_str::<Vec<&RawValue>>(details.get()).ok());
    elements.unwrap_or_default().into_iter().map(Detail::from_json).collect()
}
