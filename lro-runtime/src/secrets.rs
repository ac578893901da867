//! The one list of query parameters that are secrets, and what hides them.
//!
//! Every text that leaves the library goes through here: names and URLs in `Debug` output, in
//! errors and in tokens through [`redacted`] and [`without_secrets`], words of a server and
//! excerpts of bodies through [`hidden`].

use std::borrow::Cow;

/// Names of query parameters whose values are never shown and never stored, in lower case: names
/// are compared without regard to case, and with `%XX` decoded.
///
/// Whole names only. A rule such as "ends with `token`" would take `pageToken` from the URL of a
/// page, which then could not be asked for again.
const SECRETS: &[&str] = &[
    // OAuth 2.0: RFC 6750, 2.3 (a bearer token in a query); RFC 6749, 2.3.1, 4.1.3, 4.3.2 and 6;
    // RFC 7521, 4 (assertions); RFC 7636 (PKCE). `code` also opens an Azure function.
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "id_token",
    "password",
    "refresh_token",
    // OAuth 1.0: RFC 5849, 3.5.3. Google's APIs take `oauth_token` as well.
    "oauth_signature",
    "oauth_token",
    // Google: API keys, and signed URLs of Cloud Storage.
    "key",
    "x-goog-credential",
    "x-goog-security-token",
    "x-goog-signature",
    // Azure: shared access signatures of storage; keys of API Management and Cognitive Services, of
    // Search and OpenAI, of Functions; links of SharePoint and OneDrive.
    "api-key",
    "authkey",
    "ocp-apim-subscription-key",
    "sig",
    "subscription-key",
    "tempauth",
    "x-functions-key",
    // AWS: presigned URLs of Signature Version 4 and of Version 2, and of CloudFront (`Signature`).
    "awsaccesskeyid",
    "signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    // Object stores of Alibaba and Tencent.
    "ossaccesskeyid",
    "q-signature",
    "security-token",
    "x-cos-security-token",
    "x-oss-credential",
    "x-oss-security-token",
    "x-oss-signature",
    // GitLab: personal tokens and tokens of CI jobs.
    "job_token",
    "private_token",
    // Words that many services use for the same things.
    "api_key",
    "apikey",
    "auth",
    "auth_token",
    "authorization",
    "client-secret",
    "credential",
    "credentials",
    "hmac",
    "jwt",
    "passwd",
    "pwd",
    "secret",
    "session_token",
    "sessiontoken",
    "token",
    "x-api-key",
];

/// Whether the query parameter `name`, as it is written in a URL, is a secret.
fn is_secret(name: &str) -> bool {
    // The longest name has 25 letters, each at most three bytes long. A longer one is not decoded,
    // so that the time for a hostile text stays linear.
    name.len() <= 75 && SECRETS.contains(&decoded(name).to_ascii_lowercase().as_str())
}

/// Returns `name` with `%XX` decoded. A server reads `s%69g` as `sig`.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = after;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// Replaces the value of every secret parameter in `text` by `…`. A parameter begins after one of
/// `starts`; its value ends before one of `ends`.
fn replaced(text: &str, starts: &[char], ends: fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        out.push_str(before);
        out.push('=');
        rest = after;
        let is_hidden = before.rsplit_once(starts).is_some_and(|(_, name)| is_secret(name));
        if is_hidden {
            let (value, next) = after.split_at(after.find(ends).unwrap_or(after.len()));
            if !value.is_empty() {
                out.push('…');
            }
            rest = next;
        }
    }
    out.push_str(rest);
    out
}

/// Returns a text of any kind, such as a body that has URLs in it, with the values of secret query
/// parameters replaced by `…`.
pub(crate) fn hidden(text: &str) -> Cow<'_, str> {
    // Most texts have no query at all.
    if !text.contains('?') && !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '&' | '#' | '"' | '`' | '<' | '>' | '\\');
    Cow::Owned(replaced(text, &['?', '&'], ends))
}

/// Returns `text` without the user info of a URL, which may be a password.
fn without_user_info(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else { return Cow::Borrowed(text) };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}://{host}{path}")),
        None => Cow::Borrowed(text),
    }
}

/// Returns a name or a URL in a form that may be shown: values of secret query parameters are
/// replaced by `…`, and user info is removed.
pub(crate) fn redacted(text: &str) -> String {
    replaced(&without_user_info(text), &['?', '&', ';', '#'], |c| matches!(c, '&' | ';' | '#'))
}

/// Returns a name or a URL fit to be stored: secret parameters and user info are left out. A text
/// without them stays as it is, letter by letter: it may be an opaque name.
pub(crate) fn without_secrets(text: &str) -> String {
    let text = without_user_info(text);
    let (before, mut rest) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    let mut kept = before.to_owned();
    // The `?` of a first parameter that was left out, for the one that is first now.
    let mut opening = None;
    while let Some(mark) = rest.chars().next() {
        // Each parameter with the mark before it, which is one byte long. A fragment is read as
        // parameters, too: OAuth has tokens in it.
        let after = rest.get(1..).unwrap_or_default();
        let (parameter, next) = after.split_at(after.find(['&', ';', '#']).unwrap_or(after.len()));
        rest = next;
        if parameter.split_once('=').is_some_and(|(name, _)| is_secret(name)) {
            opening = opening.or((mark == '?').then_some(mark));
            continue;
        }
        kept.push(if mark == '#' { mark } else { opening.take().unwrap_or(mark) });
        kept.push_str(parameter);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ways in which a server may write a name.
    fn spellings(name: &str) -> [String; 3] {
        let encoded: Vec<_> = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        [name.to_owned(), name.to_ascii_uppercase(), encoded.concat()]
    }

    #[test]
    fn every_secret_of_a_query_is_hidden_wherever_it_stands() {
        for name in SECRETS.iter().flat_map(|name| spellings(name)) {
            for query in [
                format!("?{name}=hunter2"),
                format!("?a=1&{name}=hunter2&b=2"),
                format!("?a=1;{name}=hunter2"),
                format!("?{name}=hunter2&{name}=hunter2"),
                format!("?{name}==hunter2?=&b=hunter"),
                format!("?b=2#{name}=hunter2"),
            ] {
                let url = format!("https://h/p{query}");
                assert!(!redacted(&url).contains("hunter2"), "{url}: {}", redacted(&url));
                assert!(!without_secrets(&url).contains("hunter2"), "{url}: {}", without_secrets(&url));
            }
            let said = format!("found `{{\"next\":\"https://h/p?{name}=hunter2\"}}` and /x?b=1&{name}=hunter2, sorry");
            assert!(!hidden(&said).contains("hunter2"), "{}", hidden(&said));
            assert!(hidden(&said).ends_with("sorry"), "{}", hidden(&said));
        }
    }

    #[test]
    fn the_list_is_in_lower_case_and_has_no_word_twice() {
        let mut words = SECRETS.to_vec();
        words.sort_unstable();
        assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "{words:?}");
        assert!(words.iter().all(|word| **word == word.to_ascii_lowercase()));
        assert!(words.iter().all(|word| word.len() <= 25), "the longest name is a number above");
    }

    #[test]
    fn what_is_no_secret_stays() {
        let url = "https://user:pw@h/p?api-version=1&sig=hunter2&Key=hunter2&t=5";
        assert_eq!(redacted(url), "https://h/p?api-version=1&sig=…&Key=…&t=5");
        assert_eq!(without_secrets(url), "https://h/p?api-version=1&t=5");
        assert_eq!(without_secrets("https://h/p?sig=x"), "https://h/p");
        assert_eq!(without_secrets("https://h/p?sig=x&a=1;b=2&key=y#top"), "https://h/p?a=1;b=2#top");
        for plain in [
            "",
            "operations/7",
            "ä ö?",
            "a?b?c#d#",
            "??&&;;#=",
            "a=b",
            "https://h/p?pageToken=x&signed=1",
            "code=5",
            "what? that: key = 5",
        ] {
            assert_eq!(redacted(plain), plain);
            assert_eq!(without_secrets(plain), plain);
            assert_eq!(hidden(plain), plain);
        }
    }

    #[test]
    fn a_hostile_text_is_read_in_linear_time() {
        let began = "?".to_owned() + &"%73".repeat(1 << 18) + &"=&sig".repeat(1 << 16);
        assert!(!hidden(&began).is_empty() && !redacted(&began).is_empty());
    }
}
