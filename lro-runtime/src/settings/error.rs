//! The error for illegal or conflicting settings.

use std::fmt;

/// An illegal setting. The message names the field, what was found and what is legal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingsError(pub(super) String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}
