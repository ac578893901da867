//! What is declared about one API method.

use std::{sync::Arc, time::Duration};

use crate::{
    dialect::{Dialect, Options, Payload},
    settings::PollSettings,
    status::Status,
};

/// What an SDK author declared about one API method: what `#[long_running]` makes of its keys.
///
/// Written by the macro; an author who generates code otherwise writes it as a constant:
///
/// ```
/// use std::time::Duration;
/// use lro_runtime::Method;
///
/// const EXPORT_IMAGE: &Method = &Method::new("ImageClient.export_image").delay(Duration::from_secs(1)).timeout(Duration::from_secs(600));
/// assert_eq!(EXPORT_IMAGE.name(), "ImageClient.export_image");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Method {
    name: &'static str,
    initial_delay: Option<Duration>,
    delay: Option<Duration>,
    multiplier: Option<f64>,
    max_delay: Option<Duration>,
    timeout: Option<Duration>,
    pub(crate) response_type: Option<&'static str>,
    pub(crate) metadata_type: Option<&'static str>,
    pub(crate) pending: Option<fn(Payload<'_>) -> bool>,
    pub(crate) progress: Option<fn(Payload<'_>) -> Option<f64>>,
    pub(crate) classify: Option<fn(Payload<'_>) -> Option<Status>>,
    pub(crate) dialect: Option<fn() -> Arc<dyn Dialect>>,
    pub(crate) options: &'static Options,
}

impl Method {
    /// A method of this name, about which nothing else is declared. Tokens are bound to the name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            initial_delay: None,
            delay: None,
            multiplier: None,
            max_delay: None,
            timeout: None,
            response_type: None,
            metadata_type: None,
            pending: None,
            progress: None,
            classify: None,
            dialect: None,
            options: &[],
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// With this wait before the first poll.
    #[must_use]
    pub const fn initial_delay(mut self, delay: Duration) -> Self {
        self.initial_delay = Some(delay);
        self
    }

    /// With this first wait between polls.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// With waits that grow by this factor.
    #[must_use]
    pub const fn multiplier(mut self, multiplier: f64) -> Self {
        self.multiplier = Some(multiplier);
        self
    }

    /// With waits of at most this.
    #[must_use]
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = Some(max_delay);
        self
    }

    /// With this time limit.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// With this type URL expected of responses.
    #[must_use]
    pub const fn response_type(mut self, type_url: &'static str) -> Self {
        self.response_type = Some(type_url);
        self
    }

    /// With this type URL expected of metadata.
    #[must_use]
    pub const fn metadata_type(mut self, type_url: &'static str) -> Self {
        self.metadata_type = Some(type_url);
        self
    }

    /// With a test for metadata that means "queued".
    #[must_use]
    pub const fn pending(mut self, pending: fn(Payload<'_>) -> bool) -> Self {
        self.pending = Some(pending);
        self
    }

    /// With a reading of the fraction done from metadata.
    #[must_use]
    pub const fn progress(mut self, progress: fn(Payload<'_>) -> Option<f64>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// With a success classifier: a response for which it returns a status is a failure.
    #[must_use]
    pub const fn classify(mut self, classify: fn(Payload<'_>) -> Option<Status>) -> Self {
        self.classify = Some(classify);
        self
    }

    /// With a dialect of its own.
    #[must_use]
    pub const fn dialect(mut self, dialect: fn() -> Arc<dyn Dialect>) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// With options for the dialect.
    #[must_use]
    pub const fn options(mut self, options: &'static Options) -> Self {
        self.options = options;
        self
    }

    /// The options of `method`; none without one.
    pub(crate) fn options_of(method: Option<&Self>) -> &'static Options {
        method.map_or(&[], |method| method.options)
    }

    /// The settings of `poll(…)`.
    pub(crate) fn poll_settings(&self) -> PollSettings {
        let mut settings = PollSettings::default();
        if let Some(delay) = self.initial_delay {
            settings = settings.with_initial_delay(delay);
        }
        if let Some(delay) = self.delay {
            settings = settings.with_delay(delay);
        }
        if let Some(multiplier) = self.multiplier {
            settings = settings.with_multiplier(multiplier);
        }
        if let Some(max_delay) = self.max_delay {
            settings = settings.with_max_delay(max_delay);
        }
        match self.timeout {
            Some(timeout) => settings.with_timeout(timeout),
            None => settings,
        }
    }
}
