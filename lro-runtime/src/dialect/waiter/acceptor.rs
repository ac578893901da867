//! Acceptors: rules, as data, that say what one reply of a waiter means.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::path::{Found, Path};
use crate::{
    dialect::{
        declared::{
            WirePath,
            seek::{Paths, seek},
        },
        json::string,
        location::without_mark,
    },
    message::Reply,
    status::{Code, Failure, State, Status},
};

/// The meaning of a reply that an acceptor matches. Exhaustive on purpose: these are the three
/// states of an acceptor in Smithy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The wait is over: the operation succeeded.
    Success,
    /// The wait is over: the operation failed.
    Failure,
    /// Not yet: the operation is running.
    Retry,
}

impl Meaning {
    pub(super) fn state(self) -> State {
        match self {
            Self::Success => State::Succeeded,
            Self::Failure => State::Failed,
            Self::Retry => State::Running,
        }
    }
}

/// A condition on the value that a path finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Comparator {
    /// The value is this string (Smithy's `stringEquals`).
    Is(&'static str),
    /// The value is this boolean (`booleanEquals`).
    IsTrue(bool),
    /// The value is a list that is not empty, and every element of it is this string
    /// (`allStringEquals`).
    All(&'static str),
    /// The value is a list, and at least one element of it is this string (`anyStringEquals`).
    Any(&'static str),
}

/// The condition under which an acceptor matches a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Matcher {
    /// Matches a 2xx reply in whose body (the output) this path finds a value that satisfies the
    /// comparator.
    Output(&'static str, Comparator),
    /// Matches any 2xx reply (`true`), or any other (`false`).
    Success(bool),
    /// Matches errors of this type: the service's own word without its namespace, or the name of
    /// the HTTP status, such as `NotFound`.
    ErrorType(&'static str),
}

/// One rule of a [`Waiter`](super::Waiter): which replies it matches, and what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Acceptor {
    meaning: Meaning,
    matcher: Matcher,
}

impl Acceptor {
    /// Creates a rule: a reply that `matcher` matches has this meaning.
    #[must_use]
    pub const fn new(meaning: Meaning, matcher: Matcher) -> Self {
        Self { meaning, matcher }
    }

    /// Creates a rule: success if the path finds this string in the output.
    #[must_use]
    pub const fn success_when(path: &'static str, is: &'static str) -> Self {
        Self::new(Meaning::Success, Matcher::Output(path, Comparator::Is(is)))
    }

    /// Creates a rule: failure if the path finds this string in the output.
    #[must_use]
    pub const fn failure_when(path: &'static str, is: &'static str) -> Self {
        Self::new(Meaning::Failure, Matcher::Output(path, Comparator::Is(is)))
    }

    /// Creates a rule: poll again if the path finds this string in the output.
    #[must_use]
    pub const fn retry_when(path: &'static str, is: &'static str) -> Self {
        Self::new(Meaning::Retry, Matcher::Output(path, Comparator::Is(is)))
    }

    /// Creates a rule: success if the poll is answered with this error.
    #[must_use]
    pub const fn success_on_error(error: &'static str) -> Self {
        Self::new(Meaning::Success, Matcher::ErrorType(error))
    }

    /// Creates a rule: failure if the poll is answered with this error.
    #[must_use]
    pub const fn failure_on_error(error: &'static str) -> Self {
        Self::new(Meaning::Failure, Matcher::ErrorType(error))
    }

    /// Creates a rule: poll again if the poll is answered with this error.
    #[must_use]
    pub const fn retry_on_error(error: &'static str) -> Self {
        Self::new(Meaning::Retry, Matcher::ErrorType(error))
    }

    pub(super) fn meaning(&self) -> Meaning {
        self.meaning
    }

    pub(super) fn matcher(&self) -> Matcher {
        self.matcher
    }

    /// Returns the word that this rule looks for in the output.
    pub(super) fn word(&self) -> Option<&'static str> {
        match self.matcher {
            Matcher::Output(_, Comparator::Is(word) | Comparator::All(word) | Comparator::Any(word)) => Some(word),
            Matcher::Output(_, Comparator::IsTrue(_)) | Matcher::Success(_) | Matcher::ErrorType(_) => None,
        }
    }

    pub(super) fn path(&self) -> Option<&'static str> {
        match self.matcher {
            Matcher::Output(path, _) => Some(path),
            Matcher::Success(_) | Matcher::ErrorType(_) => None,
        }
    }
}

/// A reply in the form that acceptors are matched against.
pub(super) enum Outcome<'a> {
    /// The JSON of a 2xx reply; `None` if it has no body.
    Output(Option<&'a RawValue>),
    /// Every word for the type of an error reply, the service's own words first.
    Error(&'a [String]),
}

/// Returns the first matching acceptor, or `None` if none matches.
pub(super) fn decide(acceptors: &[Acceptor], reply: &Outcome<'_>) -> Result<Option<Acceptor>, Failure> {
    for acceptor in acceptors {
        // A path is never evaluated on an error body: in Smithy an error has no output.
        let matches = match (acceptor.matcher, reply) {
            (Matcher::Output(path, comparator), Outcome::Output(output)) => {
                holds(comparator, &Path::parse(path)?.find(*output))
            }
            (Matcher::Success(wanted), reply) => wanted == matches!(reply, Outcome::Output(_)),
            (Matcher::ErrorType(wanted), Outcome::Error(types)) => types.iter().any(|found| found == wanted),
            (Matcher::Output(..), Outcome::Error(_)) | (Matcher::ErrorType(_), Outcome::Output(_)) => false,
        };
        if matches {
            return Ok(Some(*acceptor));
        }
    }
    Ok(None)
}

fn holds(comparator: Comparator, found: &Found<'_, '_>) -> bool {
    // A list is looked through once, with none of it kept.
    let (mut every, mut any, mut is_empty) = (true, false, true);
    let mut compare_all = |wanted: &str| {
        found.for_each(&mut |element| {
            let is_wanted = element.string().is_some_and(|element| element == wanted);
            (every, any, is_empty) = (every && is_wanted, any || is_wanted, false);
        });
    };
    match comparator {
        Comparator::Is(wanted) => found.string().is_some_and(|found| found == wanted),
        Comparator::IsTrue(wanted) => found.bool() == Some(wanted),
        // `all` of an empty list would be true. Smithy asks for at least one element: a fleet
        // without nodes is not yet ready.
        Comparator::All(wanted) => {
            compare_all(wanted);
            every && !is_empty
        }
        Comparator::Any(wanted) => {
            compare_all(wanted);
            any
        }
    }
}

/// The service's own word for its state, or its words for those of a list.
pub(super) struct StatusWord {
    pub(super) word: String,
    /// Whether it is of a list, each of whose words an acceptor looks for. Such a list needs no
    /// match to be known: `ready, starting` is between the two.
    pub(super) is_known_list: bool,
}

/// How many words of a list a status word names. A fleet has few states, whatever its size.
const MOST_WORDS: usize = 8;

/// Returns what the path of the first output acceptor finds: a string, or the different strings of
/// a list in the order of their first elements, as `ready, starting`.
pub(super) fn status_word(acceptors: &[Acceptor], output: Option<&RawValue>) -> Result<Option<StatusWord>, Failure> {
    let Some(path) = acceptors.iter().find_map(Acceptor::path) else { return Ok(None) };
    let path = Path::parse(path)?;
    let found = path.find(output);
    if let Some(word) = found.string() {
        return Ok(Some(StatusWord { word: word.into_owned(), is_known_list: false }));
    }
    let mut words: Vec<String> = Vec::new();
    let mut is_known_list = true;
    found.for_each(&mut |element| {
        let Some(word) = element.string() else { return };
        is_known_list &= acceptors.iter().any(|acceptor| acceptor.word() == Some(&*word));
        if words.len() < MOST_WORDS && !words.iter().any(|other| *other == word) {
            words.push(word.into_owned());
        }
    });
    Ok((!words.is_empty()).then(|| StatusWord { word: words.join(", "), is_known_list }))
}

/// Returns the status of an operation whose output matched a failure acceptor. `word` becomes the
/// reason: the one that the acceptor looked for.
pub(super) fn failure(word: Option<&str>) -> Status {
    match word {
        Some(word) => Status::new(Code::Unknown, format!("the service says `{word}`")).with_reason(word),
        None => Status::new(Code::Unknown, "the output matched a failure acceptor"),
    }
}

/// The length of the longest type of an error, in bytes. What is longer is a text.
const LONGEST_TYPE: usize = 256;

/// What an error reply says in words.
pub(super) struct ErrorWords {
    /// Every word for its type: the service's own in header or body, then the name of the HTTP
    /// status.
    pub(super) types: Vec<String>,
    /// The service's own word, if it says one.
    pub(super) reason: Option<String>,
    /// The service's own message, if it says one.
    pub(super) message: Option<String>,
}

/// Reads the type and the message of an error. Namespaces are left out of a type, as Smithy's
/// protocols require ([operation error
/// serialization](https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization)).
pub(super) fn error_words(reply: &Reply) -> ErrorWords {
    // In the order of AWS's JSON protocols (`__type`, `code`), then of error objects: Azure and
    // OpenAI say `code`, Google `status`. All words are kept: a waiter may be declared with any of
    // them. The last two are messages.
    const MEMBERS: Paths<9> = Paths::NONE
        .with(0, WirePath::at(&[&["__type"]]))
        .with(1, WirePath::at(&[&["code"]]))
        .with(2, WirePath::at(&[&["Code"]]))
        .with(3, WirePath::at(&[&["error"], &["code"]]))
        .with(4, WirePath::at(&[&["error"], &["type"]]))
        .with(5, WirePath::at(&[&["error"], &["status"]]))
        .with(6, WirePath::at(&[&["error"]]))
        .with(7, WirePath::at(&[&["message"]]))
        .with(8, WirePath::at(&[&["Message"]]));
    // `com.example#QuotaExceeded:http://errors.example/` is `QuotaExceeded`.
    let bare = |word: &str| {
        word.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default().trim().to_owned()
    };
    let header = reply.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut found = [None; 9];
    // What is no JSON may be XML. What was found before the body ceased to be JSON counts.
    let _ = seek(without_mark(reply.body()), &MEMBERS, &mut found);
    let [types @ .., message, other_message] = found;
    let text = |member: Option<&RawValue>| member.and_then(string).map(Cow::into_owned);
    let said = header.into_iter().chain(types.into_iter().filter_map(text)).chain(xml_text(reply.body(), "Code"));
    let types = said.map(|word| bare(&word)).filter(|word| (1..=LONGEST_TYPE).contains(&word.len()));
    let mut types: Vec<_> = types.collect();
    let reason = types.first().cloned();
    // A bare 404 has no body: its type is `NotFound`, from `Not Found`.
    types.extend(reply.status().canonical_reason().map(|reason| reason.replace([' ', '-', '\''], "")));
    let message = text(message).or_else(|| text(other_message)).or_else(|| xml_text(reply.body(), "Message"));
    ErrorWords { types, reason, message }
}

/// Returns the text of the element `name` in the first `<Error>` of an XML body: S3 and the query
/// protocols write `<Error><Code>…</Code><Message>…</Message></Error>`, alone or in other elements.
///
/// Not a parser of XML: these two elements have neither attributes nor elements in them.
fn xml_text(body: &[u8], name: &str) -> Option<String> {
    let body = std::str::from_utf8(body).ok().filter(|body| body.trim_start().starts_with('<'))?;
    let (_, error) = body.split_once("<Error>")?;
    let (error, _) = error.split_once("</Error>").unwrap_or((error, ""));
    let (_, text) = error.split_once(&format!("<{name}>"))?;
    let (text, _) = text.split_once('<')?;
    // `&amp;` last: `&amp;lt;` is `&lt;`.
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(text.trim().to_owned(), |text, (entity, c)| text.replace(entity, c)))
}
