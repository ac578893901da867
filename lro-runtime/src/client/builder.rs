//! Building a client: everything that can be chosen about it.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::{Credentials, Inner, Operations, cookies::Cookies, start_policy::StartPolicy};
use crate::{
    dialect::{Dialect, Google},
    error::{Error, ErrorKind, Result},
    settings::PollSettings,
    timer::Timer,
    transport::Transport,
    url::{Origin, redacted},
};

/// The default limit of a reply's body.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Builds [`Operations`].
#[must_use]
pub struct OperationsBuilder {
    base_url: String,
    dialect: Option<Arc<dyn Dialect>>,
    transport: Option<Arc<dyn Transport>>,
    timer: Option<Arc<dyn Timer>>,
    headers: Vec<(String, String)>,
    credentials: Option<Arc<dyn Credentials>>,
    settings: PollSettings,
    origins: Vec<String>,
    max_body: usize,
    start_id: Option<String>,
    start_retries: u32,
    cookies: bool,
}

impl Operations {
    /// A client for the service at `base_url`, such as `https://images.example.com` or `http://localhost:8080/prefix`.
    pub fn builder(base_url: impl Into<String>) -> OperationsBuilder {
        OperationsBuilder::new(base_url.into())
    }
}

impl fmt::Debug for OperationsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationsBuilder").field("base_url", &redacted(&self.base_url)).finish_non_exhaustive()
    }
}

impl OperationsBuilder {
    pub(super) fn new(base_url: String) -> Self {
        Self {
            base_url,
            dialect: None,
            transport: None,
            timer: None,
            headers: vec![],
            credentials: None,
            settings: PollSettings::default(),
            origins: vec![],
            max_body: MAX_BODY,
            start_id: None,
            start_retries: 0,
            cookies: false,
        }
    }

    /// Speaks this dialect instead of [`Google`].
    pub fn dialect(mut self, dialect: impl Dialect) -> Self {
        self.dialect = Some(Arc::new(dialect));
        self
    }

    /// Sends requests with this transport instead of the `hyper` one.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Waits with this timer instead of async-io's.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// Sends this header with every request. Replaces a header of the same name, the library's `user-agent` and `accept` included.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Asks for headers before every request: see [`Credentials`].
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Waits like this unless a method or a call says otherwise.
    pub fn poll_settings(mut self, settings: PollSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Follows URLs of this origin (`https://host:port`) too, with credentials. The base URL's is always trusted, no other ever is.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Reads at most this many bytes of a reply's body, instead of 16 MiB.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Gives every start call a fresh random id (a version 4 UUID) in this header, unless the call has one: `Operation-Id` on Azure. To a service that
    /// remembers it, a start call that comes twice is one operation.
    pub fn start_id(mut self, header: impl Into<String>) -> Self {
        self.start_id = Some(header.into());
        self
    }

    /// Sends a start call up to so many times more when the service answers `5xx` or `429`: the same request, with the same
    /// [`start_id`](Self::start_id). With such an id also when there is no answer at all; without one the service may have started something, and that is
    /// an error at once. Between them it waits as between failed polls. Not done unless asked for: who has no id may start twice.
    pub fn start_retries(mut self, retries: u32) -> Self {
        self.start_retries = retries;
        self
    }

    /// Keeps cookies and sends them back, for services that pin an operation to a replica with one. They stay in this client, go to the origin that
    /// set them only, and are not in tokens: an operation that is resumed elsewhere is pinned to nothing.
    pub fn cookies(mut self, keep: bool) -> Self {
        self.cookies = keep;
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// Of kind [`InvalidSettings`](crate::ErrorKind::InvalidSettings), naming what cannot be: the base URL, an origin, a header, a setting, a missing transport or
    /// timer (without the features `hyper` and `smol` there is no default).
    pub fn build(self) -> Result<Operations> {
        self.settings.validate()?;
        let base = parse_url("base_url", &self.base_url)?;
        let mut origins = vec![origin_of("base_url", &base)?];
        for origin in &self.origins {
            origins.push(origin_of("allow_origin", &parse_url("allow_origin", origin)?)?);
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            http::header::USER_AGENT,
            HeaderValue::from_static(concat!("lro-runtime/", env!("CARGO_PKG_VERSION"))),
        );
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            let legal_name: HeaderName =
                name.parse().map_err(|_| invalid(format!("header `{name}`: not a header name")))?;
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| invalid(format!("header `{name}`: the value contains control characters")))?;
            value.set_sensitive(legal_name == http::header::AUTHORIZATION);
            headers.insert(legal_name, value);
        }
        let inner = Inner {
            base,
            dialect: self.dialect.unwrap_or_else(|| Arc::new(Google::new())),
            transport: self.transport.map_or_else(default_transport, Ok)?,
            timer: self.timer.map_or_else(default_timer, Ok)?,
            headers,
            credentials: self.credentials,
            settings: self.settings,
            origins,
            max_body: self.max_body,
            start_policy: StartPolicy {
                id: self.start_id.as_deref().map(start_id).transpose()?,
                retries: self.start_retries,
            },
            cookies: self.cookies.then(Cookies::default),
        };
        Ok(Operations { inner: Arc::new(inner) })
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidSettings, message)
}

fn start_id(name: &str) -> Result<HeaderName> {
    name.parse().map_err(|_| invalid(format!("start_id = `{name}`: not a header name")))
}

fn parse_url(setting: &str, text: &str) -> Result<Uri> {
    text.parse().map_err(|e| {
        invalid(format!("{setting} = `{}`: {e}, expected a URL such as `https://example.com`", redacted(text)))
    })
}

fn origin_of(setting: &str, url: &Uri) -> Result<Origin> {
    let found = redacted(&url.to_string());
    Origin::of(url).ok_or_else(|| {
        invalid(format!("{setting} = `{found}`: expected an absolute http or https URL without user info"))
    })
}

#[cfg(feature = "hyper")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn default_transport() -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(crate::transport::HyperTransport::default()))
}

#[cfg(not(feature = "hyper"))]
fn default_transport() -> Result<Arc<dyn Transport>> {
    Err(invalid("transport: none given, and the feature `hyper` is off".to_owned()))
}

#[cfg(feature = "smol")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn default_timer() -> Result<Arc<dyn Timer>> {
    Ok(Arc::new(crate::timer::AsyncIoTimer))
}

#[cfg(not(feature = "smol"))]
fn default_timer() -> Result<Arc<dyn Timer>> {
    Err(invalid("timer: none given, and the feature `smol` is off".to_owned()))
}
