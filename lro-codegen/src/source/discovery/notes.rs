//! What the report says of many methods at once: a line for each reason, not for each method.

use std::collections::BTreeMap;

use crate::{position::Position, report::Report};

/// How many methods a note names.
const MOST: usize = 5;

/// The methods of a document, by what is to be said of them.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<String, Vec<String>>);

impl Notes {
    pub(super) fn add(&mut self, message: impl Into<String>, subject: &str) {
        self.0.entry(message.into()).or_default().push(subject.to_owned());
    }

    pub(super) fn report(self, at: &Position, report: &mut Report) {
        for (message, subjects) in self.0 {
            let named: Vec<_> = subjects.iter().take(MOST).map(|subject| format!("`{subject}`")).collect();
            let more = match subjects.len().saturating_sub(MOST) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            report.note(at, "", format!("{message}: {}{more}", named.join(", ")));
        }
    }
}
