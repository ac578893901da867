//! The error of an operation of Compute: an HTTP status, a list of errors, or both.

use serde_json::value::RawValue;

use super::{Compute, fields::Members};
use crate::{
    dialect::{
        declared::{
            WirePath,
            seek::{Paths, seek},
        },
        json::{MOST_ELEMENTS, first_elements, shown},
    },
    status::{Code, Status, details::Detail},
    text::excerpt,
};

impl Compute {
    /// Returns the error of an operation that is done, or `None` if it succeeded.
    pub(super) fn read_error(&self, members: &Members<'_>) -> Option<Status> {
        const ERRORS: Paths<1> = Paths::NONE.with(0, WirePath::at(&[&["errors"]]));
        let code = members.get(self.fields.error_code).and_then(ErrorCode::of);
        let errors = match members.get("error") {
            None => vec![],
            Some(error) => {
                let mut found = [None];
                let is_object = seek(error.get().as_bytes(), &ERRORS, &mut found).is_ok();
                match found {
                    [None] if is_object => vec![],
                    [list] => match list.map(|list| first_elements(list, MOST_ELEMENTS)) {
                        Some(Ok((errors, _))) => errors,
                        // An error in another shape is still an error.
                        _ => vec![error],
                    },
                }
            }
        };
        // One by one: of a thousand errors with a thousand details each, the last are never made.
        let mut errors = errors.into_iter().map(OneError::of).peekable();
        let (first, reason) = errors.peek().map(|error| (error.message.clone(), error.code.clone())).unzip();
        if code.is_none() && first.is_none() {
            return None;
        }
        // Either of the two forms may come alone: only the HTTP status, or only `error.errors[]`.
        let words = members.text(self.fields.error_message).filter(|words| !words.is_empty());
        let words = words.or(first).unwrap_or_default();
        let mut status = match code {
            Some(ErrorCode::Http(http)) => Status::new(Code::from_http_status(http), words).with_http_status(http),
            Some(ErrorCode::Other(word)) => {
                Status::new(Code::from_name(&word).unwrap_or(Code::Unknown), words).with_reason(word)
            }
            None => Status::new(Code::Unknown, words),
        };
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            status = status.with_reason(reason);
        }
        Some(status.with_details(errors.flat_map(|error| error.details).take(MOST_ELEMENTS).collect()))
    }
}

/// The code of an operation that failed.
enum ErrorCode {
    /// An HTTP status.
    Http(u16),
    /// Anything else, which is an error nevertheless.
    Other(String),
}

impl ErrorCode {
    /// Returns the code, or `None` for a success: a 2xx, the word `OK`, or the protobuf default.
    fn of(raw: &RawValue) -> Option<Self> {
        let text = excerpt(shown(raw).as_bytes());
        // As a float, because `404.0` is a number, too; in quotes it is one as well.
        match text.parse::<f64>() {
            Ok(0.0) => None,
            Ok(number) => match (100_u16..=599).find(|http| f64::from(*http).total_cmp(&number).is_eq()) {
                Some(200..=299) => None,
                Some(http) => Some(Self::Http(http)),
                None => Some(Self::Other(text)),
            },
            Err(_) if matches!(&*text, "" | "OK") => None,
            Err(_) => Some(Self::Other(text)),
        }
    }
}

/// One element of `error.errors[]`, with the details that it becomes.
struct OneError {
    code: String,
    message: String,
    details: Vec<Detail>,
}

impl OneError {
    /// Reads one element. The first detail is the element itself; after it come those of its
    /// `errorDetails[]` that `google.rpc` has a type for.
    ///
    /// An element of another shape is still an error: it must not turn a failed operation into a
    /// success.
    fn of(raw: &RawValue) -> Self {
        const MEMBERS: Paths<3> = Paths::NONE
            .with(0, WirePath::at(&[&["code"]]))
            .with(1, WirePath::at(&[&["message"]]))
            .with(2, WirePath::at(&[&["errorDetails"]]));
        const TYPED: Paths<3> = Paths::NONE
            .with(0, WirePath::at(&[&["errorInfo"]]))
            .with(1, WirePath::at(&[&["help"]]))
            .with(2, WirePath::at(&[&["localizedMessage"]]));
        const TYPES: [&str; 3] = ["ErrorInfo", "Help", "LocalizedMessage"];
        let mut details = vec![Detail::new("", raw.to_owned())];
        let mut found = [None; 3];
        if seek(raw.get().as_bytes(), &MEMBERS, &mut found).is_err() {
            return Self { code: String::new(), message: excerpt(shown(raw).as_bytes()), details };
        }
        let [code, message, typed] = found;
        let (typed, _) = typed.and_then(|list| first_elements(list, MOST_ELEMENTS).ok()).unwrap_or_default();
        for detail in typed {
            let mut found = [None; 3];
            // What is no object has no members.
            let _ = seek(detail.get().as_bytes(), &TYPED, &mut found);
            details.extend(found.into_iter().zip(TYPES).filter_map(|(detail, name)| {
                Some(Detail::new(format!("type.googleapis.com/google.rpc.{name}"), detail?.to_owned()))
            }));
        }
        let text = |raw: Option<&RawValue>| raw.map(shown).unwrap_or_default();
        Self { code: text(code), message: text(message), details }
    }
}
