//! Reads one acceptor of a waiter: which replies match, and what they mean.

use proc_macro2::Ident;
use syn::{Error, Lit, LitBool, LitStr, Result, parse::ParseStream};

use super::{keys, output_path};
use crate::{
    list::{each, inside, value},
    report::Report,
};

/// One rule of a waiter.
#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) meaning: Meaning,
    pub(crate) matcher: Matcher,
}

/// What a reply that matches means.
#[derive(Clone, Copy)]
pub(crate) enum Meaning {
    Success,
    Failure,
    Retry,
}

/// Which replies match.
#[derive(Clone, PartialEq)]
pub(crate) enum Matcher {
    Output(String, Comparator),
    Success(bool),
    Error(String),
}

/// How a waiter compares the value that a path finds.
#[derive(Clone, PartialEq)]
pub(crate) enum Comparator {
    Is(String),
    IsTrue(bool),
    All(String),
    Any(String),
}

impl Meaning {
    /// The keys of `waiter(…)` that are meanings.
    pub(super) const WORDS: [&str; 3] = ["success", "failure", "retry"];

    /// Returns the meaning of one of [`WORDS`](Self::WORDS).
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "success" => Some(Self::Success),
            "failure" => Some(Self::Failure),
            "retry" => Some(Self::Retry),
            _ => None,
        }
    }
}

/// The keys of one acceptor, before they are checked against each other. Each value comes with its
/// key.
#[derive(Default)]
struct Parts {
    subject: Option<(Ident, Subject)>,
    comparator: Option<(Ident, Comparator)>,
    /// Whether a mistake was reported. The acceptor is then dropped without another message.
    is_broken: bool,
}

/// The part of a reply that an acceptor tests.
enum Subject {
    Output(String),
    Success(bool),
    Error(String),
}

impl Acceptor {
    /// Reads `(output = "state", is = "READY")`. Returns `None` after a mistake that was reported.
    pub(super) fn parse(
        meaning: Meaning,
        outcome: &Ident,
        input: ParseStream<'_>,
        report: &mut Report,
    ) -> Result<Option<Self>> {
        let takes = format!(
            "what matches: `{outcome}(output = \"state\", is = \"READY\")` or `{outcome}(error = \"NotFound\")`"
        );
        let tokens = inside(outcome, input, &takes)?;
        let mut parts = Parts::default();
        each(tokens, report, &mut |key, input, report| {
            let read = parts.key(outcome, key, input, report);
            parts.is_broken |= read.is_err();
            read
        });
        Ok(parts.matcher(outcome, &takes, report).map(|matcher| Self { meaning, matcher }))
    }
}

impl Parts {
    fn key(&mut self, outcome: &Ident, key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<()> {
        match key.to_string().as_str() {
            "output" => self.subject(key, Subject::Output(output_path(key, input, "state")?.value()), report),
            "error" => self.subject(key, Subject::Error(error(key, input)?), report),
            "success" => {
                let flag: LitBool = value(key, input, "`true` (the call succeeds) or `false` (it fails)")?;
                self.subject(key, Subject::Success(flag.value), report);
            }
            "is" => self.comparator(key, is(key, input)?, report),
            "all" => self.comparator(key, Comparator::All(word(key, input)?), report),
            "any" => self.comparator(key, Comparator::Any(word(key, input)?), report),
            unknown => return Err(Error::new(key.span(), keys::unknown_in_acceptor(unknown, outcome))),
        }
        Ok(())
    }

    fn subject(&mut self, key: &Ident, subject: Subject, report: &mut Report) {
        match &self.subject {
            None => self.subject = Some((key.clone(), subject)),
            Some((first, _)) => {
                let message =
                    format!("`{key}` conflicts with `{first}`: an acceptor tests one thing; write two acceptors");
                report.at(key, message);
                self.is_broken = true;
            }
        }
    }

    fn comparator(&mut self, key: &Ident, comparator: Comparator, report: &mut Report) {
        match &self.comparator {
            None => self.comparator = Some((key.clone(), comparator)),
            Some((first, _)) => {
                let message =
                    format!("`{key}` conflicts with `{first}`: an acceptor compares once; write two acceptors");
                report.at(key, message);
                self.is_broken = true;
            }
        }
    }

    /// Combines subject and comparator. Only `output` takes a comparator, and it needs one.
    fn matcher(self, outcome: &Ident, takes: &str, report: &mut Report) -> Option<Matcher> {
        if self.is_broken {
            return None;
        }
        match (self.subject, self.comparator) {
            (Some((_, Subject::Output(path))), Some((_, comparator))) => Some(Matcher::Output(path, comparator)),
            (Some((_, Subject::Success(flag))), None) => Some(Matcher::Success(flag)),
            (Some((_, Subject::Error(error))), None) => Some(Matcher::Error(error)),
            (Some((key, Subject::Output(_))), None) => {
                let message = "`output` needs a comparator beside it: `is = \"READY\"`, `is = true`, `all = \"READY\"` (a \
                               list of nothing else) or `any = \"READY\"` (a list with one)";
                report.at(key, message);
                None
            }
            (Some((subject, _)), Some((key, _))) => {
                report.at(&key, format!("`{key}` needs `output`, and this acceptor has `{subject}`: remove `{key}`"));
                None
            }
            (None, Some((key, _))) => {
                report.at(&key, format!("`{key}` needs a path to compare with: add `output = \"state\"`"));
                None
            }
            (None, None) => {
                report.at(outcome, format!("`{outcome}` takes {takes}"));
                None
            }
        }
    }
}

/// Reads the word to compare with.
fn word(key: &Ident, input: ParseStream<'_>) -> Result<String> {
    value::<LitStr>(key, input, &format!("a word in quotes: `{key} = \"READY\"`")).map(|word| word.value())
}

/// Reads the value of `is`: a word or a boolean.
fn is(key: &Ident, input: ParseStream<'_>) -> Result<Comparator> {
    let takes = "a word in quotes or a boolean: `is = \"READY\"`, `is = true`";
    match value(key, input, takes)? {
        Lit::Str(word) => Ok(Comparator::Is(word.value())),
        Lit::Bool(flag) => Ok(Comparator::IsTrue(flag.value)),
        other => Err(Error::new(other.span(), format!("`is` takes {takes}"))),
    }
}

/// Reads an error type without namespace.
///
/// The runtime compares it with the word that remains of a reply's error type, without what comes
/// before `#` or after `:`. A type written with either would never match.
fn error(key: &Ident, input: ParseStream<'_>) -> Result<String> {
    let takes = "the type of an error, or the name of an HTTP status, in quotes: `error = \"NotFound\"`";
    let word: LitStr = value(key, input, takes)?;
    let text = word.value();
    let bare = text.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default().trim();
    if bare.is_empty() {
        return Err(Error::new(word.span(), format!("`error` takes {takes}")));
    }
    if bare != text {
        return Err(Error::new(
            word.span(),
            format!("`error` takes the type without its namespace: `error = \"{bare}\"`"),
        ));
    }
    Ok(text)
}
