//! The client: where operations are started and looked at.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, Uri};

use crate::{
    dialect::Dialect,
    error::Result,
    operation::RawOperation,
    settings::PollSettings,
    timer::{OwnTimer, Timer},
    transport::Transport,
    url::{Origin, redacted},
};

mod adopt;
mod blocking_operations;
mod builder;
mod cookies;
mod credentials;
pub(crate) mod current_method;
mod exchange;
mod list;
mod resume;
mod start;
mod start_policy;

pub use self::{
    blocking_operations::BlockingOperations,
    builder::OperationsBuilder,
    credentials::{Credentials, CredentialsError, bearer},
    list::{BlockingList, ListOperations},
};
use self::{cookies::Cookies, start_policy::StartPolicy};

/// A client of one service: starts operations and gives access to them by name.
///
/// An SDK's client holds one; its annotated methods start operations with it, and its users may use it directly: the calls of the
/// [Operations service](https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto) stand on it. Cheap to clone.
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

struct Inner {
    base: Uri,
    dialect: Arc<dyn Dialect>,
    transport: Arc<dyn Transport>,
    timer: Arc<dyn Timer>,
    headers: HeaderMap,
    credentials: Option<Arc<dyn Credentials>>,
    settings: PollSettings,
    origins: Vec<Origin>,
    max_body: usize,
    start_policy: StartPolicy,
    cookies: Option<Cookies>,
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = redacted(&self.inner.base.to_string());
        f.debug_struct("Operations")
            .field("base", &base)
            .field("dialect", &self.inner.dialect.id())
            .finish_non_exhaustive()
    }
}

impl Operations {
    /// Looks at the operation `name` once.
    ///
    /// # Errors
    ///
    /// Of kind [`Poll`](crate::ErrorKind::Poll) when the call failed, [`Protocol`](crate::ErrorKind::Protocol) when its reply is not of the dialect.
    pub async fn get(&self, name: &str) -> Result<RawOperation> {
        self.resume(name)?.poll_once().await
    }

    /// Asks for the cancellation of the operation `name`. Best effort: look at the operation to learn what came of it.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](crate::ErrorKind::Unsupported) where the dialect or the service has no such call, else of kind `Poll`.
    pub async fn cancel(&self, name: &str) -> Result<()> {
        self.resume(name)?.cancel().await
    }

    /// Tells the service that nobody is interested in the operation `name` any more. It does not cancel it.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.resume(name)?.delete().await
    }

    /// Looks at the operation `name`, for which the server may take up to `timeout` if the operation is not done before. Best effort: the
    /// snapshot may be of a running operation.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    pub async fn wait(&self, name: &str, timeout: Duration) -> Result<RawOperation> {
        self.resume(name)?.wait(timeout).await
    }

    pub(crate) fn base(&self) -> &Uri {
        &self.inner.base
    }

    pub(crate) fn settings(&self) -> &PollSettings {
        &self.inner.settings
    }

    pub(crate) fn timer(&self) -> &Arc<dyn Timer> {
        &self.inner.timer
    }

    /// The timer that a call brings, else the client's.
    pub(crate) fn timer_or(&self, own: OwnTimer) -> Arc<dyn Timer> {
        own.unwrap_or_else(|| Arc::clone(self.timer()))
    }

    pub(crate) fn dialect(&self) -> &Arc<dyn Dialect> {
        &self.inner.dialect
    }
}
