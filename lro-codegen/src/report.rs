//! What a run has to say: diagnostics, all at once, and how many methods were written.

use std::{error, fmt};

use crate::position::Position;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be written.
    Error,
    /// One method was left out.
    Skipped,
    /// Something was written that the reader should know of.
    Note,
}

/// One thing about a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub at: Position,
    /// What it is about: `CreateWorkflow`. May be empty.
    pub subject: String,
    /// What was found, and what is legal.
    pub message: String,
    /// Whether the user has asked for it: a method is skipped by `skip`, `only`, or the overrides.
    pub is_asked_for: bool,
}

/// On one line, whatever a description has in its names: a terminal and cargo read what is printed.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Skipped => "skipped",
            Severity::Note => "note",
        };
        let subject = if self.subject.is_empty() { "" } else { &format!("{}: ", self.subject) };
        f.write_str(&on_one_line(&format!("{}: {severity}: {subject}{}", self.at, self.message)))
    }
}

/// Returns text without characters that control a terminal, end a line, or turn the direction of
/// reading.
fn on_one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// How many methods a description has, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The methods of the descriptions.
    pub methods: usize,
    /// Those that are long-running: generated and skipped.
    pub long_running: usize,
    /// Those that were written.
    pub generated: usize,
    /// Those that were left out, each with a diagnostic.
    pub skipped: usize,
    /// Those that were written with any JSON value as the response, since the description does not
    /// say it.
    pub unknown_response: usize,
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { methods, long_running, generated, skipped, unknown_response } = self;
        write!(
            f,
            "of {methods} methods {long_running} long-running: {generated} generated, {skipped} skipped; \
             {unknown_response} of unknown response"
        )
    }
}

/// What a run has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order of their positions.
    pub diagnostics: Vec<Diagnostic>,
    /// How many methods were written.
    pub coverage: Coverage,
}

impl Report {
    /// Notes that nothing can be written.
    pub fn error(&mut self, at: &Position, subject: impl Into<String>, message: impl Into<String>) {
        self.push(Severity::Error, at, subject, message);
    }

    /// Notes that a long-running method is left out.
    pub fn skipped(&mut self, at: &Position, subject: impl Into<String>, message: impl Into<String>) {
        self.push(Severity::Skipped, at, subject, message);
    }

    /// Notes that a long-running method is left out because the user wants so.
    pub fn left_out(&mut self, at: &Position, subject: impl Into<String>, message: impl Into<String>) {
        self.push(Severity::Skipped, at, subject, message);
        if let Some(diagnostic) = self.diagnostics.last_mut() {
            diagnostic.is_asked_for = true;
        }
    }

    /// Notes something about what is written.
    pub fn note(&mut self, at: &Position, subject: impl Into<String>, message: impl Into<String>) {
        self.push(Severity::Note, at, subject, message);
    }

    /// Takes back that methods were written.
    pub(crate) fn nothing_is_written(&mut self) {
        (self.coverage.generated, self.coverage.unknown_response) = (0, 0);
    }

    /// Counts what was skipped, and puts the diagnostics in the order of their positions.
    pub(crate) fn finish(&mut self) {
        self.diagnostics.sort_by(|a, b| a.at.cmp(&b.at));
        let skipped = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Skipped;
        self.coverage.skipped = self.diagnostics.iter().filter(skipped).count();
        self.coverage.long_running = self.coverage.generated + self.coverage.skipped;
    }

    fn push(&mut self, severity: Severity, at: &Position, subject: impl Into<String>, message: impl Into<String>) {
        let (subject, message) = (subject.into(), message.into());
        self.diagnostics.push(Diagnostic { severity, at: at.clone(), subject, message, is_asked_for: false });
    }

    /// Returns whether a long-running method is left out although nobody has asked for that.
    #[must_use]
    pub fn has_skipped(&self) -> bool {
        let is_skipped = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Skipped && !diagnostic.is_asked_for;
        self.diagnostics.iter().any(is_skipped)
    }

    /// Returns whether nothing can be written.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// The diagnostics, a line each, and the coverage as the last line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.diagnostics {
            writeln!(f, "{diagnostic}")?;
        }
        write!(f, "{}", self.coverage)
    }
}

/// A run that wrote nothing: [`Report::has_errors`] is true.
impl error::Error for Report {}
