//! The one place that knows which query parameters and headers are secrets, and what hides them.
//!
//! Names and URLs in `Debug` output, in errors and in tokens go through [`redacted`] and
//! [`without_secrets`], messages of a server and excerpts of bodies through [`hidden`].

use std::borrow::Cow;

use crate::percent;

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

/// Words in the names of headers whose values are credentials, as in `x-auth-token`, between `-`
/// and `_`.
///
/// Words, unlike those of query parameters: a header that is taken for a secret is sent all the
/// same, and is only not printed.
const SECRET_WORDS: &[&str] = &[
    "apikey",
    "assertion",
    "auth",
    "authentication",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "key",
    "passwd",
    "password",
    "secret",
    "session",
    "signature",
    "token",
];

/// Whether the value of the header `name`, in lower case, may be a credential.
pub(crate) fn is_secret_header(name: &str) -> bool {
    // A start id is no secret, and is what a caller looks for in a log.
    name != "idempotency-key"
        && (SECRETS.contains(&name) || name.split(['-', '_']).any(|word| SECRET_WORDS.contains(&word)))
}

/// The number of letters of the longest name in the list.
const LONGEST: usize = 25;

/// One character of a text, and what it means to a reader of URLs.
struct Unit<'a> {
    /// The character as it is written, such as `%3F`.
    text: &'a str,
    /// What it means, such as `?`.
    means: char,
    /// How often it is percent-encoded: `%3F` once, `%253F` twice. The escapes of JSON and of XML
    /// do not count, because they belong to the document and not to the URL in it.
    depth: usize,
}

impl<'a> Unit<'a> {
    /// Reads the first character of `text`; `None` at its end.
    fn first_of(text: &'a str) -> Option<Self> {
        let first = text.chars().next()?;
        let bytes = text.as_bytes();
        let (length, means, depth) = match first {
            '%' => percent_encoded(bytes),
            '\\' => escaped_in_json(text),
            '&' => escaped_in_xml(text),
            _ => {
                read(1);
                (first.len_utf8(), first, 0)
            }
        };
        Some(Self { text: text.get(..length)?, means, depth })
    }
}

/// Counts the bytes that are looked at, in tests. Time would tell the same, but not in a test.
fn read(bytes: usize) {
    #[cfg(test)]
    tests::READ.with(|read| read.set(read.get() + bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

/// Reads `%XX`, whose `%` may be encoded as `%25`, again and again. Returns its length, what it
/// means, and how often it is encoded.
fn percent_encoded(text: &[u8]) -> (usize, char, usize) {
    let mut length = 1;
    while text.get(length..).is_some_and(|rest| rest.starts_with(b"25")) {
        length += 2;
    }
    read(length + 2);
    let depth = length / 2;
    match text.get(length..).and_then(percent::byte) {
        Some(byte) if byte.is_ascii() => (length + 2, char::from(byte), depth + 1),
        // One byte of a letter that is in no name of the list.
        Some(_) => (length + 2, char::REPLACEMENT_CHARACTER, depth + 1),
        None => (length, '%', depth),
    }
}

/// Reads `\u0026` and `\/`, as some writers of JSON escape `&` and `/`. JSON in JSON has more
/// backslashes. Returns its length, what it means, and no depth.
fn escaped_in_json(text: &str) -> (usize, char, usize) {
    let rest = text.trim_start_matches('\\');
    let slashes = text.len() - rest.len();
    read(slashes + 5);
    if rest.starts_with('/') {
        return (slashes + 1, '/', 0);
    }
    let digits = rest.strip_prefix('u').and_then(|rest| rest.get(..4)).filter(|digits| !digits.starts_with('+'));
    match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        Some(code) => (slashes + 5, char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 0),
        None => (slashes, '\\', 0),
    }
}

/// Reads `&amp;`, `&#38;` and `&#x26;`, as XML and HTML escape `&` and others; XML in XML has
/// `&amp;amp;`. Returns its length, what it means, and no depth.
fn escaped_in_xml(text: &str) -> (usize, char, usize) {
    let mut length = 1;
    while text.as_bytes().get(length..length + 4).is_some_and(|word| word.eq_ignore_ascii_case(b"amp;")) {
        length += 4;
    }
    read(length + 9);
    let number = || {
        let rest = text.get(length..)?.strip_prefix('#')?;
        // `1114111` is the greatest number of a character.
        let end = rest.bytes().take(8).position(|byte| byte == b';')?;
        let digits = rest.get(..end)?;
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        Some((length + end + 2, char::from_u32(code.ok()?)?, 0))
    };
    number().unwrap_or((length, '&', 0))
}

/// How a text is cleaned.
struct Rules {
    /// What ends the value of a parameter.
    ends_value: fn(char) -> bool,
    /// What ends the user info and the host of a URL.
    ends_host: fn(char) -> bool,
    /// Whether a secret parameter is left out with its name, and not shown as `…`.
    leaves_out: bool,
}

/// Where the name of a parameter may begin.
#[derive(Clone, Copy)]
struct Mark<'a> {
    /// Where it stands in the text that is written.
    at: usize,
    text: &'a str,
    depth: usize,
    /// Whether it is the `?` that begins the query, which the next parameter needs if this one is
    /// left out.
    opens: bool,
}

/// The value of a secret, while it is passed over.
struct Value {
    /// Only what is encoded as often as the parameter, or less often, ends it.
    depth: usize,
    is_shown: bool,
}

/// Returns `text` without the values of secret parameters and without user info of URLs.
///
/// A parameter begins at every `?`, `&`, `;` and `#`, however it is escaped and whatever it stands
/// in: a URL may be the value of another one's parameter, encoded or not. Each line is read by
/// itself.
fn cleaned(text: &str, rules: &Rules) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut name = String::with_capacity(LONGEST + 4);
    let mut mark: Option<Mark<'_>> = None;
    // The `?` of a first parameter that was left out, for the one that is first now.
    let mut opening: Option<Mark<'_>> = None;
    let mut has_query = false;
    let mut passed: Option<Value> = None;
    // A host begins after two slashes that do not follow a letter, as in `://`. How many of the
    // three were read, and where the host began, with its depth.
    let mut slashes = 1;
    let mut host: Option<(usize, usize)> = None;
    while let Some(unit) = Unit::first_of(rest) {
        rest = rest.get(unit.text.len()..).unwrap_or_default();
        if unit.text == "\n" {
            (mark, opening, has_query, passed, slashes, host) = (None, None, false, None, 1, None);
            out.push('\n');
            continue;
        }
        if let Some(value) = &mut passed {
            if unit.depth > value.depth || !(rules.ends_value)(unit.means) {
                if !value.is_shown && !rules.leaves_out {
                    out.push('…');
                }
                value.is_shown = true;
                continue;
            }
            passed = None;
        }
        if let Some((at, depth)) = host.filter(|(_, depth)| unit.depth <= *depth) {
            if unit.means == '@' {
                out.truncate(at);
                (mark, opening, slashes) = (None, None, 0);
                continue;
            }
            host = Some((at, depth)).filter(|_| !(rules.ends_host)(unit.means));
        }
        let opened = opening.take().filter(|opening| opening.depth == unit.depth);
        match unit.means {
            '?' | '&' | ';' | '#' => {
                let is_query = unit.means == '?' && (unit.depth > 0 || !has_query);
                has_query |= unit.means == '?' && unit.depth == 0;
                let opened = opened.filter(|_| matches!(unit.means, '&' | ';'));
                let text = opened.map_or(unit.text, |opening| opening.text);
                let opens = is_query || opened.is_some();
                mark = Some(Mark { at: out.len(), text, depth: unit.depth, opens });
                name.clear();
                out.push_str(text);
            }
            '=' => {
                let secret = mark.take().filter(|_| SECRETS.contains(&name.as_str()));
                if let Some(mark) = secret {
                    passed = Some(Value { depth: unit.depth.min(mark.depth), is_shown: false });
                    host = None;
                }
                match secret.filter(|_| rules.leaves_out) {
                    Some(mark) => {
                        out.truncate(mark.at);
                        opening = Some(mark).filter(|mark| mark.opens);
                    }
                    None => out.push_str(unit.text),
                }
            }
            c => {
                // A name with one letter more than the longest is no secret, however it goes on.
                if mark.is_some() && name.len() <= LONGEST {
                    name.push(c.to_ascii_lowercase());
                }
                out.push_str(unit.text);
            }
        }
        slashes = match (slashes, unit.means) {
            (2, '/') => {
                host = Some((out.len(), unit.depth));
                0
            }
            (1, '/') => 2,
            (_, c) => u8::from(c != '/' && !c.is_alphanumeric()),
        };
    }
    out
}

/// Whether a text may have a parameter or user info in it. Most have neither.
fn is_worth_reading(text: &str) -> bool {
    text.contains(['=', '@', '%', '\\', '&'])
}

/// Returns a text of any kind, such as a body that has URLs in it, with the values of secret query
/// parameters replaced by `…` and without the user info of URLs.
pub(crate) fn hidden(text: &str) -> Cow<'_, str> {
    let rules = Rules {
        ends_value: |c| c.is_whitespace() || matches!(c, '&' | '#' | '"' | '`' | '<' | '>' | '\\'),
        ends_host: |c| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '`' | '<' | '>' | '\\'),
        leaves_out: false,
    };
    if is_worth_reading(text) { Cow::Owned(cleaned(text, &rules)) } else { Cow::Borrowed(text) }
}

/// The rules of a name or a URL that stands alone.
const ALONE: Rules = Rules {
    ends_value: |c| matches!(c, '&' | ';' | '#'),
    ends_host: |c| matches!(c, '/' | '?' | '#'),
    leaves_out: false,
};

/// Returns a name or a URL in a form that may be shown: values of secret query parameters are
/// replaced by `…`, and user info is removed.
pub(crate) fn redacted(text: &str) -> String {
    if is_worth_reading(text) { cleaned(text, &ALONE) } else { text.to_owned() }
}

/// Returns a name or a URL fit to be stored: secret parameters and user info are left out, where
/// [`redacted`] hides them. A text without them stays as it is, letter by letter: it may be an
/// opaque name.
pub(crate) fn without_secrets(text: &str) -> String {
    if is_worth_reading(text) { cleaned(text, &Rules { leaves_out: true, ..ALONE }) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    /// The ways in which a server may write a name.
    fn spellings(name: &str) -> [String; 3] {
        let encoded: Vec<_> = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        [name.to_owned(), name.to_ascii_uppercase(), encoded.concat()]
    }

    /// The ways in which a document may write the mark before a name.
    const MARKS: [&str; 13] = [
        "?",
        "&",
        ";",
        "#",
        "\\u003f",
        "\\u0026",
        "\\\\u0026",
        "&amp;",
        "&amp;amp;",
        "&#38;",
        "&#x26;",
        "%3F",
        "%2526",
    ];

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
                format!("?a=1?{name}=hunter2"),
                format!("?next=https://x/?{name}=hunter2"),
                format!("?url=https%3A%2F%2Fx%2F%3Fa%3D1%26{name}%3Dhunter2%26b%3D2&c=3"),
                format!("?url=https%253A%252F%252Fx%252F%253F{name}%253Dhunter2"),
                format!("?url=https%3A%2F%2Fx%2F%3F{name}=a%26hunter2"),
                format!("?{name}%3Da%26hunter2&b=2"),
                format!("?x=1\nhttps://b?{name}=hunter2"),
            ] {
                let url = format!("https://h/p{query}");
                assert!(!redacted(&url).contains("hunter2"), "{url}: {}", redacted(&url));
                assert!(!without_secrets(&url).contains("hunter2"), "{url}: {}", without_secrets(&url));
                let said = format!("found `{{\"next\":\"{url}\"}}`, sorry");
                assert!(!hidden(&said).contains("hunter2"), "{}", hidden(&said));
                assert!(hidden(&said).ends_with("sorry"), "{}", hidden(&said));
            }
            for mark in MARKS {
                let said = format!("found `{{\"next\":\"https://h/p?b=1{mark}{name}=hunter2\"}}`, sorry");
                assert!(!hidden(&said).contains("hunter2"), "{}", hidden(&said));
                assert!(hidden(&said).ends_with("sorry"), "{}", hidden(&said));
                assert!(!redacted(&said).contains("hunter2"), "{}", redacted(&said));
                assert!(!without_secrets(&said).contains("hunter2"), "{}", without_secrets(&said));
            }
        }
    }

    #[test]
    fn a_header_is_judged_by_the_words_in_its_name() {
        for secret in SECRETS.iter().chain(&[
            "cookie",
            "ocp-apim-subscription-key",
            "private-token",
            "proxy-authorization",
            "x-auth-token",
            "x-aws-ec2-metadata-token",
            "x-goog-api-key",
            "x-goog-iam-authorization-token",
            "x-ms-authorization-auxiliary",
            "x-vault-token",
        ]) {
            assert!(is_secret_header(secret), "{secret}");
        }
        for plain in ["accept", "content-type", "idempotency-key", "user-agent", "x-goog-user-project", "x-monkey"] {
            assert!(!is_secret_header(plain), "{plain}");
        }
    }

    #[test]
    fn a_value_ends_where_it_ends_in_its_document() {
        let cases = [
            (
                r#"{"next":"https://h/p?a=1\u0026sig=x\u002by\/z\u0026b=2"}"#,
                r#"{"next":"https://h/p?a=1\u0026sig=…\u0026b=2"}"#,
            ),
            ("<next>https://h/p?a=1&amp;sig=x&amp;b=2</next>", "<next>https://h/p?a=1&amp;sig=…&amp;b=2</next>"),
            (r#"\"/p?sig=x\" is gone"#, r#"\"/p?sig=…\" is gone"#),
            ("see /p?sig=x%26y&b=2", "see /p?sig=…&b=2"),
            ("see /p?u=%2F%3Fsig%3Dx%26b%3D2&c=3", "see /p?u=%2F%3Fsig%3D…%26b%3D2&c=3"),
            ("a;code=5 and #access_token=x\ny", "a;code=… and #access_token=…\ny"),
        ];
        for (said, shown) in cases {
            assert_eq!(hidden(said), shown);
        }
    }

    #[test]
    fn user_info_is_hidden_wherever_it_stands() {
        for (said, shown) in [
            ("https://u:hunter2@h/p", "https://h/p"),
            ("https://u@x:hunter2@h", "https://h"),
            ("//u:hunter2@h/p", "//h/p"),
            ("https://h/p?next=https://u:hunter2@x/y", "https://h/p?next=https://x/y"),
            ("https://h/p?next=https%3A%2F%2Fu%3Ahunter2%40x%2Fy", "https://h/p?next=https%3A%2F%2Fx%2Fy"),
            ("https:\\/\\/u:hunter2@h\\/p", "https:\\/\\/h\\/p"),
            ("https://a?x=1\nhttps://u:hunter2@b?sig=hunter2", "https://a?x=1\nhttps://b?sig=…"),
        ] {
            assert_eq!(hidden(said), shown);
            assert_eq!(redacted(said), shown);
            assert_eq!(without_secrets(said), shown.replace("?sig=…", ""));
        }
        let said = "cannot read https://u:hunter2@h/p, ask me@example.com";
        assert_eq!(hidden(said), "cannot read https://h/p, ask me@example.com");
    }

    #[test]
    fn the_list_is_in_lower_case_and_has_no_word_twice() {
        let mut words = SECRETS.to_vec();
        words.sort_unstable();
        assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "{words:?}");
        assert!(words.iter().all(|word| **word == word.to_ascii_lowercase()));
        assert!(words.iter().all(|word| word.len() <= LONGEST), "the longest name is a number above");
    }

    #[test]
    fn what_is_no_secret_stays() {
        let url = "https://user:pw@h/p?api-version=1&sig=hunter2&Key=hunter2&t=5";
        assert_eq!(redacted(url), "https://h/p?api-version=1&sig=…&Key=…&t=5");
        assert_eq!(without_secrets(url), "https://h/p?api-version=1&t=5");
        assert_eq!(without_secrets("https://h/p?sig=x"), "https://h/p");
        assert_eq!(without_secrets("https://h/p?u=%2F%3Fsig%3Dx%26b%3D2&c=3"), "https://h/p?u=%2F%3Fb%3D2&c=3");
        assert_eq!(without_secrets("https://h/p?u=/?sig=x&c=3"), "https://h/p?u=/&c=3");
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
            "https://h/a//b@c?mail=me@example.com",
            "100%25 of %7Bx%7D %%25%2 \\\\ \\u00 &amp &#x; &#;",
        ] {
            assert_eq!(redacted(plain), plain);
            assert_eq!(without_secrets(plain), plain);
            assert_eq!(hidden(plain), plain);
        }
    }

    thread_local! {
        pub(super) static READ: Cell<usize> = const { Cell::new(0) };
    }

    fn shown(text: &str) -> String {
        hidden(text).into_owned()
    }

    #[test]
    fn a_hostile_text_is_read_in_linear_time() {
        let parts = ["?", "%73", "=&sig", "%25", "\\", "&amp;", "&#", "\\u0026sig=", "://a@", "?sig", "\n", "//@"];
        for part in parts.iter().chain([&parts.concat().as_str()]) {
            for clean in [redacted, without_secrets, shown] {
                let [once, twice] = [1 << 10, 1 << 11].map(|times| {
                    let text = format!("?{}=", part.repeat(times));
                    READ.with(|read| read.set(0));
                    assert!(clean(&text).len() <= 2 * text.len());
                    READ.with(Cell::get)
                });
                assert!(twice <= 2 * once + 16, "`{part}`: {once} bytes are looked at, then {twice}");
            }
        }
    }

    proptest! {
        /// Also proves that no text makes a reader panic.
        #[test]
        fn what_is_stored_has_nothing_left_to_hide(
            parts in proptest::collection::vec(prop::sample::select(PARTS), 0..20),
        ) {
            let text = parts.concat();
            let stored = without_secrets(&text);
            prop_assert_eq!(redacted(&stored), &*stored, "{}", text);
            let shown = hidden(&text);
            prop_assert_eq!(hidden(&shown), &*shown, "{}", text);
            // Details in tokens are cleaned as JSON text.
            let json = serde_json::to_string(&[&text]).unwrap();
            prop_assert!(serde_json::from_str::<[String; 1]>(&hidden(&json)).is_ok(), "{}", json);
        }
    }

    const PARTS: &[&str] = &[
        "?", "&", ";", "#", "=", "sig", "key", "a", "ä", "%", "25", "3", "F", "26", "3D", "%3D", "%40", "\\", "u0026",
        "amp;", "#38;", "https:", "/", "//", "@", "u:p@", "\n", " ", "\"",
    ];
}
