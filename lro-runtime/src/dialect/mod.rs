//! Dialects: how one family of APIs writes an operation on the wire.
//!
//! A dialect is pure: it turns bytes into an [`Observation`], and does no I/O.
//!
//! | the service | its dialect |
//! |---|---|
//! | `google.longrunning` over REST | [`Google`], the default |
//! | `google.longrunning` over gRPC | `GoogleGrpc`, with the feature `grpc` |
//! | Compute Engine and other services with extended operations | [`Compute`] |
//! | Vertex AI predictions; AI jobs and batches | [`Vertex`]; [`Jobs`] |
//! | Azure: data plane and Resource Manager | [`Azure`] |
//! | plain HTTP: `202` with a `Location` header | [`Http`] |
//! | no operation of its own: wait until a resource reaches a state, or is gone | [`Waiter`], with the key `waiter(…)` or as a constant |
//! | LXD, Incus | [`Lxd`] |
//! | Redfish tasks | [`Redfish`] |
//! | job objects with a status field | [`Declared`], from a type that derives [`WireOperation`](crate::wire::WireOperation) |
//! | anything else | your own type that implements [`Dialect`], usually one file |

use std::{sync::Arc, time::Duration};

use crate::{
    message::{Reply, Request},
    status::Failure,
};

mod azure;
mod call;
mod compute;
mod coverage;
mod cursor;
pub(crate) mod declared;
mod envelope;
mod error_reply;
mod google;
#[cfg(feature = "grpc")]
pub(crate) mod google_grpc;
mod jobs;
mod json;
mod list_page;
mod location;
mod lxd;
mod observation;
mod payload;
mod plain_http;
mod redfish;
mod scan;
mod typed_json;
mod vertex;
mod waiter;

#[cfg(feature = "grpc")]
pub use self::google_grpc::GoogleGrpc;
#[cfg(feature = "grpc")]
pub(crate) use self::google_grpc::failure_of_status;
pub use self::{
    azure::{Azure, FinalStateVia},
    call::{Call, encode_name},
    compute::{Compute, ExtendedFields},
    coverage::{Coverage, Named, Shows, Sweep},
    cursor::Cursor,
    declared::Declared,
    error_reply::error_reply,
    google::Google,
    jobs::Jobs,
    list_page::{ListPage, ListQuery, Listed},
    location::{repeated_headers, url_in},
    lxd::Lxd,
    observation::{Observation, Part},
    payload::{Encoding, Payload},
    plain_http::Http,
    redfish::Redfish,
    vertex::Vertex,
    waiter::{Acceptor, Comparator, Matcher, Meaning, Waiter},
};
pub(crate) use self::{
    error_reply::{expect_success, read_details},
    location::CallerHeaders,
    payload::DecodeError,
};
pub use crate::hint::Hint;

/// The options of one method for its dialect, as `(name, value)` pairs, such as `path = …` or
/// `final_state_via = …` in the method's attribute.
pub type Options = [(&'static str, &'static str)];

/// How one family of APIs writes an operation on the wire.
///
/// A dialect does no I/O and reads no clock: it builds the next [`Call`] from a [`Cursor`] and
/// reads one [`Reply`] into an [`Observation`]. It sees every reply, HTTP errors included, because
/// in some dialects an error is an answer: to a [`Waiter`], "not found" may mean success. A dialect
/// where an error is only an error returns the failure made by [`error_reply`]. Everything else
/// (waiting, retrying, tokens, trust) is the same for all dialects.
///
/// # Example
///
/// A dialect for a service that answers `201` with an id, then `{"ready": bool, "value": …}` at
/// `jobs/<id>`:
///
/// ```
/// use lro_runtime::{
///     Failure, State,
///     dialect::{Call, Cursor, Dialect, Encoding, Hint, Observation, Options, Part, encode_name, error_reply},
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dialect",
    label = "must implement `lro_runtime::Dialect`",
    note = "the built-in dialects are in `lro_runtime::dialect`, for example `Azure::new()`"
)]
pub trait Dialect: Send + Sync + 'static {
    /// Returns the word that names the dialect in tokens.
    ///
    /// It must never change: a token is refused by a client whose dialect has another word.
    fn id(&self) -> &'static str;

    /// Checks or changes the request of a start call before it is sent. Default: leaves it
    /// unchanged.
    ///
    /// # Errors
    ///
    /// When the request cannot be sent in this dialect; nothing is sent then.
    fn prepare_start(&self, request: &mut Request, options: &Options) -> Result<(), Failure> {
        let _ = (request, options);
        Ok(())
    }

    /// Reads the reply of the start call. Unless the observation is terminal, it must have a
    /// cursor.
    ///
    /// # Errors
    ///
    /// When the reply is an error, or does not follow this dialect.
    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure>;

    /// Makes the cursor of an operation of which only the name is known, for a resume from that
    /// name.
    ///
    /// # Errors
    ///
    /// When this dialect cannot have such a name.
    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure>;

    /// Builds the call that polls the operation once.
    ///
    /// # Errors
    ///
    /// When the cursor does not belong to this dialect.
    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure>;

    /// Reads the reply to [`poll`](Self::poll) or [`wait`](Self::wait).
    ///
    /// # Errors
    ///
    /// When the reply is an error, or does not follow this dialect. Either is a failed poll, not a
    /// failed operation.
    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure>;

    /// Whether [`read`](Self::read) makes of `reply` what it made of the last reply, which had the
    /// same body, byte for byte. Then it is not read again. Default: `false`, so that every reply
    /// is read.
    ///
    /// A dialect answers `true` if the body alone says how the operation stands, and nothing else
    /// of this reply forbids to read it, such as its HTTP status. The hint is
    /// [`Hint::from_headers`] then, and the observation has neither a cursor nor `follow`.
    fn reads_the_same(&self, reply: &Reply) -> bool {
        let _ = reply;
        false
    }

    /// Reads the reply to a call whose only answer is success ([`cancel`](Self::cancel),
    /// [`delete`](Self::delete)). Default: any `2xx` is success.
    ///
    /// # Errors
    ///
    /// When the reply is an error.
    fn read_answer(&self, reply: &Reply) -> Result<(), Failure> {
        expect_success(reply)
    }

    /// Builds the call that asks the server to cancel the operation. Default: unsupported.
    ///
    /// # Errors
    ///
    /// When the dialect has no cancel call.
    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        let _ = cursor;
        Err(Failure::unsupported("this dialect has no cancel call"))
    }

    /// Builds the call that tells the server that the client no longer needs the operation.
    /// Default: unsupported.
    ///
    /// # Errors
    ///
    /// When the dialect has no delete call.
    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        let _ = cursor;
        Err(Failure::unsupported("this dialect has no delete call"))
    }

    /// Builds a poll that the server may hold open for up to `timeout`. Default: unsupported.
    ///
    /// # Errors
    ///
    /// When the dialect has no wait call.
    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Call, Failure> {
        let _ = (cursor, timeout);
        Err(Failure::unsupported("this dialect has no wait call"))
    }

    /// Returns for how long the service remembers that an operation has ended; `None` if for longer
    /// than any delay. Default: `None`.
    ///
    /// A poll after that time finds nothing, and the result is lost. A wait therefore never sleeps
    /// for more than half of it, whatever the settings and the hints of good replies say.
    fn remembers_end(&self) -> Option<Duration> {
        None
    }

    /// Whether waits use [`wait`](Self::wait) without being told to: they ask the server to hold
    /// each poll for as long as they would have slept before it. Default: `false`, so that polls
    /// are held only where the settings say so.
    fn prefers_held_polls(&self) -> bool {
        false
    }

    /// Builds the call that lists operations. Default: unsupported.
    ///
    /// # Errors
    ///
    /// When the dialect has no list call.
    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        let _ = query;
        Err(Failure::unsupported("this dialect has no list call"))
    }

    /// Reads the reply to [`list`](Self::list) of the same query. Default: unsupported.
    ///
    /// # Errors
    ///
    /// When the reply is an error, or is not a page of a list. What can be read of a page is not
    /// lost with the rest: an entry that cannot be read is a [`Listed`] with a failure, and a token
    /// of the next page that cannot be read is [`ListPage::failure`].
    fn read_list<'a>(&self, query: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        let _ = (query, reply);
        Err(Failure::unsupported("this dialect has no list call"))
    }

    /// Returns which call shows the operation at this cursor together with others. Default: `None`,
    /// only [`poll`](Self::poll) shows it.
    ///
    /// The entry that [`read_list`](Self::read_list) or [`read_named`](Self::read_named) gives for
    /// the operation is known by its cursor, which must equal this one. A dialect answers `None`
    /// for a cursor that no entry has: one with headers of the caller, say, or one that leads to a
    /// URL which the list does not give. What it cannot know is a name that the caller wrote in
    /// another form than the service does (the number of a project instead of its id). Such an
    /// operation is not found in the list, which costs a request and nothing else, because what a
    /// list does not show proves nothing.
    ///
    /// The options are those of the method that started the operation; they go into
    /// [`ListQuery::options`] as far as entries are read by them. Called once for each operation,
    /// not for each poll.
    fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
        let _ = (cursor, options);
        None
    }

    /// Builds the call that polls several operations by their names: those at these cursors, for
    /// which [`coverage`](Self::coverage) says [`Named`] with the same place, and no more than it
    /// allows. Default: unsupported.
    ///
    /// # Errors
    ///
    /// When the dialect has no such call, or when one of the cursors does not fit into it.
    fn poll_named(&self, cursors: &[&Cursor]) -> Result<Call, Failure> {
        let _ = cursors;
        Err(Failure::unsupported("this dialect has no call that takes several names"))
    }

    /// Reads the reply to [`poll_named`](Self::poll_named) of the same cursors. The page has no
    /// next one. Default: unsupported.
    ///
    /// # Errors
    ///
    /// As [`read_list`](Self::read_list). An error reply says nothing of any one of the operations:
    /// a single name that the service does not know may fail the whole call.
    fn read_named<'a>(&self, cursors: &[&Cursor], reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        let _ = (cursors, reply);
        Err(Failure::unsupported("this dialect has no call that takes several names"))
    }
}

// Every method is forwarded, also those with a default: a default taken for the `Arc` would hide
// the inner dialect's own `cancel` or `list`.
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

    fn reads_the_same(&self, reply: &Reply) -> bool {
        (**self).reads_the_same(reply)
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

    fn remembers_end(&self) -> Option<Duration> {
        (**self).remembers_end()
    }

    fn prefers_held_polls(&self) -> bool {
        (**self).prefers_held_polls()
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        (**self).list(query)
    }

    fn read_list<'a>(&self, query: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        (**self).read_list(query, reply)
    }

    fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
        (**self).coverage(cursor, options)
    }

    fn poll_named(&self, cursors: &[&Cursor]) -> Result<Call, Failure> {
        (**self).poll_named(cursors)
    }

    fn read_named<'a>(&self, cursors: &[&Cursor], reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        (**self).read_named(cursors, reply)
    }
}

#[cfg(test)]
mod tests;
