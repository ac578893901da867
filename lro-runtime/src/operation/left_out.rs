//! What a token does not have of its operation, by name.

use serde::{Deserialize, Serialize};

use crate::{secrets::redacted, text::cut};

/// What a token does not have of its operation. A token has it in its content, so that whoever
/// resumes from it learns why a poll is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeftOut {
    /// The names of the query parameters, as the URLs spelled them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parameters: Vec<String>,
    /// The number of details of the status.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) details: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// How many names a token has.
const NAMES: usize = 32;

/// How many bytes of a name a token has.
const NAME: usize = 64;

/// How many names a sentence has.
const IN_WORDS: usize = 8;

impl LeftOut {
    pub(crate) const NOTHING: Self = Self { parameters: Vec::new(), details: 0 };

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::NOTHING
    }

    /// Adds these names, each once. Those beyond the limit are one `…`.
    pub(crate) fn add(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            // What has no `=` is no name, and a text of any length.
            let name = cut(&redacted(&name), NAME);
            if self.parameters.len() > NAMES || self.parameters.contains(&name) {
                continue;
            }
            let name = if self.parameters.len() == NAMES { "…".to_owned() } else { name };
            self.parameters.push(name);
        }
    }

    /// Returns the names that `is_missing`, for a sentence: `sig` and `code`. `None` if there are
    /// none.
    pub(crate) fn parameters_in_words(&self, is_missing: impl Fn(&str) -> bool) -> Option<String> {
        let names = self.parameters.iter().filter(|name| is_missing(name));
        let mut words: Vec<_> = names.map(|name| format!("`{name}`")).collect();
        // Behind them stands the cause, which a long list would push out of the line.
        let more = words.len().saturating_sub(IN_WORDS);
        if more > 0 {
            words.truncate(IN_WORDS);
            words.push(format!("{more} more"));
        }
        let last = words.pop()?;
        Some(if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) })
    }
}
