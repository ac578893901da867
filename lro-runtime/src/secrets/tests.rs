//! What holds for every text, whatever is in it.

use std::{borrow::Cow, cell::Cell};

use proptest::prelude::*;

use super::{escapes::READ, names::tests::KNOWN, of_caller, redacted, stored_text, without_secrets};

/// What is shown of a whole text.
pub(super) fn hidden(text: &str) -> Cow<'_, str> {
    super::hidden(text, false)
}

/// What is stored of a URL of the server.
pub(super) fn stored(text: &str) -> String {
    without_secrets(text, &mut vec![])
}

/// The ways in which a server may write a name.
fn spellings(name: &str) -> [String; 3] {
    let encoded: Vec<_> = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
    [name.to_owned(), name.to_ascii_uppercase(), encoded.concat()]
}

/// The ways in which a document may write the mark before a name.
const MARKS: [&str; 13] =
    ["?", "&", ";", "#", "\\u003f", "\\u0026", "\\\\u0026", "&amp;", "&amp;amp;", "&#38;", "&#x26;", "%3F", "%2526"];

#[test]
fn every_secret_of_a_query_is_hidden_wherever_it_stands() {
    for name in KNOWN.iter().flat_map(|name| spellings(name)) {
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
            assert!(!stored(&url).contains("hunter2"), "{url}: {}", stored(&url));
            let said = format!("found `{{\"next\":\"{url}\"}}`, sorry");
            assert!(!hidden(&said).contains("hunter2"), "{}", hidden(&said));
            assert!(hidden(&said).ends_with("sorry"), "{}", hidden(&said));
        }
        for mark in MARKS {
            let said = format!("found `{{\"next\":\"https://h/p?b=1{mark}{name}=hunter2\"}}`, sorry");
            assert!(!hidden(&said).contains("hunter2"), "{}", hidden(&said));
            assert!(hidden(&said).ends_with("sorry"), "{}", hidden(&said));
            assert!(!stored_text(&said).contains("hunter2"), "{}", stored_text(&said));
            assert!(!redacted(&said).contains("hunter2"), "{}", redacted(&said));
            assert!(!stored(&said).contains("hunter2"), "{}", stored(&said));
        }
    }
}

fn shown(text: &str) -> String {
    hidden(text).into_owned()
}

#[test]
fn a_hostile_text_is_read_in_linear_time() {
    let parts = [
        "?",
        "%73",
        "=&sig",
        "%25",
        "\\",
        "&amp;",
        "&#",
        "\\u0026sig=",
        "://a@",
        "?sig",
        "\n",
        "//@",
        "\"",
        "\"pwd\":\"",
        "\\\"pwd\\\":1",
        "\"pwd\":[",
        "\"pwd\":[{\"a\":\"\\\\\"}]",
        "\\u0022pwd\\u0022:\\u0022",
        "\\u0022pwd\\u0022:{",
        "u005c",
        "\\u005c",
        "\\u005c\"pwd\\u005c\":1",
        "\\u005cu005cu005cu005cu005cu005cu005cu0022pwd\\u005cu005cu005cu005cu005cu005cu005cu0022:1",
    ];
    for part in parts.iter().chain([&parts.concat().as_str()]) {
        for clean in [redacted, stored, shown] {
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
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Also proves that no text makes a reader panic.
    #[test]
    fn what_is_stored_has_nothing_left_to_hide(
        parts in proptest::collection::vec(prop::sample::select(PARTS), 0..20),
    ) {
        let text = parts.concat();
        let stored = stored(&text);
        prop_assert_eq!(super::tests::stored(&stored), &*stored, "{}", text);
        let own = of_caller(&text, &mut vec![]);
        prop_assert_eq!(of_caller(&own, &mut vec![]), &*own, "{}", text);
        prop_assert_eq!(redacted(&own), &*own, "{}", text);
        let once = redacted(&text);
        prop_assert_eq!(redacted(&once), &*once, "{}", text);
        let shown = hidden(&text);
        prop_assert_eq!(hidden(&shown), &*shown, "{}", text);
        // Details in tokens are cleaned as JSON text.
        let json = serde_json::to_string(&[&text]).unwrap();
        prop_assert!(serde_json::from_str::<[String; 1]>(&stored_text(&json)).is_ok(), "{}", json);
    }
}

const PARTS: &[&str] = &[
    "?", "&", ";", "#", "=", "sig", "key", "a", "ä", "%", "25", "3", "F", "26", "3D", "%3D", "%40", "\\", "u0026",
    "amp;", "#38;", "https:", "/", "//", "@", "u:p@", "\n", " ", "\"", ":", "\"pwd\"", "5", ";", "top", "filter",
    "pin", "\\u0022", "[", "}", "\\u005c", "u005c", "aHU=",
];
