//! What a status word that the dialect does not know means.

use serde::{Deserialize, Serialize};

/// What a status word that the dialect does not know means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum UnknownStatus {
    /// The operation counts as running. The word is
    /// [`raw_status()`](crate::RawOperation::raw_status).
    Running,
    /// The wait ends with an error of kind [`Protocol`](crate::ErrorKind::Protocol) that names the
    /// word.
    Error,
}
