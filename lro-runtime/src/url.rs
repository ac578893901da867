//! Judges URLs and names that a server or a caller gives: where they lead, and whether they may be
//! followed. Which parts of them may be shown or stored says `secrets`.

use std::{borrow::Cow, fmt};

use http::Uri;

pub(crate) use crate::text::redacted;
use crate::{percent::decoded, text::excerpt};

/// Why a URL or a name is refused. The message names it, with secrets removed, and gives the
/// reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UrlError(String);

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UrlError {}

/// A scheme, a host and a port ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)). The client
/// decides by origin whether a URL is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// Returns the origin of an absolute `http` or `https` URL without user info, and `None` for
    /// anything else.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let authority = uri.authority()?;
        // `https://trusted.example@evil.example` looks like a URL of the first host and is one of
        // the second. It has no origin, so it is never trusted.
        if authority.as_str().contains('@') {
            return None;
        }
        // A trailing dot stays: `example.com.` is another origin than `example.com`, as in
        // browsers, because a resolver may map it to another host.
        let host = authority.host().to_ascii_lowercase();
        // Not `authority.port()`: it returns `None` for a port that does not fit 16 bits, so that
        // `https://host:99999` would pass as the origin of `https://host`.
        let port = match authority.as_str().strip_prefix(authority.host())?.strip_prefix(':') {
            None => default_port,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().ok()?,
            Some(_) => return None,
        };
        Some(Self { scheme, host, port })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// Returns what follows the `://` of an absolute URL; `None` for anything else, such as a path or a
/// name. A `://` further on, such as in a query, does not make an absolute URL.
pub(crate) fn after_scheme(text: &str) -> Option<&str> {
    let end = text.find(|c| !is_of_scheme(c))?;
    let (scheme, rest) = text.split_at_checked(end)?;
    rest.strip_prefix("://").filter(|_| is_scheme(scheme))
}

/// Whether text is an absolute URL, not a path below a base URL, nor a name.
pub(crate) fn is_absolute(text: &str) -> bool {
    after_scheme(text).is_some()
}

/// Whether text has the form of a scheme ([RFC 3986, section
/// 3.1](https://www.rfc-editor.org/rfc/rfc3986#section-3.1)).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_of_scheme)
}

fn is_of_scheme(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// The length of the longest URL that [`Uri`] can hold, in bytes. What is longer is refused before
/// it is copied and encoded.
const LONGEST: usize = 65_534;

/// Resolves `reference` against `base` into an absolute URL ([RFC 3986, section
/// 5.2](https://www.rfc-editor.org/rfc/rfc3986#section-5.2)).
///
/// What servers write without encoding it (spaces, non-ASCII, `"<>^{|}` and backticks) is
/// percent-encoded, as browsers do, except in the authority. Stricter than the RFC where clients
/// disagree on the meaning of a URL: control characters and backslashes are refused. The fragment
/// is dropped.
pub(crate) fn resolve(base: &Uri, reference: &str) -> Result<Uri, UrlError> {
    let refused = |why: &str| UrlError(format!("the URL `{}` {why}", redacted(&excerpt(reference.as_bytes()))));
    if reference.len() > LONGEST {
        return Err(refused("is longer than a URL may be"));
    }
    if let Some(uri) = plain_path(base, reference) {
        return Ok(uri);
    }
    if let Some(c) = reference.chars().find(|c| c.is_control() || *c == '\\') {
        return Err(refused(&format!("contains {c:?}")));
    }
    if let Some(c) = authority(reference).chars().find(|c| !c.is_ascii_graphic() || is_odd(*c)) {
        return Err(refused(&format!("contains {c:?} where its host is")));
    }
    let encoded = encode_odd(reference.trim_matches(' '));
    let reference = &*encoded;
    let reference = reference.split('#').next().unwrap_or_default();
    let scheme = base.scheme_str().unwrap_or("https");
    let authority = base.authority().map_or("", |authority| authority.as_str());
    // A colon alone does not make a scheme: `operations/a:b` is a relative path.
    let has_scheme = reference.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme));
    let text = if has_scheme {
        // Refuses `javascript:…` and `mailto:…`, and also `http:g`, which RFC 3986 lets lenient
        // parsers read as a relative reference.
        if !reference.contains("://") {
            return Err(refused("is not a hierarchical URL"));
        }
        reference.to_owned()
    } else if let Some(rest) = reference.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else {
        let (path, query) = reference.split_once('?').map_or((reference, None), |(path, query)| (path, Some(query)));
        let joined = match path {
            "" => base.path().to_owned(),
            _ if path.starts_with('/') => without_dots(path),
            _ => without_dots(&format!("{}/{path}", base.path().rsplit_once('/').map_or("", |(parent, _)| parent))),
        };
        let query = query.or_else(|| base.query().filter(|_| path.is_empty()));
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}://{authority}{joined}{query}")
    };
    text.parse().map_err(|_| refused("is not a URL"))
}

/// Resolves a path in which every character stands for itself, as in most names of operations;
/// `None` for any other reference. There is nothing in it to encode, to refuse or to remove, and
/// the base need not be parsed again.
fn plain_path(base: &Uri, reference: &str) -> Option<Uri> {
    /// So short that the URL is not too long.
    const SHORT: usize = 1024;
    let is_path = reference.starts_with('/') && !reference.starts_with("//") && reference.len() <= SHORT;
    if !is_path || !reference.bytes().all(is_plain) || base.authority()?.as_str().len() > SHORT {
        return None;
    }
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(reference.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Whether a byte is a slash, or stands for itself in every path. A dot is not: it may lead
/// elsewhere.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b':')
}

/// Returns `uri` with the query parameter `pair` (`name=value`) at its end, unless it has one of
/// this name already, in any case and however it is encoded.
pub(crate) fn with_query(uri: &Uri, pair: &str) -> Result<Uri, UrlError> {
    let name = |pair: &str| decoded(pair.split('=').next().unwrap_or_default().as_bytes()).to_ascii_lowercase();
    if uri.query().is_some_and(|query| query.split('&').any(|known| name(known) == name(pair))) {
        return Ok(uri.clone());
    }
    let separator = if uri.query().is_some() { '&' } else { '?' };
    resolve(uri, &format!("{uri}{separator}{pair}"))
}

/// Returns the reference to a path on the client's own origin, as a cursor keeps it: with an empty
/// host, `///x`.
///
/// A dialect does not know the client's origin, and a path alone is below the base URL, which may
/// have a path itself. No name begins with three slashes, and of a server such a reference is
/// refused: it has no host.
pub(crate) fn on_own_origin(path: &str) -> String {
    format!("///{}", path.trim_start_matches('/'))
}

/// Returns the path in a reference that [`on_own_origin`] made; `None` for any other.
pub(crate) fn path_on_own_origin(reference: &str) -> Option<&str> {
    reference.strip_prefix("//").filter(|path| path.starts_with('/'))
}

/// Returns the authority of a reference, if it has one: host and port, and perhaps user info.
fn authority(reference: &str) -> &str {
    let Some((before, rest)) = reference.trim_matches(' ').split_once("//") else { return "" };
    // Two slashes after anything but a scheme are in a path or a query.
    if !before.is_empty() && !before.strip_suffix(':').is_some_and(is_scheme) {
        return "";
    }
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether a character must be encoded in a URL, though servers write it as it is.
fn is_odd(c: char) -> bool {
    !c.is_ascii() || matches!(c, ' ' | '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}')
}

/// Percent-encodes the characters that [`is_odd`] finds.
fn encode_odd(reference: &str) -> Cow<'_, str> {
    if !reference.contains(is_odd) {
        return Cow::Borrowed(reference);
    }
    let mut out = String::with_capacity(reference.len() + 16);
    for c in reference.chars() {
        if is_odd(c) {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_encoded(&mut out, byte));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Returns a URL that a server has written as bytes. Bytes that are not text are percent-encoded,
/// as they would be in a URL.
pub(crate) fn from_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for byte in bytes {
        if byte.is_ascii() { out.push(char::from(*byte)) } else { push_encoded(&mut out, *byte) }
    }
    Cow::Owned(out)
}

/// Removes the dot segments of an absolute `path` ([RFC 3986, section
/// 5.2.4](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4)).
fn without_dots(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => {
                // At the root nothing is left to remove: `..` cannot climb above it.
                if segment == ".." {
                    out.truncate(out.rfind('/').unwrap_or_default());
                }
                // `/a/.` and `/a/b/..` name a directory: the result ends with `/`.
                if segments.peek().is_none() {
                    out.push('/');
                }
            }
            segment => {
                out.push('/');
                out.push_str(segment);
            }
        }
    }
    out
}

/// Encodes a name as a path that cannot leave its collection;
/// [`dialect::encode_name`](crate::dialect::encode_name) has the rules.
pub(crate) fn encode_name(name: &str) -> Result<String, UrlError> {
    let refused = |why: &str| UrlError(format!("the name `{}` {why}", redacted(&excerpt(name.as_bytes()))));
    let empty = || match name {
        "" => UrlError("the name is empty".to_owned()),
        _ if name.contains("://") => refused("is a URL, which is no name here"),
        _ if name.starts_with('/') => refused("begins with `/`"),
        _ => refused("has an empty segment"),
    };
    if name.len() > LONGEST {
        return Err(refused("is longer than a URL may be"));
    }
    // As most names are: a fleet comes by here at each poll.
    if is_encoded(name) {
        return Ok(name.to_owned());
    }
    let mut out = String::with_capacity(name.len());
    for (index, segment) in name.split('/').enumerate() {
        match segment {
            "" => return Err(empty()),
            // Some servers take a backslash for a slash once they have decoded it.
            _ if segment.split('\\').any(|part| part == "." || part == "..") => {
                return Err(refused("would leave its collection"));
            }
            _ if index > 0 => out.push('/'),
            _ => {}
        }
        for byte in segment.bytes() {
            // What RFC 3986 allows in a path segment (`pchar`), except `%`. A `%` is always
            // encoded, so that `%2e%2e` reaches the server as those six characters instead of as
            // `..`.
            if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
                out.push(char::from(byte));
            } else {
                push_encoded(&mut out, byte);
            }
        }
    }
    Ok(out)
}

/// Whether a name is a path already: of segments that are not empty, in which every character
/// stands for itself.
fn is_encoded(name: &str) -> bool {
    let mut before = b'/';
    let has_plain_segments = name.bytes().all(|byte| {
        let is_empty_segment = byte == b'/' && before == b'/';
        before = byte;
        is_plain(byte) && !is_empty_segment
    });
    has_plain_segments && before != b'/'
}

/// Appends `byte` as `%XX`.
fn push_encoded(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    // `get`, because the crate forbids indexing that can panic; a nibble is always in range.
    for nibble in [byte >> 4, byte & 15] {
        out.push(DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from));
    }
}

/// Encodes one value of a query.
pub(crate) fn encode_query(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        // Only RFC 3986's unreserved characters stay: `&`, `=`, `+` and `#` have a meaning in a
        // query, and a value must not add parameters.
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            push_encoded(&mut out, byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_plain_characters_resolves_as_any_other_reference() {
        let bases = ["http://a/b/c/d;p?q", "https://h.example:8443", "HTTPS://[::1]:1/x", "/b", "a"];
        for base in bases.map(|base| base.parse::<Uri>().unwrap()) {
            for path in ["/", "/g", "/g/", "/v1/projects/p-1_2/operations/7:cancel", "/g//h", "/:", "//g", "g", ""] {
                // A fragment is dropped, and is not plain.
                assert_eq!(resolve(&base, path).ok(), resolve(&base, &format!("{path}#")).ok(), "{base}, {path}");
            }
        }
        let long = format!("/{}", "x".repeat(1023));
        assert_eq!(plain_path(&"http://a".parse().unwrap(), &long).unwrap().path(), long);
        assert!(plain_path(&"http://a".parse().unwrap(), &format!("{long}x")).is_none());
        assert!(plain_path(&format!("http:/{long}xx").parse().unwrap(), "/g").is_none());
    }

    #[test]
    fn references_resolve_as_in_rfc_3986() {
        let base: Uri = "http://a/b/c/d;p?q".parse().unwrap();
        let cases = [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("g#s", "http://a/b/c/g"),
            ("https://h/x", "https://h/x"),
            (" g ", "http://a/b/c/g"),
        ];
        for (reference, resolved) in cases {
            assert_eq!(resolve(&base, reference).unwrap().to_string(), resolved, "{reference}");
        }
        for refused in [
            "http:g",
            "mailto:a@b",
            "/a\\b",
            "\\\\h\\x",
            "/a\r\nb",
            "/a\tb",
            "/\u{7f}",
            "/\u{85}",
            "javascript:alert(1)",
        ] {
            assert!(resolve(&base, refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_servers_do_not_encode_is_encoded_and_never_in_a_host() {
        let base: Uri = "https://a/b/c".parse().unwrap();
        let cases = [
            ("/a b?c=d e", "https://a/a%20b?c=d%20e"),
            ("x ä\u{2028}", "https://a/b/x%20%C3%A4%E2%80%A8"),
            ("https://h/\"<>^`{|}?{a}", "https://h/%22%3C%3E%5E%60%7B%7C%7D?%7Ba%7D"),
            ("/a%20b%zz", "https://a/a%20b%zz"),
            ("/x?u=https://ä/b c", "https://a/x?u=https://%C3%A4/b%20c"),
            ("//h/ä", "https://h/%C3%A4"),
            ("x//ä b/c", "https://a/b/x//%C3%A4%20b/c"),
            (" https://h/a ", "https://h/a"),
        ];
        for (reference, resolved) in cases {
            assert_eq!(resolve(&base, reference).unwrap().to_string(), resolved, "{reference}");
        }
        for refused in
            ["https://ä/x", "//h h/x", "https://h|x/", "https://h%20h/", "https://h\u{2028}.a/", "//ä", "//a|b@h/"]
        {
            assert!(resolve(&base, refused).is_err(), "{refused}");
        }
        assert_eq!(from_bytes(b"/caf\xe9 \xff"), "/caf%E9 %FF");
        assert_eq!(from_bytes("/café".as_bytes()), "/café");
    }

    #[test]
    fn a_url_is_absolute_only_with_a_scheme_at_its_beginning() {
        for (text, rest) in [("https://h/x", "h/x"), ("HTTP://h", "h"), ("a+b-.1://h?u=x://y", "h?u=x://y")] {
            assert_eq!((after_scheme(text), is_absolute(text)), (Some(rest), true), "{text}");
        }
        for text in
            ["/x?u=https://h", "x?u=https://h", "operations/a://b", "://h", "1a://h", " https://h", "http:h", ""]
        {
            assert_eq!((after_scheme(text), is_absolute(text)), (None, false), "{text}");
        }
    }

    #[test]
    fn a_url_is_as_long_as_a_url_may_be() {
        let base: Uri = "https://a/".parse().unwrap();
        let url = |length: usize| format!("https://h/{}", "x".repeat(length - "https://h/".len()));
        assert!(resolve(&base, &url(LONGEST)).is_ok() && resolve(&base, &url(LONGEST + 1)).is_err());
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origin = |text: &str| Origin::of(&text.parse().unwrap());
        assert_eq!(origin("https://Example.com/x"), origin("https://example.com:443"));
        assert_ne!(origin("https://example.com"), origin("http://example.com"));
        assert_ne!(origin("https://example.com"), origin("https://example.com."));
        assert_ne!(origin("https://example.com"), origin("https://example.com:8443"));
        assert_eq!(origin("http://[::1]:80/x"), origin("http://[::1]"));
        assert!(origin("http://[::1]").is_some());
        assert_eq!(origin("https://user@example.com"), None);
        assert_eq!(origin("ftp://example.com"), None);
        for no_port in [
            "https://example.com:99999",
            "https://example.com:",
            "https://example.com:+443",
            "https://example.com:4430443",
        ] {
            assert_eq!(no_port.parse().ok().and_then(|uri| Origin::of(&uri)), None, "{no_port}");
        }
    }

    #[test]
    fn a_name_that_is_refused_says_why() {
        let why = |name: &str| encode_name(name).unwrap_err().0;
        assert_eq!(why(""), "the name is empty");
        assert_eq!(why("https://h.test/v1/a"), "the name `https://h.test/v1/a` is a URL, which is no name here");
        assert_eq!(why("/v1/a"), "the name `/v1/a` begins with `/`");
        assert_eq!(why("a//b"), "the name `a//b` has an empty segment");
    }

    #[test]
    fn a_name_cannot_leave_its_collection() {
        assert_eq!(
            encode_name("projects/example.com:p/operations/a b").unwrap(),
            "projects/example.com:p/operations/a%20b"
        );
        assert_eq!(encode_name("a?b#c%2e%2e\u{7}ä\\").unwrap(), "a%3Fb%23c%252e%252e%07%C3%A4%5C");
        for refused in ["", "/a", "a//b", "a/../b", "..", "a/.", "a/", "..\\b", "a/b\\..", "a\\.\\b"] {
            assert!(encode_name(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_is_longer_than_any_url_is_refused_by_its_length() {
        let base: Uri = "https://h/".parse().unwrap();
        let long = "a".repeat(LONGEST + 1);
        for error in [resolve(&base, &long).unwrap_err(), encode_name(&long).unwrap_err()] {
            assert!(error.to_string().ends_with("is longer than a URL may be"), "{error}");
        }
        assert!(encode_name(&"a".repeat(LONGEST)).is_ok());
    }
}
