//! What of a name, a URL or a text may be shown, and what may be stored.
//!
//! Names and URLs in `Debug` output and in errors go through [`redacted`], messages of a server and
//! excerpts of bodies through [`hidden`]. Tokens store URLs of a server as [`without_secrets`]
//! leaves them, URLs of the caller as [`of_caller`] does, and texts as [`stored_text`] does. What
//! must be stored as it is or not at all, a start call, is asked for secrets first.

use std::borrow::Cow;

use http::HeaderMap;

mod escapes;
mod json;
mod names;
mod url;

#[cfg(test)]
mod tests;

#[cfg(feature = "fleet")]
pub(crate) use self::names::is_secret_header;
use self::{
    names::{is_plain_header, is_shown},
    url::{Purpose, Rules, folded, name_of},
};

/// Returns a text of any kind in a form that may be shown: `…` stands for the values of query
/// parameters that are not known to be harmless, and of members of JSON that are known secrets.
/// User info is removed from URLs. `is_cut` says that the text is only the beginning of one.
pub(crate) fn hidden(text: &str, is_cut: bool) -> Cow<'_, str> {
    Rules::of_text(Purpose::Show, is_cut).apply(text, &mut vec![])
}

/// Marks the values of all headers that are not known to be harmless as sensitive, whether the
/// builder, the start call or the dialect has set them: `http` prints such a value as `Sensitive`,
/// so that a transport that logs requests does not show it.
pub(crate) fn mark_headers(headers: &mut HeaderMap) {
    let secret = headers.iter_mut().filter(|(name, _)| !is_plain_header(name.as_str()));
    secret.for_each(|(_, value)| value.set_sensitive(true));
}

/// Returns a text of any kind in a form that may be stored: as [`hidden`], but of query parameters
/// only the known secrets are hidden, because what reads the text later may need the others. JSON
/// stays JSON.
pub(crate) fn stored_text(text: &str) -> Cow<'_, str> {
    stored_head(text, false)
}

/// As [`stored_text`], of a text that may be only the beginning of one.
pub(crate) fn stored_head(text: &str, is_cut: bool) -> Cow<'_, str> {
    Rules::of_text(Purpose::Store, is_cut).apply(text, &mut vec![])
}

/// Whether something that is a text, or may have text in it, has anything that [`stored_text`]
/// would hide.
#[cfg(feature = "fleet")]
pub(crate) fn has_secrets(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    stored_text(&text) != text
}

/// Returns a name or a URL in a form that may be shown: `…` stands for the values of query
/// parameters that are not known to be harmless, and user info is removed.
pub(crate) fn redacted(text: &str) -> String {
    redacted_head(text, false)
}

/// As [`redacted`], of a name or a URL that may be only the beginning of one.
pub(crate) fn redacted_head(text: &str, is_cut: bool) -> String {
    Rules::alone(Purpose::Show, is_cut).apply(text, &mut vec![]).into_owned()
}

/// Returns a name or a URL of a server fit to be stored: known secrets are left out, and their
/// names added to `left_out`; user info is removed. Everything else stays, letter by letter: the
/// server gave it to be asked for again, and it may be an opaque name.
pub(crate) fn without_secrets(text: &str, left_out: &mut Vec<String>) -> String {
    Rules::alone(Purpose::LeaveOut, false).apply(text, left_out).into_owned()
}

/// Returns a URL that the caller has written fit to be stored: of its parameters only what is known
/// to be harmless, and no fragment. The names of the others are added to `left_out`, and `…` for
/// each that has none. What is stored is what [`redacted`] shows as it is.
pub(crate) fn of_caller(url: &str, left_out: &mut Vec<String>) -> String {
    // What stood before a parameter that is left out may be one with what stands behind it.
    const ROUNDS: usize = 4;
    let mut kept = once_of_caller(url, left_out);
    for _ in 1..ROUNDS {
        let again = once_of_caller(&kept, left_out);
        if again == kept {
            return kept;
        }
        kept = again;
    }
    // Nobody writes such a URL: nothing of it is known to be harmless.
    left_out.push("…".to_owned());
    "…".to_owned()
}

fn once_of_caller(url: &str, left_out: &mut Vec<String>) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut kept = path.to_owned();
    let mut separator = '?';
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = name_of(pair);
        if is_shown(&folded(name.unwrap_or(pair))) {
            kept.push(separator);
            kept.push_str(pair);
            separator = '&';
        } else {
            left_out.push(name.unwrap_or("…").to_owned());
        }
    }
    Rules::alone(Purpose::LeaveOutUnknown, false).apply(&kept, left_out).into_owned()
}
