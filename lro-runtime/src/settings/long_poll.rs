//! Whether a wait asks the server to hold its polls.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::duration::{self, serde_required};

/// Whether a wait asks the server to hold its polls, as settings say it. In text, `"never"` or a
/// duration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LongPoll {
    Never,
    For(Duration),
}

impl fmt::Debug for LongPoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::For(hold) => f.write_str(&duration::format(*hold)),
        }
    }
}

impl Serialize for LongPoll {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_str("never"),
            Self::For(hold) => serde_required::serialize(hold, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for LongPoll {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "\"never\", a duration such as \"1m 30s\", or a number of seconds")]
        enum Written {
            Text(String),
            Seconds(f64),
        }
        let hold = match Written::deserialize(deserializer)? {
            Written::Text(text) if text == "never" => return Ok(Self::Never),
            Written::Text(text) => duration::parse(&text),
            Written::Seconds(seconds) => {
                Duration::try_from_secs_f64(seconds).map_err(|error| format!("{seconds} seconds: {error}"))
            }
        };
        hold.map(Self::For).map_err(serde::de::Error::custom)
    }
}
