//! The builder of the client: every choice a caller has, its default, and the check of all of them
//! at once.

use std::{fmt, sync::Arc, time::Duration};

use http::Uri;

use super::{
    Credentials, Inner, Operations,
    call::header,
    start_id::{StartIdIn, StartIdPlace},
    start_policy::StartPolicy,
    trust::{Access, Origins, library_headers},
};
use crate::{
    dialect::{Dialect, Google},
    error::{Error, ErrorKind, Result},
    settings::PollSettings,
    text::quoted_name,
    timer::Timer,
    transport::Transport,
    url::{Origin, encode_query, redacted},
};

/// The default limit of a reply's body, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Builds [`Operations`]: made by [`Operations::builder`], finished by [`build`](Self::build).
///
/// The methods only store what they are given. [`build`](Self::build) checks all of it and names
/// the first mistake.
#[must_use]
pub struct OperationsBuilder {
    base_url: String,
    dialect: Option<Arc<dyn Dialect>>,
    transport: Option<Arc<dyn Transport>>,
    timer: Option<Arc<dyn Timer>>,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    credentials: Option<Arc<dyn Credentials>>,
    settings: PollSettings,
    origins: Vec<(String, Access)>,
    max_body: usize,
    start_id: Option<Result<StartIdPlace, String>>,
    start_retries: u32,
    start_timeout: Option<Duration>,
    cookies: bool,
}

impl Operations {
    /// Returns a builder of a client for the service at `base_url`: a URL such as
    /// `https://images.example.com`, with a path if all of the service is below it, and without a
    /// query.
    ///
    /// The base URL is `http` or `https` and may have a path: `https://images.example.com`,
    /// `http://localhost:8080/prefix`. Names and relative paths are resolved below it.
    pub fn builder(base_url: impl Into<String>) -> OperationsBuilder {
        OperationsBuilder::new(base_url.into())
    }
}

// The base URL may have secrets in its query, and header values are secret: neither is shown.
impl fmt::Debug for OperationsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationsBuilder").field("base_url", &quoted_name(&self.base_url)).finish_non_exhaustive()
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
            query: vec![],
            credentials: None,
            settings: PollSettings::default(),
            origins: vec![],
            max_body: MAX_BODY,
            start_id: None,
            start_retries: 0,
            start_timeout: None,
            cookies: false,
        }
    }

    /// Uses this dialect to read and write operations. Default: [`Google`].
    pub fn dialect(mut self, dialect: impl Dialect) -> Self {
        self.dialect = Some(Arc::new(dialect));
        self
    }

    /// Uses this transport to send requests. Default: the `hyper` transport, which needs the
    /// feature `hyper`.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Uses this timer for delays and time limits. Default: the timer of async-io, which needs the
    /// feature `smol`.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// Sets a header that every request carries. Default: `user-agent: lro-runtime/…` and
    /// `accept: application/json`.
    ///
    /// Replaces an earlier header of the same name, including these two. Its value is marked as
    /// sensitive, so that `Debug` of a request does not show it, unless the header is known to be
    /// harmless, such as `accept`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets a query parameter that every request to the client's own origin carries, such as a key
    /// that the service wants there: start calls, polls, lists, cancel and delete calls. Default:
    /// none.
    ///
    /// Name and value are encoded. Replaces an earlier parameter of the same name. A URL that has a
    /// parameter of this name already, in any case, keeps that one.
    ///
    /// No other origin gets it, not even one that is allowed [with
    /// credentials](Self::allow_origin_with_credentials). It is in no token, and in no `Debug`
    /// output of this library's types; a transport and a credentials hook get it in the URL of the
    /// request. What a caller writes into the URL of a start call instead is not repeated on polls,
    /// and [a token leaves it out](crate::Token::left_out). A gRPC call has no query, and one with
    /// a query is refused: its keys are [headers](Self::header).
    ///
    /// ```
    /// use lro_runtime::{Operations, PollSettings, block_on};
    /// # use lro_runtime::testing::{Script, ScriptedTransport, VirtualClock};
    /// # let transport = ScriptedTransport::new(Script::new().running(1).done(serde_json::json!({})));
    ///
    /// let operations = Operations::builder("https://images.example.com").query("subscription-key", "a&b");
    /// # let operations = operations.transport(transport.clone()).timer(VirtualClock::new());
    /// let operations = operations.build()?;
    /// let operation = block_on(operations.post("v1/images:export", &()))?;
    /// operation.blocking().poll_until_completed(PollSettings::default())?;
    /// # let requests = transport.requests();
    /// # assert!(requests.len() > 1);
    /// # for request in requests {
    /// #     assert_eq!(request.uri().query(), Some("subscription-key=a%26b"));
    /// # }
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Sets the hook that gives the authorizing headers before every request: see [`Credentials`].
    /// Default: no hook.
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Sets the poll settings of this client's waits. Default: none, so the library's own values
    /// apply.
    ///
    /// What a call or a method sets takes precedence.
    pub fn poll_settings(mut self, settings: PollSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Adds an origin (`https://host:port`) whose URLs are followed where the service gives them.
    /// Default: the origin of the base URL only. Nothing is sent to any other origin.
    ///
    /// Requests to it are bare: they have the method, the URL as the service gave it, the body's
    /// type, and the library's own `user-agent` and `accept`. They have none of this client's
    /// headers, credentials and cookies, none of the headers of the start call, and no
    /// `api-version` that the URL lacks. That is right for a result on a storage service, whose URL
    /// has its own signature. A start call that its caller addresses to this origin keeps the
    /// headers that the caller has set on it. A service that needs the credentials on a second host
    /// is [`allow_origin_with_credentials`](Self::allow_origin_with_credentials).
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push((origin.into(), Access::Bare));
        self
    }

    /// Adds an origin (`https://host:port`) that is trusted as the origin of the base URL is: its
    /// URLs are followed with this client's headers, credentials and cookies. Default: none.
    ///
    /// What answers there can use the credentials as its own. For an origin that only has results,
    /// [`allow_origin`](Self::allow_origin) is enough.
    pub fn allow_origin_with_credentials(mut self, origin: impl Into<String>) -> Self {
        self.origins.push((origin.into(), Access::Full));
        self
    }

    /// Sets the largest body of a reply that is read, in bytes. Default: 16 MiB.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets the header that carries a fresh random id (a version 4 UUID) on every start call, such
    /// as `Operation-Id` on Azure. Default: no id.
    ///
    /// A service that remembers the id treats a repeated start call as the same operation. A start
    /// call that already has the header keeps its value. [`start_id_in`](Self::start_id_in) has
    /// other places than headers.
    pub fn start_id(mut self, header: impl AsRef<str>) -> Self {
        self.start_id = Some(StartIdPlace::header(header.as_ref()));
        self
    }

    /// Sets where every start call has its start id: in a header, the query or the JSON body.
    /// Default: no id.
    ///
    /// [`StartCall::start_id`](crate::StartCall::start_id) is the id before the call is sent,
    /// [`RawOperation::start_id`](crate::RawOperation::start_id) after. A start call that already
    /// has an id in this place keeps it.
    ///
    /// ```
    /// use lro_runtime::{Operations, StartIdIn};
    ///
    /// let operations = Operations::builder("https://compute.example.com")
    ///     .start_id_in(StartIdIn::Query("requestId"))
    ///     .start_retries(3)
    ///     .build()?;
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    pub fn start_id_in(mut self, place: StartIdIn) -> Self {
        self.start_id = Some(StartIdPlace::of(place));
        self
    }

    /// Sets the time limit of one attempt at a start call, the reply's body included. Default: two
    /// minutes.
    ///
    /// An attempt that reaches it fails, and whether the service started an operation is not known:
    /// with a [start id](Self::start_id_in) it can be sent again safely.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = Some(timeout);
        self
    }

    /// Sets how many times a failed start call is sent again. Default: 0, because without a
    /// [`start_id`](Self::start_id) a retry may start a second operation.
    ///
    /// A start call is sent again, as the same request, when it reached nobody or was refused for
    /// now: no connection was made, or the service answers `429`, `503` or another throttle, or
    /// over gRPC `UNAVAILABLE` or `RESOURCE_EXHAUSTED`. After any other `5xx` (but not `501`),
    /// after `INTERNAL`, `UNKNOWN` or `DEADLINE_EXCEEDED`, and without an answer, the service may
    /// have started the operation: the call is then sent again, with the same id, only if it has
    /// one, and is an error at once otherwise. The delay between two attempts is the one between
    /// failed polls: the service's hint, else the delay of the client's error budget.
    pub fn start_retries(mut self, retries: u32) -> Self {
        self.start_retries = retries;
        self
    }

    /// Sets whether cookies are kept and sent back, for services that pin an operation to a replica
    /// with a cookie. Default: `false`.
    ///
    /// Cookies stay in this client and go only to the origin that set them. Tokens do not contain
    /// them, so an operation that is resumed in another process is not pinned.
    pub fn cookies(mut self, keep: bool) -> Self {
        self.cookies = keep;
        self
    }

    /// Checks every choice and returns the client. No I/O.
    ///
    /// # Errors
    ///
    /// Of kind [`InvalidSettings`](crate::ErrorKind::InvalidSettings), naming what is invalid: the
    /// base URL, an origin, a header, a query parameter, a setting, the place of the start id, the
    /// time limit of start calls, or a missing transport or timer (without the features `hyper` and
    /// `smol` there is no default).
    pub fn build(self) -> Result<Operations> {
        // Checked here, so that an invalid setting fails when the client is made and not in the
        // middle of its first wait.
        self.settings.validate()?;
        let base = parse_url("base_url", &self.base_url)?;
        // It would go with the first path that is joined to it, and a key with it.
        if base.query().is_some() {
            let found = redacted(&self.base_url);
            return Err(invalid(format!(
                "base_url = `{found}`: expected a URL without a query; what every request has in its query is set by `OperationsBuilder::query`"
            )));
        }
        let mut origins = Origins::new(origin_of("base_url", &base)?);
        for (origin, access) in &self.origins {
            let setting = match access {
                Access::Full => "allow_origin_with_credentials",
                Access::Bare => "allow_origin",
            };
            origins.allow(origin_of(setting, &parse_url(setting, origin)?)?, *access);
        }
        // The library's own headers go in first, so that a header of the caller replaces them
        // below.
        let mut headers = library_headers();
        for (name, value) in &self.headers {
            let (name, value) = header(name, value).map_err(invalid)?;
            headers.insert(name, value);
        }
        let mut query: Vec<(String, String)> = vec![];
        for (name, value) in self.query {
            if name.is_empty() {
                return Err(invalid("query: the name of the parameter is empty".to_owned()));
            }
            let pair = format!("{}={}", encode_query(&name), encode_query(&value));
            query.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
            query.push((name, pair));
        }
        let timeout = self.start_timeout.unwrap_or(StartPolicy::TIMEOUT);
        if timeout.is_zero() {
            return Err(invalid("start_timeout = 0s: expected more than zero".to_owned()));
        }
        let inner = Inner {
            base,
            dialect: self.dialect.unwrap_or_else(|| Arc::new(Google::new())),
            transport: self.transport.map_or_else(default_transport, Ok)?,
            timer: self.timer.map_or_else(default_timer, Ok)?,
            headers,
            query,
            credentials: self.credentials,
            settings: self.settings,
            origins,
            max_body: self.max_body,
            start_policy: StartPolicy {
                place: self.start_id.transpose().map_err(|why| invalid(format!("start_id: {why}")))?,
                retries: self.start_retries,
                timeout,
            },
            cookies: self.cookies.then(Arc::default),
            schedules: Arc::default(),
            named: Arc::default(),
            samples: Arc::default(),
            dialects: Arc::default(),
            spare: Arc::default(),
        };
        Ok(Operations { inner: Arc::new(inner) })
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidSettings, message)
}

fn parse_url(setting: &str, text: &str) -> Result<Uri> {
    text.parse().map_err(|e: http::uri::InvalidUri| {
        let why = if text.ends_with("://") { "it has no host".to_owned() } else { e.to_string() };
        invalid(format!("{setting} = `{}`: {why}, expected a URL such as `https://example.com`", redacted(text)))
    })
}

fn origin_of(setting: &str, url: &Uri) -> Result<Origin> {
    let found = redacted(&url.to_string());
    Origin::of(url).ok_or_else(|| {
        let has_user = url.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let hidden = if has_user { " (its user info is not shown)" } else { "" };
        invalid(format!("{setting} = `{found}`{hidden}: expected an absolute http or https URL without user info"))
    })
}

// A `Result` with the feature as well: without it there is no default to return, and `build` treats
// both cases alike.
#[cfg(feature = "hyper")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature this is an error")]
fn default_transport() -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(crate::transport::HyperTransport::default()))
}

#[cfg(not(feature = "hyper"))]
fn default_transport() -> Result<Arc<dyn Transport>> {
    Err(none_given("transport", "hyper"))
}

#[cfg(feature = "smol")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature this is an error")]
pub(crate) fn default_timer() -> Result<Arc<dyn Timer>> {
    Ok(Arc::new(crate::timer::AsyncIoTimer))
}

#[cfg(not(feature = "smol"))]
pub(crate) fn default_timer() -> Result<Arc<dyn Timer>> {
    Err(none_given("timer", "smol"))
}

/// The error of a client without a `part` that has no default because `feature` is off.
#[cfg(any(test, not(feature = "hyper"), not(feature = "smol")))]
fn none_given(part: &str, feature: &str) -> Error {
    invalid(format!("no {part} is given: call `.{part}(…)` on the builder, or turn on the feature `{feature}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Which features are on is not a test's choice: the message is checked by itself.
    #[test]
    fn a_client_without_a_transport_or_a_timer_says_which_call_gives_it_one() {
        for (part, feature) in [("transport", "hyper"), ("timer", "smol")] {
            let error = none_given(part, feature);
            assert_eq!(error.kind(), ErrorKind::InvalidSettings);
            assert!(error.to_string().contains(&format!("`.{part}(…)`")), "{error}");
            assert!(error.to_string().contains(&format!("feature `{feature}`")), "{error}");
        }
    }
}
