//! Errors that end a wait in a stored form, for a fleet that hands them out in another process.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Error, ErrorKind};
use crate::{operation::RawOperation, status::Status};

/// An error without its operation and without its source, whose words are in its message.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptError {
    kind: KeptKind,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    /// How many polls the wait has sent, and how many milliseconds it has lasted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effort: Option<(u32, u64)>,
}

/// Declares the words by which kinds are stored, for both directions.
macro_rules! kinds {
    ($($kind:ident)*) => {
        /// The kind of an error, as it is stored: its words must stay the same in all versions.
        #[derive(Serialize, Deserialize)]
        enum KeptKind {
            $($kind,)*
        }

        impl From<ErrorKind> for KeptKind {
            fn from(kind: ErrorKind) -> Self {
                match kind {
                    $(ErrorKind::$kind => Self::$kind,)*
                }
            }
        }

        impl From<KeptKind> for ErrorKind {
            fn from(kind: KeptKind) -> Self {
                match kind {
                    $(KeptKind::$kind => Self::$kind,)*
                }
            }
        }
    };
}

kinds! {
    Start Poll Timeout Failed Cancelled Decode Protocol Unsupported NotCompleted InvalidToken InvalidSettings
    UntrustedUrl Full Closed Store
}

impl Error {
    /// Returns what is kept of this error; without what it says unless `with_words`, which may be
    /// what the service has said.
    pub(crate) fn kept(&self, with_words: bool) -> KeptError {
        let inner = &*self.0;
        let millis = |elapsed: Duration| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        KeptError {
            kind: inner.kind.into(),
            message: if with_words {
                inner.message.clone()
            } else {
                "the wait failed, and why was not kept".to_owned()
            },
            start_id: inner.start_id.as_deref().map(str::to_owned),
            status: inner.status.as_deref().filter(|_| with_words).map(Status::stored),
            effort: inner.attempts.zip(inner.elapsed.map(millis)),
        }
    }
}

impl KeptError {
    /// Makes the error again, about this operation.
    pub(crate) fn error(self, operation: Option<&RawOperation>) -> Error {
        let Self { kind, message, start_id, status, effort } = self;
        let mut error = Error::new(kind.into(), message).with_start_id(start_id.map(Arc::from));
        if let Some(operation) = operation {
            error = error.with_operation(operation);
        }
        if let Some(status) = status {
            error = error.with_status(&Arc::new(status));
        }
        match effort {
            Some((attempts, millis)) => error.with_effort(attempts, Duration::from_millis(millis)),
            None => error,
        }
    }
}
