//! What is stored of a group beside its operations.

use serde::{Deserialize, Serialize};

/// The state under the key [`KEY`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Meta {
    /// How many turns have changed the group.
    pub(crate) version: u64,
    /// Which attempt at the last turn this is the state of: another one had another outcome.
    pub(crate) mark: u64,
    /// The number of the tick that is awaited. Others are stale, or come twice.
    pub(crate) sequence: u64,
    /// When it comes, in milliseconds since 1970; `None` if none is awaited.
    pub(crate) tick_at: Option<u64>,
    /// How many operations there are.
    pub(crate) operations: u64,
    /// Which chunks of records there are, and of notes.
    pub(crate) ops: Vec<u32>,
    pub(crate) due: Vec<u32>,
    /// The records of the fleet itself.
    pub(crate) fleet: Vec<(u64, Vec<u8>)>,
}

/// Under which key of the object's state it is.
pub(crate) const KEY: &str = "meta";
