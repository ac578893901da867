//! What is shown, stored and decoded of a case keeps the promises of the library.

use std::fmt::Debug;

use lro_runtime::{Error, Payload, RawOperation, Status, Token, details::Detail};
use serde_json::Value;

/// A secret that is planted where the library hides what is there.
pub(super) const SECRET: &str = "Pl4ntedS3cret";

/// How many bytes an error or a `Debug` output may have.
const TEXT: usize = 4096;

pub(super) fn judged_status(status: &Status) {
    fit_to_show(status);
    fit_line(&status.to_string());
    let _ = (status.code(), status.reason(), status.http_status(), status.retry_delay());
    status.details().iter().for_each(detailed);
}

pub(super) fn detailed(detail: &Detail) {
    fit_to_show(detail);
    let _ = (detail.type_url(), detail.json(), detail.message());
    let _ = (detail.error_info(), detail.retry_info(), detail.quota_failure(), detail.bad_request());
    let _ = (detail.precondition_failure(), detail.resource_info(), detail.request_info(), detail.help());
    let _ = (detail.localized_message(), detail.debug_info());
    let _ = detail.decode_message::<prost_types::Duration>("google.protobuf.Duration");
}

pub(super) fn decoded(payload: &Payload<'_>) {
    fit_to_show(payload);
    let _ = payload.type_url();
    payload.decode_json::<Value>().err().iter().for_each(fit_error);
    payload.decode_json::<()>().err().iter().for_each(fit_error);
    payload.decode_json::<Vec<u8>>().err().iter().for_each(fit_error);
    payload.decode_message::<prost_types::Struct>().err().iter().for_each(fit_error);
}

/// What is shown is short and has no secret.
pub(super) fn fit_to_show(shown: &impl Debug) {
    let text = format!("{shown:?}");
    assert!(text.len() <= TEXT, "{} bytes of Debug: {}", text.len(), text.get(..TEXT).unwrap_or(&text));
    assert!(!text.contains(SECRET), "the secret is shown: {text}");
}

/// What a person reads is one line, short, and has no secret.
pub(super) fn fit_line(text: &str) {
    assert!(text.len() <= TEXT, "{} bytes of text: {text}", text.len());
    assert!(!text.contains(SECRET), "the secret is shown: {text}");
    assert!(!text.chars().any(char::is_control), "more than one line: {text:?}");
}

pub(super) fn fit_error(error: &Error) {
    fit_to_show(error);
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = source {
        fit_line(&one.to_string());
        fit_to_show(&one);
        source = one.source();
    }
}

/// A token is one word, has no secret, and is read as it was written.
pub(super) fn stored(token: &Token) {
    fit_to_show(token);
    let word = token.to_string();
    assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "not one word: {word}");
    let read: Token = word.parse().expect("a token that was written can be read");
    assert!(read == *token, "{token:?} is read as {read:?}");
    let content = crate::tokens::content(&word).unwrap_or_default();
    assert!(!content.contains(SECRET), "the token has the secret: {content}");
}

pub(super) fn shown(operation: &RawOperation) {
    fit_to_show(operation);
    assert!(operation.progress().is_none_or(|progress| (0.0..=1.0).contains(&progress)), "{:?}", operation.progress());
    assert!(operation.response().is_none() || operation.is_succeeded());
    operation.status().into_iter().for_each(judged_status);
    [operation.metadata(), operation.response()].iter().flatten().for_each(decoded);
}
