//! The client: starts operations, gives access to them by name, and owns what every request of them
//! needs.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, Uri};

use crate::{
    dialect::Dialect,
    driver::CancelOutcome,
    error::Result,
    operation::{Method, RawOperation, snapshot::Samples},
    settings::PollSettings,
    status::State,
    telemetry::Subject,
    text::quoted_name,
    timer::{Timer, TimerOverride},
    transport::Transport,
};

mod adopt;
mod blocking_operations;
mod builder;
mod call;
mod cookies;
mod credentials;
pub(crate) mod current_method;
mod dialects;
mod exchange;
mod list;
mod named;
mod path_template;
mod position;
mod resume;
mod schedules;
mod spare;
mod start;
mod start_id;
mod start_policy;
#[cfg(feature = "fleet")]
pub(crate) mod start_record;
#[cfg(feature = "fleet")]
pub(crate) mod start_recorder;
pub(crate) mod trust;

pub use self::{
    blocking_operations::BlockingOperations,
    builder::OperationsBuilder,
    call::StartCall,
    credentials::{Credentials, CredentialsError, bearer, signed_by},
    list::{BlockingList, ListOperations},
    start_id::StartIdIn,
};
#[cfg(feature = "fleet")]
pub(crate) use self::{builder::default_timer, position::Position};
use self::{
    cookies::Cookies, dialects::Dialects, named::NamedTargets, schedules::Schedules, spare::SpareRequests,
    start_policy::StartPolicy, trust::Origins,
};

/// A client of one service: starts operations and gives access to them by name.
///
/// The client type of an SDK holds one, and its annotated methods start operations with it. It also
/// has the calls of the [Operations
/// service](https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto),
/// which take an operation's name.
///
/// Cheap to clone: clones share one client.
///
/// ```
/// use lro_runtime::{Operations, PollSettings};
///
/// let operations = Operations::builder("https://images.example.com")
///     .header("x-goog-user-project", "my-project")
///     .poll_settings(PollSettings::interactive())
///     .build()?;
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone)]
pub struct Operations {
    inner: Arc<Inner>,
}

/// What the clones of a client share.
#[derive(Clone)]
struct Inner {
    base: Uri,
    dialect: Arc<dyn Dialect>,
    dialects: Arc<Dialects>,
    transport: Arc<dyn Transport>,
    timer: Arc<dyn Timer>,
    headers: HeaderMap,
    /// The query parameters of requests to the own origin: the name, and the encoded pair.
    query: Vec<(String, String)>,
    credentials: Option<Arc<dyn Credentials>>,
    settings: PollSettings,
    origins: Origins,
    max_body: usize,
    start_policy: StartPolicy,
    cookies: Option<Arc<Cookies>>,
    schedules: Arc<Schedules>,
    named: Arc<NamedTargets>,
    samples: Arc<Samples>,
    spare: Arc<SpareRequests>,
}

// The base URL may have secrets in its query, and header values are secret: neither is shown.
impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = quoted_name(&self.inner.base.to_string());
        f.debug_struct("Operations")
            .field("base", &base)
            .field("dialect", &self.inner.dialect.id())
            .finish_non_exhaustive()
    }
}

impl Operations {
    /// Polls the operation `name` once.
    ///
    /// # Errors
    ///
    /// Of kind [`Poll`](crate::ErrorKind::Poll) when the call failed,
    /// [`Protocol`](crate::ErrorKind::Protocol) when the dialect cannot read its reply.
    pub async fn get(&self, name: &str) -> Result<RawOperation> {
        self.resume(name)?.poll_once().await
    }

    /// Asks the service to cancel the operation `name`. Best effort: only a later poll shows
    /// whether the operation was cancelled.
    ///
    /// A name does not say whether the operation has ended, so the request is sent.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](crate::ErrorKind::Unsupported) where the dialect or the service has
    /// no cancel call, else of kind `Poll`.
    pub async fn cancel(&self, name: &str) -> Result<CancelOutcome> {
        self.resume(name)?.cancel().await
    }

    /// Tells the service that the operation `name` is no longer needed. This does not cancel it.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel), for the delete call.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.resume(name)?.delete().await
    }

    /// Polls the operation `name` once and lets the server hold the reply for up to `timeout`,
    /// until the operation is done. Best effort: the operation may still be running in the
    /// snapshot.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel), for the wait call.
    pub async fn wait(&self, name: &str, timeout: Duration) -> Result<RawOperation> {
        self.resume(name)?.wait(timeout).await
    }

    /// Returns what traces and metrics say of a call that is not about one operation.
    pub(crate) fn subject<'a>(
        &'a self,
        method: Option<&'static Method>,
        dialect: &'static str,
        uri: Option<&'a Uri>,
    ) -> Subject<'a> {
        let method = method.map(Method::name);
        Subject { name: "", method, dialect, state: State::Pending, uri: uri.or(Some(&self.inner.base)) }
    }

    /// Returns a number that no other client has for as long as this one lives.
    #[cfg(feature = "fleet")]
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    pub(crate) fn base(&self) -> &Uri {
        &self.inner.base
    }

    pub(crate) fn settings(&self) -> &PollSettings {
        &self.inner.settings
    }

    /// Returns what the replies of this client that are kept packed are like.
    pub(crate) fn samples(&self) -> &Samples {
        &self.inner.samples
    }

    pub(crate) fn timer(&self) -> &Arc<dyn Timer> {
        &self.inner.timer
    }

    /// Returns the timer that a call brings, else the client's.
    pub(crate) fn timer_or(&self, timer: TimerOverride) -> Arc<dyn Timer> {
        timer.unwrap_or_else(|| Arc::clone(self.timer()))
    }

    /// Returns the same client with another transport. Both share what the service has set:
    /// cookies.
    pub(crate) fn with_transport(&self, transport: Arc<dyn Transport>) -> Self {
        Self { inner: Arc::new(Inner { transport, ..(*self.inner).clone() }) }
    }

    pub(crate) fn dialect(&self) -> &Arc<dyn Dialect> {
        &self.inner.dialect
    }

    /// Returns the dialect that `method` declares, else the client's.
    pub(crate) fn dialect_of(&self, method: Option<&'static Method>) -> Arc<dyn Dialect> {
        let declared = method.and_then(|method| Some(self.inner.dialects.of(method, method.dialect?)));
        declared.unwrap_or_else(|| Arc::clone(self.dialect()))
    }
}
