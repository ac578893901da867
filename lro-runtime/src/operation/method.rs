//! The declaration of one API method: its name, settings, types and dialect, as the attribute's
//! keys set them.

use std::{sync::Arc, time::Duration};

use crate::{
    dialect::{Dialect, Options, Payload},
    settings::{ErrorBudget, Expiration, HintPolicy, Jitter, PollSettings, UnknownStatus},
    status::Status,
};

/// The declaration of one API method: what `#[long_running]` makes of its keys.
///
/// The macro writes it. A code generator of another kind writes it as a constant:
///
/// ```
/// use std::time::Duration;
/// use lro_runtime::Method;
///
/// const EXPORT_IMAGE: &Method = &Method::new("ImageClient.export_image").delay(Duration::from_secs(1)).timeout(Duration::from_secs(600));
/// assert_eq!(EXPORT_IMAGE.name(), "ImageClient.export_image");
/// ```
// Builder methods are `const` and functions are pointers, not generic closures, so that a
// declaration can be a `'static` constant.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    name: &'static str,
    initial_delay: Option<Duration>,
    delay: Option<Duration>,
    multiplier: Option<f64>,
    max_delay: Option<Duration>,
    expiration: Option<Expiration>,
    jitter: Option<Jitter>,
    poll_timeout: Option<Duration>,
    hint: Option<HintPolicy>,
    error_budget: Option<ErrorBudget>,
    not_found_grace: Option<Duration>,
    long_poll: Option<Duration>,
    unknown_status: Option<UnknownStatus>,
    pub(crate) response_type: Option<&'static str>,
    pub(crate) metadata_type: Option<&'static str>,
    pub(crate) pending: Option<fn(Payload<'_>) -> bool>,
    pub(crate) progress: Option<fn(Payload<'_>) -> Option<f64>>,
    pub(crate) classify: Option<fn(Payload<'_>) -> Option<Status>>,
    pub(crate) dialect: Option<fn() -> Arc<dyn Dialect>>,
    pub(crate) options: &'static Options,
}

impl Method {
    /// Declares a method of this name and nothing else about it.
    ///
    /// Tokens are bound to the name: a token of one method is refused by another.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            initial_delay: None,
            delay: None,
            multiplier: None,
            max_delay: None,
            expiration: None,
            jitter: None,
            poll_timeout: None,
            hint: None,
            error_budget: None,
            not_found_grace: None,
            long_poll: None,
            unknown_status: None,
            response_type: None,
            metadata_type: None,
            pending: None,
            progress: None,
            classify: None,
            dialect: None,
            options: &[],
        }
    }

    /// Returns the name that tokens are bound to.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Sets the delay between the start and the first poll. Default: the client's setting, else the
    /// first [`delay`](Self::delay).
    #[must_use]
    pub const fn initial_delay(mut self, delay: Duration) -> Self {
        self.initial_delay = Some(delay);
        self
    }

    /// Sets the first delay between two polls. Default: the client's setting.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Sets the factor by which each delay is longer than the one before. Default: the client's
    /// setting.
    #[must_use]
    pub const fn multiplier(mut self, multiplier: f64) -> Self {
        self.multiplier = Some(multiplier);
        self
    }

    /// Sets the longest delay between two polls. Default: the client's setting.
    #[must_use]
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = Some(max_delay);
        self
    }

    /// Sets the time limit of a wait. Default: the client's setting.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.expiration = Some(Expiration::Timeout(timeout));
        self
    }

    /// Removes the time limit of a wait. Default: the client's setting.
    #[must_use]
    pub const fn without_expiration(mut self) -> Self {
        self.expiration = Some(Expiration::Never);
        self
    }

    /// Sets how delays are spread. Default: the client's setting.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// Sets how long one poll may take. Default: the client's setting.
    #[must_use]
    pub const fn poll_timeout(mut self, poll_timeout: Duration) -> Self {
        self.poll_timeout = Some(poll_timeout);
        self
    }

    /// Sets what to do with server hints. Default: the client's setting.
    #[must_use]
    pub const fn hint(mut self, hint: HintPolicy) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Sets how many failed polls in a row to forgive. Default: the client's setting.
    #[must_use]
    pub const fn error_budget(mut self, error_budget: ErrorBudget) -> Self {
        self.error_budget = Some(error_budget);
        self
    }

    /// Sets for how long after the start a `404 Not Found` is forgiven. Default: the client's
    /// setting.
    #[must_use]
    pub const fn not_found_grace(mut self, grace: Duration) -> Self {
        self.not_found_grace = Some(grace);
        self
    }

    /// Sets for how long the server may hold a poll, where the dialect and the service can.
    /// Default: the client's setting.
    #[must_use]
    pub const fn long_poll(mut self, hold: Duration) -> Self {
        self.long_poll = Some(hold);
        self
    }

    /// Sets what a status word that the dialect does not know means. Default: the client's
    /// setting.
    #[must_use]
    pub const fn unknown_status(mut self, unknown: UnknownStatus) -> Self {
        self.unknown_status = Some(unknown);
        self
    }

    /// Sets the expected type URL of responses. A response with another type URL is a decode error;
    /// one without any passes. Default: not checked.
    #[must_use]
    pub const fn response_type(mut self, type_url: &'static str) -> Self {
        self.response_type = Some(type_url);
        self
    }

    /// Sets the expected type URL of metadata. Metadata with another type URL is a decode error;
    /// metadata without any passes. Default: not checked.
    #[must_use]
    pub const fn metadata_type(mut self, type_url: &'static str) -> Self {
        self.metadata_type = Some(type_url);
        self
    }

    /// Sets a test for metadata that means "queued": a running operation with such metadata is
    /// pending. Default: no metadata means that.
    #[must_use]
    pub const fn pending(mut self, pending: fn(Payload<'_>) -> bool) -> Self {
        self.pending = Some(pending);
        self
    }

    /// Sets the function that reads the fraction done, 0 to 1, from metadata; of any other value
    /// callers see `None`. Default: the fraction that the dialect reads, if it reads one.
    #[must_use]
    pub const fn progress(mut self, progress: fn(Payload<'_>) -> Option<f64>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Sets a success classifier: an operation that succeeded with a response for which it returns
    /// a status counts as failed with that status. Default: success is success.
    #[must_use]
    pub const fn classify(mut self, classify: fn(Payload<'_>) -> Option<Status>) -> Self {
        self.classify = Some(classify);
        self
    }

    /// Uses a dialect of its own for the operations of this method. Default: the client's dialect.
    #[must_use]
    pub const fn dialect(mut self, dialect: fn() -> Arc<dyn Dialect>) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Sets options for the dialect. Default: none.
    #[must_use]
    pub const fn options(mut self, options: &'static Options) -> Self {
        self.options = options;
        self
    }

    /// Returns the options of `method`; no options without a method.
    pub(crate) fn options_of(method: Option<&Self>) -> &'static Options {
        method.map_or(&[], |method| method.options)
    }

    /// Returns the poll settings that the method declares. What it does not declare stays unset, so
    /// that the client's settings apply.
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
        if let Some(expiration) = self.expiration {
            settings = settings.with_expiration(expiration);
        }
        if let Some(jitter) = self.jitter {
            settings = settings.with_jitter(jitter);
        }
        if let Some(poll_timeout) = self.poll_timeout {
            settings = settings.with_poll_timeout(poll_timeout);
        }
        if let Some(hint) = self.hint {
            settings = settings.with_hint(hint);
        }
        if let Some(error_budget) = self.error_budget {
            settings = settings.with_error_budget(error_budget);
        }
        if let Some(grace) = self.not_found_grace {
            settings = settings.with_not_found_grace(grace);
        }
        if let Some(hold) = self.long_poll {
            settings = settings.with_long_poll(hold);
        }
        match self.unknown_status {
            Some(unknown) => settings.with_unknown_status(unknown),
            None => settings,
        }
    }
}
